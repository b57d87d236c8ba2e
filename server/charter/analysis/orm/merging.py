"""What is reported at one place is one finding: the facts of several loops about the same code brought together."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.api import Edit, Fix, Grade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charter.api import AnyEdit
    from charter.api.facts.queries import QueryInLoop


def one_for_each_place(facts: Mapping[str, list[QueryInLoop]]) -> dict[str, list[QueryInLoop]]:
    """The facts by the file they are published with, those of one place brought together under the first of them.

    A fact with a fix is kept apart from one without: mending the first would not take the second away.
    """
    groups: dict[object, list[tuple[str, QueryInLoop]]] = {}
    for home in sorted(facts):
        for fact in facts[home]:
            key = (fact.location, fact.operation not in {"read", "query"}, bool(fact.fixes))
            groups.setdefault(key, []).append((home, fact))
    result: dict[str, list[QueryInLoop]] = {}
    for (home, first), *others in groups.values():
        mended = first.fixes
        for _, other in others:
            mended = together(mended, other.fixes)
        also = tuple(other for _, other in others)
        result.setdefault(home, []).append(replace(first, fixes=mended, also=also) if also else first)
    return result


def together(first: tuple[Fix, ...], second: tuple[Fix, ...]) -> tuple[Fix, ...]:
    """The fixes of two facts that are one finding: the best of both made into one, which takes them both away."""
    if not first or not second:
        return first or second
    one, other = first[0], second[0]
    edits = tuple(dict.fromkeys((*one.edits, *other.edits)))
    if edits == one.edits or _meet(edits):
        return first
    title = one.title
    if other.title not in title:
        title = f"{title}; {other.title[:1].lower()}{other.title[1:]}"
    grade = Grade.SAFE if one.grade is other.grade is Grade.SAFE else Grade.UNSAFE
    return (replace(one, title=title, edits=edits, grade=grade), *first[1:])


def _meet(edits: tuple[AnyEdit, ...]) -> bool:
    """Whether two of the text edits touch the same text."""
    spans = sorted(
        (edit.path or "", edit.span.start, edit.span.end) for edit in edits if isinstance(edit, Edit)
    )
    return any(
        one[0] == next_[0] and (one[2] > next_[1] or one[1:] == next_[1:]) for one, next_ in pairwise(spans)
    )
