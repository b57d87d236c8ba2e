"""Finds inner loops that take the outer loop's variable for their own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.For,
    code="MNT235",
    principles=("honest-names", "robust-comparisons"),
    severity=Severity.MEDIUM,
    aliases=("PLW2901", "W2901", "B020"),
)
def reused_loop_variable(loop: ast.For, ctx: Context) -> Iterator[Finding]:
    """An inner loop has the same variable as an outer one, which is read again behind it.

    When the inner loop is over, the variable holds its last item, and the rest of the outer round works with that.

    Ruff's PLW2901 reports every variable of a loop that is bound again, on purpose or not; this rule reports the inner
    loops after which the outer item is still wanted.

    ```python bad
    def report(orders):
        for row in orders:
            for row in row.items:
    #           ^^^ the inner loop takes `row` from the outer one, which reads it again on line 5
                print(row)
            print(row.total)
    ```
    ```python good
    def report(orders):
        for row in orders:
            for item in row.items:
                print(item)
            print(row.total)
    ```
    """
    names = shapes.names_in(loop.target)
    child: ast.AST = loop
    for outer in ctx.ancestors(loop):
        if isinstance(outer, (*shapes.DEFINITIONS, ast.Lambda)):
            return
        if type(outer) is ast.For and child in outer.body:
            shared = set[str]() if _is_left(loop, ctx) else names & shapes.names_in(outer.target)
            for name in sorted(shared - {"_"}):
                use = _read_behind(name, loop, outer, ctx)
                if use is not None:
                    target = next(n for n in ast.walk(loop.target) if shapes.is_name(n, name))
                    yield ctx.finding(
                        target,
                        f"the inner loop takes `{name}` from the outer one, which reads it again on line {use.lineno}",
                        related=[
                            ctx.related(outer.target, "the outer loop's"),
                            ctx.related(use, "read again here"),
                        ],
                    )
                    return
        child = outer


def _read_behind(name: str, loop: ast.For, outer: ast.For, ctx: Context) -> ast.Name | None:
    """Where the outer loop reads a name behind the inner loop, before it is bound again."""
    end = ctx.span(loop).end
    last = ctx.span(outer.body[-1]).end
    for node in ctx.nodes(ast.Name, within=outer):
        start = ctx.span(node).start
        if node.id != name or not end <= start < last or _is_other_branch(node, loop, ctx):
            continue
        return node if isinstance(node.ctx, ast.Load) and not _has_own(node, ctx) else None
    return None


def _is_left(loop: ast.For, ctx: Context) -> bool:
    """Whether the round of the outer loop ends behind the inner one, before anything else is read."""
    block: list[ast.stmt] = getattr(ctx.parent(loop), "body", [])
    return loop in block and isinstance(block[-1], (ast.Continue, ast.Break, ast.Return, ast.Raise))


def _is_other_branch(node: ast.Name, loop: ast.For, ctx: Context) -> bool:
    """Whether a node is reached only if the loop is not."""
    around = {id(ancestor) for ancestor in ctx.ancestors(node)}
    child: ast.AST = loop
    for ancestor in ctx.ancestors(loop):
        if id(ancestor) in around:
            return isinstance(ancestor, ast.If) and child in ancestor.body
        child = ancestor
    return False


def _has_own(node: ast.Name, ctx: Context) -> bool:
    """Whether the name is read in an expression that may bind it for itself."""
    for ancestor in ctx.ancestors(node):
        if isinstance(ancestor, (*shapes.COMPREHENSIONS, ast.Lambda)):
            return True
        if isinstance(ancestor, ast.stmt):
            return False
    return False
