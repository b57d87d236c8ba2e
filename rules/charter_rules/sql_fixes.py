"""Parameters instead of values in SQL text, in the manner of each library. It follows no data itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Fix, Grade, regex
from charter_rules import building, flows, sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.api import AnyEdit, Context
    from charter.api.facts.taint import TaintFlow
    from charter_rules.building import Piece

_TITLE: Final = "Pass the values as parameters"
_LOOSE: Final = frozenset({"fetch", "fetchrow", "fetchval", "execute"})
"""Methods of asyncpg that take their parameters one by one."""
_BIND: Final = regex(r":\w")


def parameterized(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Pass the values of an SQL statement as parameters, in the style of the library that runs it."""
    call, argument = flows.call(flow, ctx), flows.argument(flow, ctx)
    if call is None or argument is None:
        return None
    return for_call(call, argument, flow.sink, ctx)


def for_call(call: ast.Call, argument: ast.expr, name: str, ctx: Context) -> Fix | None:
    """Pass the values of an SQL statement as parameters.

    Args:
        call: the call that takes the statement.
        argument: the statement.
        name: the qualified name of what is called, or the end of it.
        ctx: the file.
    """
    last = name.rpartition(".")[2]
    if last == "text":
        return _bound(call, argument, ctx)
    if last == "extra":
        return _extra(call, argument, ctx)
    if not call.args or argument is not call.args[0] or len(call.args) != 1 or call.keywords:
        return None
    if last == "RawSQL" or name.endswith(".objects.raw") or (last == "raw" and name.startswith("django.")):
        return _built(argument, "%s", ", [{}]", ctx)
    return _for_driver(call, argument, ctx)


def _for_driver(call: ast.Call, argument: ast.expr, ctx: Context) -> Fix | None:
    """`cursor.execute(text, values)`."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _LOOSE:
        return None
    mark = sql.placeholder(call.func.value, ctx)
    if mark is None or (call.func.attr != "execute" and mark != "${}"):
        return None
    if mark == "${}":
        return _built(argument, mark, ", {}", ctx)
    return _built(argument, mark, ", [{}]" if mark == ":{}" else ", ({})", ctx)


def _built(argument: ast.expr, mark: str, shape: str, ctx: Context) -> Fix | None:
    """Placeholders in the text, and the values behind it."""

    def behind(values: list[str]) -> str:
        inner = ", ".join(values)
        return shape.format(f"{inner}," if shape == ", ({})" and len(values) == 1 else inner)

    return _fix(argument, lambda _: mark, lambda values, _: behind(values), ctx)


def _bound(call: ast.Call, argument: ast.expr, ctx: Context) -> Fix | None:
    """`text("… :name").bindparams(name=name)`."""
    if len(call.args) + len(call.keywords) != 1:
        return None

    def marks(parts: tuple[Piece, ...]) -> list[str] | None:
        if any(piece.value is None and _BIND.search(piece.text) for piece in parts):
            return None  # it has parameters of its own, or colons that would look like some
        return [f":{name}" for name in sql.names(parts)]

    def behind(values: list[str], names: list[str]) -> str:
        given = ", ".join(f"{name[1:]}={value}" for name, value in zip(names, values, strict=True))
        return f".bindparams({given})"

    return _fix(argument, marks, behind, ctx, end=ctx.span(call).end)


def _fix(
    argument: ast.expr,
    marks: Callable[[tuple[Piece, ...]], str | list[str] | None],
    behind: Callable[[list[str], list[str]], str],
    ctx: Context,
    end: int | None = None,
) -> Fix | None:
    """Write the text anew, where it is written, and put the values behind the argument or behind the call."""
    written = ctx.origin(argument)
    parts = building.pieces(written, ctx)
    mark = marks(parts) if parts else None
    made = sql.parameterized(parts, mark, ctx) if parts and mark else None
    if made is None or mark is None:
        return None
    text, values = made
    more = behind(values, mark if isinstance(mark, list) else [])
    if written is argument and end is None:
        return Fix(_TITLE, (ctx.replace(argument, f"{text}{more}"),), Grade.SAFE)
    edits = (ctx.replace(written, text), ctx.insert(ctx.span(argument).end if end is None else end, more))
    return Fix(_TITLE, edits, Grade.SAFE if written is argument else Grade.UNSAFE)


def _extra(call: ast.Call, argument: ast.expr, ctx: Context) -> Fix | None:
    """`extra(where=["… %s"], params=[…])` of Django's query sets."""
    where = next((keyword.value for keyword in call.keywords if keyword.arg == "where"), None)
    if where is not argument or not isinstance(where, ast.List | ast.Tuple):
        return None
    if any(keyword.arg in {None, "params"} for keyword in call.keywords) or len(call.args) > 1:
        return None
    edits: list[AnyEdit] = []
    values: list[str] = []
    for condition in where.elts:
        parts = building.pieces(condition, ctx)
        made = sql.parameterized(parts, "%s", ctx) if parts else None
        if parts and made is None:
            return None
        if made is not None:
            edits.append(ctx.replace(condition, made[0]))
            values += made[1]
    if not values:
        return None
    edits.append(ctx.insert(ctx.span(where).end, f", params=[{', '.join(values)}]"))
    return Fix(_TITLE, tuple(edits), Grade.SAFE)
