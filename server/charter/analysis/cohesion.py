"""Measures of classes: size, and what their methods have in common. It judges nothing; rules set the limits.

Two methods belong together if they use an attribute of the instance in common, or one names the other; the groups
that this gives are M. Hitz and B. Montazeri's LCOM4 ("Measuring Coupling and Cohesion in Object-Oriented Systems",
1995). Constructors are left out, since they touch everything, and so are methods that use nothing of the instance.
What a base class brings along is not known here, so a class with bases from elsewhere may hang together unseen.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.analysis.places import name_span
from charter.api.facts.metrics import Branch, ClassMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.model.names import Names
    from charter.syntax.source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_CONSTRUCTORS: Final = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__", "setUp"})


def facts(source: Source, names: Names) -> Iterator[ClassMetrics]:
    """Measure every class of a file.

    Args:
        source: the file.
        names: what its names mean.

    Yields:
        A fact for each class.
    """
    for node in source.nodes(ast.ClassDef):
        methods = [item for item in node.body if isinstance(item, _FUNCTIONS)]
        used = {method: _of_instance(method) for method in methods}
        yield ClassMetrics(
            location=source.location(name_span(source, node)),
            name=names.symbol(node),
            lines=(node.end_lineno or node.lineno) - node.lineno + 1,
            methods=tuple(
                Branch(
                    source.location(name_span(source, method)),
                    method.name,
                    (method.end_lineno or method.lineno) - method.lineno + 1,
                )
                for method in methods
            ),
            attributes=len({name for stored, _ in used.values() for name in stored}),
            groups=_groups(used, source),
        )


def _of_instance(method: FunctionNode) -> tuple[set[str], set[str]]:
    """The attributes of the instance that a method sets, and all that it names."""
    positional = [*method.args.posonlyargs, *method.args.args]
    static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in method.decorator_list)
    if not positional or static:
        return set(), set()
    first = positional[0].arg
    stored: set[str] = set()
    named: set[str] = set()
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == first:
            named.add(node.attr)
            if isinstance(node.ctx, ast.Store):
                stored.add(node.attr)
    return stored, named


def _groups(
    used: dict[FunctionNode, tuple[set[str], set[str]]], source: Source
) -> tuple[tuple[Branch, ...], ...]:
    """The methods that hang together, the largest group first."""
    groups: list[tuple[list[FunctionNode], set[str]]] = []
    for method, (_, named) in used.items():
        if method.name in _CONSTRUCTORS or not named:
            continue
        members, words = [method], named | {method.name}
        apart: list[tuple[list[FunctionNode], set[str]]] = []
        for group in groups:
            if group[1].isdisjoint(words):
                apart.append(group)
            else:
                members, words = group[0] + members, words | group[1]
        groups = [*apart, (members, words)]
    groups.sort(key=lambda group: len(group[0]), reverse=True)
    return tuple(
        tuple(Branch(source.location(name_span(source, method)), method.name) for method in members)
        for members, _ in groups
    )
