"""Runs the project-scope analyses: extracts in, facts out. It runs no rule and reaches no disk."""

from __future__ import annotations

import importlib
from time import perf_counter
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

from charter.engine.check import failure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from charter.analysis import Analysis, ProjectAnalysis, ProjectInfo, Solver
    from charter.api import Fact
    from charter.engine.check import Failure
    from charter.engine.extract import Extract


class ProjectFacts(Struct):
    """What the project-scope analyses found out together.

    Attributes:
        facts: the facts by file.
        opportunities: how many things of a fact type and kind were looked at, by file.
        failures: analyses that threw.
        times: seconds spent by analysis.
        coarse: functions, as `path:line name`, that an analysis took with less detail, because they reached a bound.
    """

    facts: dict[str, list[Fact]] = field(default_factory=dict[str, "list[Fact]"])
    opportunities: dict[str, dict[tuple[type[Fact], str], int]] = field(
        default_factory=dict[str, "dict[tuple[type[Fact], str], int]"]
    )
    failures: list[Failure] = field(default_factory=list["Failure"])
    times: dict[str, float] = field(default_factory=dict[str, float])
    coarse: list[str] = field(default_factory=list[str])

    def add(self, other: ProjectFacts) -> None:
        """Take in what other analyses found out of the same project."""
        self.take(other.facts, other.opportunities)
        self.failures += other.failures
        self.times.update(other.times)
        self.coarse += other.coarse

    def take(
        self,
        facts: Mapping[str, Iterable[Fact]],
        opportunities: Mapping[str, Mapping[tuple[type[Fact], str], int]],
    ) -> None:
        """Take in some facts and opportunities by file."""
        for path, own in facts.items():
            self.facts.setdefault(path, []).extend(own)
        for path, counts in opportunities.items():
            self.opportunities.setdefault(path, {}).update(counts)


class Reducer:
    """The solvers of a project; kept between edits, so that a change costs what it touches.

    Args:
        analyses: the analyses to run; those of file scope are passed over.
        project: what the solvers may know besides the extracts.
    """

    def __init__(self, analyses: Iterable[Analysis], project: ProjectInfo) -> None:
        self.project = project
        mine = [analysis for analysis in analyses if analysis.project]
        self._modules = tuple(analysis.module for analysis in mine)
        self._judges = frozenset(analysis.module for analysis in mine if analysis.judges)
        self._solvers: dict[str, Solver] = {}
        self._waiting: dict[str, dict[str, tuple[Extract | None, Extract | None]]] = {}
        self._broken: dict[str, Failure] = {}

    def update(
        self,
        path: str,
        extracts: Mapping[str, Extract],
        known: Mapping[str, Extract] | None = None,
    ) -> None:
        """Take in a new or changed file; without extracts the file is taken out.

        Args:
            path: the file.
            extracts: what the analyses took from it, by module.
            known: what was taken in before, if the caller knows: an analysis whose extract is equal is passed over,
                and the solvers are told when they solve, so that a change which is taken back before costs nothing.
        """
        for module in self._modules:
            extract = extracts.get(module)
            waiting = self._waiting.setdefault(module, {})
            before = waiting.pop(path, None)
            if before is not None:
                waiting[path] = (before[0], extract)
            elif known is None:
                self._tell(module, path, extract)
            else:
                waiting[path] = (known.get(module), extract)

    def _tell(self, module: str, path: str, extract: Extract | None) -> None:
        solver = self._solver(module)
        if solver is not None:
            try:
                solver.update(path, None if extract is None else extract.value)
            except Exception as error:  # noqa: BLE001 (a broken analysis is named, the others go on)
                self._broken[module] = failure(path, module, error)

    def solve(self, *, to_judge: bool = False, among: Collection[str] | None = None) -> ProjectFacts:
        """The facts of the project as it now is.

        Args:
            to_judge: whether only the facts that may speak against a fix are wanted.
            among: the modules of the analyses that are asked; None for all.
        """
        result = ProjectFacts()
        for module in self._modules:
            if (to_judge and module not in self._judges) or (among is not None and module not in among):
                continue
            for path, (known, extract) in self._waiting.pop(module, {}).items():
                if extract != known:
                    self._tell(module, path, extract)
            solver = self._solver(module)
            if solver is None:
                continue
            started = perf_counter()
            try:
                solution = solver.solve()
            except Exception as error:  # noqa: BLE001 (a broken analysis is named, the others go on)
                result.failures.append(failure("", module, error))
                continue
            result.take(solution.facts, solution.opportunities)
            result.coarse.extend(solution.coarse)
            result.failures.extend(failure(path, module, error) for path, error in solution.failures)
            result.times["analysis:" + module.removeprefix("charter.analysis.")] = perf_counter() - started
        result.failures[:0] = self._broken.values()
        return result

    def _solver(self, module: str) -> Solver | None:
        """The analysis's solver, made when it is first needed; None if it is broken."""
        if module not in self._solvers and module not in self._broken:
            analysis = cast("ProjectAnalysis", cast("object", importlib.import_module(module)))
            try:
                self._solvers[module] = analysis.Solver(self.project)
            except Exception as error:  # noqa: BLE001 (a broken analysis is named, the others go on)
                self._broken[module] = failure("", module, error)
        return None if module in self._broken else self._solvers[module]
