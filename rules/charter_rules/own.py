"""Values that the program itself decides: constants and numbers, through choices, helpers, loops and parameters of one file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.api import Context


def is_own(value: ast.expr | None, ctx: Context) -> bool:
    """Whether a value can be nothing but what the file itself says: a constant, a number that is counted, one of several such.

    A parameter is what all calls in the file give it, if there is one and the function is only called there; calls in
    other files are not asked for.

    Args:
        value: the expression; None for what is not there, which decides nothing.
        ctx: the file.
    """
    return _is_own(value, ctx, set())


def _is_own(value: ast.expr | None, ctx: Context, seen: set[tuple[ast.AST, str]]) -> bool:
    """As `is_own`; `seen` are the names and helpers on the way or already judged: one that was not own ends it all."""
    if value is None:
        return False
    if isinstance(ctx.value(value), (str, bytes, int, float)):  # and no list, which may grow
        return True
    if isinstance(value, ast.IfExp):
        return _all_own((value.body, value.orelse), ctx, seen)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return _gives_own(value.func.id, ctx, seen)
    return isinstance(value, ast.Name) and _is_own_name(value, ctx, seen)


def _all_own(values: Iterable[ast.expr | None], ctx: Context, seen: set[tuple[ast.AST, str]]) -> bool:
    return all(_is_own(value, ctx, seen) for value in values)


def _gives_own(name: str, ctx: Context, seen: set[tuple[ast.AST, str]]) -> bool:
    """Whether a function of the module returns nothing else."""
    helper = ctx.once(shapes.functions_by_name).get(name)
    if helper is None or ctx.function(helper) is not None or ctx.class_(helper) is not None:
        return False
    if (helper, "") in seen:
        return True
    seen.add((helper, ""))
    results = ctx.nodes(ast.Return, within=helper)
    return bool(results) and _all_own((one.value for one in results), ctx, seen)


def _is_own_name(name: ast.Name, ctx: Context, seen: set[tuple[ast.AST, str]]) -> bool:
    function = ctx.function(name)
    if function is None:
        return False
    if (function, name.id) in seen:
        return True
    seen.add((function, name.id))
    bound = shapes.bindings(name.id, function, ctx)
    if len(bound) == 1 and isinstance(bound[0], ast.arg):
        return _is_only_called(function, ctx) and _all_own(shapes.given_to(name.id, function, ctx), ctx, seen)
    if any(shapes.is_name(each.target, name.id) for each in ctx.nodes(ast.AugAssign, within=function)):
        return False
    if bound and all(_counts(ctx.parent(one)) for one in bound):
        return True
    values = shapes.assigned_values(name.id, function, ctx)
    return bool(values) and _all_own(values, ctx, seen)


def _counts(loop: ast.AST | None) -> bool:
    """Whether a loop goes through numbers: `for number in range(…)`."""
    return (
        isinstance(loop, ast.For)
        and isinstance(loop.target, ast.Name)
        and isinstance(loop.iter, ast.Call)
        and calls.identifier(loop.iter.func) == "range"
    )


def _is_only_called(function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether a function is called in its file, handed to nobody, and given by no decorator to a framework that calls it."""
    uses = (*ctx.reads.get(function.name, ()), *ctx.gets.get(function.name, ()))
    return bool(uses) and not function.decorator_list and len(shapes.calls_of(function, ctx)) == len(uses)
