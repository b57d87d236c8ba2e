"""Imports that go in circles, and those that go against the layers that the settings declare.

Circles are made of imports at module level; layers are a matter of imports in functions, too. What is imported for
type checkers only counts for neither.
"""

from __future__ import annotations

import ast
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, cast

from charter.analysis import Solution
from charter.analysis.bodies import FUNCTIONS, owner
from charter.analysis.components import components
from charter.analysis.places import Packed, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api.facts.structure import CycleStep, ImportCycle, LayerBreak
from charter.model.names import imported_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 4

Import = tuple[str, str, Packed, int]
"""Module, name taken from it ("" for the module itself), place, when it is needed."""
_AT_ONCE, _LATER, _IN_FUNCTION = range(3)
"""While the module is imported; in functions only, though it is imported above them; imported in a function."""
Extract = list[Import]
_PLAIN: Final = frozenset[type]({*FUNCTIONS, ast.Assign, ast.AnnAssign, ast.Expr})
"""Statements that hold no import of the module's own: nearly all others."""
_DELAYING: Final = frozenset({ast.Lambda, *FUNCTIONS, ast.arg, ast.AnnAssign})
"""What may keep a part of itself for later."""


def extract(source: Source, names: Names) -> Extract | None:
    """The imports of a file that are made at run time."""
    del names
    if not source.module or source.path.endswith(".pyi"):  # nothing runs a stub
        return None
    found: list[Import] = []
    imports: list[tuple[Packed, str, str, str]] = []
    for statement in _module_level(source.tree.body):
        place = pack(source, statement)
        imports += [(place, *names) for names in _taken(statement, source)]
    # What nothing here reads is offered to others: a package's front, which cannot wait.
    is_package = source.path.endswith("__init__.py")
    lazy = set[str]() if is_package else _lazy({local for _, local, _, _ in imports}, source)
    for place, local, module, name in imports:
        found.append((module, name, place, _LATER if local in lazy else _AT_ONCE))
    parents = source.index.parents
    for statement in (*source.nodes(ast.Import), *source.nodes(ast.ImportFrom)):
        if type(parents[statement]) is ast.Module:
            continue
        if owner(statement, source) is not None and not _is_for_checkers(statement, source):
            place = pack(source, statement)
            for _, module, name in _taken(statement, source):
                found.append((module, name, place, _IN_FUNCTION))
    return found or None


def _taken(statement: ast.Import | ast.ImportFrom, source: Source) -> list[tuple[str, str, str]]:
    """What a statement imports: the name that it gets here, its module, and its name there."""
    if isinstance(statement, ast.Import):
        known = source.meant or str
        return [
            (alias.asname or alias.name.partition(".")[0], known(alias.name), "") for alias in statement.names
        ]
    module = imported_module(statement, source)
    return [(alias.asname or alias.name, module, alias.name) for alias in statement.names] if module else []


def _is_for_checkers(statement: ast.stmt, source: Source) -> bool:
    parent = source.parent(statement)
    while parent is not None:
        if isinstance(parent, ast.If) and "TYPE_CHECKING" in ast.dump(parent.test):
            return True
        parent = source.parent(parent)
    return False


