"""Doing what a plan says and planning again leaves nothing to do, whatever happened before; and nothing is said twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from msgspec.structs import replace as renewed

from charter.review.apply import apply_review
from charter.review.document import Item, Review, dump, load
from charter.review.forge import DeniedError, Draft, State, Summary, Thread
from charter.review.marker import read_marker, read_summary
from charter.review.plan import Limits, make_plan
from review.toy import COMMIT as HEAD
from review.toy import OFFLINE as RENDERER
from review.toy import document_of, item_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.review.plan import Resolve


class MemoryForge:
    """A forge that keeps what it is told."""

    name = "memory"

    def __init__(self, at_once: int = 20, *, may_resolve: bool = True) -> None:
        self.threads: list[Thread] = []
        self.summary: Summary | None = None
        self.at_once = at_once
        self.may_resolve = may_resolve
        self.writes = 0

    def permalink(self, path: str, line: int) -> str:
        return f"https://x.test/{path}#{line}"

    def suggestion(self, item: Item) -> str:
        assert item
        return "suggestion"

    def state(self) -> State:
        return State(HEAD, tuple(self.threads), self.summary)

    def post(self, commit: str, drafts: Sequence[Draft]) -> None:
        assert commit == HEAD
        assert 0 < len(drafts) <= self.at_once
        for draft in drafts:
            marker = read_marker(draft.body)
            assert marker
            name = f"T{len(self.threads)}"
            self.threads.append(Thread(name, name, marker, draft.anchor.path))
        self.writes += 1

    def edit(self, thread: Thread, body: str) -> None:
        marker = read_marker(body)
        assert marker
        self.change(thread, marker=marker)

    def resolve(self, thread: Thread) -> None:
        if not self.may_resolve:
            raise DeniedError("no")
        self.change(thread, resolved=True, resolved_by_us=True)

    def reopen(self, thread: Thread) -> None:
        if not self.may_resolve:
            raise DeniedError("no")
        self.change(thread, resolved=False, resolved_by_us=False)

    def change(self, thread: Thread, **values: object) -> None:
        index = next(i for i, one in enumerate(self.threads) if one.id == thread.id)
        self.threads[index] = replace(self.threads[index], **values)
        self.writes += 1

    def post_summary(self, body: str) -> None:
        assert self.summary is None
        self.edit_summary(Summary("S", ""), body)

    def edit_summary(self, summary: Summary, body: str) -> None:
        mark = read_summary(body)
        assert mark
        self.summary = Summary(summary.comment, mark)
        self.writes += 1

    def close(self) -> None:
        pass


ITEMS = st.lists(
    st.builds(
        item_of,
        st.integers(0, 8),
        inline=st.booleans(),
        message=st.sampled_from(["`x` is wrong", "`y` is wrong"]),
    ),
    max_size=8,
    unique_by=lambda item: item.fingerprint,
)
PEOPLE = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from(["resolve", "unresolve", "reply"])), max_size=3
)
PUSHES = st.lists(st.tuples(ITEMS, st.lists(st.integers(0, 8), max_size=3), PEOPLE), min_size=1, max_size=5)


@settings(max_examples=200)
@given(
    PUSHES,
    st.integers(0, 6),
    st.sampled_from(["auto", "never", "always"]),
    st.booleans(),
    st.sampled_from([1, 3]),
)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    pushes: list[tuple[list[Item], list[int], list[tuple[int, str]]]],
    comments: int,
    resolve: Resolve,
    may_resolve: bool,
    at_once: int,
) -> None:
    forge = MemoryForge(at_once, may_resolve=may_resolve)
    limits = Limits(comments=comments)
    for items, old, people in pushes:
        for number, deed in people:
            _act(forge, number, deed)
        human = {thread.id for thread in forge.threads if thread.resolved and not thread.resolved_by_us}
        review = document_of(items, old)
        apply_review(review, forge, RENDERER, limits, resolve)
        before = forge.writes
        apply_review(review, forge, RENDERER, limits, resolve)
        assert forge.writes == before or (resolve == "always" and not may_resolve)
        _holds(forge, review, comments, human)


def _act(forge: MemoryForge, number: int, deed: str) -> None:
    for thread in [one for one in forge.threads if one.marker.fingerprint == f"{number:016x}"]:
        if deed == "resolve" and not thread.resolved:
            forge.change(thread, resolved=True, resolved_by_us=False)
        elif deed == "unresolve":
            forge.change(thread, resolved=False, resolved_by_us=False)
        elif deed == "reply":
            forge.change(thread, replies=thread.replies + 1)


def _holds(forge: MemoryForge, review: Review, comments: int, human: set[str]) -> None:
    standing = [thread for thread in forge.threads if not thread.resolved and thread.marker.state == "open"]
    marks = [thread.marker.fingerprint for thread in standing]
    wanted = {item.fingerprint for item in review.items}
    assert len(marks) == len(set(marks))
    assert set(marks) <= wanted
    assert all(
        thread.resolved and not thread.resolved_by_us for thread in forge.threads if thread.id in human
    )
    posted_now = len([item for item in review.items if item.anchor])
    assert len(forge.threads) <= 9
    assert posted_now <= len(review.items)
    if comments == 0:
        assert forge.threads == []


@given(PUSHES)
def test_the_document_survives_writing_and_reading(
    pushes: list[tuple[list[Item], list[int], object]],
) -> None:
    for items, old, _ in pushes:
        review = document_of(items, old)
        assert load(dump(review)) == review
        assert dump(load(dump(review))) == dump(review)


def test_findings_of_files_that_cannot_be_read_are_not_called_fixed() -> None:
    forge = MemoryForge()
    apply_review(document_of([item_of(0), item_of(1)]), forge, RENDERER, Limits(), "auto")
    broken = Review(charter_review=1, tool="0", base="b" * 40, head=HEAD, unread=("f0.py",))
    apply_review(broken, forge, RENDERER, Limits(), "auto")
    assert [thread.resolved for thread in forge.threads] == [False, True]


def test_of_two_comments_on_one_finding_one_is_closed() -> None:
    forge = MemoryForge()
    review = document_of([item_of(0)])
    apply_review(review, forge, RENDERER, Limits(), "auto")
    forge.threads.append(replace(forge.threads[0], id="T1", comment="T1"))
    plan = make_plan(review, forge.state(), RENDERER, Limits(), "auto")
    assert [(step.action.do, step.action.why) for step in plan.steps] == [
        ("keep", ""),
        ("resolve", "duplicate"),
    ]


def test_a_finding_that_another_one_now_says_is_not_called_fixed() -> None:
    forge = MemoryForge()
    apply_review(document_of([item_of(0)]), forge, RENDERER, Limits(), "auto")
    stronger = renewed(document_of([item_of(1)]), repeats=(item_of(0).fingerprint,))
    plan = make_plan(stronger, forge.state(), RENDERER, Limits(), "auto")
    assert [(step.action.do, step.action.why) for step in plan.steps] == [
        ("resolve", "duplicate"),
        ("post", ""),
    ]
