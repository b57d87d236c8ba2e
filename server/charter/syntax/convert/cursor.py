"""A reading position in a text, and the places it gives to nodes. It knows white space and comments, no grammar.

LibCST keeps every character, in order, but no positions. The converter walks its tree in the order of the text, so a
token stands where the white space behind the last one ends: the tree says what comes, the text says where.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, TypeVar

from charter.syntax.positions import Positions

if TYPE_CHECKING:
    import ast

    from charter.syntax.nodes import type_param

    Placed = (
        ast.stmt | ast.expr | ast.pattern | ast.arg | ast.keyword | ast.alias | ast.excepthandler | type_param
    )

N = TypeVar("N", bound="Placed")

_trivia = re.compile(r"(?:[ \t\f\r\n]+|\\(?:\r\n|\r|\n)|#[^\r\n]*)+").match
_TRIVIAL = frozenset(" \t\f\r\n\\#")


class Cursor:
    """Where in a text the conversion has come to.

    Args:
        text: the text that is read.
        shift: how many lines of the file stand before the text.

    Attributes:
        pos: offset behind the last token that was read.
    """

    __slots__ = ("_ascii", "_shift", "_starts", "_wide", "pos", "text")

    def __init__(self, text: str, shift: int = 0) -> None:
        self.text = text
        self.pos = 0
        self._shift = shift
        self._starts = Positions(text).starts
        self._ascii = text.isascii()
        self._wide: dict[int, bool] = {}

    def skip(self) -> int:
        """Pass over white space, comments, line ends and continuations; give the offset of the next token."""
        pos = self.pos
        text = self.text
        if pos < len(text) and text[pos] in _TRIVIAL:
            match = _trivia(text, pos)
            if match:
                self.pos = pos = match.end()
        return pos

    def take(self, length: int) -> int:
        """Read a token of a known length behind the white space; give its offset."""
        start = self.skip()
        self.pos = start + length
        return start

    def place(self, node: N, start: int) -> N:
        """Give a node the place from an offset to the current position, in lines and UTF-8 columns as `ast` does."""
        end = self.pos
        starts = self._starts
        shift = self._shift
        line = bisect_right(starts, start)
        first = starts[line - 1]
        node.lineno = line + shift
        if not self._ascii:
            node.col_offset = self._column(line, start)
            line = bisect_right(starts, end)
            node.end_lineno = line + shift
            node.end_col_offset = self._column(line, end)
            return node
        node.col_offset = start - first
        if line < len(starts) and end >= starts[line]:
            line = bisect_right(starts, end)
            first = starts[line - 1]
        node.end_lineno = line + shift
        node.end_col_offset = end - first
        return node

    def _column(self, line: int, offset: int) -> int:
        start = self._starts[line - 1]
        wide = self._wide.get(line)
        if wide is None:
            end = self._starts[line] if line < len(self._starts) else len(self.text)
            wide = self._wide[line] = not self.text[start:end].isascii()
        return len(self.text[start:offset].encode("utf-8", "surrogatepass")) if wide else offset - start
