"""The comments of a text with their places. It knows not what a comment asks for."""

from __future__ import annotations

import io
import re
import tokenize
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from charter.api import Span, regex

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.syntax.positions import Positions


_PARTS = regex(
    r"""\#[^\r\n]*+
    | \"{3} (?:[^"\\]++ | \\[\s\S] | "(?!""))*+ (?:\"{3} | \Z)
    | '{3} (?:[^'\\]++ | \\[\s\S] | '(?!''))*+ (?:'{3} | \Z)
    | " (?:[^"\\\r\n]++ | \\(?:\r\n|[\s\S]))*+ "?
    | ' (?:[^'\\\r\n]++ | \\(?:\r\n|[\s\S]))*+ '?""",
    re.VERBOSE,
)
"""A comment, or a string without its prefix; one that is never closed ends with its line or with the text."""

_PREFIX = regex(r"[fFtT][rR]?\Z")


class Comment(Struct, frozen=True):
    """One comment.

    Attributes:
        span: its offsets, from the `#` to the end of the line.
        line: its 1-based line.
        text: the comment with its `#`.
        alone: whether nothing but white space stands before it on its line.
    """

    span: Span
    line: int
    text: str
    alone: bool


def comments(positions: Positions) -> tuple[Comment, ...]:
    """All comments of a text, given with its lines, in order; as many as can be had if it does not tokenize."""
    text = positions.text
    if "#" not in text:
        return ()
    spans = _scanned(text)
    return _tokenized(positions) if spans is None else tuple(_comment(positions, *span) for span in spans)


def _scanned(text: str) -> list[tuple[int, int]] | None:
    """Where comments are, by passing over the strings; None where only the tokenizer can tell."""
    found: list[tuple[int, int]] = []
    for match in _PARTS.finditer(text):
        start, end = match.span()
        if text[start] == "#":
            found.append((start, end))
        elif _PREFIX.search(text, max(start - 2, 0), start) and (
            # Since Python 3.12 a field may hold the quotes of its own string, which then seems to end in the field.
            text.count("{", start, end) != text.count("}", start, end)
        ):
            return None
    return found


def _comment(positions: Positions, start: int, end: int) -> Comment:
    line, column = positions.place(start)
    before = positions.line_text(line)[:column]
    return Comment(Span(start, end), line, positions.text[start:end], not before.strip())


def _tokenized(positions: Positions) -> tuple[Comment, ...]:
    found: list[Comment] = []
    text = positions.text
    lines = io.StringIO(text, newline="").readline if "\r" not in text else _lines(positions)
    try:
        for token in tokenize.generate_tokens(lines):
            if token.type == tokenize.COMMENT:
                start = positions.at(*token.start)
                found.append(_comment(positions, start, start + len(token.string.rstrip("\r"))))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        known = {comment.line for comment in found}
        last = max(known, default=0)
        found.extend(comment for comment in _by_hash(positions) if comment.line > last)
    return tuple(found)


def _lines(positions: Positions) -> Callable[[], str]:
    """A line reader that ends lines where Python does: at CR LF, LF and a lone CR."""
    text = positions.text
    starts = [*positions.starts, len(text)]
    texts = iter([text[a:b] for a, b in pairwise(starts)])
    return lambda: next(texts, "").replace("\r\n", "\n").replace("\r", "\n")


def _by_hash(positions: Positions) -> list[Comment]:
    """Comments that stand alone on their line, found without tokens, for text that does not tokenize."""
    found: list[Comment] = []
    for number, start in enumerate(positions.starts, 1):
        text = positions.line_text(number)
        stripped = text.lstrip()
        if stripped.startswith("#"):
            at = start + len(text) - len(stripped)
            found.append(Comment(Span(at, at + len(stripped)), number, stripped, alone=True))
    return found
