"""Whether code is run to see it fail. It knows `try`, `raises` and `assertRaises`, and nothing of what is called."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import regex
from charter_rules import calls, lines

if TYPE_CHECKING:
    from charter.api import Context, Location

_CATCHING: Final = frozenset(
    {"builtins.TypeError", "builtins.AttributeError", "builtins.ValueError", "builtins.Exception", "builtins.BaseException"}
)  # fmt: skip
_IGNORED: Final = regex(
    r"# (?:type: ignore(?:\[[^\]\n]*call-arg|(?!\[))|pyright: ignore(?:\[[^\]\n]*reportCall|(?!\[)))"
)
"""What tells a type checker that a call is meant as it stands."""


def expects_failure(place: Location, ctx: Context) -> bool:
    """Whether the code at a place may fail as it likes: something around it catches what wrong code raises.

    So may a second way that is tried when the first raised a `TypeError`, what a type checker was told to accept, and
    what depends on the function's signature.
    """
    return (
        _is_accepted(place, ctx)
        or _is_asked(place, ctx)
        or _is_attempt(place, ctx)
        or _is_awaited(place, ctx)
    )


def _is_accepted(place: Location, ctx: Context) -> bool:
    return _IGNORED.search(lines.around(place.span, ctx)) is not None


def _is_asked(place: Location, ctx: Context) -> bool:
    return any(
        _spans(statement.body, place, ctx) and "inspect." in ctx.source(statement.test)
        for statement in ctx.nodes(ast.If)
    )


def _is_attempt(place: Location, ctx: Context) -> bool:
    for statement in ctx.nodes(ast.Try):
        tried = _spans(statement.body, place, ctx)
        for handler in statement.handlers:
            caught = {"builtins.BaseException"} if handler.type is None else _names(handler.type, ctx)
            if tried and not _CATCHING.isdisjoint(caught):
                return True
            if "builtins.TypeError" in caught and _spans(handler.body, place, ctx):
                return True
    return False


def _is_awaited(place: Location, ctx: Context) -> bool:
    for block in ctx.nodes(ast.With):
        if _spans(block.body, place, ctx):
            for item in block.items:
                call = item.context_expr
                func = call.func if isinstance(call, ast.Call) else call
                if calls.identifier(func) in {"raises", "assertRaises", "assertRaisesRegex", "suppress"}:
                    return True
    return False


def _spans(body: list[ast.stmt], place: Location, ctx: Context) -> bool:
    if not body[0].lineno <= place.line <= (body[-1].end_lineno or 0):
        return False  # as nearly all
    return ctx.span(body[0]).start <= place.span.start < ctx.span(body[-1]).end


def _names(caught: ast.expr, ctx: Context) -> set[str | None]:
    return {ctx.name(item) for item in (caught.elts if isinstance(caught, ast.Tuple) else [caught])}
