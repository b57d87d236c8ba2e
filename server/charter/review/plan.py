"""What to do on a forge, given what to say and what has been said: a pure function of the two.

Doing what a plan says and planning again gives nothing more to do; a property test holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from charter.review.document import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from charter.review.document import Item, Review
    from charter.review.forge import State, Thread
    from charter.review.render import Placement, Renderer

Resolve = Literal["auto", "never", "always"]
"""Whether threads whose finding is gone are resolved: where the token may, never, or again and again until it may."""


class Limits(Struct, frozen=True):
    """How much may be said.

    Attributes:
        comments: how many open comments of Charter a pull request may have.
        per_review: how many comments are posted in one request.
    """

    comments: int = 20
    per_review: int = 20


class Step(Struct, frozen=True):
    """An action with what it acts on.

    Attributes:
        action: as it stands in the document.
        item: the finding, where it still exists.
        thread: the thread, where it exists already.
    """

    action: Action
    item: Item | None = None
    thread: Thread | None = None


class Plan(Struct, frozen=True):
    """All there is to do.

    Attributes:
        steps: in the order in which to do them; the summary is not among them.
        placement: where each item is said, by fingerprint.
    """

    steps: tuple[Step, ...]
    placement: Placement

    def actions(self, summary: Literal["post", "edit", "keep", ""]) -> tuple[Action, ...]:
        """The plan as data, `summary` being what becomes of the summary comment."""
        last = (Action(do="summary", why=summary),) if summary else ()
        return (*(step.action for step in self.steps), *last)


def make_plan(review: Review, state: State, renderer: Renderer, limits: Limits, resolve: Resolve) -> Plan:
    """Decide what to post, keep, edit, resolve and reopen.

    Args:
        review: what there is to say.
        state: what has been said.
        renderer: gives the texts, to see whether a comment must be edited.
        limits: how much may be said.
        resolve: whether threads may be resolved.
    """
    matched, left = _match(review, state)
    steps: list[Step] = []
    placement: Placement = {}
    for item in review.items:
        if thread := matched.get(item.fingerprint):
            steps.append(_existing(item, thread, renderer, resolve))
            placement[item.fingerprint] = "inline"
    steps.extend(step for thread, reason in left if (step := _leftover(review, thread, reason, resolve)))
    open_now = sum(_stands(step) for step in steps)
    for item in review.items:
        if item.fingerprint in placement:
            continue
        if item.anchor is None:
            placement[item.fingerprint] = "elsewhere"
        elif open_now >= limits.comments:
            placement[item.fingerprint] = "limit"
        else:
            placement[item.fingerprint] = "inline"
            steps.append(Step(Action(do="post", fingerprint=item.fingerprint), item))
            open_now += 1
    return Plan(tuple(steps), placement)


def _stands(step: Step) -> bool:
    """Whether a reader will see the thread open once the step is done."""
    if step.action.do in ("resolve", "edit") and step.item is None:
        return False
    return step.thread is None or not step.thread.resolved or step.action.do == "reopen"


def _match(review: Review, state: State) -> tuple[Mapping[str, Thread], list[tuple[Thread, str]]]:
    """Which thread says which item, and the threads that are left with the reason why."""
    by_fingerprint: dict[str, list[Thread]] = {}
    for thread in state.threads:
        by_fingerprint.setdefault(thread.marker.fingerprint, []).append(thread)
    matched: dict[str, Thread] = {}
    left: list[tuple[Thread, str]] = []
    wanted = {item.fingerprint for item in review.items}
    strays: list[Thread] = []
    for fingerprint, threads in by_fingerprint.items():
        best = max(threads, key=_worth)
        if fingerprint in wanted:
            matched[fingerprint] = best
        else:
            strays.append(best)
        left.extend((thread, "duplicate") for thread in threads if thread is not best)
    followed = _follow(review.items, matched, strays)
    old, repeats = set(review.old), set(review.repeats)
    unmatched = [thread for thread in strays if thread.id not in followed]
    for thread in unmatched:
        said = thread.marker.fingerprint
        left.append((thread, "duplicate" if said in repeats else "old" if said in old else "fixed"))
    return matched, left


def _worth(thread: Thread) -> tuple[bool, bool, int]:
    # Of two threads on one finding the one that people spoke in or closed stays; max() takes the oldest of equals.
    return thread.replies > 0, thread.resolved, thread.marker.state == "open"


def _follow(items: Iterable[Item], matched: dict[str, Thread], strays: Iterable[Thread]) -> set[str]:
    """Give items without a thread a stray one of the same kin: the file was added and renamed by this change."""
    by_kin: dict[str, list[Thread]] = {}
    for thread in strays:
        if thread.marker.state == "open" and not thread.outdated:
            by_kin.setdefault(thread.marker.kin, []).append(thread)
    followed: set[str] = set()
    for item in items:
        if item.fingerprint not in matched and by_kin.get(item.kin):
            thread = by_kin[item.kin].pop(0)
            matched[item.fingerprint] = thread
            followed.add(thread.id)
    return followed


def _existing(item: Item, thread: Thread, renderer: Renderer, resolve: Resolve) -> Step:
    def step(do: Literal["keep", "edit", "reopen"], why: str) -> Step:
        return Step(Action(do=do, fingerprint=item.fingerprint, thread=thread.id, why=why), item, thread)

    marker = thread.marker
    if marker.state == "open":
        if thread.resolved:
            return step("keep", "a person resolved it")
        if marker.digest != renderer.digest(item) or marker.fingerprint != item.fingerprint:
            return step("edit", "the text changed")
        return step("keep", "")
    if marker.state == "fixed" and thread.resolved:
        if not thread.resolved_by_us or resolve == "never":
            return step("keep", "a person resolved it" if not thread.resolved_by_us else "resolving is off")
        return step("reopen", "the finding is back")
    if thread.resolved:
        return step("keep", "a person resolved it")
    return step("edit", "the finding is back")


def _leftover(review: Review, thread: Thread, reason: str, resolve: Resolve) -> Step | None:
    """What to do with a thread whose finding is not among the items."""
    if thread.resolved or thread.marker.state == "fixed":
        return None
    if reason == "fixed" and thread.path in review.unread:
        # The finding may only be out of sight: the file could not be analysed.
        return None
    fingerprint = thread.marker.fingerprint
    if resolve == "never" or (thread.marker.state == "told" and resolve == "auto"):
        if thread.marker.state == "told":
            return None
        return Step(Action(do="edit", fingerprint=fingerprint, thread=thread.id, why=reason), None, thread)
    return Step(Action(do="resolve", fingerprint=fingerprint, thread=thread.id, why=reason), None, thread)
