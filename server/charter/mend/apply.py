"""Applies proved fixes to files, round by round, until nothing changes. It decides no rule and asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.api import Grade
from charter.engine.project import assemble, reduce_all
from charter.engine.reduce import ProjectFacts, Reducer
from charter.engine.run import uncollected
from charter.mend.batch import Batch, prove_apart
from charter.mend.prove import Prover

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from charter.api import Finding
    from charter.engine.check import FileResult
    from charter.engine.project import Project
    from charter.mend.prove import Pair

ROUNDS = 100
"""How often files are checked again after fixes, at the most; fixes that meet wait for the next round.

Each round applies or refuses something, and a fix that is applied brings no finding: this is for what should not be.
"""


class Fixed(Struct):
    """What applying fixes came to.

    Attributes:
        texts: the new texts of the changed files, by path.
        before: the texts that they were made of.
        applied: how many findings of each file were fixed.
        refused: why fixes were not applied, by rule and reason.
    """

    texts: dict[str, str] = field(default_factory=dict[str, str])
    before: dict[str, str] = field(default_factory=dict[str, str])
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
    from msgspec.structs import replace

    fixed = Fixed()
    original = project.read

    def read(path: str) -> bytes:
        text = fixed.texts.get(path)
        return original(path) if text is None else _encoded(original, path, text)

    now = replace(project, read=read)
    current = dict(results)
    with uncollected():
        reducer = Reducer(project.planner.analyses, project.info) if project.planner.analyses else None
        facts = reduce_all(project, results, reducer) if reducer else ProjectFacts()
        settled: set[tuple[str, str]] = set()
        for _ in range(ROUNDS):
            report = assemble(now, {path: current[path] for path in sorted(targets)}, facts)
            findings = [f for f in report.findings if wanted(f) and (f.path, f.fingerprint) not in settled]
            prover = Prover(now, current, reducer, complete=True)
            batch = prove_apart(prover, _pairs(findings, targets, fixed, grades))
            changed = _take(batch, fixed)
            if not changed and not batch.later:
                break
            for path, result in changed.items():
                fixed.before.setdefault(path, prover.source(path).text)
                if reducer is not None:
                    reducer.update(path, result.extracts, current[path].extracts)
                current[path] = result
            facts = reducer.solve() if reducer is not None else facts
            waiting = {(finding.path, finding.fingerprint) for finding, _ in batch.later}
            settled |= {(finding.path, finding.fingerprint) for finding in findings} - waiting
            settled = {(path, fingerprint) for path, fingerprint in settled if path not in changed}
    return fixed


def _encoded(read: Callable[[str], bytes], path: str, text: str) -> bytes:
    from charter.syntax.source import decode

    return decode(read(path)).encode(text)


def _pairs(
    findings: Iterable[Finding], targets: Collection[str], fixed: Fixed, grades: frozenset[Grade]
) -> list[Pair]:
    """The best fix that is allowed of each finding."""
    pairs: list[Pair] = []
    named = set(targets)
    for finding in findings:
        fix = next((fix for fix in finding.fixes if fix.grade in grades), None)
        if fix is None:
            continue
        if {edit.path or finding.path for edit in fix.edits} <= named:
            pairs.append((finding, fix))
        else:
            _refuse(fixed, finding, "it changes a file that was not named")
    return pairs


def _take(batch: Batch, fixed: Fixed) -> dict[str, FileResult]:
    """Note what a batch came to; the results of the files that it changed."""
    for finding, fix in batch.doubted:
        _refuse(fixed, finding, fix.doubt)
    for (finding, _), refused in batch.refused:
        _refuse(fixed, finding, refused.reason)
    changed: dict[str, FileResult] = {}
    for stands in batch.proved:
        fixed.texts.update(stands.proof.texts)
        changed.update(stands.results)
        for finding, _ in stands.draft.pairs:
            fixed.applied[finding.path] = fixed.applied.get(finding.path, 0) + 1
    return changed


def _refuse(fixed: Fixed, finding: Finding, reason: str) -> None:
    key = (finding.rule, reason)
    fixed.refused[key] = fixed.refused.get(key, 0) + 1
