"""Measures of functions and classes: complexity, nesting, size and cohesion. It judges nothing; rules set the limits.

Sources: T. J. McCabe, "A Complexity Measure" (1976), counted on statements as the `mccabe` package and ruff do;
G. A. Campbell, "Cognitive Complexity" (SonarSource, 2023); M. Hitz and B. Montazeri, "Measuring Coupling and
Cohesion in Object-Oriented Systems" (1995) for LCOM4.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.places import name_span
from charter.api.facts.metrics import Branch, ClassMetrics, FunctionMetrics
from charter.api.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api.text import Location
    from charter.model.names import Names
    from charter.syntax.source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def facts(source: Source, names: Names) -> Iterator[FunctionMetrics | ClassMetrics]:
    """Measure every function and class of a file.

    Args:
        source: the file.
        names: what its names mean.

    Yields:
        A fact for each function, then one for each class.
    """
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
        for function in source.nodes(kind):
            yield _function(function, source, names)
    for class_ in source.nodes(ast.ClassDef):
        yield _class(class_, source, names)


def _function(function: FunctionNode, source: Source, names: Names) -> FunctionMetrics:
    meter = _Meter(function, source)
    meter.block(function.body, 0)
    meter.branches.sort(key=lambda branch: branch.location.span)
    location = source.location(name_span(source, function))
    return FunctionMetrics(
        location=location,
        name=names.symbol(function),
        cyclomatic=1 + len(meter.branches),
        branches=tuple(meter.branches),
        cognitive=sum(branch.weight for branch in meter.hurdles),
        hurdles=tuple(meter.hurdles),
        nesting=meter.nesting,
        deepest=location if meter.deepest is None else source.location(meter.deepest),
        statements=meter.statements - (ast.get_docstring(function, clean=False) is not None),
        parameters=_parameters(function, source),
    )


def _parameters(function: FunctionNode, source: Source) -> int:
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    in_class = isinstance(source.parent(function), ast.ClassDef)
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    implicit = 1 if in_class and names and not static else 0
    return len(names) - implicit + len(arguments.kwonlyargs)


class _Meter:
    """One pass over a function's own statements."""

    def __init__(self, function: FunctionNode, source: Source) -> None:
        self.source = source
        self.function = function
        self.branches: list[Branch] = []
        self.hurdles: list[Branch] = []
        self.statements = 0
        self.nesting = 0
        self.deepest: ast.stmt | None = None

    def block(self, body: list[ast.stmt], depth: int) -> None:
        """Measure a block at a depth of nesting, 0 for the function's own."""
        for statement in body:
            self.statements += 1
            self._statement(statement, depth)

    def _statement(self, node: ast.stmt, depth: int) -> None:
        if isinstance(node, _DEFINITIONS):
            return
        if depth > self.nesting:
            self.nesting, self.deepest = depth, node
        if isinstance(node, ast.If):
            self._if(node, depth)
        elif isinstance(node, _LOOPS):
            self._both(node, "loop", depth)
            self._expressions(node, depth)
            self.block(node.body, depth + 1)
            self._else(node.orelse, depth)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self._try(node, depth)
        elif isinstance(node, ast.Match):
            self._match(node, depth)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self._expressions(node, depth)
            self.block(node.body, depth)
        else:
            self._expressions(node, depth)

    def _if(self, node: ast.If, depth: int) -> None:
        self._both(node, "`if`", depth)
        while True:
            self._expression(node.test, depth)
            self.block(node.body, depth + 1)
            if not (
                len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If) and self._is_elif(node.orelse[0])
            ):
                break
            node = node.orelse[0]
            self.statements += 1
            branch = Branch(self._head(node), "`elif`")
            self.branches.append(branch)
            self.hurdles.append(branch)
        self._else(node.orelse, depth)

    def _is_elif(self, node: ast.If) -> bool:
        return self.source.text.startswith("elif", self.source.span(node).start)

    def _else(self, body: list[ast.stmt], depth: int) -> None:
        if body:
            self.hurdles.append(Branch(self._head(body[0]), "`else`"))
            self.block(body, depth + 1)

    def _try(self, node: ast.Try | ast.TryStar, depth: int) -> None:
        # A `try` is no branch for the eye: only what it catches is.
        self.block(node.body, depth)
        for handler in node.handlers:
            self._both(handler, "`except`", depth)
            self.block(handler.body, depth + 1)
        self.block(node.orelse, depth)
        self.block(node.finalbody, depth)

    def _match(self, node: ast.Match, depth: int) -> None:
        self.hurdles.append(Branch(self._head(node), "`match`", 1 + depth))
        self._expression(node.subject, depth)
        for case in node.cases:
            pattern = case.pattern
            is_default = isinstance(pattern, ast.MatchAs) and pattern.pattern is None and case.guard is None
            if not is_default:
                self.branches.append(Branch(self._head(pattern), "`case`"))
            if case.guard is not None:
                self._expression(case.guard, depth)
            self.block(case.body, depth + 1)

    def _both(self, node: ast.stmt | ast.ExceptHandler, what: str, depth: int) -> None:
        head = self._head(node)
        self.branches.append(Branch(head, what))
        self.hurdles.append(Branch(head, what, 1 + depth))

    def _head(self, node: ast.AST) -> Location:
        """The first word of a construct, so that a mark does not cover its whole block."""
        start = self.source.span(node).start
        text = self.source.text
        end = start
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
        return self.source.location(Span(start, max(end, start + 1)))

    def _expressions(self, node: ast.stmt, depth: int) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expression(child, depth)
            elif isinstance(child, (ast.withitem, ast.keyword)):
                for inner in ast.iter_child_nodes(child):
                    self._expression(inner, depth)

    def _expression(self, root: ast.AST, depth: int) -> None:
        """Count what makes an expression hard to read: chains of `and`/`or`, conditionals, lambdas, recursion."""
        todo: list[tuple[ast.AST, int]] = [(root, depth)]
        while todo:
            node, level = todo.pop()
            if isinstance(node, ast.BoolOp):
                self.hurdles.append(Branch(self._head(node), "`and`/`or`"))
            elif isinstance(node, ast.IfExp):
                self.hurdles.append(Branch(self._head(node), "conditional expression", 1 + level))
                level += 1
            elif isinstance(node, ast.Lambda):
                level += 1
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == self.function.name
            ):
                self.hurdles.append(Branch(self._head(node), "recursion"))
            todo.extend(
                (child, level)
                for child in ast.iter_child_nodes(node)
                if not isinstance(child, ast.expr_context)
            )


