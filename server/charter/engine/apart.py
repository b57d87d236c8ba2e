"""Solves the project-scope analyses side by side, each in a process of its own. It knows none of them, and checks no file."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Final

from charter.engine.project import reduce_all
from charter.engine.reduce import ProjectFacts, Reducer
from charter.engine.workers import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charter.analysis import Analysis
    from charter.engine.check import FileResult
    from charter.engine.project import Project

_FROM: Final = 2_000_000
"""Below this many bytes of extracts, starting processes costs more than it saves."""

_task: tuple[Project, Mapping[str, FileResult]] | None = None
"""What this process and its children work on: they find it here without anybody sending it."""


def solve(project: Project, results: Mapping[str, FileResult], jobs: int) -> ProjectFacts:
    """The facts of a whole project, as `reduce_all` gives them, by several processes where that is faster.

    Args:
        project: the project.
        results: what checking each of its files gave.
        jobs: how many processes may work at once.
    """
    weights = _weights(project, results)
    if jobs <= 1 or len(weights) <= 1 or sys.platform != "linux" or sum(weights.values()) < _FROM:
        return reduce_all(project, results)
    import pickle

    global _task  # noqa: PLW0603 (a forked process finds it here, with all extracts)
    _task = project, results
    # The heaviest first, so that none is left alone with it at the end.
    heaviest = sorted(weights, key=lambda one: -weights[one])
    found: dict[str, ProjectFacts] = {}
    gc.freeze()
    try:
        for module, data in answers([one.module for one in heaviest], _solve, jobs):
            if data is not None:
                found[module] = pickle.loads(data)  # noqa: S301 (from our own process)
    finally:
        gc.unfreeze()
        _task = None
    whole = ProjectFacts()
    for analysis in weights:
        whole.add(found[analysis.module] if analysis.module in found else _alone(project, results, analysis))
    return whole


def _weights(project: Project, results: Mapping[str, FileResult]) -> dict[Analysis, int]:
    """How many bytes each analysis took from the files: that tells best how long it will take."""
    weights = {analysis: 0 for analysis in project.planner.analyses if analysis.project}
    for result in results.values():
        for analysis in weights:
            extract = result.extracts.get(analysis.module)
            if extract is not None:
                weights[analysis] += len(extract.data)
    return weights


def _alone(project: Project, results: Mapping[str, FileResult], analysis: Analysis) -> ProjectFacts:
    return reduce_all(project, results, Reducer([analysis], project.info))


def _solve(module: str) -> bytes:
    assert _task is not None
    import pickle

    gc.disable()
    project, results = _task
    analysis = next(one for one in project.planner.analyses if one.module == module)
    return pickle.dumps(_alone(project, results, analysis), pickle.HIGHEST_PROTOCOL)
