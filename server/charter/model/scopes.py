"""Which names a function binds and where a name it reads is bound. It looks at one tree, never at other files."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_BLOCKS = ("body", "orelse", "finalbody")


def bound_names(body: Iterable[ast.stmt]) -> tuple[set[str], set[str]]:
    """The names that statements bind in their own scope, except by `:=`.

    Args:
        body: the statements of a function or class.

    Returns:
        The bound names, and the names declared `global` or `nonlocal`.
    """
    names: set[str] = set()
    outer: set[str] = set()
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        binder = _BINDERS.get(type(node))
        if binder is not None:
            binder(node, names, outer)
        for block in _BLOCKS:
            inner = getattr(node, block, None)
            if inner and isinstance(inner, list) and not isinstance(node, _SCOPES):
                stack.extend(inner)
        if isinstance(node, ast.Try | ast.TryStar):
            for handler in node.handlers:
                if handler.name:
                    names.add(handler.name)
                stack.extend(handler.body)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                _captures(case.pattern, names)
                stack.extend(case.body)
    return names - outer, outer


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def target_names(target: ast.AST, names: set[str]) -> None:
    """Add the names that an assignment target binds."""
    if isinstance(target, ast.Name):
        names.add(target.id)
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            target_names(element, names)
    elif isinstance(target, ast.Starred):
        target_names(target.value, names)


def _assign(node: ast.Assign, names: set[str], _outer: set[str]) -> None:
    for target in node.targets:
        target_names(target, names)


def _one_target(node: ast.AugAssign | ast.AnnAssign | ast.For, names: set[str], _outer: set[str]) -> None:
    target_names(node.target, names)


def _with(node: ast.With, names: set[str], _outer: set[str]) -> None:
    for item in node.items:
        if item.optional_vars is not None:
            target_names(item.optional_vars, names)


def _definition(node: ast.FunctionDef | ast.ClassDef, names: set[str], _outer: set[str]) -> None:
    names.add(node.name)


def _import(node: ast.Import | ast.ImportFrom, names: set[str], _outer: set[str]) -> None:
    for alias in node.names:
        if alias.name != "*":
            names.add(alias.asname or alias.name.partition(".")[0])


def _delete(node: ast.Delete, names: set[str], _outer: set[str]) -> None:
    for target in node.targets:
        target_names(target, names)


def _declaration(node: ast.Global | ast.Nonlocal, _names: set[str], outer: set[str]) -> None:
    outer.update(node.names)


_BINDERS: dict[type[ast.AST], Callable[[Any, set[str], set[str]], None]] = {
    ast.Assign: _assign,
    ast.AugAssign: _one_target,
    ast.AnnAssign: _one_target,
    ast.For: _one_target,
    ast.AsyncFor: _one_target,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.FunctionDef: _definition,
    ast.AsyncFunctionDef: _definition,
    ast.ClassDef: _definition,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Delete: _delete,
    ast.Global: _declaration,
    ast.Nonlocal: _declaration,
}


def _captures(pattern: ast.AST, names: set[str]) -> None:
    for node in ast.walk(pattern):
        if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)


class Scope:
    """One function's or class's names while it is lowered.

    Attributes:
        names: what it binds itself.
        outer: what it declares global or nonlocal.
        frees: what it takes from enclosing functions, in order of first use.
        renamed: a comprehension's targets, innermost last, to the names they get.
    """

    __slots__ = ("frees", "is_class", "names", "outer", "parent", "renamed")

    def __init__(self, names: set[str], outer: set[str], parent: Scope | None, *, is_class: bool) -> None:
        self.names = names
        self.outer = outer
        self.parent = parent
        self.is_class = is_class
        self.frees: dict[str, None] = {}
        self.renamed: list[dict[str, str]] = []

    def resolve(self, name: str) -> tuple[int, str]:
        """The opcode for reading or binding a name, and the name to use."""
        for table in reversed(self.renamed):
            if name in table:
                return ir.LOCAL, table[name]
        if name in self.names:
            return ir.LOCAL, name
        if name in self.outer or self.parent is None:
            return (ir.FREE, name) if self._free(name) else (ir.GLOBAL, name)
        return (ir.FREE, name) if self._free(name) else (ir.GLOBAL, name)

    def _free(self, name: str) -> bool:
        """Whether an enclosing function binds the name; if so, every function on the way takes it along."""
        passed: list[Scope] = [self]
        scope = self.parent
        while scope is not None and scope.parent is not None:
            if not scope.is_class and name in scope.names:
                for inner in passed:
                    inner.frees[name] = None
                return True
            passed.append(scope)
            scope = scope.parent
        return False
