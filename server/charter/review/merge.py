"""Several projects' reviews of one change as one: a pull request has one summary and one limit of comments. Pure."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from charter.api import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charter.review.document import Item, Review

_ITEMS: Final = 5000
"""As many as a document holds."""
_COUNTS: Final = ("files", "old_count", "fixed_count", "hidden")
_LISTS: Final = ("repeats", "old", "unread", "notes")


def merged(reviews: Mapping[str, Review]) -> Review:
    """One review that says what all of them say.

    There is no overall score of several projects; each principle that moved is told with its project.

    Args:
        reviews: at least one, of the same base and head, by the project's folder.
    """
    parts = list(reviews.values())
    if len(parts) == 1:
        return parts[0]
    items = sorted(chain.from_iterable(part.items for part in parts), key=_importance)
    moves = [replace(move, project=folder or "/") for folder, part in reviews.items() for move in part.moves]
    return replace(
        parts[0],
        items=tuple(items[:_ITEMS]),
        moves=tuple(moves[:_ITEMS]),
        before=None,
        after=None,
        **{name: sum(getattr(part, name) for part in parts) for name in _COUNTS},
        **{name: _together(parts, name) for name in _LISTS},
    )


def _together(parts: list[Review], name: str) -> tuple[Any, ...]:
    return tuple(chain.from_iterable(getattr(part, name) for part in parts))


def _importance(item: Item) -> tuple[int, int, str, int, str]:
    severity, confidence = Severity[item.severity.upper()], Confidence[item.confidence.upper()]
    return -severity, -confidence, item.path, item.line, item.rule
