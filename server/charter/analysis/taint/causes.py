"""Which sinks of a function are given the same path, address or name: one cause, to be told once. It follows no data itself."""

# The values here are nested tuples, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.own import Body
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from charter.analysis.taint.frame import SinkSite
    from charter.model.ir import Node
    from charter.model.project import Function

CHECKED_ONCE: Final = frozenset({"attribute", "path", "ssrf"})
"""Kinds of sinks where one check of a value, in front of its first use, is enough for all of its uses."""

_GO_ON: Final = frozenset(
    {"absolute", "as_posix", "expanduser", "glob", "iterdir", "joinpath", "resolve", "rglob", "with_suffix"}
)
"""Methods whose result, or each part of it, begins with the path that has them."""
_BEGIN: Final = frozenset(
    {"Path", "PurePath", "abspath", "dirname", "expanduser", "fspath", "join", "normpath", "realpath", "str"}
)
"""Functions whose result begins with the path that they are given first."""
_DEEPEST: Final = 8


def first_uses(sites: Mapping[SinkSite, Any]) -> dict[SinkSite, list[SinkSite]]:
    """The sinks of one function that are to be told, each with the others that use what it uses.

    What a path is made longer by of the program's own, as in `folder / "index.html"`, does not make it another.

    Args:
        sites: sinks of one kind in one function, with where their data comes from.

    Returns:
        By the first use of each value the later ones, in the order of the code.
    """
    first: dict[Any, SinkSite] = {}
    result: dict[SinkSite, list[SinkSite]] = {}
    ordered = sorted(sites, key=lambda site: site.position)
    body = _Uses(ordered)
    for site in ordered:
        known = first.setdefault((body.used(site), sites[site]), site)
        result.setdefault(known, []).extend(() if known is site else (site,))
    return result


def names_behind(function: Function, position: int) -> frozenset[str]:
    """The local names of which an expression of a function is made, through whatever they are bound to; empty if it is not found."""
    body = Body(function)
    stack = [one for one in body.expressions if one[1] == position]
    names: set[str] = set()
    while stack:
        node = stack.pop()
        if node[:1] == (ir.LOCAL,) and node[2] not in names:
            names.add(node[2])
            stack.extend(value for _, value in body.given.get(node[2], ()) if value is not None)
        else:
            stack.extend(part for part in node if isinstance(part, tuple) and part)
    return frozenset(names)


class _Uses(Body):
    """What a function's code binds, with the arguments of some of its sinks.

    Args:
        sites: the sinks.
    """

    def __init__(self, sites: Iterable[SinkSite]) -> None:
        super().__init__(next(iter(sites)).function)
        self._placed = {one[1]: one for one in reversed(self.expressions) if one[1]}

    def used(self, site: SinkSite) -> Any:
        """Something that is equal for sinks which use the same value."""
        node = self._placed.get(site.position)
        if node is None:
            return site.position
        if site.position == site.call and node[0] == ir.CALL and node[2][0] == ir.ATTR:
            node = node[2][2]  # `path.exists()`
        return self._beginning(node, site.position, _DEEPEST)

    def _beginning(self, node: Node, at: int, depth: int) -> Any:
        """What an expression begins with, as far as the rest is the program's own text."""
        opcode = node[0]
        if opcode == ir.LOCAL:
            return self._bound(node[2], at, depth)
        inner = self._continued(node) if depth else None
        if inner is not None:
            return self._beginning(inner, at, depth - 1)
        parts = (node[0], *node[2:]) if isinstance(opcode, int) else node
        return tuple(
            self._beginning(part, at, depth) if isinstance(part, tuple) and part else part for part in parts
        )

    def _bound(self, name: str, at: int, depth: int) -> Any:
        """What a name was last bound to before a place; the name and the place of that if it is a value of its own."""
        place, value = max(
            (one for one in self.given.get(name, ()) if one[0] < at),
            default=(0, None),
            key=lambda one: one[0],
        )
        if value is not None and depth and (value[0] == ir.LOCAL or self._continued(value) is not None):
            return self._beginning(value, place, depth - 1)
        return (name, place)

    def _continued(self, node: Node) -> Node | None:
        """What an expression makes longer by nothing but texts of the program; None if it does something else."""
        opcode = node[0]
        if opcode == ir.ATTR:
            return node[2] if node[3] == "parent" else None
        if opcode == ir.BINARY:
            return node[3] if node[2] in {"/", "+"} and node[4][0] == ir.CONST else None
        if opcode == ir.FORMAT:
            first, *rest = node[2]
            return (
                None if isinstance(first, str) or any(not isinstance(one, str) for one in rest) else first[0]
            )
        return self._of_call(node) if opcode == ir.CALL and not node[4] else None

    def _of_call(self, call: Node) -> Node | None:
        function, given = call[2], call[3]
        if function[0] == ir.ATTR and function[3] in _GO_ON and _are_texts(given):
            return function[2]
        name = function[-1] if function[0] in {ir.ATTR, ir.GLOBAL} else ""
        return given[0] if given and name in _BEGIN and _are_texts(given[1:]) else None


def _are_texts(arguments: Iterable[Node]) -> bool:
    return all(one[0] == ir.CONST for one in arguments)
