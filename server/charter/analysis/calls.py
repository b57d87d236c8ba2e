"""The calls of a file whose target is known by name and may be of the project. It follows none of them."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar, cast

from charter.analysis.bodies import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from charter.model.names import Names
    from charter.syntax.source import Source

FOREIGN: Final = sys.stdlib_module_names | {"builtins"}
"""First parts of names that no project defines."""

_ITSELF: Final = frozenset({"self", "cls"})


class NamedCalls(NamedTuple):
    """The calls of a file with the qualified names of what they call, where that is certain, in source order.

    Methods of local objects and most builtins are left out without being looked up.

    Attributes:
        all: all of them.
        own: those of what is neither built in nor of the standard library, so that it may be the project's own.
        imported: what the module's own names refer to that may be the project's and is defined elsewhere.
    """

    all: dict[ast.Call, str]
    own: dict[ast.Call, str]
    imported: dict[str, str]

    def own_and(self, others: frozenset[str]) -> dict[ast.Call, str]:
        """The project's own calls together with those of some other functions, in source order."""
        if others.isdisjoint(self.all.values()):
            return self.own
        return {call: target for call, target in self.all.items() if call in self.own or target in others}


def named_calls(source: Source, names: Names) -> NamedCalls:
    """The calls of a file whose target is known by name."""
    found = cast("NamedCalls | None", source.made.get(named_calls))
    if found is None:
        every = _named(source, names)
        own = {call: target for call, target in every.items() if target.partition(".")[0] not in FOREIGN}
        source.made[named_calls] = found = NamedCalls(every, own, _imported(source, names))
    return found


def _named(source: Source, names: Names) -> dict[ast.Call, str]:
    known = {*names.table(source.tree), *_names_inside(source), *_ITSELF, "input"}
    methods = names.functions
    found: dict[ast.Call, str] = {}
    for call in source.nodes(ast.Call):
        first = root = call.func
        while type(root) is ast.Attribute:
            first, root = root, root.value
        # Most calls are methods of local objects or builtins; looking those up would take most of the time.
        if type(root) is ast.Name and root.id in known:
            if root.id in _ITSELF and type(first) is ast.Attribute and first.attr not in methods:
                continue
            target = names.qualified(call.func)
            if target is not None:
                found[call] = target
    return found


def _names_inside(source: Source) -> set[str]:
    """What is imported or defined in a function or a class."""
    parents = source.index.parents
    found: set[str] = set()
    for kind in (ast.Import, ast.ImportFrom):
        for statement in source.nodes(kind):
            if type(parents[statement]) is not ast.Module:
                found.update([alias.asname or alias.name.partition(".")[0] for alias in statement.names])
    for kind in FUNCTIONS:
        for function in source.nodes(kind):
            if isinstance(parents[function], FUNCTIONS):
                found.add(function.name)
    return found


Callee = TypeVar("Callee", ast.Name, ast.Attribute)


def calls_of(callees: Iterable[Callee], source: Source) -> Iterator[tuple[ast.Call, Callee]]:
    """The calls of some names or attributes, which may not all be called."""
    parents = source.index.parents
    for callee in callees:
        call = parents[callee]
        if type(call) is ast.Call and call.func is callee:
            yield call, callee


def _imported(source: Source, names: Names) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, bindings in names.table(source.tree).items():
        target = bindings[0].target
        if target and target.partition(".")[0] not in FOREIGN:
            found[name] = target
    return found


def exports(source: Source, names: Names) -> dict[str, str]:
    """What a module offers under its own name although it is defined elsewhere, each with what it is there."""
    if not source.module:
        return {}
    imported = named_calls(source, names).imported
    return {f"{source.module}.{name}": target for name, target in imported.items()}
