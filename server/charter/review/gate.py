"""Scores of base and head, what moved, and whether the change may pass. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from charter.engine.score import scores, shown
from charter.review.document import Move

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.engine.score import Scores
    from charter.review.analyse import Analysis, Side
    from charter.review.document import Review
    from charter.review.identity import Known

FailOn = Literal["new", "score", "never"]
"""What makes a change fail: any new finding, a principle that falls below the threshold, or nothing."""


def moved(analysis: Analysis) -> tuple[float | None, float | None, tuple[Move, ...]]:
    """The overall scores of base and head, and the principles whose score or findings changed, by rank."""
    before, after = _scores(analysis.base), _scores(analysis.head)
    new, fixed = _count(analysis.comparison.new), _count(analysis.comparison.fixed)
    moves: list[Move] = []
    for slug, score in after.principles.items():
        old = before.principles[slug].value if slug in before.principles else None
        changed = None not in (old, score.value) and shown(old) != shown(score.value)
        if changed or new[slug] or fixed[slug]:
            moves.append(
                Move(principle=slug, before=old, after=score.value, new=new[slug], fixed=fixed[slug])
            )
    return before.total, after.total, tuple(moves)


def fails(review: Review, on: FailOn, threshold: float) -> bool:
    """Whether a change must not pass.

    Args:
        review: what was found.
        on: what is not forgiven.
        threshold: the score that a principle must keep.
    """
    if on == "score":
        return any(
            move.after is not None
            and move.after < threshold
            and (move.before is None or move.after < move.before)
            for move in review.moves
        )
    return on == "new" and bool(review.items)


def _scores(side: Side) -> Scores:
    opportunities: Counter[str] = Counter()
    for counts in side.report.opportunities.values():
        opportunities.update(counts)
    return scores(side.report.principles, side.report.rules, side.report.findings, opportunities)


def _count(found: Iterable[Known]) -> Counter[str]:
    return Counter(slug for known in found for slug in known.finding.principles)
