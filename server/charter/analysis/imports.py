"""Imports at module level that go in circles. Imports in functions and for type checkers only are not followed."""

from __future__ import annotations

import ast
from collections import deque
from typing import TYPE_CHECKING, cast

from charter.analysis import Solution
from charter.analysis.places import Packed, pack, unpack
from charter.api.facts.structure import CycleStep, ImportCycle
from charter.model.names import absolute_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.analysis import ProjectInfo
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 1

Import = tuple[str, str, Packed, bool]
"""Module, name taken from it ("" for the module itself), place, whether it is used in functions only."""
Extract = list[Import]


def extract(source: Source, names: Names) -> Extract | None:
    """The imports that run when a file is imported."""
    del names
    if not source.module:
        return None
    found: list[Import] = []
    eager = _eager_names(source)
    read = {name.id for name in source.nodes(ast.Name)}
    is_package = source.path.endswith("__init__.py")
    for statement in _module_level(source.tree.body):
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


def _eager_names(source: Source) -> set[str]:
    """The names that are read while the module is imported: outside of function bodies."""
    lazy_annotations = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(a.name == "annotations" for a in node.names)
        for node in source.tree.body
    )
    found: set[str] = set()
    stack: list[ast.AST] = list(source.tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            stack.extend(node.decorator_list)
            stack.extend(d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None)
            if not lazy_annotations:
                stack.extend(child for child in ast.walk(node.args) if isinstance(child, ast.arg))
                if node.returns is not None:
                    stack.append(node.returns)
        elif isinstance(node, ast.AnnAssign) and lazy_annotations:
            stack.extend(child for child in (node.target, node.value) if child is not None)
        elif not isinstance(node, (ast.Lambda, ast.Import, ast.ImportFrom)):
            stack.extend(ast.iter_child_nodes(node))
    return found


class Solver:
    """The graph of imports.

    Args:
        project: tells which file is which module.
    """

    def __init__(self, project: ProjectInfo) -> None:
        self._project = project
        self._files: dict[str, Extract] = {}
        self._solution: Solution | None = None

    def update(self, path: str, extract: object | None) -> None:
        """Take in a file's imports, or take the file out."""
        if self._files.get(path) == extract:
            return
        self._solution = None
        if extract is None:
            self._files.pop(path, None)
        else:
            self._files[path] = cast("Extract", extract)

    def solve(self) -> Solution:
        """One circle, the shortest, for each set of modules that import each other."""
        if self._solution is None:
            self._solution = self._solve()
        return self._solution

    def _solve(self) -> Solution:
        paths = {module: path for path, module in self._project.modules.items() if module}
        graph: dict[str, dict[str, tuple[Packed, bool]]] = {}
        for path, imports in self._files.items():
            module = self._project.modules.get(path, "")
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
        return Solution(facts, {path: {(kind, ""): 1} for path in self._files})


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
