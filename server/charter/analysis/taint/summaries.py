"""Summaries of functions in their contexts: computed on demand, recursion included, kept, and run again when due."""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from charter.analysis.taint.frame import Summary
from charter.analysis.taint.kept import Kept
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from charter.analysis.taint.context import Entry
    from charter.analysis.taint.frame import Flow, Frame
    from charter.analysis.taint.knowledge import Key
    from charter.analysis.taint.run import Run
    from charter.model.library.index import Index
    from charter.model.project import Function, Project

_BOTTOM: Final = Summary()
_ATTEMPTS: Final = 3
_ROUNDS: Final = 4
_MOST_CONTEXTS: Final = 16


class Summaries(Kept, ABC):
    """What functions do with their parameters and with what they read, by context.

    Attributes:
        thorough: whether all functions are run, not only those that untrusted data may come near.
        crowded: by who asked, the functions that have more contexts than are told apart.
        exhausted: the functions in contexts in which one run took too many steps.
        broken: the functions in contexts in which the analysis failed.
    """

    deepest: Final = 10
    """How many calls deep contexts are told apart."""
    most_steps: Final = 4000
    """How many expressions one run of a function may take."""

    def __init__(self, project: Project, index: Index, threats: Iterable[str]) -> None:
        super().__init__(project, index, threats)
        self.thorough = False
        self.crowded: dict[Key, set[Function]] = defaultdict(set)
        self.exhausted: set[Key] = set()
        self.broken: dict[Key, Exception] = {}
        self._renewing: Collection[Key] = ()
        self._contexts: dict[Function, dict[Key, None]] = defaultdict(dict)
        self._flowing: dict[Key, None] = {}
        self._owning: dict[Function, None] = {}
        self._at: dict[Key, int] = {}
        self._low: list[int] = []
        self._loose: dict[int, list[Key]] = defaultdict(list)
        self._called_back: set[Key] = set()
        self._provisional: dict[Key, Summary] = {}
        self._passed_over: dict[Key, dict[Key, None]] = defaultdict(dict)

    def demand(self, function: Function) -> None:
        """See to it that a function has been run by itself."""
        if (function, ()) not in self.summaries and (function, ()) not in self._at:
            self.summary(function, (), 0, None)

    def is_idle(self, function: Function) -> bool:
        """Whether a call that passes and gives nothing of interest can be passed over: no untrusted data comes near.

        Should that turn out otherwise, whoever asks now is due again.
        """
        key = (function, ())
        if not function.flags & ir.ENDS or key in self.summaries or key in self._renewing or self.thorough:
            return False
        if self.is_reached(function):
            return False
        self._passed_over[key][self._stack[-1]] = None
        return True

    def is_reached(self, function: Function) -> bool:
        """Whether data that is followed comes near a function, by its own words or because a framework brings it."""
        use = self.handlers.get(function)
        return (use is not None and self.follows(use.handler.kind)) or self.near.is_near(function)

    def follows(self, kind: str) -> bool:
        """Whether data from a kind of source is followed: following what nobody asks for would take time for nothing."""
        return self.thorough or self.near.counts(kind)

    def _settle(self) -> None:
        """Run again what is due."""
        for _ in range(_ROUNDS):
            if not self._dirty:
                break
            batch, self._dirty = self._dirty, {}
            self._renew(batch)
        self._dirty.clear()

    def _renew(self, batch: Iterable[Key]) -> None:
        """Run functions again, what they call before them; if callers can tell the difference, they are due too.

        Functions by themselves come first: they ask for the contexts that they still need. A context that nobody needs
        any more is dropped.
        """
        before = {key: self.summaries.pop(key, None) for key in batch}
        self._renewing = before.keys()
        for key in sorted(before, key=lambda key: bool(key[1])):
            if key in self.summaries:
                continue
            if key[1] and not any(user in self.summaries for user in self.users.get(key, ())):
                self._drop(key)
            else:
                self.summary(key[0], key[1], 0, None)
        self._renewing = ()
        for key, old in before.items():
            new = self.summaries.get(key)
            if old is not None and (new is None or not old.same_for_callers(new)):
                for user in self.users.get(key, ()):
                    if user not in before and user in self.summaries:
                        self._dirty[user] = None

    def _drop(self, key: Key) -> None:
        """Forget a context."""
        self.summaries.pop(key, None)
        self._contexts[key[0]].pop(key, None)
        self._flowing.pop(key, None)
        self._absolve(key)
        for name in self._uses.pop(key, ()):
            self.users[name].pop(key, None)
        given = self._given.pop(key, None)
        if given is not None:
            self._withdraw(key, given)

    def summary(self, function: Function, entry: Entry, depth: int, caller: Frame | None) -> Summary:
        """The summary of a function in a context."""
        key = (function, entry)
        if self._stack:
            self._use(key)
        known = self.summaries.get(key)
        if known is not None:
            return known
        at = self._at.get(key)
        if at is not None:
            self._low[-1] = min(self._low[-1], at)
            self._called_back.add(key)
            return self._provisional.get(key, _BOTTOM)
        return self._compute(key, depth if entry and key not in self._renewing else 0)

    @abstractmethod
    def _start(self, function: Function, depth: int) -> Run:
        """A run of a function, a number of calls deep."""

    def _run(self, key: Key, depth: int) -> Summary:
        run = self._start(key[0], depth)
        self._absolve(key)
        try:
            summary = run.execute(key[1])
        except Exception as error:  # noqa: BLE001 (one function must not cost the flows of all others; it is named)
            summary = _BOTTOM
            self.broken[key] = error
        if run.budget < 0:
            self.exhausted.add(key)
        self._keep_names(run)
        return summary

    def _absolve(self, key: Key) -> None:
        """Forget what went wrong in a run that counts no more."""
        self.broken.pop(key, None)
        self.exhausted.discard(key)
        self.crowded.pop(key, None)

    def _compute(self, key: Key, depth: int) -> Summary:
        """Run a function until its summary agrees with what its recursive calls assumed.

        As in Tarjan's algorithm, `_low` holds for each function in progress the outermost one that it leads back to.
        What was computed on the assumption of an outer function is computed anew if the assumption was wrong.
        """
        level = len(self._stack)
        self._stack.append(key)
        self._at[key] = level
        self._low.append(level)
        before = self._given.pop(key, None)
        if before is not None:
            self._former[key] = before
        used = self._uses.pop(key, None)
        self._used.append(self._uses[key])
        summary = _BOTTOM
        for _ in range(_ATTEMPTS):
            self._called_back.discard(key)
            summary = self._run(key, depth)
            assumed = self._provisional.get(key, _BOTTOM)
            if key not in self._called_back or assumed.same_for_callers(summary):
                break
            self._provisional[key] = summary
            for loose in self._loose.pop(level, ()):
                self.summaries.pop(loose, None)
        self._called_back.discard(key)
        if before is not None:
            del self._former[key]
            self._withdraw(key, before)
        if used is not None:
            for name in used - self._uses[key]:
                self.users[name].pop(key, None)
        low = self._low.pop()
        self._stack.pop()
        self._used.pop()
        del self._at[key]
        self._provisional.pop(key, None)
        loose = self._loose.pop(level, [])
        if low < level:
            self._low[-1] = min(self._low[-1], low)
            self._loose[low].extend([*loose, key])
        self.summaries[key] = summary
        self._contexts[key[0]][key] = None
        if not key[1]:
            self.near.learn_summary(key[0], summary)
            passed = self._passed_over.pop(key, None)
            if passed and not (summary.trivial and summary.returns):
                self._dirty.update(dict.fromkeys(user for user in passed if user in self.summaries))
        if summary.own and not key[1]:
            self._owning[key[0]] = None
        if summary.flows:
            self._flowing[key] = None
        else:
            self._flowing.pop(key, None)
        return summary

    def has_too_many_contexts(self, function: Function, entry: Entry) -> bool:
        """Whether a function has been run in so many contexts that a new one must do with less detail."""
        if len(self._contexts[function]) < _MOST_CONTEXTS or (function, entry) in self._contexts[function]:
            return False
        if self._stack:  # else somebody only looks on (`trace`)
            self.crowded[self._stack[-1]].add(function)
        return True

    @property
    def coarse(self) -> set[Function]:
        """The functions that were analysed with less detail, because the work reached a bound."""
        return {function for function, _ in self.exhausted}.union(*self.crowded.values())

    def contexts(self, function: Function) -> list[Key]:
        """The contexts in which a function is known, that without a caller first."""
        found = [key for key in self._contexts.get(function, ()) if key in self.summaries]
        return sorted(found, key=lambda key: bool(key[1]))

    def callers(self, function: Function) -> list[Function]:
        """The functions that call a function, in any context."""
        users = {user for key in self.contexts(function) for user in self.users.get(key, ())}
        found = {user[0] for user in users if user in self.summaries and user[0] is not function}
        return sorted(found, key=lambda one: (one.module.path, one.line))

    def flows(self) -> Iterator[Flow]:
        """All flows of all contexts that are in use."""
        for key in self._flowing:
            used = not key[1] or any(user in self.summaries for user in self.users.get(key, ()))
            if used and key in self.summaries:
                yield from self.summaries[key].flows

    def own_texts(self) -> Iterator[tuple[Function, int]]:
        """The calls that are given text which the program itself has made, as far as their function shows by itself."""
        for function in self._owning:
            summary = self.summaries.get((function, ()))
            if summary is not None:
                yield from ((function, place) for place in summary.own)
