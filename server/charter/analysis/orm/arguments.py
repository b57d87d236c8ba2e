"""The evaluated arguments of a call."""

from __future__ import annotations

import ast

from msgspec import Struct

from charter.analysis.orm.values import Container, Frame, Value
from charter.analysis.orm.world import Module

_NOWHERE = Module("", "", "")


class Arguments(Struct):
    """The evaluated arguments of one call, with its node and the scope it stands in."""

    positional: list[Value]
    keywords: dict[str, Value]
    node: ast.Call
    frame: Frame

    @classmethod
    def of(cls, *values: Value) -> Arguments:
        """Arguments of a call that stands in no code: a template's, a framework's."""
        return cls(list(values), {}, ast.Call(ast.Name("call"), [], []), Frame(_NOWHERE))

    @property
    def has_star(self) -> bool:
        """Whether some arguments are unpacked."""
        return any(isinstance(a, ast.Starred) for a in self.node.args)

    def value(self, position: int, name: str = "") -> Value | None:
        """The argument at a position or under a keyword."""
        if position < len(self.positional):
            return self.positional[position]
        return self.keywords.get(name)

    def flat(self) -> list[Value]:
        """The positional arguments, lists among them taken apart."""
        found: list[Value] = []
        for value in self.positional:
            if isinstance(value, Container) and value.items is not None:
                found.extend(value.items)
            else:
                found.append(value)
        return found
