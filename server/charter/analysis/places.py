"""Where definitions have their names; what analyses point at. It knows nothing of their meaning."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

from charter.api import Location, Span, regex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charter.syntax.source import Source

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_HEAD = regex(r"(?:async[ \t\\\r\n]+def|def|class)[\s\\]+")
_HEADS: dict[type[Definition], str] = {
    ast.FunctionDef: "def ", ast.AsyncFunctionDef: "async def ", ast.ClassDef: "class ",
}  # fmt: skip
"""What stands before the name in nearly every definition."""


def name_span(source: Source, node: Definition) -> Span:
    """The offsets of the name in a definition.

    Args:
        source: the file.
        node: the definition.
    """
    head = _HEADS[type(node)]
    start = source.positions.offset(node.lineno, node.col_offset)
    if source.text.startswith(f"{head}{node.name}", start):
        return Span(start + len(head), start + len(head) + len(node.name))
    span = source.span(node)
    match = _HEAD.match(source.text, span.start, span.end)
    start = match.end() if match else span.start
    return Span(start, start + len(node.name))


Packed = tuple[int, int, int, int, int, int]
"""A location without its path, as extracts carry it: span, line, column, end line, end column."""


def name_places(source: Source) -> Mapping[ast.AST, Packed]:
    """The place of the name in each definition of a file (see `name_span`), packed."""
    found = cast("dict[ast.AST, Packed] | None", source.made.get(name_places))
    if found is None:
        source.made[name_places] = found = {}
        for kind, head in _HEADS.items():
            for node in source.nodes(kind):
                found[node] = _name_place(source, node, len(head))
    return found


def _name_place(source: Source, node: Definition, head: int) -> Packed:
    positions = source.positions
    if positions.is_ascii:
        name, line, column = node.name, node.lineno, node.col_offset + head
        start = positions.starts[line - 1] + column
        if source.text.startswith(name, start):
            return (start, start + len(name), line, column, line, column + len(name))
    return pack(source, name_span(source, node))


def pack(source: Source, place: ast.AST | Span) -> Packed:
    """A place of a file in the form that `marshal` can write."""
    positions = source.positions
    node: Any = place
    end_line: int | None = getattr(node, "end_lineno", None)
    if end_line is not None and positions.is_ascii:
        # By far the most places, and four searches less for each.
        line: int = node.lineno
        column: int = node.col_offset
        end_column: int = node.end_col_offset or 0
        starts = positions.starts
        return (
            starts[line - 1] + column,
            starts[end_line - 1] + end_column,
            line,
            column,
            end_line,
            end_column,
        )
    span = place if isinstance(place, Span) else source.span(place)
    return (span.start, span.end, *positions.place(span.start), *positions.place(span.end))


def unpack(path: str, packed: Packed) -> Location:
    """The location that was packed."""
    start, end, line, column, end_line, end_column = packed
    return Location(path, Span(start, end), line, column, end_line, end_column)
