"""Finds local variables that are set, counted or filled, and never read."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from charter.api import Context, Finding

_FILLERS = frozenset({"append", "add", "extend", "update", "insert", "setdefault", "appendleft"})
_SEERS = frozenset({"locals", "vars", "eval", "exec", "dir", "globals"})


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT007",
    principles=("no-dead-code",),
    severity=Severity.LOW,
    aliases=("F841", "W0612"),
)
def unused_variable(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A local variable is set, counted up or filled, and never read.

    Either the code that computes it is dead, or the line that should use it is missing. The second is a bug, and
    more often than not it is the list that is filled and not returned, or the counter that nothing looks at.

    Ruff's F841 finds variables that are only assigned. This rule also finds those that are only added to. Names
    that begin with an underscore say that they are not needed.

    ```python bad
    def report(rows):
        found = []
    #   ^^^^^ `found` is filled and never read
        for row in rows:
            found.append(row.name)
        return rows
    ```
    ```python bad
    def area(width, height):
        depth = 3
    #   ^^^^^ `depth` is never read
        return width * height
    ```
    ```python fixed
    def area(width, height):
        return width * height
    ```
    ```python good
    def first(rows):
        head, _rest = rows[0], rows[1:]
        return head

    def names(rows):
        found = []
        for row in rows:
            found.append(row.name)
        return found
    ```
    """
    named = ctx.nodes(ast.Name, within=function)
    stores = _stored(named)
    if not stores:
        ctx.not_an_opportunity()
        return
    read = _read(named, stores)
    suspects = [
        (name, places) for name, places in stores.items() if name not in read or _only_fill(read[name], ctx)
    ]
    if not suspects or _read(named, _SEERS):
        return
    barred = _bound_otherwise(function, ctx)
    for name, places in suspects:
        if name in barred or not _is_local(places, function, ctx):
            continue
        if name not in read:
            if not _is_meant(places, ctx):
                yield ctx.finding(
                    places[0], f"`{name}` is never read", fix=_remove(places, ctx), tags=("unnecessary",)
                )
        elif all(_makes_container(place, ctx) for place in places):
            yield ctx.finding(places[0], f"`{name}` is filled and never read")


def _bound_otherwise(function: shapes.FunctionNode, ctx: Context) -> set[str]:
    """The names that are parameters, of another scope, or another module's, where `+=` on what it holds changes it."""
    found = {argument.arg for argument in shapes.parameters(function)}
    for kind in (ast.Global, ast.Nonlocal):
        for statement in ctx.nodes(kind, within=function):
            found.update(statement.names)
    for kind in (ast.Import, ast.ImportFrom):
        for statement in ctx.nodes(kind, within=function):
            found.update(alias.asname or alias.name for alias in statement.names)
    return found


def _stored(named: Sequence[ast.Name]) -> dict[str, list[ast.Name]]:
    """Where names are stored that are not meant to be ignored."""
    stored: dict[str, list[ast.Name]] = {}
    for node in named:
        if node.ctx.__class__ is ast.Store and node.id[0] != "_":
            stored.setdefault(node.id, []).append(node)
    return stored


def _read(named: Sequence[ast.Name], wanted: Container[str]) -> dict[str, list[ast.Name]]:
    """Where some names are read."""
    read: dict[str, list[ast.Name]] = {}
    for node in named:
        if node.id in wanted and node.ctx.__class__ is not ast.Store:
            read.setdefault(node.id, []).append(node)
    return read


def _is_local(places: list[ast.Name], function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether all bindings are plain assignments of the one name by the function itself."""
    for place in places:
        if ctx.function(place) is not function:
            return False
        parent = ctx.parent(place)
        if isinstance(parent, ast.Assign):
            if not any(target is place for target in parent.targets) or len(parent.targets) > 1:
                return False
        elif isinstance(parent, ast.AnnAssign):
            if parent.value is None:
                return False
        elif not isinstance(parent, ast.AugAssign):
            return False
    return True


def _is_meant(places: list[ast.Name], ctx: Context) -> bool:
    """Whether the value may be there for more than the name: a test that calls, a `+=` that changes what others see."""
    if ctx.is_test and _is_call(places[0], ctx):
        return True
    values = [ctx.parent(place) for place in places]
    added = any(isinstance(value, ast.AugAssign) for value in values)
    return added and not all(
        isinstance(value, ast.AugAssign) or isinstance(getattr(value, "value", None), ast.Constant)
        for value in values
    )


def _is_call(place: ast.Name, ctx: Context) -> bool:
    parent = ctx.parent(place)
    return isinstance(parent, (ast.Assign, ast.AnnAssign)) and not shapes.is_pure(parent.value or parent)


def _only_fill(uses: Sequence[ast.Name], ctx: Context) -> bool:
    """Whether nothing but filling is done with a variable's container; the first use tells for most."""
    return _fills(uses[0], ctx) and all(_fills(use, ctx) for use in uses)


def _fills(use: ast.Name, ctx: Context) -> bool:
    """Whether a use only puts something into the variable's container."""
    parent = ctx.parent(use)
    if isinstance(parent, ast.Attribute) and parent.attr in _FILLERS:
        call = ctx.parent(parent)
        return isinstance(call, ast.Call) and call.func is parent and isinstance(ctx.parent(call), ast.Expr)
    return isinstance(parent, ast.Subscript) and parent.value is use and isinstance(parent.ctx, ast.Store)


def _makes_container(place: ast.Name, ctx: Context) -> bool:
    parent = ctx.parent(place)
    value = parent.value if isinstance(parent, (ast.Assign, ast.AnnAssign)) else None
    if isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
        return True
    made = ctx.name(value.func) if isinstance(value, ast.Call) else None
    return made in {
        "builtins.list",
        "builtins.dict",
        "builtins.set",
        "collections.defaultdict",
        "collections.deque",
    }


def _remove(places: list[ast.Name], ctx: Context) -> Fix | None:
    if len(places) != 1:
        return None
    statement = ctx.parent(places[0])
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return None
    if shapes.is_pure(statement.value):
        # A test may be about what a frame holds.
        plain = isinstance(statement.value, (ast.Constant, ast.Name)) and not ctx.is_test
        grade = Grade.SAFE if plain else Grade.UNSAFE
        return Fix(f"Remove `{places[0].id}`", (ctx.remove_statement(statement),), grade)
    text = ctx.source(statement.value)
    return Fix("Keep the call, drop the variable", (ctx.replace(statement, text),), Grade.UNSAFE)
