"""How a place in a text moves when the text is edited. It knows not what stands there."""

from __future__ import annotations

from typing import Protocol


class Mark(Protocol):
    """Something with a place in a text: offsets of its first character and behind its last."""

    start: int
    end: int


def move(mark: Mark, start: int, end: int, delta: int) -> bool:
    """Move a mark along with an edit.

    Args:
        mark: what to move; it is changed.
        start: offset of the first character that went.
        end: offset behind the last one.
        delta: by how much the text grew.

    Returns:
        False if the mark's own text is gone.
    """
    if mark.end <= start and mark.start != start:
        return True
    if mark.start >= end and not mark.start == mark.end == start == end:
        mark.start += delta
        mark.end += delta
        return True
    if start <= mark.start and mark.end <= end:
        return mark.start == mark.end == start == end
    if mark.start <= start and end <= mark.end:
        mark.end += delta
    elif mark.start < start:
        mark.end = start
    else:
        mark.start = end + delta
        mark.end += delta
    return True
