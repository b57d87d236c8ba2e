"""Checking base and head of a change, each as a whole project, and what differs. It posts nothing.

What both trees share is checked once: a file's own result is taken over where path, content and module are the same.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from charter.engine.project import Project, assemble
from charter.engine.reduce import ProjectFacts, Reducer
from charter.engine.work import results_of
from charter.mend.prove import Prover
from charter.review.diff import read_diff
from charter.review.identity import Comparison, compare, identify
from charter.review.snapshot import take

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.api import Principle
    from charter.engine.cache import Cache
    from charter.engine.check import FileResult
    from charter.engine.project import Report
    from charter.engine.registry import Registry
    from charter.engine.settings import Settings
    from charter.review.diff import Diff
    from charter.review.git import Repository
    from charter.review.snapshot import Snapshot


@dataclass(frozen=True)
class Tools:
    """What a check is made with.

    Attributes:
        settings: of the base.
        registry: every rule there is.
        principles: the charter.
        jobs: how many processes may work.
        cache: where results are kept; None to keep none.
    """

    settings: Settings
    registry: Registry
    principles: tuple[Principle, ...]
    jobs: int = 1
    cache: Cache | None = None


@dataclass
class Side:
    """One of the two trees, checked.

    Attributes:
        snapshot: its files.
        project: the project they make.
        results: what checking each file by itself gave.
        report: what checking them all gave.
    """

    snapshot: Snapshot
    project: Project
    results: Mapping[str, FileResult]
    report: Report

    def text(self, path: str) -> str:
        """A file's text; "" if it cannot be read."""
        return self.report.text_of(path) or ""


@dataclass
class Analysis:
    """A change and what it did.

    Attributes:
        diff: the change.
        base: the tree before.
        head: the tree after.
        comparison: new, old and fixed findings.
    """

    diff: Diff
    base: Side
    head: Side
    comparison: Comparison

    @cached_property
    def prover(self) -> Prover:
        """Proves fixes against the head."""
        project = self.head.project
        reducer = None
        if project.planner.analyses:
            reducer = _reducer(project, self.head.results)
        return Prover(project, self.head.results, reducer)

    def silenced(self) -> int:
        """How many findings the head's comments suppress and the base's did not."""
        return len(self.head.report.suppressed) - len(self.base.report.suppressed)

    def unread(self) -> list[str]:
        """The changed files of the head that could not be analysed as a whole."""
        wrong = {problem.location.path for problem in self.head.report.problems}
        wrong.update(self.head.snapshot.left_out)
        wrong.update(failure.path for failure in self.head.report.failures if failure.path)
        return sorted(wrong & self.diff.files.keys())


def analyse(repository: Repository, base: str, head: str, tools: Tools) -> Analysis:
    """Check both trees and compare.

    Args:
        repository: where they are.
        base: hash of the commit or tree before.
        head: hash of the commit or tree after.
        tools: what to check with.
    """
    diff = read_diff(repository, base, head)
    after = take(repository, head, tools.settings)
    before = take(repository, base, tools.settings, after)
    was_enabled = gc.isenabled()
    gc.disable()  # as in engine.run: trees hold no cycles
    try:
        head_side = _check(after, tools)
        base_side = _check(before, tools, head_side)
    finally:
        if was_enabled:
            gc.enable()
    comparison = compare(
        identify(base_side.report.findings, base_side.text, diff, head=False),
        identify(head_side.report.findings, head_side.text, diff, head=True),
    )
    return Analysis(diff, base_side, head_side, comparison)


def _check(snapshot: Snapshot, tools: Tools, other: Side | None = None) -> Side:
    project = Project.of(
        tools.settings,
        tools.registry,
        tools.principles,
        snapshot.python,
        snapshot.read,
        others=snapshot.others,
    )
    shared = dict(_shared(snapshot, project, other)) if other else {}
    missing = [path for path in project.paths if path not in shared]
    fresh = results_of(project, missing, jobs=tools.jobs, cache=tools.cache)
    results = {path: shared.get(path) or fresh[path] for path in project.paths}
    facts = _reducer(project, results).solve() if project.planner.analyses else ProjectFacts()
    return Side(snapshot, project, results, assemble(project, results, facts))


def _shared(snapshot: Snapshot, project: Project, other: Side) -> Iterator[tuple[str, FileResult]]:
    for path in project.paths:
        same = other.snapshot.blobs.get(path) == snapshot.blobs[path]
        if same and path in other.results and other.project.modules.get(path) == project.modules.get(path):
            yield path, other.results[path]


def _reducer(project: Project, results: Mapping[str, FileResult]) -> Reducer:
    reducer = Reducer(project.planner.analyses, project.info)
    for path in sorted(results):
        reducer.update(path, results[path].extracts)
    return reducer
