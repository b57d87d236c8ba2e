"""Applies proved fixes to files, round by round, until nothing changes. It decides no rule and asks nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from charter.api import Grade
from charter.engine.project import assemble, reduce_all
from charter.engine.reduce import ProjectFacts, Reducer
from charter.mend.prove import Proved, Prover

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from charter.api import Finding, Fix
    from charter.engine.check import FileResult
    from charter.engine.project import Project, Report

ROUNDS = 10
"""How often files are checked again after fixes; fixes that meet wait for the next round."""


@dataclass(slots=True)
class Fixed:
    """What applying fixes came to.

    Attributes:
        texts: the new texts of the changed files, by path.
        applied: how many fixes of each rule were applied.
        refused: why fixes were not applied, by rule and reason.
    """

    texts: dict[str, str] = field(default_factory=dict[str, str])
    applied: dict[str, int] = field(default_factory=dict[str, int])
    refused: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


def allowed_grades(*, unsafe: bool) -> frozenset[Grade]:
    """The grades that may be applied without showing them."""
    return frozenset({Grade.SAFE, Grade.UNSAFE} if unsafe else {Grade.SAFE})


def fix_project(
    project: Project,
    results: Mapping[str, FileResult],
    targets: Collection[str],
    *,
    grades: frozenset[Grade],
    wanted: Callable[[Finding], bool] = lambda _: True,
) -> Fixed:
    """Apply every proved fix of the given grades. Nothing is written; the new texts are returned.

    Args:
        project: the project.
        results: what checking all its files gave.
        targets: the files that may be changed.
        grades: which fixes may be applied.
        wanted: which findings to fix.
    """
    from dataclasses import replace

    fixed = Fixed()
    original = project.read

    def read(path: str) -> bytes:
        text = fixed.texts.get(path)
        return original(path) if text is None else _encoded(original, path, text)

    now = replace(project, read=read)
    current = dict(results)
    changed = set(targets)
    for _ in range(ROUNDS):
        changed = _round(now, current, targets, changed, fixed, grades, wanted)
        if not changed:
            break
        for path in changed:
            current[path] = now.check_file(path)
    return fixed


def _encoded(read: Callable[[str], bytes], path: str, text: str) -> bytes:
    from charter.syntax.source import decode

    return decode(read(path)).encode(text)


def _round(
    project: Project,
    results: Mapping[str, FileResult],
    targets: Collection[str],
    changed: Collection[str],
    fixed: Fixed,
    grades: frozenset[Grade],
    wanted: Callable[[Finding], bool],
) -> set[str]:
    """Apply what can be applied at once; the paths that changed."""
    whole = bool(project.planner.analyses)
    reducer: Reducer | None = None
    facts = ProjectFacts()
    if whole:
        reducer = Reducer(project.planner.analyses, project.info)
        facts = reduce_all(project, results, reducer)
    look_at = targets if whole else changed
    report = assemble(project, {path: results[path] for path in sorted(look_at)}, facts)
    prover = Prover(project, results, reducer)
    touched: set[str] = set()
    for _, findings in _by_file(report):
        pairs = [
            (finding, fix)
            for finding in findings
            if wanted(finding) and (fix := _first(finding, grades)) is not None
        ]
        # A file is changed once a round, so that every fix is proved against the text that it is applied to.
        free = [pair for pair in pairs if not _paths(pair) & touched]
        for proved in _prove(prover, free, fixed, targets, grades):
            fixed.texts.update(proved.texts)
            touched.update(proved.texts)
    return touched


def _by_file(report: Report) -> Iterable[tuple[str, list[Finding]]]:
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.path, []).append(finding)
    return groups.items()


def _first(finding: Finding, grades: frozenset[Grade]) -> Fix | None:
    return next((fix for fix in finding.fixes if fix.grade in grades), None)


def _paths(pair: tuple[Finding, Fix]) -> set[str]:
    finding, fix = pair
    return {edit.path or finding.path for edit in fix.edits}


def _prove(
    prover: Prover,
    pairs: list[tuple[Finding, Fix]],
    fixed: Fixed,
    targets: Collection[str],
    grades: frozenset[Grade],
) -> Iterable[Proved]:
    """Prove the fixes of one file together; if that fails, one by one, keeping those that go together."""
    own: list[tuple[Finding, Fix]] = []
    for pair in pairs:
        if not _paths(pair) <= set(targets):
            _refuse(fixed, pair, "it changes a file that was not named")
        else:
            own.append(pair)
    if not own:
        return
    together = prover.prove_together(own)
    if isinstance(together, Proved) and together.fix.grade in grades:
        _count(fixed, own)
        yield together
        return
    good: list[tuple[Finding, Fix]] = []
    best: Proved | None = None
    for pair in own:
        alone = prover.prove(*pair)
        if not isinstance(alone, Proved):
            _refuse(fixed, pair, alone.reason)
        elif alone.fix.grade not in grades:
            _refuse(fixed, pair, alone.fix.doubt)
        else:
            joined = prover.prove_together([*good, pair]) if good else alone
            if isinstance(joined, Proved) and joined.fix.grade in grades:
                good.append(pair)
                best = joined
    if best is not None:
        _count(fixed, good)
        yield best


def _count(fixed: Fixed, pairs: Iterable[tuple[Finding, Fix]]) -> None:
    for finding, _ in pairs:
        fixed.applied[finding.rule] = fixed.applied.get(finding.rule, 0) + 1


def _refuse(fixed: Fixed, pair: tuple[Finding, Fix], reason: str) -> None:
    key = (pair[0].rule, reason)
    fixed.refused[key] = fixed.refused.get(key, 0) + 1
