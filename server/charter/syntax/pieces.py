"""The pieces that a document is divided into, and what edits do to them. It parses nothing.

Lines divide a document into pieces: a top-level statement, or, in a class, its head and each statement of its body.
"""

from __future__ import annotations

import ast
import bisect
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

from charter.syntax.nodes import Broken
from charter.syntax.walk import Index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from charter.syntax.positions import Positions


class Piece(Struct, eq=False):
    """Whole lines of a document that were parsed together.

    Attributes:
        first: first line, 1-based, decorators included.
        last: last line.
        nodes: the statements; of a broken piece what was recovered of it; none for blank space.
        own: the class itself, by type, if its body is held by statement.
        head: the indices of the statements; of such a class those of its bases and keywords.
        members: the pieces of a class's body.
        tail: the indices of a class's decorators, which the grammar puts behind its body.
        indent: the white space before each statement of a class's body.
        body: the line on which a class's body begins.
        error: why it does not parse; "" if it does.
        error_line: the line that the parser named.
        error_column: the column that it named, in code points.
        flat: the nodes by type of its parts in source order, once they were put together.
    """

    first: int
    last: int
    nodes: list[ast.stmt] = field(default_factory=list[ast.stmt])
    own: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict[type[ast.AST], list[ast.AST]])
    head: list[Index] = field(default_factory=list[Index])
    members: list[Piece] = field(default_factory=list["Piece"])
    tail: list[Index] = field(default_factory=list[Index])
    indent: str = ""
    body: int = 0
    error: str = ""
    error_line: int = 0
    error_column: int = 0
    flat: list[dict[type[ast.AST], list[ast.AST]]] | None = None

    @property
    def class_(self) -> ast.ClassDef | None:
        """The class whose body is held by statement; None if the piece is held whole."""
        return cast("ast.ClassDef", self.nodes[0]) if self.members else None


def blocks(piece: Piece) -> Iterator[dict[type[ast.AST], list[ast.AST]]]:
    """The nodes by type of a piece's parts, in source order."""
    if piece.own:
        yield piece.own
    for index in piece.head:
        yield index.by_type
    for member in piece.members:
        yield from blocks(member)
    for index in piece.tail:
        yield index.by_type


def flat(piece: Piece) -> list[dict[type[ast.AST], list[ast.AST]]]:
    """As `blocks`, kept until the piece changes."""
    if piece.flat is None:
        piece.flat = list(blocks(piece))
    return piece.flat


def _first_line(piece: Piece) -> int:
    return piece.first


def _last_line(piece: Piece) -> int:
    return piece.last


def errors(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The broken pieces, those in classes included."""
    for piece in pieces:
        if piece.error:
            yield piece
        yield from errors(piece.members)


def touched(pieces: Sequence[Piece], first: int, last: int) -> tuple[int, int]:
    """The half-open range of the pieces that share a line with some lines."""
    low = bisect.bisect_left(pieces, first, key=_last_line)
    return low, max(bisect.bisect_right(pieces, last, key=_first_line), low)


def union(pieces: Sequence[Piece], first: int, last: int) -> tuple[int, int]:
    """The lines from the first to the last of all."""
    return min([first, *(piece.first for piece in pieces)]), max([last, *(piece.last for piece in pieces)])


def edited(pieces: Iterable[Piece], first: int, last: int, moved: int) -> None:
    """Move what lies behind edited lines; a piece that they touch covers all of them."""
    for piece in pieces:
        if piece.first > last:
            if moved:
                _move(piece, moved)
        elif piece.last >= first:
            piece.first = min(piece.first, first)
            piece.last = max(piece.last, last) + moved
            edited(piece.members, first, last, moved)


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Line ranges in order, those that touch made into one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _move(piece: Piece, lines: int) -> None:
    piece.first += lines
    piece.last += lines
    piece.body += lines
    piece.error_line += lines
    for member in piece.members:
        _move(member, lines)
    _move_nodes(piece.own, lines)
    for index in (*piece.head, *piece.tail):
        _move_nodes(index.by_type, lines)


def _move_nodes(block: Mapping[type[ast.AST], list[ast.AST]], lines: int) -> None:
    for kind, nodes in block.items():
        if "lineno" in kind._attributes:  # noqa: SLF001 (public in all but name; `ast` documents it)
            for node in cast("list[ast.expr]", nodes):
                node.lineno += lines
                node.end_lineno = (node.end_lineno or 0) + lines


def begin(node: ast.stmt) -> int:
    """The first line of a statement, decorators included."""
    decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def pieces_of(body: Sequence[ast.stmt], positions: Positions, *, nested: bool = False) -> list[Piece]:
    """Statements by the lines they lie on; those that share a line are one piece.

    Args:
        body: the statements, in the order of the text.
        positions: the lines of the whole text.
        nested: whether they are the body of a class.
    """
    pieces: list[Piece] = []
    for node in body:
        first, last = begin(node), node.end_lineno or node.lineno
        if pieces and first <= pieces[-1].last:
            _share(pieces[-1], node, last)
            continue
        piece = Piece(first, last, [node])
        if not nested and isinstance(node, ast.ClassDef) and _own_lines(node, positions):
            piece.members = pieces_of(node.body, positions, nested=True)
            piece.body = piece.members[0].first
            piece.indent = positions.line_text(node.body[0].lineno)[: node.body[0].col_offset]
        pieces.append(piece)
    return pieces


def _share(piece: Piece, node: ast.stmt, last: int) -> None:
    """Take into a piece a statement that begins on one of its lines."""
    owner = piece.class_
    if owner is not None and isinstance(node, Broken):
        # The names of a broken head stand at the top level; here they go where the head is.
        low, high = touched(piece.members, node.lineno, node.lineno)
        if low < high:
            piece.members[low].nodes.append(node)
            owner.body = [node for member in piece.members for node in member.nodes]
            return
    piece.members = []
    piece.nodes.append(node)
    piece.last = max(piece.last, last)


def _own_lines(node: ast.ClassDef, positions: Positions) -> bool:
    """Whether a class's body starts on a line of its own."""
    line = positions.line_text(begin(node.body[0]))
    return not line[: node.body[0].col_offset].strip()


def note_error(pieces: list[Piece], error: Piece) -> None:
    """Say of the piece that an error lies in that it is broken; where there is none, the error becomes one."""
    low, high = touched(pieces, error.first, error.last)
    while high - low == 1 and pieces[low].members and error.first >= pieces[low].body:
        pieces = pieces[low].members
        low, high = touched(pieces, error.first, error.last)
    if low == high:
        pieces.insert(low, error)
    elif not pieces[low].error:
        broken = pieces[low]
        broken.error, broken.error_line, broken.error_column = (
            error.error,
            error.error_line,
            error.error_column,
        )
