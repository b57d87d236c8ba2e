"""Converts between offsets and LSP positions. It is the only place that knows lines and columns as the protocol counts them.

Everywhere else a place is an offset in code points. The protocol ends lines at CR LF, LF and a lone CR and nowhere
else, and counts columns in UTF-8, UTF-16 or UTF-32 units, whichever was agreed with the client.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_LINE_END = regex(r"\r\n|\n|\r")
_ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")


class Position(TypedDict):
    """A position as the protocol has it: 0-based line, 0-based column in the agreed units."""

    line: int
    character: int


class Range(TypedDict):
    """A half-open range as the protocol has it."""

    start: Position
    end: Position


def negotiate(offered: Sequence[Any]) -> Encoding:
    """The encoding of columns for a client that offers these, in its order of preference; UTF-16 if it offers none."""
    for name in offered:
        if name in _ENCODINGS:
            return name
    return "utf-16"


class Text:
    """One version of a document's text with its lines.

    Args:
        text: the text, line ends as the client sent them.
        starts: the offset of each line's first character, if known already.
    """

    __slots__ = ("starts", "text")

    def __init__(self, text: str, starts: list[int] | None = None) -> None:
        self.text = text
        self.starts = _starts(text) if starts is None else starts

    def offset(self, position: Position, encoding: Encoding) -> int:
        """The offset of a position; a position outside its line or the text is moved to the nearest end."""
        line, units = position["line"], position["character"]
        if line < 0:
            return 0
        if line >= len(self.starts):
            return len(self.text)
        start = self.starts[line]
        end = self._content_end(line)
        if units <= 0:
            return start
        if encoding == "utf-32" or self.text.isascii():
            return min(start + units, end)
        return start + _columns_in(self.text[start:end], units, encoding)

    def position(self, offset: int, encoding: Encoding) -> Position:
        """The position of an offset; an offset outside the text is moved to the nearest end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        start = self.starts[line]
        if encoding == "utf-32" or self.text.isascii():
            return {"line": line, "character": offset - start}
        return {"line": line, "character": units(self.text[start:offset], encoding)}

    def range(self, start: int, end: int, encoding: Encoding) -> Range:
        """The range between two offsets."""
        return {"start": self.position(start, encoding), "end": self.position(end, encoding)}

    def line_of(self, offset: int) -> int:
        """The 0-based line that an offset lies on."""
        return bisect_right(self.starts, offset) - 1

    def line_span(self, line: int) -> tuple[int, int]:
        """The offsets of a 0-based line's content, without its line end; the text's end for a line beyond it."""
        if line >= len(self.starts):
            return len(self.text), len(self.text)
        return self.starts[line], self._content_end(line)

    def replaced(self, start: int, end: int, new: str) -> Text:
        """The text with `new` in the place of a span; only the lines around the span are looked at again."""
        starts, old = self.starts, self.text
        text = old[:start] + new + old[end:]
        # A line end may be joined or parted at either border (CR | LF), so one more line on each side is split anew.
        first = max(bisect_right(starts, start) - 2, 0)
        last = bisect_right(starts, end) + 1
        delta = len(new) - (end - start)
        begin = starts[first]
        stop = starts[last] + delta if last < len(starts) else len(text)
        middle = [begin + at for at in _starts(text[begin:stop])]
        if last < len(starts):
            # The piece ends with a line end, so its last entry is the first kept line's.
            middle.pop()
        tail = starts[last:] if delta == 0 else [at + delta for at in starts[last:]]
        return Text(text, [*starts[:first], *middle, *tail])

    def _content_end(self, line: int) -> int:
        if line + 1 >= len(self.starts):
            return len(self.text)
        end = self.starts[line + 1] - 1
        if end > self.starts[line] and self.text[end - 1 : end + 1] == "\r\n":
            end -= 1
        return end


def units(text: str, encoding: Encoding) -> int:
    """The length of a piece of text in the units of an encoding."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _starts(text: str) -> list[int]:
    starts = [0]
    if "\r" in text:
        starts.extend(match.end() for match in _LINE_END.finditer(text))
        return starts
    at = text.find("\n") + 1
    while at:
        starts.append(at)
        at = text.find("\n", at) + 1
    return starts


def _columns_in(line: str, wanted: int, encoding: Encoding) -> int:
    """How many characters of a line lie wholly within a number of units."""
    if line.isascii():
        return min(wanted, len(line))
    seen = 0
    for index, character in enumerate(line):
        if encoding == "utf-16":
            seen += 2 if character > "\uffff" else 1
        else:
            code = ord(character)
            seen += 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000)
        if seen > wanted:
            return index
    return len(line)
