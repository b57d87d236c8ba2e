"""Imports at module level that go in circles. Imports in functions and for type checkers only are not followed."""

from __future__ import annotations

import ast
from collections import deque
from typing import TYPE_CHECKING

from charter.analysis import Solution
from charter.analysis.bodies import FUNCTIONS
from charter.analysis.places import Packed, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api.facts.structure import CycleStep, ImportCycle
from charter.model.names import absolute_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 2

Import = tuple[str, str, Packed, bool]
"""Module, name taken from it ("" for the module itself), place, whether it is used in functions only."""
Extract = list[Import]


def extract(source: Source, names: Names) -> Extract | None:
    """The imports that run when a file is imported."""
    del names
    if not source.module:
        return None
    found: list[Import] = []
    statements = list(_module_level(source.tree.body))
    imported = {alias.asname or alias.name.partition(".")[0] for item in statements for alias in item.names}
    read, eager = _reads(imported, source)
    is_package = source.path.endswith("__init__.py")
    for statement in statements:
        place = pack(source, statement)
        for alias in statement.names:
            local = alias.asname or alias.name.partition(".")[0]
            # What nothing here reads is offered to others: a package's front, which cannot wait.
            lazy = local not in eager and local in read and not is_package
            if isinstance(statement, ast.Import):
                found.append((alias.name, "", place, lazy))
            else:
                module = statement.module or ""
                if statement.level:
                    module = (
                        absolute_module(source.module, source.path, statement.level, statement.module) or ""
                    )
                if module:
                    found.append((module, alias.name, place, lazy))
    return found or None


def _module_level(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield statement
        elif isinstance(statement, ast.If):
            test = ast.dump(statement.test)
            if "TYPE_CHECKING" not in test and "'__name__'" not in test:
                yield from _module_level(statement.body)
            yield from _module_level(statement.orelse)
        elif isinstance(statement, (ast.Try, ast.With, ast.ClassDef)):
            yield from _module_level(statement.body)


def _reads(imported: set[str], source: Source) -> tuple[set[str], set[str]]:
    """Which imported names the file reads at all, and which while it is imported: outside of function bodies."""
    lazy_annotations = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(a.name == "annotations" for a in node.names)
        for node in source.tree.body
    )
    read: set[str] = set()
    eager: set[str] = set()
    for name in source.nodes(ast.Name):
        if name.id in imported and name.id not in eager:
            read.add(name.id)
            if _is_eager(name, source, lazy_annotations=lazy_annotations):
                eager.add(name.id)
    return read, eager


def _is_eager(node: ast.AST, source: Source, *, lazy_annotations: bool) -> bool:
    """Whether a node is evaluated while its module is imported."""
    parents = source.index.parents
    child, parent = node, parents.get(node)
    while parent is not None:
        if isinstance(parent, ast.Lambda):
            return False
        if isinstance(parent, FUNCTIONS) and (
            isinstance(child, ast.stmt) or (lazy_annotations and child is parent.returns)
        ):
            return False
        if isinstance(parent, (ast.arg, ast.AnnAssign)) and lazy_annotations and child is parent.annotation:
            return False
        child, parent = parent, parents.get(parent)
    return True


class Solver(KeptSolver[Extract]):
    """The graph of imports."""

    def solution(self) -> Solution:
        """One circle, the shortest, for each set of modules that import each other."""
        paths = {module: path for path, module in self.project.modules.items() if module}
        graph: dict[str, dict[str, tuple[Packed, bool]]] = {}
        for path, imports in self.files.items():
            module = self.project.modules.get(path, "")
            edges = graph.setdefault(module, {})
            for target, name, place, lazy in imports:
                for imported in _imported(module, target, name, paths):
                    known = edges.get(imported)
                    edges[imported] = (place, lazy and (known is None or known[1]))
        facts: dict[str, list[Fact]] = {}
        for component in _components(graph):
            cycle = _shortest(graph, component)
            fact = _fact(cycle, graph, paths, len(component))
            facts.setdefault(fact.location.path, []).append(fact)
        kind: type[Fact] = ImportCycle
        return Solution(facts, {path: {(kind, ""): 1} for path in self.files})


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


def _components(graph: Mapping[str, Mapping[str, object]]) -> list[list[str]]:
    """Sets of two or more modules that reach each other (R. Tarjan, 1972, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: list[list[str]] = []
    for root in sorted(graph):
        if root in index:
            continue
        work = [(root, iter(sorted(graph.get(root, ()))))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, children = work[-1]
            child = next(children, None)
            if child is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component: list[str] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    if len(component) > 1:
                        found.append(sorted(component))
            elif child not in index:
                index[child] = low[child] = len(index)
                stack.append(child)
                on_stack.add(child)
                work.append((child, iter(sorted(graph.get(child, ())))))
            elif child in on_stack:
                low[node] = min(low[node], index[child])
    return found


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
