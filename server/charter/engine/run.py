"""Checks a project: every file by itself, then what only the whole can tell. It decides nothing about output.

Files are checked in worker processes (all cores), results are kept in the cache, and the answer is the same in
whatever order they arrive.
"""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from functools import cache as once
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.engine import codec
from charter.engine.apart import solve
from charter.engine.project import Report, assemble, reduce_all
from charter.engine.reduce import ProjectFacts, Reducer
from charter.engine.work import keys_of, results_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from charter.engine.cache import Cache
    from charter.engine.check import FileResult
    from charter.engine.project import Project


def check_project(
    project: Project,
    targets: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    cache: Cache | None = None,
    proving: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Check a project.

    Args:
        project: the project.
        targets: the files to report on; None for all. The others are read only for what the whole needs of them.
        jobs: the number of worker processes; 1 works in this process.
        cache: where results are kept; None to keep none.
        proving: whether all fixes will be proved: then this process will need the solvers itself.
        progress: told how many files of how many are done.
    """
    planner = None if proving else project.planner.without_excuses()
    if planner is not None:
        # Most projects hold nothing that would have to be excused: then the analyses for it are not worth their time.
        report = check_project(
            replace(project, planner=planner), targets, jobs=jobs, cache=cache, progress=progress
        )
        found = {finding.rule for finding in (*report.findings, *report.suppressed)}
        if project.planner.excusable.isdisjoint(found):
            return report
    started = perf_counter()
    wanted = tuple(sorted(targets)) if targets is not None else project.paths
    whole = bool(project.planner.analyses)
    paths = tuple(sorted({*wanted, *project.paths})) if whole else wanted

    @once
    def results() -> Mapping[str, FileResult]:
        return results_of(project, paths, jobs=jobs, cache=cache, progress=progress)

    @once
    def solved() -> tuple[Reducer | None, ProjectFacts]:
        if not whole:
            return None, ProjectFacts()
        reducer = Reducer(project.planner.analyses, project.info)
        return reducer, reduce_all(project, results(), reducer)

    with uncollected():
        state = _state(project, wanted, paths) if cache is not None else b""
        report = _kept(project, wanted, cache, state)
        if report is None:
            apart = whole and jobs > 1 and not proving
            facts = solve(project, results(), jobs) if apart else solved()[1]
            report = assemble(project, {path: results()[path] for path in wanted}, facts)
            _keep(report, cache, state)
    report.results = results
    report.reducer = lambda: solved()[0]
    report.state = state
    report.times["total"] = perf_counter() - started
    return report


@contextmanager
def uncollected() -> Generator[None]:
    """Let the garbage collector rest: trees and IR hold no cycles, and looking for some costs up to a third of a run."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_KEPT = ("findings", "suppressed", "problems", "opportunities", "lines", "times", "coarse")
"""The parts of a report that are kept, so that checking what has not changed costs no more than reading it."""


def _state(project: Project, wanted: Sequence[str], paths: Sequence[str]) -> bytes:
    """A digest of all that a report depends on; b"" if a file cannot be read."""
    from charter.engine.cache import key

    keys = keys_of(project, paths)
    if len(keys) < len(paths):
        return b""
    others: list[bytes] = []
    if project.planner.analyses:
        for path in project.others:
            try:
                others += path.encode("utf-8", "surrogatepass"), project.read(path)
            except OSError:
                continue
    return key("report", *(keys[path] for path in paths), "wanted", *wanted, "others", *others)


def _kept(project: Project, wanted: tuple[str, ...], cache: Cache | None, state: bytes) -> Report | None:
    data = cache.get_many([state]).get(state) if cache is not None and state else None
    if data is None:
        return None
    report = assemble(project, {}, ProjectFacts())
    try:
        values = codec.loads(data)
        for name, value in zip(_KEPT, values, strict=True):
            setattr(report, name, value)
    except (ValueError, TypeError):
        return None
    report.paths = wanted
    return report


def _keep(report: Report, cache: Cache | None, state: bytes) -> None:
    if cache is not None and state and not report.failures:
        cache.put_many({state: codec.dumps([getattr(report, name) for name in _KEPT])})


def default_jobs() -> int:
    """The number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
