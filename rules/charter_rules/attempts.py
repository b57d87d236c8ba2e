"""Whether code is run to see it fail. It knows `try`, `raises` and `assertRaises`, and nothing of what is called."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from charter.api import Context, Location

_CATCHING: Final = frozenset(
    {"builtins.TypeError", "builtins.AttributeError", "builtins.ValueError", "builtins.Exception", "builtins.BaseException"}
)  # fmt: skip


def expects_failure(place: Location, ctx: Context) -> bool:
    """Whether the code at a place may fail as it likes: something around it catches what wrong code raises."""
    for statement in ctx.nodes(ast.Try):
        if statement.handlers and _spans(statement.body, place, ctx):
            return any(
                handler.type is None or not _CATCHING.isdisjoint(_names(handler.type, ctx))
                for handler in statement.handlers
            )
    for block in ctx.nodes(ast.With):
        if _spans(block.body, place, ctx):
            for item in block.items:
                call = item.context_expr
                func = call.func if isinstance(call, ast.Call) else call
                last = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
                if last in {"raises", "assertRaises", "assertRaisesRegex", "suppress"}:
                    return True
    return False


def _spans(body: list[ast.stmt], place: Location, ctx: Context) -> bool:
    return ctx.span(body[0]).start <= place.span.start < ctx.span(body[-1]).end


def _names(caught: ast.expr, ctx: Context) -> set[str | None]:
    return {ctx.name(item) for item in (caught.elts if isinstance(caught, ast.Tuple) else [caught])}
