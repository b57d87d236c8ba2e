"""The lines of text in which code stands: how they are indented, what comments say in them. It judges nothing."""

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


def comment_above(place: Span, ctx: Context) -> str:
    """The comment in the lines right above the one in which a place begins; "" if there is none."""
    found: list[str] = []
    last = ctx.text.rfind("\n", 0, place.start)
    while last >= 0:
        start = ctx.text.rfind("\n", 0, last) + 1
        line = ctx.text[start:last].strip()
        if not line.startswith("#"):
            break
        found.insert(0, line)
        last = start - 1
    return "\n".join(found)


def indent(node: ast.AST, ctx: Context) -> str | None:
    """The white space before a node; None if something else stands before it on its line."""
    start = ctx.span(node).start
    before = ctx.text[ctx.text.rfind("\n", 0, start) + 1 : start]
    return None if before.strip() else before


def deeper(indent: str) -> str:
    """An indentation one step further in."""
    return indent + ("\t" if "\t" in indent else "    ")
