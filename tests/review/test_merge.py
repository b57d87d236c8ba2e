"""Reviews of several projects as one."""

from __future__ import annotations

from msgspec.structs import replace

from charter.review.document import Move, Review
from charter.review.merge import merged
from charter.review.render import Renderer
from review.toy import ToyCatalogue

BASE, HEAD = "a" * 40, "b" * 40


def _review(move: Move) -> Review:
    return Review(charter_review=1, tool="1", base=BASE, head=HEAD, before=90.0, after=80.0, moves=(move,))


def test_what_moved_is_told_with_its_project_and_nothing_is_called_the_score_of_all() -> None:
    shop = _review(Move(principle="code-injection", before=100.0, after=49.0, new=1))
    root = _review(Move(principle="code-injection", before=70.0, after=100.0, fixed=1))
    shop, root = replace(shop, files=2, unread=("shop/x.py",)), replace(root, files=1, old_count=3)
    review = merged({"": root, "services/shop": shop})
    assert (review.files, review.old_count, review.unread) == (3, 3, ("shop/x.py",))
    text = Renderer(ToyCatalogue()).overview(review, {})
    assert "Score of the project" not in text
    assert "| Never evaluate untrusted text (`/`) | 70 → **100** (+30) | 0 | 1 |" in text
    assert "| Never evaluate untrusted text (`services/shop`) | 100 → **49** (-51) | 1 | 0 |" in text


def test_the_review_of_one_project_stays_as_it_is() -> None:
    only = _review(Move(principle="code-injection", after=49.0))
    assert merged({"services/shop": only}) is only
