"""Places in a text: spans and locations. It knows nothing of encodings; `syntax.positions` converts."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Span(NamedTuple):
    """A half-open range of a file's text.

    Attributes:
        start: offset of the first character, in code points, 0-based.
        end: offset behind the last character, in code points.
    """

    start: int
    end: int

    def covers(self, other: Span) -> bool:
        """Whether `other` lies inside this span, borders included."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """Whether two edits of these spans would meet (equal empty spans do)."""
        if self.start == self.end or other.start == other.end:
            return self.start <= other.start <= self.end or other.start <= self.start <= other.end
        return self.start < other.end and other.start < self.end


class Location(Struct, frozen=True, order=True):
    """A span of one file together with its lines and columns.

    Attributes:
        path: the file, relative to the project's root, with forward slashes.
        span: the offsets, in code points.
        line: first line, 1-based.
        column: first column, 0-based, in code points.
        end_line: last line, 1-based.
        end_column: column behind the last character, 0-based, in code points.
    """

    path: str
    span: Span
    line: int
    column: int
    end_line: int
    end_column: int
