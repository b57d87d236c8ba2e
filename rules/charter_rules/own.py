"""Values that the program itself decides: constants and numbers, through choices, helpers, loops and parameters of one file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.api import Context

_DEEPEST: Final = 5
"""How many names, helpers and parameters are followed one behind the other."""


def is_own(value: ast.expr | None, ctx: Context, *, depth: int = 0) -> bool:
    """Whether a value can be nothing but what the file itself says: a constant, a number that is counted, one of several such.

    A parameter is what all calls in the file give it, if there is one; calls in other files are not asked for.

    Args:
        value: the expression; None for what is not there, which decides nothing.
        ctx: the file.
        depth: how many names have been followed to it.
    """
    if value is None or depth > _DEEPEST:
        return False
    if ctx.value(value) is not UNKNOWN:
        return True
    if isinstance(value, ast.IfExp):
        return _all_own((value.body, value.orelse), ctx, depth)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return _gives_own(value.func.id, ctx, depth)
    return isinstance(value, ast.Name) and _is_own_name(value, ctx, depth)


def _all_own(values: Iterable[ast.expr | None], ctx: Context, depth: int) -> bool:
    return all(is_own(value, ctx, depth=depth + 1) for value in values)


def _gives_own(name: str, ctx: Context, depth: int) -> bool:
    """Whether a function of the module, of which there is one, returns nothing else."""
    helpers = [one for one in ctx.nodes(ast.FunctionDef) if one.name == name and ctx.function(one) is None]
    if len(helpers) != 1 or ctx.class_(helpers[0]) is not None:
        return False
    results = ctx.nodes(ast.Return, within=helpers[0])
    return bool(results) and _all_own((one.value for one in results), ctx, depth)


def _is_own_name(name: ast.Name, ctx: Context, depth: int) -> bool:
    function = ctx.function(name)
    if function is None:
        return False
    bound = shapes.bindings(name.id, function, ctx)
    if len(bound) == 1 and isinstance(bound[0], ast.arg):
        return _is_given_own(function, name.id, ctx, depth)
    if any(shapes.is_name(each.target, name.id) for each in ctx.nodes(ast.AugAssign, within=function)):
        return False
    if bound and all(_counts(ctx.parent(one)) for one in bound):
        return True
    values = shapes.assigned_values(name.id, function, ctx)
    return bool(values) and _all_own(values, ctx, depth)


def _counts(loop: ast.AST | None) -> bool:
    """Whether a loop goes through numbers: `for number in range(…)`."""
    return (
        isinstance(loop, ast.For)
        and isinstance(loop.target, ast.Name)
        and isinstance(loop.iter, ast.Call)
        and calls.identifier(loop.iter.func) == "range"
    )


def _is_given_own(function: shapes.FunctionNode, parameter: str, ctx: Context, depth: int) -> bool:
    names = [argument.arg for argument in shapes.parameters(function)]
    at = names.index(parameter) - (ctx.class_(function) is not None)
    made = shapes.calls_of(function, ctx)
    return bool(made) and _all_own(
        (ctx.argument(call, at if at >= 0 else None, parameter) for call in made), ctx, depth
    )
