"""The records of a file that is being lowered, and the places of their code. It looks into no statement."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from charter.model import ir
from charter.model.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.syntax.positions import Positions


class FunctionRecord:
    """A function record in the making.

    Attributes:
        base: the line from which its places count.
        places: the nodes of its code that have a position, in its order.
        header: likewise for headers inside of it.
        words: the attributes and global names that it mentions.
        stores: the attributes and global names that it assigns, and the names that a class's body does.
        calls: what it calls, as text.
        given: what local names were assigned last, as text.
        shift: where the positions of the code being lowered begin; `ir.HEADER` in headers.
    """

    __slots__ = (
        "base", "calls", "flags", "given", "header", "index", "name", "nested", "owner", "places", "scope", "shift", "stores", "words",
    )  # fmt: skip

    def __init__(self, index: int, name: str, base: int, scope: Scope, owner: int) -> None:
        self.index = index
        self.name = name
        self.base = base
        self.scope = scope
        self.owner = owner
        self.flags = 0
        self.shift = 0
        self.nested: dict[str, int] = {}
        self.places: list[Any] = []
        self.header: list[Any] = []
        self.words: dict[str, None] = {}
        self.stores: dict[str, None] = {}
        self.calls: list[str] = []
        self.given: dict[str, str] = {}


class Records:
    """The file record in the making.

    Args:
        text: the file's text.
        positions: where its lines begin.
    """

    def __init__(self, text: str, positions: Positions) -> None:
        self.positions = positions
        self.wide = frozenset(() if text.isascii() else _wide_lines(text, positions.starts))
        self.functions: list[ir.Node] = []
        self.classes: list[ir.Node] = []
        self.imports: dict[str, tuple[int, str, str]] = {}
        self.stars: list[tuple[int, str]] = []
        self.renamed: dict[str, str] = {}
        self.defined: dict[str, tuple[str, int]] = {}
        self.roots: set[str] = set()
        self.function: FunctionRecord = FunctionRecord(
            0, "", 1, Scope(set(), set(), None, is_class=False), -1
        )

    def file_record(self) -> ir.Node:
        """The file record, once all of its functions and classes are."""
        starts = array("I", self.positions.starts)
        return (
            tuple(self.functions),
            tuple(self.classes),
            self.imports,
            tuple(self.stars),
            starts.tobytes(),
            self.defined,
            tuple(sorted(self.roots)),
            {name: text for name, text in self.function.given.items() if text.endswith(")")},
        )

    def _record(
        self,
        function: FunctionRecord,
        line: int,
        parameters: tuple[ir.Node, ...],
        body: bytes,
        decorators: tuple[ir.Node, ...],
        parent: int,
        returns: ir.Node | None,
    ) -> None:
        self.functions[function.index] = (
            function.name, line, parameters, body, decorators, tuple(function.scope.frees), parent, function.owner,
            returns, function.flags, function.nested, self._packed(function.places, function.base), tuple(function.words),
            tuple(function.stores), self._packed(function.header, function.base), tuple(function.calls),
        )  # fmt: skip

    def at(self, node: Any) -> int:
        """A new position for a node's place."""
        function = self.function
        places = function.places
        places.append(node)
        return len(places) - 1 + function.shift

    def binds(self, opcode: int, name: str) -> None:
        """Note a name that the code binds, if the name outlives the code."""
        function = self.function
        if opcode == ir.GLOBAL:
            function.stores["::" + name] = None
        elif function.scope.is_class:
            function.stores[name] = None

    def _packed(self, nodes: Sequence[Any], base: int) -> bytes:
        """The table of places of some nodes, from a line on."""
        wide = self.wide
        found: list[int] = []
        for node in nodes:
            place = node.__dict__  # faster than one attribute after the other
            line, last = place["lineno"], place["end_lineno"]
            if wide and (line in wide or last in wide):
                found += self._wide_place(node, base)
            else:
                found += (line - base, place["col_offset"], last - base, place["end_col_offset"])
        return ir.packed(found) if found else b""

    def _wide_place(self, node: Any, base: int) -> tuple[int, int, int, int]:
        """The place of a node where bytes are not characters."""
        positions, starts = self.positions, self.positions.starts
        line, last = node.lineno, node.end_lineno
        column = positions.offset(line, node.col_offset) - starts[line - 1]
        end = positions.offset(last, node.end_col_offset) - starts[last - 1]
        return (line - base, column, last - base, end)

    def _header(self, lower: Callable[[], Any]) -> Any:
        """Lower a part of the header of something inside: its positions are counted apart."""
        function = self.function
        if function.shift:
            return lower()
        function.places, function.header, function.shift = function.header, function.places, ir.HEADER
        try:
            return lower()
        finally:
            function.places, function.header, function.shift = function.header, function.places, 0


def _wide_lines(text: str, starts: Sequence[int]) -> list[int]:
    """The lines, from 1, in which not all characters are ASCII."""
    return [
        line
        for line, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1)
        if not text[start:end].isascii()
    ]
