"""A proved fix as what a reader can take: whole lines of one hunk in place of others, else a diff. Pure.

Taking a suggestion replaces exactly the lines of its comment, so the lines here are those of the proved text, no
more and no fewer; a property test replaces them and compares with the proved file.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from charter.review.document import Anchor, Patch, Suggestion
from charter.review.escape import obeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from charter.review.diff import FileChange, Hunk

LONGEST: Final = 30
"""Lines of the longest suggestion; a longer one is shown as a diff."""
_LONGEST_DIFF: Final = 200


def changed_lines(old: str, new: str) -> tuple[int, int, list[str]]:
    """The smallest run of whole lines that differs.

    Returns:
        First line (1-based) and last line of the old text that go, and the lines that come, without line feeds.
        Where nothing goes (an insertion), the last line is the first minus one.
    """
    before, after = old.split("\n"), new.split("\n")
    start = 0
    shortest = min(len(before), len(after))
    while start < shortest and before[start] == after[start]:
        start += 1
    tail = 0
    while tail < shortest - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return start + 1, len(before) - tail, after[start : len(after) - tail]


def suggest(title: str, old: str, new: str, change: FileChange) -> tuple[Anchor, Suggestion] | None:
    """A suggestion that turns the old text of a file into the new one, and where it stands.

    Args:
        title: what the fix does.
        old: the file in the head.
        new: the file with the fix.
        change: what the pull request did to the file.

    Returns:
        None where no suggestion can say it: lines outside of one hunk, too many, or text that may not be posted.
    """
    start, end, lines = changed_lines(old, new)
    if end < start:
        # An insertion has no lines of its own to stand on: it repeats the neighbour above, or the one below.
        before = old.split("\n")
        if start > 1 and change.hunk_at(start - 1):
            start, end, lines = start - 1, start - 1, [before[start - 2], *lines]
        else:
            end, lines = start, [*lines, before[start - 1]]
    hunk = change.hunk_at(start)
    if hunk is None or not hunk.shows(start, end) or end - start >= LONGEST or len(lines) > LONGEST:
        return None
    if obeys(lines) or not _can_be_sent(lines):
        return None
    return anchor(change, hunk, start, end), Suggestion(title=title, lines=tuple(lines))


def anchor(change: FileChange, hunk: Hunk, start: int, end: int) -> Anchor:
    """The place of lines that a hunk shows."""
    old_start, old_end = hunk.context.get(start), hunk.context.get(end)
    return Anchor(
        path=change.path, old_path=change.old_path, start=start, end=end, old_start=old_start, old_end=old_end
    )


def patch(title: str, doubt: str, texts: Mapping[str, tuple[str, str]]) -> Patch | None:
    """A fix as a unified diff; None if it is too long to be read.

    Args:
        title: what the fix does.
        doubt: why it is only proposed.
        texts: old and new text by path.
    """
    lines: list[str] = []
    for path, (old, new) in sorted(texts.items()):
        lines += _unified(path, _kept_lines(old), _kept_lines(new))
    if not lines or len(lines) > _LONGEST_DIFF or not _can_be_sent(lines):
        return None
    return Patch(title=title, diff="\n".join(lines), doubt=doubt)


def _unified(path: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    name = path.replace("\n", "?").replace("\r", "?")
    for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"):
        yield line.removesuffix("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _kept_lines(text: str) -> list[str]:
    """The lines with their line feeds; other line ends are part of a line, as they are for git."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    return lines if lines[-1] else lines[:-1]


def _can_be_sent(lines: Sequence[str]) -> bool:
    # A carriage return elsewhere than before the line feed, NUL and lone surrogates do not survive the way.
    text = "\n".join(lines)
    inner = text.replace("\r\n", "").rstrip("\r")
    return "\r" not in inner and "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
