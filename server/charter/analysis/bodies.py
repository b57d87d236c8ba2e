"""What stands in a function's own body, found from the nodes in question and not by going through every body."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from charter.syntax.source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def owner(node: ast.AST, source: Source) -> FunctionNode | None:
    """The function whose call runs a node; None at module level, in a class body and in a lambda.

    Defaults, decorators and annotations of a function run where it is defined, so they are not its own.
    """
    parents = source.index.parents
    child, parent = node, parents.get(node)
    while parent is not None:
        kind = type(parent)
        if kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
            if isinstance(child, ast.stmt):
                return parent  # pyright: ignore[reportReturnType]
            child, parent = parent, parents.get(parent)
            continue
        if kind is ast.Lambda or kind is ast.ClassDef:
            return None
        child, parent = parent, parents.get(parent)
    return None


_Owned = dict[ast.AST, list[ast.AST]]


def by_owner(source: Source, *kinds: type[ast.AST]) -> _Owned:
    """The nodes of some types by the function that they belong to, in source order for each type."""
    kept = cast("dict[type[ast.AST], _Owned]", source.made.setdefault(by_owner, {}))
    owned: list[_Owned] = []
    for kind in kinds:
        if kind not in kept:
            kept[kind] = _owned(source, kind)
        if kept[kind]:
            owned.append(kept[kind])
    if len(owned) == 1:
        return owned[0]
    found: _Owned = {}
    for part in owned:
        for function, nodes in part.items():
            found.setdefault(function, []).extend(nodes)
    return found


def _owned(source: Source, kind: type[ast.AST]) -> _Owned:
    found: _Owned = {}
    for node in source.nodes(kind):
        function = owner(node, source)
        if function is not None:
            found.setdefault(function, []).append(node)
    return found


def surroundings(source: Source, node: ast.AST) -> tuple[str, str]:
    """The tests of the branches that a node stands in, a line each, inner ones first, and the name of its function."""
    tests: list[str] = []
    function = ""
    parents = source.index.parents
    at = parents.get(node)
    while at is not None:
        if type(at) is ast.If or type(at) is ast.IfExp:
            tests.append(source.segment(at.test))
        elif not function and isinstance(at, FUNCTIONS):
            function = at.name
        at = parents.get(at)
    return "\n".join(tests), function
