"""Finds local variables that are set, counted or filled, and never read."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, regex, rule
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FILLERS = frozenset({"append", "add", "extend", "update", "insert", "setdefault", "appendleft"})
_COMPUTING = frozenset(
    f"builtins.{name}"
    for name in (
        "len",
        "str",
        "repr",
        "bool",
        "abs",
        "round",
        "isinstance",
        "issubclass",
        "getattr",
        "hasattr",
        "type",
    )
)
"""Functions without which nothing is missing but their result."""
_KNOWN = regex(r"#.*\b(?:unused|not used)\b", re.IGNORECASE)
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
    storing, suspects = ctx.once(_suspects)
    if function not in storing:
        ctx.not_an_opportunity()
        return
    found = suspects.get(function)
    if found is None or any(_uses(name, function, ctx) for name in _SEERS):
        return
    local = [(name, places) for name, places in found if _is_local(places, function, ctx)]
    barred = _bound_otherwise(function, ctx) if local else set[str]()
    for name, places in local:
        if name in barred:
            continue
        if not _uses(name, function, ctx):
            if not _is_meant(places, ctx):
                yield ctx.finding(
                    places[0], f"`{name}` is never read", fix=_remove(places, ctx), tags=("unnecessary",)
                )
        elif all(_makes_container(place, ctx) for place in places):
            yield ctx.finding(places[0], f"`{name}` is filled and never read")


_Suspects = dict[ast.AST, list[tuple[str, list[ast.Name]]]]


def _suspects(ctx: Context) -> tuple[set[ast.AST], _Suspects]:
    """The functions in which names are stored that are not meant to be ignored, and those names that are not used there."""
    storing: set[ast.AST] = set()
    found: _Suspects = {}
    for name, nodes in ctx.binds.items():
        if name[0] == "_":
            continue
        stored: dict[shapes.FunctionNode, list[ast.Name]] = {}
        for node in nodes:
            if type(node.ctx) is ast.Store and (function := _function_around(node, ctx)) is not None:
                stored.setdefault(function, []).append(node)
        if not stored:
            continue
        storing.update(stored)
        uses = ctx.reads.get(name, ())
        lines = [use.lineno for use in uses]
        for function, places in stored.items():
            first, last = _extent(function)
            at = bisect_left(lines, first)
            if at < len(lines) and first <= lines[at] <= last and not _fills(uses[at], ctx):
                continue  # as nearly always
            if all(_fills(use, ctx) for use in _uses(name, function, ctx)):
                inside = (other for other in stored if other is not function)
                if not any(function in ctx.ancestors(other) for other in inside):
                    found.setdefault(function, []).append((name, places))
    for function in list(storing):
        storing.update(one for one in ctx.ancestors(function) if type(one) in shapes.FUNCTIONS)
    return storing, found


def _function_around(node: ast.AST, ctx: Context) -> shapes.FunctionNode | None:
    """The innermost function that a node lies below, also if a class lies between."""
    outer = ctx.parent
    parent = outer(node)
    while parent is not None and type(parent) not in shapes.FUNCTIONS:
        parent = outer(parent)
    return parent  # pyright: ignore[reportReturnType]


def _extent(function: shapes.FunctionNode) -> tuple[int, int]:
    """The first and the last line of a function with its decorators; nothing else stands on them."""
    decorators = function.decorator_list
    return decorators[0].lineno if decorators else function.lineno, function.end_lineno or 0


def _uses(name: str, function: shapes.FunctionNode, ctx: Context) -> list[ast.Name]:
    """Where a name is read in a function."""
    first, last = _extent(function)
    return [use for use in ctx.reads.get(name, ()) if first <= use.lineno <= last]


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
    """Whether the value may be there for more than the name: a test that calls, a `+=` that changes what others see.

    Or its author knows that nothing reads it, as a comment says.
    """
    if ctx.is_test and _is_call(places[0], ctx):
        return True
    if _KNOWN.search(lines.around(ctx.span(places[0]), ctx)):
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


def _fills(use: ast.Name, ctx: Context) -> bool:
    """Whether a use only puts something into the variable's container."""
    parent = ctx.parent(use)
    if type(parent) is ast.Attribute and parent.attr in _FILLERS:
        call = ctx.parent(parent)
        return type(call) is ast.Call and call.func is parent and type(ctx.parent(call)) is ast.Expr
    return type(parent) is ast.Subscript and parent.value is use and type(parent.ctx) is ast.Store


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


def _only_computes(value: ast.expr, ctx: Context) -> bool:
    """Whether an expression does nothing but give its value: it calls nothing, or nothing but what computes."""
    if any(
        isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)) for node in ast.walk(value)
    ):
        return False
    return all(_computes(node.func, ctx) for node in ast.walk(value) if isinstance(node, ast.Call))


def _computes(function: ast.expr, ctx: Context) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, (ast.Constant, ast.JoinedStr)):
        return True  # a method of text
    name = ctx.name(function) or ""
    return name in _COMPUTING or name.startswith("math.")


def _remove(places: list[ast.Name], ctx: Context) -> Fix | None:
    if len(places) != 1:
        return None
    statement = ctx.parent(places[0])
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return None
    if _only_computes(statement.value, ctx):
        # A test may be about what a frame holds.
        plain = isinstance(statement.value, (ast.Constant, ast.Name)) and not ctx.is_test
        grade = Grade.SAFE if plain else Grade.UNSAFE
        return Fix(f"Remove `{places[0].id}`", (ctx.remove_statement(statement),), grade)
    text = ctx.source(statement.value)
    return Fix("Keep the call, drop the variable", (ctx.replace(statement, text),), Grade.UNSAFE)
