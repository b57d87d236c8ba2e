"""The comments of a text with their places. It knows not what a comment asks for."""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from charter.api import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.syntax.source import Source


@dataclass(frozen=True, slots=True)
class Comment:
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


def comments(source: Source) -> tuple[Comment, ...]:
    """All comments of a file, in order; as many as can be had if it does not tokenize."""
    if "#" not in source.text:
        return ()
    found: list[Comment] = []
    positions = source.positions
    lines = io.StringIO(source.text, newline="").readline if "\r" not in source.text else _lines(source)
    try:
        for token in tokenize.generate_tokens(lines):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                start = positions.at(line, column)
                before = positions.line_text(line)[:column]
                text = token.string.rstrip("\r")
                found.append(Comment(Span(start, start + len(text)), line, text, not before.strip()))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        known = {comment.line for comment in found}
        last = max(known, default=0)
        found.extend(comment for comment in _by_hash(source) if comment.line > last)
    return tuple(found)


def _lines(source: Source) -> Callable[[], str]:
    """A line reader that ends lines where Python does: at CR LF, LF and a lone CR."""
    starts = [*source.positions.starts, len(source.text)]
    texts = iter([source.text[a:b] for a, b in pairwise(starts)])
    return lambda: next(texts, "").replace("\r\n", "\n").replace("\r", "\n")


def _by_hash(source: Source) -> list[Comment]:
    """Comments that stand alone on their line, found without tokens, for text that does not tokenize."""
    found: list[Comment] = []
    for number, start in enumerate(source.positions.starts, 1):
        text = source.positions.line_text(number)
        stripped = text.lstrip()
        if stripped.startswith("#"):
            at = start + len(text) - len(stripped)
            found.append(Comment(Span(at, at + len(stripped)), number, stripped, alone=True))
    return found
