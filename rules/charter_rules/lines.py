"""The lines of text in which code stands, for what comments say beside it. It knows nothing of syntax."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from charter.api import Context, Span


def end(offset: int, ctx: Context) -> int:
    """Where the line of an offset ends: at its line break, or at the end of the file."""
    found = ctx.text.find("\n", offset)
    return found if found >= 0 else len(ctx.text)


def around(place: Span, ctx: Context, *, above: int = 0) -> str:
    """The whole lines in which a place stands, with so many of those above it."""
    start = place.start
    for _ in range(above + 1):
        start = ctx.text.rfind("\n", 0, max(start, 0))
    return ctx.text[start + 1 : end(place.end, ctx)]


def comment_above(node: ast.AST, ctx: Context) -> str:
    """The comment in the line right above the statement that a node is or stands in; "" if there is none."""
    first, *rest = around(ctx.span(ctx.statement(node)), ctx, above=1).split("\n", 1)
    return first.strip() if rest and first.lstrip().startswith("#") else ""
