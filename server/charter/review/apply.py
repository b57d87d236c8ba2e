"""Doing what a plan says on a forge, losing nothing when the forge fails half-way. The one impure step.

What is told is what was done: state changes come before the words about them, and the summary comes last, so that
it can say which comments could not be placed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from charter.review.forge import (
    DeniedError,
    Draft,
    ForgeError,
    RefusedError,
    UncertainError,
)
from charter.review.marker import digest
from charter.review.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.review.document import Review
    from charter.review.forge import Forge, State
    from charter.review.plan import Limits, Plan, Resolve, Step
    from charter.review.render import Placement, Renderer


class Outcome(Struct):
    """What was done.

    Attributes:
        placement: where each item is said now, by fingerprint.
        done: how often each kind of action succeeded.
        problems: what failed, in plain words; nothing of it is lost, the findings stand in the summary.
        denied: whether the token may not write comments at all.
        moved: whether the pull request moved on while we looked, so that nothing was posted.
    """

    placement: Placement = field(default_factory=dict[str, str])
    done: dict[str, int] = field(default_factory=dict[str, int])
    problems: list[str] = field(default_factory=list[str])
    denied: bool = False
    moved: bool = False

    def count(self, action: str) -> None:
        """Note that an action succeeded."""
        self.done[action] = self.done.get(action, 0) + 1


def apply_review(
    review: Review, forge: Forge, renderer: Renderer, limits: Limits, resolve: Resolve
) -> Outcome:
    """Bring the forge to the state that the review asks for.

    Args:
        review: what there is to say.
        forge: where.
        renderer: gives the texts.
        limits: how much may be said.
        resolve: whether threads may be resolved.

    Raises:
        ForgeError: if the forge cannot even be asked what stands there; nothing was posted then.
    """
    state = forge.state()
    if state.head != review.head:
        return Outcome(
            moved=True, problems=[f"the pull request moved on to {state.head[:12]}; nothing was posted"]
        )
    plan = make_plan(review, state, renderer, limits, resolve)
    outcome = Outcome(placement=dict(plan.placement))
    worker = _Worker(review, forge, renderer, limits, outcome)
    worker.post([step for step in plan.steps if step.action.do == "post"])
    for step in plan.steps:
        worker.touch(step, resolve)
    worker.summarise(state)
    return outcome


def summary_action(
    review: Review, state: State, plan: Plan, renderer: Renderer
) -> Literal["post", "edit", "keep", ""]:
    """What becomes of the summary comment: `post`, `edit`, `keep`, or "" where there is and will be none."""
    if state.summary is None:
        return "post" if review.items else ""
    return "keep" if state.summary.digest == digest(renderer.overview(review, plan.placement)) else "edit"


class _Worker:
    """The state of one application: what the token turned out not to be allowed to do is not tried again."""

    def __init__(
        self, review: Review, forge: Forge, renderer: Renderer, limits: Limits, outcome: Outcome
    ) -> None:
        self._review: Review = review
        self._forge: Forge = forge
        self._renderer: Renderer = renderer
        self._limits: Limits = limits
        self._outcome: Outcome = outcome
        self._may_resolve: bool = True

    def post(self, steps: Sequence[Step]) -> None:
        drafts = [self._draft(step) for step in steps]
        size = min(self._limits.per_review, self._forge.at_once)
        for start in range(0, len(drafts), size):
            batch = drafts[start : start + size]
            try:
                self._post_all(batch)
            except ForgeError as error:
                self._outcome.problems.append(f"posting stopped: {error}")
                self._outcome.denied = isinstance(error, DeniedError)
                self._mark(self._unposted(drafts[start:]), "denied" if self._outcome.denied else "failed")
                return

    def _draft(self, step: Step) -> Draft:
        item = step.item
        assert item is not None
        assert item.anchor is not None
        return Draft(item, item.anchor, self._renderer.comment(item))

    def _post_all(self, batch: Sequence[Draft]) -> None:
        """Post a batch: whole, else what is missing of it, else one by one."""
        try:
            self._forge.post(self._review.head, batch)
        except RefusedError as error:
            self._split(batch, error)
        except UncertainError:
            # The review may stand although the answer was an error: posting it again would say all twice.
            missing = self._missing(batch)
            if len(missing) == len(batch):
                self._retry(batch)
            elif missing:
                self._post_singly(missing)
        self._count_posted(batch)

    def _retry(self, batch: Sequence[Draft]) -> None:
        try:
            self._forge.post(self._review.head, batch)
        except RefusedError as error:
            self._split(batch, error)
        except UncertainError:
            if self._missing(batch):
                raise

    def _split(self, batch: Sequence[Draft], error: RefusedError) -> None:
        """Post a refused batch one by one, so that only what is wrong is lost."""
        if len(batch) > 1:
            self._post_singly(batch)
            return
        place = batch[0].anchor
        self._outcome.problems.append(f"no comment at {place.path}:{place.end}: {error}")
        self._mark(batch, "refused")

    def _post_singly(self, batch: Sequence[Draft]) -> None:
        for draft in batch:
            try:
                self._forge.post(self._review.head, [draft])
            except RefusedError as error:
                self._split([draft], error)
            except UncertainError as error:
                if self._missing([draft]):
                    self._outcome.problems.append(
                        f"no comment at {draft.anchor.path}:{draft.anchor.end}: {error}"
                    )
                    self._mark([draft], "failed")

    def _missing(self, drafts: Sequence[Draft]) -> list[Draft]:
        standing = {thread.marker.fingerprint for thread in self._forge.state().threads}
        return [draft for draft in drafts if draft.item.fingerprint not in standing]

    def _unposted(self, drafts: Sequence[Draft]) -> Sequence[Draft]:
        try:
            return self._missing(drafts)
        except ForgeError:
            return drafts

    def _mark(self, drafts: Sequence[Draft], reason: str) -> None:
        for draft in drafts:
            self._outcome.placement[draft.item.fingerprint] = reason

    def _count_posted(self, batch: Sequence[Draft]) -> None:
        for draft in batch:
            if self._outcome.placement[draft.item.fingerprint] == "inline":
                self._outcome.count("post")

    def touch(self, step: Step, resolve: Resolve) -> None:
        """Edit, resolve or reopen one thread."""
        do, thread = step.action.do, step.thread
        if do in ("post", "keep") or thread is None or self._outcome.denied:
            return
        try:
            if do == "resolve" and self._resolve(step, resolve):
                return
            if do == "reopen":
                self._forge.reopen(thread)
            if step.item is not None:
                self._forge.edit(thread, self._renderer.comment(step.item))
                self._outcome.count(do)
            elif thread.marker.state != "told":
                self._forge.edit(thread, self._renderer.gone(thread.marker, step.action.why, "told"))
                self._outcome.count("edit")
        except ForgeError as error:
            self._outcome.problems.append(f"could not {do} a comment: {error}")

    def _resolve(self, step: Step, resolve: Resolve) -> bool:
        thread = step.thread
        if thread is None or not self._may_resolve:
            return False
        try:
            self._forge.resolve(thread)
        except DeniedError as error:
            self._may_resolve = False
            if resolve == "always":
                self._outcome.problems.append(f"could not resolve threads: {error}")
            return False
        self._outcome.count("resolve")
        self._forge.edit(thread, self._renderer.gone(thread.marker, step.action.why, "fixed"))
        return True

    def summarise(self, state: State) -> None:
        """Post or edit the summary, which tells where everything is said."""
        if self._outcome.denied:
            return
        body = self._renderer.summary(self._review, self._outcome.placement)
        try:
            if state.summary is None:
                if self._review.items:
                    self._post_summary(body)
            elif state.summary.digest != digest(
                self._renderer.overview(self._review, self._outcome.placement)
            ):
                self._forge.edit_summary(state.summary, body)
                self._outcome.count("summary")
        except ForgeError as error:
            self._outcome.denied = isinstance(error, DeniedError)
            self._outcome.problems.append(f"could not write the summary: {error}")

    def _post_summary(self, body: str) -> None:
        try:
            self._forge.post_summary(body)
        except UncertainError:
            if self._forge.state().summary is None:
                self._forge.post_summary(body)
        self._outcome.count("summary")
