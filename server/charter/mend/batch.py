"""Proves many fixes at the cost of few checks: all that do not meet at once. It applies nothing.

A proof asks what becomes of the fixed files and of the whole project. So the fixes of one file are tried together, and
parted where they fail; what stands by itself is then held against the whole project in one go.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.api import Grade
from charter.mend.compile import EditError
from charter.mend.prove import Draft, Objection, Pair, Proved, Prover, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from charter.api import Finding, Fix, Span
    from charter.engine.check import FileResult

_TRIES = 4
"""How often the whole project is asked of all that stands; after that, each answer of it counts for what it was asked."""


class Standing(Struct, frozen=True):
    """Fixes that hold together.

    Attributes:
        draft: the fixes and what they make of the files.
        results: what checking the changed files by themselves gave.
        proof: the proof, with the lowest grade of the fixes.
    """

    draft: Draft
    results: Mapping[str, FileResult]
    proof: Proved


class Batch(Struct):
    """What proving many fixes came to; every fix is in exactly one place.

    Attributes:
        proved: what may be offered; no two change the same file.
        refused: fixes that must not be offered.
        doubted: fixes that were safe and are suggestions now; they are to be proved as such.
        later: fixes that meet others; they are to be proved anew.
        besides: what checking files gave that others had changed before.
    """

    proved: list[Standing] = field(default_factory=list["Standing"])
    refused: list[tuple[Pair, Refused]] = field(default_factory=list["tuple[Pair, Refused]"])
    doubted: list[Pair] = field(default_factory=list["Pair"])
    later: list[Pair] = field(default_factory=list["Pair"])
    besides: Mapping[str, FileResult] = field(default_factory=dict[str, "FileResult"])


def prove_apart(
    prover: Prover, pairs: Iterable[Pair], besides: Mapping[str, FileResult] | None = None
) -> Batch:
    """Prove fixes, those that do not meet at once.

    Args:
        prover: the state of the project that they are for.
        pairs: the fixes, the more important first: of those that meet, the first is tried.
        besides: what checking files gave that others have changed already. A proof that goes on from there has less
            to tell the solvers; where a file is changed anew, it begins with the file as it was.
    """
    batch = Batch(besides=besides or {})
    standing: list[Standing] = []
    for group in _groups(prover, pairs, batch):
        stands = _alone(prover, group, batch)
        if stands is not None:
            standing.append(stands)
    rules: set[str] = set()
    for _ in range(_TRIES):
        wrong = _wrong(prover, standing, batch.besides)
        if not wrong:
            break
        rules.update(objection.rule for objection in wrong.values())
        blamed = [(standing[number], objection.places) for number, objection in wrong.items()]
        standing = [stands for number, stands in enumerate(standing) if number not in wrong]
        parted = _part(prover, blamed, batch, standing, rules)
        hold = [pair for stands in parted for pair in stands.draft.pairs]
        if standing and len(hold) == sum(len(stands.draft.pairs) for stands, _ in blamed):
            batch.later += hold  # what the others bring to light was told of them
        else:
            standing += parted
    else:
        standing = _part(prover, [(stands, {}) for stands in standing], batch)
    batch.proved.extend(standing)
    return batch


def _groups(prover: Prover, pairs: Iterable[Pair], batch: Batch) -> list[list[Pair]]:
    """The fixes by the file that they change, those that meet an earlier one put off; one of many files is a group.

    A group is safe as a whole or not at all, for what is demanded of safe fixes is judged for all of it.
    """
    groups: dict[str, list[Pair]] = {}
    several: list[list[Pair]] = []
    taken: dict[str, list[Span]] = {}
    for pair in pairs:
        try:
            edits = prover.edits([pair])
        except EditError as error:
            batch.refused.append((pair, Refused(pair[1], str(error))))
            continue
        spans = {path: [edit.span for edit in made] for path, made in edits.items()}
        home = pair[0].path
        if set(spans) == {home}:
            group = groups.get(home)
            free = home not in taken if group is None else _same_trust(group[0][1], pair[1])
            if free and not _meet(spans[home], taken.get(home, ())):
                groups.setdefault(home, []).append(pair)
                taken.setdefault(home, []).extend(spans[home])
                continue
        elif taken.keys().isdisjoint({*spans, home}):
            several.append([pair])
            for path in (*spans, home):
                taken.setdefault(path, []).extend(spans.get(path, ()))
            continue
        batch.later.append(pair)
    return [*groups.values(), *several]


def _same_trust(one: Fix, other: Fix) -> bool:
    return (one.grade is Grade.SAFE) is (other.grade is Grade.SAFE)


def _meet(spans: Sequence[Span], taken: Sequence[Span]) -> bool:
    return any(span.overlaps(other) for span in spans for other in taken)


def _try(prover: Prover, pairs: Sequence[Pair]) -> Standing | Refused:
    """What the changed files by themselves make of fixes; a safe fix that is doubted stands, and says so."""
    draft = prover.draft(pairs)
    if isinstance(draft, Refused):
        return draft
    fresh = prover.check(draft)
    wrong = prover.wrong_in_files(draft, fresh)
    if wrong is not None:
        return Refused(pairs[0][1], wrong.reason, wrong.places)
    return Standing(draft.unread(), fresh, prover.graded(draft))


def _alone(prover: Prover, group: Sequence[Pair], batch: Batch) -> Standing | None:
    """The most fixes of a group that their own files allow; the others are refused, doubted or put off."""
    tried = _try(prover, group)
    if isinstance(tried, Standing) and not _newly_doubted(tried):
        return tried
    if len(group) == 1:
        if isinstance(tried, Standing):
            batch.doubted.append((group[0][0], tried.proof.fix))
        else:
            batch.refused.append((group[0], tried))
        return None
    parts = _parts(group, tried.places if isinstance(tried, Refused) else {})
    stands = [one for part in parts if (one := _alone(prover, part, batch)) is not None]
    while len(stands) > 1:
        together = _try(prover, [pair for one in stands for pair in one.draft.pairs])
        if isinstance(together, Standing) and not _newly_doubted(together):
            return together
        batch.later.extend(stands.pop().draft.pairs)
    return stands[0] if stands else None


def _parts(pairs: Sequence[Pair], places: Mapping[tuple[str, str], int]) -> list[Sequence[Pair]]:
    """Fixes that fail together in parts of which some may hold.

    They are told by the places where findings remain or come, or else by the rule that has most, for what fails is
    mostly of one rule.

    Args:
        pairs: the fixes.
        places: as `Objection` has them.
    """
    if sum(places.values()) >= len(pairs):
        return [[pair] for pair in pairs]
    apart = [_is_near(finding, places) for finding, _ in pairs]
    if len(set(apart)) < 2:
        rules = Counter(finding.rule for finding, _ in pairs)
        most = max(rules, key=rules.__getitem__)
        apart = [finding.rule != most for finding, _ in pairs]
    if len(set(apart)) < 2:
        apart = [number >= len(pairs) // 2 for number in range(len(pairs))]
    parts = [
        [pair for pair, other in zip(pairs, apart, strict=True) if other is one] for one in (False, True)
    ]
    return [part for part in parts if part]


def _is_near(finding: Finding, places: Iterable[tuple[str, str]]) -> bool:
    """Whether a finding stands in one of some places, or in what holds or lies in one, short of the module."""
    own = f"{finding.symbol}."
    return any(
        path == finding.path and (own.startswith(f"{symbol}.") or f"{symbol}.".startswith(own))
        for path, symbol in places
    )


def _newly_doubted(stands: Standing) -> bool:
    return bool(stands.proof.fix.doubt) and not stands.draft.pairs[0][1].doubt


def _wrong(
    prover: Prover,
    standing: Sequence[Standing],
    besides: Mapping[str, FileResult],
    rules: Collection[str] | None = None,
) -> dict[int, Objection]:
    if not standing:
        return {}
    drafts = [stands.draft for stands in standing]
    return prover.wrong_in_project(drafts, results_of(standing), besides, rules)


def results_of(standing: Iterable[Standing]) -> dict[str, FileResult]:
    """What checking the files that fixes change gave."""
    return {path: result for stands in standing for path, result in stands.results.items()}


class _Trial(Struct):
    """Fixes of one file of which the project speaks against some.

    Attributes:
        part: what is tried now.
        rest: those that are still to be tried, in parts, the next one last.
        held: what holds already; None for nothing.
        stands: what is tried, together with what holds already.
    """

    part: Sequence[Pair]
    rest: list[Sequence[Pair]] = field(default_factory=list["Sequence[Pair]"])
    held: Standing | None = None
    stands: Standing | None = None

    def divide(self, places: Mapping[tuple[str, str], int]) -> None:
        """Put the parts of what was tried back, to be tried by themselves; one fix is its only part.

        Args:
            places: as `Objection` has them.
        """
        self.rest += reversed(_parts(self.part, places))


def _part(
    prover: Prover,
    blamed: Iterable[tuple[Standing, Mapping[tuple[str, str], int]]],
    batch: Batch,
    others: Iterable[Standing] = (),
    rules: Collection[str] | None = None,
) -> list[Standing]:
    """Find out which fixes the project speaks against; gives the others.

    What fails is divided, and what holds is kept and has the next part put on top of it, as in delta debugging (Zeller and
    Hildebrandt 2002). All files go in step: asking the project costs the same for many as for one.

    Args:
        prover: the state of the project.
        blamed: what fails, with the places of what speaks against it.
        batch: takes what is refused, doubted or put off.
        others: what stands besides.
        rules: those that spoke against it. Only they are asked, so that what is given is still to be held against the
            whole; None asks all.
    """
    others = list(others)
    done: list[Standing] = []
    trials: list[_Trial] = []
    for stands, places in blamed:
        trials.append(_Trial(part=stands.draft.pairs))
        # That they fail together is known; one by itself may have been blamed for another's.
        trials[-1].divide(places)
    while trials := [trial for trial in trials if _goes_on(prover, trial, batch, done)]:
        held = [trial.held for trial in trials if trial.held is not None]
        besides = {**batch.besides, **results_of([*others, *done, *held])}
        tried = [trial.stands for trial in trials if trial.stands is not None]
        wrong = _wrong(prover, tried, besides, rules)
        hold = [number for number in range(len(tried)) if number not in wrong]
        if wrong:
            without = _wrong(prover, [tried[number] for number in hold], besides, rules)
            wrong.update((hold[number], reason) for number, reason in without.items())
        for number, trial in enumerate(trials):
            if number not in wrong:
                trial.held = trial.stands
            elif len(trial.part) > 1:
                trial.divide(wrong[number].places)
            else:
                batch.refused.append((trial.part[0], Refused(trial.part[0][1], wrong[number].reason)))
    return done


def _goes_on(prover: Prover, trial: _Trial, batch: Batch, done: list[Standing]) -> bool:
    """Put the next part on top of what holds of a file; if there is none any more, that is done."""
    held = trial.held.draft.pairs if trial.held else ()
    while trial.rest:
        trial.part = trial.rest.pop()
        tried = _try(prover, [*held, *trial.part])
        if isinstance(tried, Standing) and not _newly_doubted(tried):
            trial.stands = tried
            return True
        if len(trial.part) > 1:
            trial.divide(tried.places if isinstance(tried, Refused) else {})
        elif held:
            batch.later += trial.part
        elif isinstance(tried, Standing):
            batch.doubted.append((trial.part[0][0], tried.proof.fix))
        else:
            batch.refused.append((trial.part[0], tried))
    if trial.held is not None:
        done.append(trial.held)
    return False