def _module_level(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    for statement in body:
        if type(statement) in _PLAIN:
            continue
        if type(statement) is ast.Import or type(statement) is ast.ImportFrom:
            yield statement
        elif type(statement) is ast.If:
            test = ast.dump(statement.test)
            if "TYPE_CHECKING" not in test and "'__name__'" not in test:
                yield from _module_level(statement.body)
            yield from _module_level(statement.orelse)
        elif type(statement) is ast.Try or type(statement) is ast.With or type(statement) is ast.ClassDef:
            yield from _module_level(statement.body)


def _lazy(imported: set[str], source: Source) -> set[str]:
    """Which imported names the file reads, but not while it is imported: in function bodies only."""
    lazy_annotations = any(
        node.module == "__future__" and any(a.name == "annotations" for a in node.names)
        for node in source.nodes(ast.ImportFrom)
    )
    found: set[str] = set()
    for name in imported:
        places = (*source.reads.get(name, ()), *source.binds.get(name, ()))
        if places and not any(
            _is_eager(place, source, lazy_annotations=lazy_annotations) for place in places
        ):
            found.add(name)
    return found


def _is_eager(node: ast.AST, source: Source, *, lazy_annotations: bool) -> bool:
    """Whether a node is evaluated while its module is imported."""
    parents = source.index.parents
    child, parent = node, parents.get(node)
    while parent is not None:
        if type(parent) in _DELAYING and _delays(parent, child, lazy_annotations=lazy_annotations):
            return False
        child, parent = parent, parents.get(parent)
    return True


def _delays(node: ast.AST, part: ast.AST, *, lazy_annotations: bool) -> bool:
    """Whether a node keeps a part of itself for later, or for nobody."""
    if isinstance(node, FUNCTIONS):
        return isinstance(part, ast.stmt) or (lazy_annotations and part is node.returns)
    if type(node) is ast.arg or type(node) is ast.AnnAssign:
        return lazy_annotations and part is node.annotation
    return type(node) is ast.Lambda


class Solver(KeptSolver[Extract]):
    """The graph of imports."""

    def solution(self) -> Solution:
        """One circle, the shortest, for each set of modules that import each other, and what breaks a contract."""
        paths = {module: path for path, module in self.project.modules.items() if module}
        graph: dict[str, dict[str, tuple[Packed, bool]]] = {}
        for path, imports in self.files.items():
            module = self.project.modules.get(path, "")
            edges = graph.setdefault(module, {})
            for target, name, place, when in imports:
                if when == _IN_FUNCTION:
                    continue
                for imported in _imported(module, target, name, paths):
                    known = edges.get(imported)
                    edges[imported] = (place, when == _LATER and (known is None or known[1]))
        facts: dict[str, list[Fact]] = {}
        for component in _circles(graph):
            cycle = _shortest(graph, component)
            fact = _fact(cycle, graph, paths, len(component))
            facts.setdefault(fact.location.path, []).append(fact)
        contracts = [
            _Contract(given) for given in cast("tuple[Layers, ...]", self.project.settings.get("layers", ()))
        ]
        counts: dict[str, dict[tuple[type[Fact], str], int]] = {}
        for path, imports in self.files.items():
            counts[path] = {(ImportCycle, ""): 1}
            judged = 0
            for contract in contracts:
                found = list(contract.judge(path, self.project.modules.get(path, ""), imports, paths))
                judged += len(found)
                facts.setdefault(path, []).extend(fact for fact in found if fact is not None)
            if judged:
                counts[path][LayerBreak, ""] = judged
        return Solution(facts, counts)


class Layers(Protocol):
    """A contract as the settings give it."""

    layers: tuple[str, ...]
    name: str


class _Contract:
    """Which package may import which: those in a higher layer those in a lower one.

    Args:
        given: the contract.
    """

    def __init__(self, given: Layers) -> None:
        self.name = given.name
        self._layers = [
            (number, part.strip())
            for number, layer in enumerate(given.layers)
            for part in layer.split("|")
            if part.strip()
        ]

    def judge(
        self, path: str, module: str, imports: Extract, paths: Mapping[str, str]
    ) -> Iterator[LayerBreak | None]:
        """What breaks the contract among a file's imports; None for each that keeps it."""
        own = self._layer(module)
        if own is None:
            return
        seen: set[tuple[Packed, str]] = set()
        for target, name, place, _ in imports:
            imported = f"{target}.{name}" if name and f"{target}.{name}" in paths else target
            other = self._layer(imported)
            if other is None or other == own or (place, other[1]) in seen:
                continue
            seen.add((place, other[1]))
            if other[0] > own[0]:
                yield None
            else:
                yield LayerBreak(
                    unpack(path, place),
                    module,
                    imported,
                    own[1],
                    other[1],
                    self.name,
                    beside=other[0] == own[0],
                )

    def _layer(self, module: str) -> tuple[int, str] | None:
        """The height and name of the layer that a module belongs to; the most special one if several fit."""
        fitting = [
            (number, name) for number, name in self._layers if module == name or module.startswith(f"{name}.")
        ]
        return max(fitting, key=lambda layer: len(layer[1]), default=None)


def _imported(module: str, target: str, name: str, paths: Mapping[str, str]) -> Iterator[str]:
    """The modules of this project whose code an import needs to have run."""
    if name and f"{target}.{name}" in paths:
        found = f"{target}.{name}"
    elif target in paths:
        found = target
    else:
        return
    # A package's own modules run while it is being imported; that alone is no circle.
    if found != module and not (module.startswith(f"{found}.") and name and f"{target}.{name}" in paths):
        yield found


def _circles(graph: Mapping[str, Mapping[str, object]]) -> list[list[str]]:
    """Sets of two or more modules that reach each other."""
    found = components(sorted(graph), lambda node: sorted(graph.get(node, ())))
    return [sorted(component) for component in found if len(component) > 1]


def _shortest(graph: Mapping[str, Mapping[str, object]], component: list[str]) -> list[str]:
    """The shortest circle in a component; of equal ones, the first by name."""
    members = set(component)
    best: list[str] = []
    for start in component:
        before: dict[str, str] = {}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for following in sorted(graph.get(node, ())):
                if following == start:
                    path = [node]
                    while path[-1] != start:
                        path.append(before[path[-1]])
                    path.reverse()
                    if not best or len(path) < len(best):
                        best = path
                    queue.clear()
                    break
                if following in members and following not in before:
                    before[following] = node
                    queue.append(following)
        if len(best) == 2:
            break
    return best


def _fact(
    cycle: list[str],
    graph: Mapping[str, Mapping[str, tuple[Packed, bool]]],
    paths: Mapping[str, str],
    size: int,
) -> ImportCycle:
    steps: list[CycleStep] = []
    for module, imported in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        place, lazy = graph[module][imported]
        steps.append(CycleStep(unpack(paths[module], place), module, imported, lazy))
    # Cut where the import can move into the functions that use it.
    first = next((number for number, step in enumerate(steps) if step.lazy), 0)
    ordered = (*steps[first:], *steps[:first])
    return ImportCycle(ordered[0].location, ordered, size)
