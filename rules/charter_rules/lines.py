"""The lines of text in which code stands: how they are indented, what comments say in them. It judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Span

if TYPE_CHECKING:
    import ast

    from charter.api import Context


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
    above = ctx.text[head(place, ctx) : ctx.text.rfind("\n", 0, place.start) + 1]
    return "\n".join(line.strip() for line in above.splitlines())


def head(place: Span, ctx: Context) -> int:
    """Where the lines of a place begin, those of a comment right above it included."""
    begin = ctx.text.rfind("\n", 0, place.start) + 1
    while begin:
        start = ctx.text.rfind("\n", 0, begin - 1) + 1
        if not ctx.text[start:begin].lstrip().startswith("#"):
            break
        begin = start
    return begin


def comment_of_paragraph(place: Span, ctx: Context) -> str:
    """The comment above the lines, without a blank one between them, in the last of which a place begins."""
    begin = ctx.text.rfind("\n", 0, place.start) + 1
    while begin:
        start = ctx.text.rfind("\n", 0, begin - 1) + 1
        line = ctx.text[start:begin].strip()
        if not line or line.endswith(":"):
            return ""
        if line.startswith("#"):
            return comment_above(Span(begin, begin), ctx)
        begin = start
    return ""


def is_in_brackets(node: ast.AST, ctx: Context) -> bool:
    """Whether a node is all that stands between two brackets, so that what takes its place needs none of its own."""
    start, end = ctx.span(node)
    return ctx.text[:start].rstrip()[-1:] == "(" and ctx.text[end:].lstrip()[:1] == ")"


def indent(node: ast.AST, ctx: Context) -> str | None:
    """The white space before a node; None if something else stands before it on its line."""
    start = ctx.span(node).start
    before = ctx.text[ctx.text.rfind("\n", 0, start) + 1 : start]
    return None if before.strip() else before


def deeper(indent: str) -> str:
    """An indentation one step further in."""
    return indent + ("\t" if "\t" in indent else "    ")
