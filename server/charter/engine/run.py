"""Checks a project: every file by itself, then what only the whole can tell. It decides nothing about output.

Files are checked in worker processes (all cores), results are kept in the cache, and the answer is the same in
whatever order they arrive.
"""

from __future__ import annotations

import gc
import os
from time import perf_counter
from typing import TYPE_CHECKING

from charter.engine.project import Report, assemble, reduce_all
from charter.engine.reduce import ProjectFacts, Reducer
from charter.engine.work import results_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.engine.cache import Cache
    from charter.engine.project import Project


def check_project(
    project: Project,
    targets: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    cache: Cache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Check a project.

    Args:
        project: the project.
        targets: the files to report on; None for all. The others are read only for what the whole needs of them.
        jobs: the number of worker processes; 1 works in this process.
        cache: where results are kept; None to keep none.
        progress: told how many files of how many are done.
    """
    started = perf_counter()
    wanted = tuple(sorted(targets)) if targets is not None else project.paths
    whole = bool(project.planner.analyses)
    paths = tuple(sorted({*wanted, *project.paths})) if whole else wanted
    was_enabled = gc.isenabled()
    gc.disable()  # trees and IR hold no cycles; collecting them costs a fifth to a third of the run
    try:
        results = results_of(project, paths, jobs=jobs, cache=cache, progress=progress)
        reducer = Reducer(project.planner.analyses, project.info) if whole else None
        facts = reduce_all(project, results, reducer) if reducer else ProjectFacts()
        report = assemble(project, {path: results[path] for path in wanted}, facts)
        report.results, report.reducer = results, reducer
    finally:
        if was_enabled:
            gc.enable()
    report.times["total"] = perf_counter() - started
    return report


def default_jobs() -> int:
    """The number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
