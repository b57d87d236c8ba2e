"""Keeps a project's modules and their analysis between edits, and redoes only what an edit touches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from charter.analysis.taint.engine import Engine
from charter.analysis.taint.report import facts
from charter.api.facts.taint import SOURCE_KINDS, TaintFlow
from charter.model import ir
from charter.model.library.index import Shelf
from charter.model.project import Module, Project

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
        self._changed: set[Any] = set()
        self._restructured: list[Module] = []
        self._solution: Solution | None = None
        self._counts: dict[str, dict[tuple[type[Fact], str], int]] = {}
        self._uncounted: set[str] = set()

    def update(self, path: str, extract: object | None) -> None:
        """Take in a new or changed file, or take it out."""
        self._solution = None
        self._uncounted.add(path)
        record = cast("ir.Node | None", extract)
        old = self._project.modules.get(path)
        if old is not None and record is not None and _same_structure(old.record, record):
            self._changed.update(_replaced(old, record))
            return
        if old is not None:
            self._restructured.append(old)
        elif self._engine is not None:
            self._restructured.extend(self._project.modules.values())
        self._project.put(path, record)

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
        found = facts(self._engine.flows(), frozenset(SOURCE_KINDS.values()))
        return [flow for flows in found.values() for flow in flows if _passes(flow, path, line)]

    def _solve_thoroughly(self) -> None:
        """Analyse every function, also those that untrusted data of the wanted threats comes nowhere near."""
        self.solve()
        assert self._engine is not None
        if not self._engine.thorough:
            self._engine.be_thorough()
            with _deep_recursion():
                self._engine.solve()

    def _solve(self) -> None:
        roots = {root for module in self._project.modules.values() for root in module.record[ir.ROOTS]}
        stems = self._shelf.needed(roots)
        if self._engine is None or not stems <= self._stems:
            self._stems = stems
            self._project.link()
            index = self._shelf.index(stems)
            self._engine = Engine(self._project, index, self._threats, self._shelf.extra)
        elif self._restructured:
            self._project.link()
            self._engine.find_modelled()
            self._engine.forget(self._dependants(self._restructured))
        self._restructured = []
        if self._changed:
            self._engine.changed(self._changed)
            self._changed = set()
        self._engine.solve()

    def _dependants(self, modules: list[Module]) -> list[Module]:
        """The modules, and all that import them, at any distance."""
        names = {module.name.rpartition(".")[2] for module in modules}
        names |= {
            module.name.rpartition(".")[0].rpartition(".")[2] for module in modules if module.is_package
        }
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
        found: Mapping[str, Sequence[Fact]] = facts(engine.flows(), self._threats)
        for path in self._uncounted:
            module = self._project.modules.get(path)
            if module is None:
                self._counts.pop(path, None)
                continue
            counted = engine.opportunities.of(module)
            self._counts[path] = {(TaintFlow, kind): number for kind, number in counted.items()}
        self._uncounted.clear()
        return Solution(found, self._counts)

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


def _same_structure(old: ir.Node, new: ir.Node) -> bool:
    """Whether two records define and import the same names in the same order, so that only bodies differ."""
    if (
        old[ir.IMPORTS] != new[ir.IMPORTS]
        or old[ir.STARS] != new[ir.STARS]
        or old[ir.DEFINED] != new[ir.DEFINED]
    ):
        return False
    if old[ir.ROOTS] != new[ir.ROOTS] or len(old[ir.FUNCTIONS]) != len(new[ir.FUNCTIONS]):
        return False
    if len(old[ir.CLASSES]) != len(new[ir.CLASSES]):
        return False
    for one, two in zip(old[ir.CLASSES], new[ir.CLASSES], strict=True):
        if _unplaced(one[: ir.CLASS_LINE]) != _unplaced(two[: ir.CLASS_LINE]):
            return False
    shape = (ir.NAME, ir.PARENT, ir.OWNER, ir.FREES, ir.NESTED)
    return all(
        all(one[part] == two[part] for part in shape)
        for one, two in zip(old[ir.FUNCTIONS], new[ir.FUNCTIONS], strict=True)
    )


def _unplaced(node: Any) -> Any:
    """A class record without the places in its expressions."""
    if isinstance(node, tuple):
        items = cast("tuple[Any, ...]", node)
        if (
            len(items) > 1
            and isinstance(items[0], int)
            and isinstance(items[1], int)
            and not isinstance(items[0], bool)
        ):
            return (items[0], *(_unplaced(one) for one in items[2:]))
        return tuple(_unplaced(one) for one in items)
    if isinstance(node, dict):
        return {key: _unplaced(one) for key, one in cast("dict[Any, Any]", node).items()}
    return node


def _replaced(module: Module, record: ir.Node) -> list[Any]:
    """Give a module's functions their new code; the functions that differ."""
    module.record = record
    changed: list[Any] = []
    for function, new in zip(module.functions, record[ir.FUNCTIONS], strict=True):
        old = function.record
        function.line = new[ir.LINE]
        function.record = new
        if old[ir.BODY] != new[ir.BODY] or any(
            _unplaced(old[part]) != _unplaced(new[part])
            for part in (ir.PARAMETERS, ir.DECORATORS, ir.RETURNS, ir.FLAGS)
        ):
            function.parameters = new[ir.PARAMETERS]
            function.flags = new[ir.FLAGS]
            changed.append(function)
    for cls, new in zip(module.classes, record[ir.CLASSES], strict=True):
        cls.record = new
        cls.annotations = new[ir.ANNOTATIONS]
    return changed


def _imports_any(module: Module, names: set[str]) -> bool:
    imports = module.record[ir.IMPORTS].values()
    if any(name.rpartition(".")[2] in names or member in names for _, name, member in imports):
        return True
    if any(name.rpartition(".")[2] in names for _, name in module.record[ir.STARS]):
        return True
    return any(root.rpartition(".")[2] in names for root in module.record[ir.ROOTS])
