"""Finds `next` in generators, where an empty iterator ends in a `RuntimeError`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_ENDLESS = frozenset({"itertools.count", "itertools.cycle", "itertools.repeat"})


@rule(
    ast.Call,
    code="MNT227",
    principles=("robust-comparisons", "deliberate-errors"),
    severity=Severity.MEDIUM,
    default=False,
    calls=("builtins.next",),
    aliases=("R1708",),
)
def unguarded_next(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A generator calls `next` without a default, and nothing catches `StopIteration`.

    Since Python 3.7 a `StopIteration` that leaves a generator's body becomes a `RuntimeError` (PEP 479): going through the
    generator crashes instead of ending.

    Off by default: in three of seven findings on published packages the author knew that there was one more item.

    ```python bad
    def pairs(rows):
        rows = iter(rows)
        while True:
            yield next(rows), next(rows)
    #             ^^^^^^^^^^ when this is exhausted, the generator raises `RuntimeError` instead of ending
    ```
    ```python good
    def pairs(rows):
        rows = iter(rows)
        for first in rows:
            yield first, next(rows, None)
    ```
    """
    function = ctx.function(call)
    if len(call.args) != 1 or function is None or ctx.is_test:
        ctx.not_an_opportunity()
        return
    iterator = call.args[0]
    if not isinstance(iterator, ast.Name) or _is_endless(iterator, ctx):
        return
    if not _is_generator(function, ctx) or _is_caught(call, function, ctx) or _is_fixture(function, ctx):
        return
    loop = ctx.loop(call)
    if loop is None:
        return  # the first item of what is known to have one
    earlier = [
        c for c in ctx.nodes(ast.Call, within=function) if shapes.is_name(c.func, "next") and len(c.args) == 1
    ]
    first = next((c for c in earlier if ctx.loop(c) is not None and not _is_caught(c, function, ctx)), call)
    if first is call:
        yield ctx.finding(
            call, "when this is exhausted, the generator raises `RuntimeError` instead of ending"
        )


def _is_generator(function: shapes.FunctionNode, ctx: Context) -> bool:
    return any(
        ctx.function(node) is function
        for kind in (ast.Yield, ast.YieldFrom)
        for node in ctx.nodes(kind, within=function)
    )


def _is_caught(call: ast.Call, function: shapes.FunctionNode, ctx: Context) -> bool:
    child: ast.AST = call
    for ancestor in ctx.ancestors(call):
        if isinstance(ancestor, ast.Try) and child in ancestor.body and ancestor.handlers:
            return True
        if isinstance(ancestor, ast.With) and any(
            "suppress" in ctx.source(item.context_expr) for item in ancestor.items
        ):
            return True
        if isinstance(ancestor, (ast.Lambda, ast.GeneratorExp)):
            return True
        if ancestor is function:
            return False
        child = ancestor
    return False


def _is_fixture(function: shapes.FunctionNode, ctx: Context) -> bool:
    return any(
        "contextmanager" in ctx.source(item) or "fixture" in ctx.source(item)
        for item in function.decorator_list
    )


def _is_endless(iterator: ast.Name, ctx: Context) -> bool:
    """Whether an iterator is one of those that never end."""
    origin = ctx.origin(iterator)
    if not isinstance(origin, ast.Call):
        return False
    name = ctx.name(origin.func) or ""
    return name in _ENDLESS or any(
        definition.name == name.rpartition(".")[2] and _never_ends(definition)
        for definition in ctx.nodes(ast.FunctionDef)
    )


def _never_ends(generator: ast.FunctionDef) -> bool:
    last = generator.body[-1]
    if not isinstance(last, ast.While) or not isinstance(last.test, ast.Constant) or not last.test.value:
        return False
    return not any(isinstance(node, (ast.Return, ast.Break)) for node in ast.walk(generator))
