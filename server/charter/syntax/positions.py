"""Converts between offsets, lines and columns of one text. It is the only place that knows `ast` counts UTF-8 bytes.

Offsets and columns elsewhere are code points. Line ends are those of the Python grammar: CR LF, LF and a lone CR;
form feeds and Unicode separators end no line.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate


class Positions:
    """The lines of one text.

    Args:
        text: the whole text.
    """

    __slots__ = ("_wide", "is_ascii", "starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        # Bytes end lines where Python does; one stands for each character, as only the lengths matter.
        lines = text.encode("ascii", "replace").splitlines(keepends=True)
        starts = [0, *accumulate(map(len, lines))]
        if lines and not lines[-1].endswith((b"\n", b"\r")):
            starts.pop()
        self.starts = starts
        """Offset of each line's first character; one entry more than there are line ends."""
        self.is_ascii: bool = text.isascii()
        """Whether bytes and characters are the same, so that columns as `ast` gives them hold."""
        self._wide: dict[int, list[int] | None] = {}

    @property
    def line_end(self) -> str:
        """The line end that the text uses first; LF for a single line."""
        if len(self.starts) < 2:
            return "\n"
        first = self.text[: self.starts[1]]
        return "\r\n" if first.endswith("\r\n") else first[-1]

    def line_text(self, line: int) -> str:
        """The text of a 1-based line, without its line end; "" beyond the text."""
        if not 1 <= line <= len(self.starts):
            return ""
        start = self.starts[line - 1]
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def offset(self, line: int, byte_column: int) -> int:
        """The offset of a position as `ast` gives it: a 1-based line and a 0-based column in UTF-8 bytes."""
        starts = self.starts
        if line > len(starts):
            return len(self.text)
        start = starts[line - 1]
        if self.is_ascii:
            return start + byte_column
        if line not in self._wide:
            self._wide[line] = _byte_columns(self._raw_line(line))
        columns = self._wide[line]
        if columns is None:
            return start + byte_column
        return start + bisect_right(columns, byte_column) - 1

    def place(self, offset: int) -> tuple[int, int]:
        """The 1-based line and the 0-based column, in code points, of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1]

    def at(self, line: int, column: int) -> int:
        """The offset of a 1-based line and a 0-based column in code points, kept inside the text."""
        if line > len(self.starts):
            return len(self.text)
        return min(self.starts[max(line, 1) - 1] + column, len(self.text))

    def _raw_line(self, line: int) -> str:
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[self.starts[line - 1] : end]


def _byte_columns(line: str) -> list[int] | None:
    """The byte column of each character of a line and of its end; None if they equal the character columns."""
    if line.isascii():
        return None
    columns = [0]
    total = 0
    for character in line:
        code = ord(character)
        total += 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000)  # bytes of UTF-8
        columns.append(total)
    return columns
