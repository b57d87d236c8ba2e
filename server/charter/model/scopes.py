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
    binders, blocks = _BINDERS, _BELOW
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind in binders:
            binders[kind](node, names, outer)
        if kind in blocks:
            blocks[kind](node, names, stack)
    return names - outer, outer


def _blocks(node: Any, _names: set[str], stack: list[ast.AST]) -> None:
    stack.extend(node.body)
    stack.extend(node.orelse)


def _body(node: Any, _names: set[str], stack: list[ast.AST]) -> None:
    stack.extend(node.body)


def _try(node: Any, names: set[str], stack: list[ast.AST]) -> None:
    _blocks(node, names, stack)
    stack.extend(node.finalbody)
    for handler in node.handlers:
        if handler.name:
            names.add(handler.name)
        stack.extend(handler.body)


def _match(node: ast.Match, names: set[str], stack: list[ast.AST]) -> None:
    for case in node.cases:
        _captures(case.pattern, names)
        stack.extend(case.body)


_BELOW: dict[type[ast.AST], Callable[[Any, set[str], list[ast.AST]], None]] = {
    ast.If: _blocks, ast.For: _blocks, ast.AsyncFor: _blocks, ast.While: _blocks, ast.With: _body,
    ast.AsyncWith: _body, ast.Try: _try, ast.TryStar: _try, ast.Match: _match,
}  # fmt: skip
"""What lies inside of compound statements, in the same scope."""


def target_names(target: ast.AST, names: set[str]) -> None:
    """Add the names that an assignment target binds."""
    if type(target) is ast.Name:
        names.add(target.id)
    elif type(target) is ast.Tuple or type(target) is ast.List:
        for element in target.elts:
            target_names(element, names)
    elif type(target) is ast.Starred:
        target_names(target.value, names)


def _assign(node: ast.Assign, names: set[str], _outer: set[str]) -> None:
    for target in node.targets:
        if type(target) is ast.Name:
            names.add(target.id)
        else:
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


class Scope(dict[str, tuple[int, str]]):
    """One function's or class's names while it is lowered: the opcode for reading or binding each, and the name to use.

    Attributes:
        names: what it binds itself.
        outer: what it declares global or nonlocal.
        frees: what it takes from enclosing functions, in order of first use.
        renamed: a comprehension's targets, innermost last, to the names they get.
    """

    __slots__ = ("_outside", "frees", "is_class", "names", "outer", "parent", "renamed")

    def __init__(self, names: set[str], outer: set[str], parent: Scope | None, *, is_class: bool) -> None:
        super().__init__()
        self.names = names
        self.outer = outer
        self.parent = parent
        self.is_class = is_class
        self.frees: dict[str, None] = {}
        self.renamed: list[dict[str, str]] = []
        self._outside: list[dict[str, tuple[int, str]]] = []

    def add(self, name: str) -> None:
        """Bind one name more (by `:=`)."""
        self.names.add(name)
        for known in (self, *self._outside):
            known.pop(name, None)

    def rename(self, names: Iterable[str]) -> None:
        """Enter a comprehension's `for`: these names are its own."""
        self._outside.append(dict(self))
        self.clear()
        self.renamed.append({name: f"{name}~{len(self.renamed)}" for name in names})

    def restore(self, depth: int) -> None:
        """Leave comprehensions until only so many `for` are left."""
        self.clear()
        self.update(self._outside[depth])
        del self.renamed[depth:], self._outside[depth:]

    def __missing__(self, name: str) -> tuple[int, str]:
        found = self[name] = self._resolved(name)
        return found

    def _resolved(self, name: str) -> tuple[int, str]:
        for table in reversed(self.renamed):
            if name in table:
                return ir.LOCAL, table[name]
        opcode = ir.LOCAL if name in self.names else ir.FREE if self._free(name) else ir.GLOBAL
        return opcode, name

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