def _class(node: ast.ClassDef, source: Source, names: Names) -> ClassMetrics:
    methods = [item for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))]
    touched: dict[str, set[str]] = {}
    assigned: set[str] = set()
    for method in methods:
        receiver = next((a.arg for a in (*method.args.posonlyargs, *method.args.args)), None)
        members: set[str] = set()
        for inner in ast.walk(method):
            if (
                isinstance(inner, ast.Attribute)
                and isinstance(inner.value, ast.Name)
                and inner.value.id == receiver
            ):
                members.add(inner.attr)
                if isinstance(inner.ctx, ast.Store):
                    assigned.add(inner.attr)
        touched.setdefault(method.name, set()).update(members)
    return ClassMetrics(
        location=source.location(name_span(source, node)),
        name=names.symbol(node),
        methods=len(methods),
        attributes=len(assigned),
        groups=_groups(touched),
    )


def _groups(touched: dict[str, set[str]]) -> tuple[tuple[str, ...], ...]:
    """Components of methods that share an attribute or call one another; special methods join nothing."""
    methods = [
        name
        for name, names in touched.items()
        if names and not (name.startswith("__") and name.endswith("__"))
    ]
    leader = {name: name for name in methods}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    owner: dict[str, str] = {}
    for method in methods:
        for name in touched[method] | {method}:
            other = owner.setdefault(name, method)
            leader[find(method)] = find(other)
    groups: dict[str, list[str]] = {}
    for method in methods:
        groups.setdefault(find(method), []).append(method)
    return tuple(tuple(group) for group in groups.values())
