"""Finds functions of very many statements. What branches is other rules' business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SHOWN = 5


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT044",
    principles=("bounded-complexity",),
    severity=Severity.LOW,
    default=False,
    aliases=("PLR0915", "R0915"),
    options={"limit": 60},
)
def long_function(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A function has more statements than fit on a screen or two.

    What it does has steps, and the steps have no names: a reader goes through all of it to find the one in question.
    Each longer block is a candidate for a function whose name says what the step is for; the longest are listed.

    Statements are counted and not lines, so that a table or a comment costs nothing. Off by default: a long straight
    recipe may be the clearest form of what it does. `limit` sets the number; ruff's PLR0915 counts the same
    without the places.

    ```python bad
    def total(rows):
    #   ^^^^^ `total` has 62 statements, the limit is 59
        a = 0
        a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1
        a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1
        a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1
        a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1
        a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1
        a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1; a += 1
        return a
    ```
    ```python good
    def total(rows):
        return sum(price(row) for row in rows)
    ```
    """
    limit = ctx.option("limit", int)
    lines = (function.end_lineno or function.lineno) - function.lineno
    # Several statements on a line are rare: half the limit in lines is never enough.
    if lines * 2 < limit and ";" not in ctx.source(function):
        return
    count = _statements(function.body, ctx)
    if count < limit:
        return
    sizes = [(_statements([statement], ctx), statement) for statement in function.body]
    longest = sorted((pair for pair in sizes if pair[0] > 1), key=lambda pair: -pair[0])[:_SHOWN]
    yield ctx.finding(
        ctx.name_span(function),
        f"`{function.name}` has {count} statements, the limit is {limit - 1}",
        related=[ctx.related(_head(statement, ctx), f"{size} of them here") for size, statement in longest],
    )


def _statements(body: list[ast.stmt], ctx: Context) -> int:
    """The statements of a body, what is nested included; docstrings left out."""
    count = 0
    for statement in shapes.without_docstring(body):
        count += 1
        if not isinstance(statement, shapes.DEFINITIONS):
            count += sum(isinstance(node, ast.stmt) for node in ctx.walk(statement, into_functions=False))
    return count


def _head(statement: ast.stmt, ctx: Context) -> ast.AST:
    for field in ("test", "iter", "subject"):
        head: ast.AST | None = getattr(statement, field, None)
        if head is not None:
            return head
    first = ctx.text.find(":", ctx.span(statement).start)
    span = ctx.span(statement)
    return type(span)(span.start, max(first, span.start + 1))  # pyright: ignore[reportReturnType]
