"""Keeps a project's modules and their analysis between edits, and redoes only what an edit touches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from charter.analysis.taint.engine import Engine
from charter.analysis.taint.report import facts
from charter.analysis.taint.slow import Witnesses
from charter.api.facts.taint import SOURCE_KINDS, TaintFlow
from charter.model import ir
from charter.model.library.index import Shelf
from charter.model.project import Change, Module, Project

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from charter.analysis import ProjectInfo, Solution
    from charter.analysis.taint.explain import Explanation
    from charter.api import Fact

_RECURSION: Final = 40_000
"""Frames that a chain of calls in the analysed program may need here; they take no C stack."""


class Solver:
    """The taint analysis of one project.

    Args:
        project: the models that rule packs bring along, and the project's own in the settings.
    """

    def __init__(self, project: ProjectInfo) -> None:
        texts = {name.removesuffix(".toml").rpartition("/")[2]: text for name, text in project.data.items()}
        self._shelf = Shelf(texts, tuple(project.libraries))
        threats = project.settings.get("threats")
        self._threats = (
            frozenset(cast("Sequence[str]", threats)) if threats else frozenset({"remote", "model"})
        )
        self._project = Project()
        self._engine: Engine | None = None
        self._stems: frozenset[str] = frozenset()
        self._changes: list[tuple[Module, Change]] = []
        self._solution: Solution | None = None
        self._counts: dict[str, dict[tuple[type[Fact], str], int]] = {}
        self._uncounted: set[str] = set()
        self._imports_changed = True

    def update(self, path: str, extract: object | None) -> None:
        """Take in a new or changed file, or take it out."""
        self._solution = None
        self._uncounted.add(path)
        record = cast("ir.Node | None", extract)
        module = self._project.modules.get(path)
        if module is None or record is None or module.record[ir.ROOTS] != record[ir.ROOTS]:
            self._imports_changed = True
        if module is not None and record is not None:
            change = module.renew(record)
            if change.names or change.imports or change.hierarchy:
                self._project.forget()
            self._changes.append((module, change))
            return
        if module is not None:
            gone, lost = tuple(module.functions), tuple(module.classes)
            self._changes.append((module, Change(gone, lost, [], _names_of(module), set(), hierarchy=True)))
        self._project.put(path, record)
        if record is not None and self._engine is not None:
            new = self._project.modules[path]
            self._changes.append((new, Change((), (), [], _names_of(new), set(), hierarchy=True)))

    def solve(self) -> Solution:
        """The flows of the project as it now is."""
        if self._solution is None:
            with _deep_recursion():
                self._solve()
            self._solution = self._published()
        return self._solution

    def explain(self, path: str, line: int, text: str) -> list[Explanation]:
        """How the values of a line were followed, and where they were lost or made safe.

        Args:
            path: the file.
            line: 1-based.
            text: the file's text.
        """
        from charter.analysis.taint.explain import explain

        self._solve_thoroughly()
        assert self._engine is not None
        with _deep_recursion():
            return explain(self._engine, path, line, text)

    def passing(self, path: str, line: int) -> list[TaintFlow]:
        """The flows of every threat model that begin in a line, pass it or end there.

        Args:
            path: the file.
            line: 1-based.
        """
        self._solve_thoroughly()
        assert self._engine is not None
        found = facts(self._engine.flows(), (), frozenset(SOURCE_KINDS.values()), Witnesses())
        return [
            flow
            for flows in found.values()
            for flow in flows
            if isinstance(flow, TaintFlow) and _passes(flow, path, line)
        ]

    def _solve_thoroughly(self) -> None:
        """Analyse every function, also those that untrusted data of the wanted threats comes nowhere near."""
        self.solve()
        assert self._engine is not None
        if not self._engine.thorough:
            self._engine.be_thorough()
            with _deep_recursion():
                self._engine.solve()

    def _solve(self) -> None:
        modules = self._project.modules
        stems = self._stems
        if self._imports_changed:
            self._imports_changed = False
            stems = self._shelf.needed(
                {root for module in modules.values() for root in module.record[ir.ROOTS]}
            )
        if self._engine is None or not stems <= self._stems:
            self._stems = stems
            self._project.link()
            index = self._shelf.index(stems)
            self._engine = Engine(self._project, index, self._threats, self._shelf.extra)
            self._uncounted.update(modules)
        else:
            self._take_in(self._changes)
        self._changes = []
        self._engine.solve()

    def _take_in(self, changes: list[tuple[Module, Change]]) -> None:
        """Tell the engine what is different."""
        engine = self._engine
        assert engine is not None
        if any(change.hierarchy for _, change in changes):
            self._project.link()
            engine.near.classes_changed()
        names = {name for _, change in changes for name in change.names}
        if any(change.names or change.imports for _, change in changes):
            engine.find_modelled()
        for module, change in changes:
            engine.forget(module, change)
        for _, change in changes:
            engine.changed(change.changed)
        for module, change in changes:
            engine.renamed([module], change.names | change.imports)
        if names:
            modules = [module for module, change in changes if change.names]
            engine.renamed(self._dependants(modules), names)
        imports = {name for _, change in changes for name in change.imports}
        if imports:
            modules = [module for module, change in changes if change.imports]
            engine.renamed(self._importing(modules, imports), imports)

    def _importing(self, modules: list[Module], names: set[str]) -> list[Module]:
        """The modules that may see one of these names through these modules, as far as it is handed on."""
        found = dict.fromkeys(modules)
        passing = modules
        while passing:
            ends = _ends(passing)
            importers = [
                module
                for module in self._project.modules.values()
                if module not in found and _imports_any(module, ends)
            ]
            found.update(dict.fromkeys(importers))
            passing = [
                module
                for module in importers
                if module.record[ir.STARS]
                or any(member in names for _, _, member in module.record[ir.IMPORTS].values())
            ]
        return list(found)

    def _dependants(self, modules: list[Module]) -> list[Module]:
        """The modules, and all that import them, at any distance."""
        names = _ends(modules)
        found = dict.fromkeys(modules)
        grown = True
        while grown:
            grown = False
            for module in self._project.modules.values():
                if module not in found and _imports_any(module, names):
                    found[module] = None
                    names.add(module.name.rpartition(".")[2])
                    grown = True
        return list(found)

    def _published(self) -> Solution:
        from charter.analysis import Solution

        engine = self._engine
        assert engine is not None
        witnesses = Witnesses()
        found: Mapping[str, list[Fact]] = facts(engine.flows(), engine.own_texts(), self._threats, witnesses)
        for path in self._uncounted:
            module = self._project.modules.get(path)
            if module is None:
                self._counts.pop(path, None)
                continue
            counted = engine.opportunities.of(module)
            self._counts[path] = {(TaintFlow, kind): number for kind, number in counted.items()}
        self._uncounted.clear()
        broken = {function: error for (function, _), error in engine.broken.items()}
        failures = tuple((function.module.path, error) for function, error in broken.items())
        coarse = (*self.coarse, *witnesses.coarse.values())
        return Solution(found, self._counts, coarse, failures)

    @property
    def coarse(self) -> tuple[str, ...]:
        """The functions whose work reached its bound, as `path:line name`."""
        engine = self._engine
        names = () if engine is None else engine.coarse
        return tuple(sorted(f"{one.module.path}:{one.line} {one.name}" for one in names))


@contextmanager
def _deep_recursion() -> Generator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _passes(flow: TaintFlow, path: str, line: int) -> bool:
    places = (flow.location, *(step.location for step in flow.steps))
    return any(place.path == path and place.line <= line <= place.end_line for place in places)


def _names_of(module: Module) -> set[str]:
    """The names by which other files know a module and what is in it."""
    record = module.record
    ends = module.name.split(".")[-2:]
    methods = {name for cls in module.classes for name in cls.methods}
    return {*ends, *record[ir.DEFINED], *record[ir.IMPORTS], *methods}


def _ends(modules: list[Module]) -> set[str]:
    """The last parts of the modules' names, under which others may import them."""
    names = {module.name.rpartition(".")[2] for module in modules}
    return names | {
        module.name.rpartition(".")[0].rpartition(".")[2] for module in modules if module.is_package
    }


def _imports_any(module: Module, names: set[str]) -> bool:
    imports = module.record[ir.IMPORTS].values()
    if any(name.rpartition(".")[2] in names or member in names for _, name, member in imports):
        return True
    if any(name.rpartition(".")[2] in names for _, name in module.record[ir.STARS]):
        return True
    return any(root.rpartition(".")[2] in names for root in module.record[ir.ROOTS])
