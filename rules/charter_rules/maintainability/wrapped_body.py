"""Finds functions and loops whose whole rest stands in one `if`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import guards, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.If,
    code="MNT047",
    principles=("bounded-complexity",),
    severity=Severity.LOW,
    default=False,
    options={"lines": 10},
)
def wrapped_body(condition: ast.If, ctx: Context) -> Iterator[Finding]:
    """All that is left of a function or of a loop's body stands in one `if`.

    The reader carries the condition along to the last line, only to find that nothing happens otherwise. A guard
    clause in front says at once when there is nothing to do, and what follows stands one level further out.

    Reported are blocks of at least `lines` lines with blocks of their own inside, but not what a loop does with the one item
    that it looks for, before it ends. Off by default, since it is a matter of taste where it changes the depth by one only;
    the fix is safe.

    ```python bad
    def ship(order):
        if order.paid:
    #      ^^^^^^^^^^ all that is left of `ship` stands in this `if`: leave early instead
            for item in order.items:
                item.reserve()
            box = order.box()
            box.fill(order.items)
            if box.full:
                box.close()
            box.label(order.address)
            order.box = box
            order.shipped = True
            order.save()
    ```
    ```python fixed
    def ship(order):
        if not order.paid:
            return
        for item in order.items:
            item.reserve()
        box = order.box()
        box.fill(order.items)
        if box.full:
            box.close()
        box.label(order.address)
        order.box = box
        order.shipped = True
        order.save()
    ```
    ```python good
    def ship(order):
        if order.paid:
            order.box = order.box()
            order.save()
    ```
    """
    least = ctx.option("lines", int)
    lines = (condition.end_lineno or condition.lineno) - condition.body[0].lineno + 1
    if lines < least or not guards.is_wrapper(condition, ctx):
        return
    whole = ctx.parent(condition)
    if not isinstance(whole, (*shapes.FUNCTIONS, *shapes.LOOPS)) or not any(
        isinstance(inner, (ast.If, ast.With, ast.Try, *shapes.LOOPS)) for inner in condition.body
    ):
        return
    if isinstance(whole, shapes.LOOPS) and isinstance(condition.body[-1], (ast.Return, ast.Break, ast.Raise)):
        return
    edit = guards.clauses([condition], ctx)
    name = f"`{whole.name}`" if isinstance(whole, shapes.FUNCTIONS) else "the loop's body"
    yield ctx.finding(
        condition.test,
        f"all that is left of {name} stands in this `if`: leave early instead",
        fix=Fix("Leave early", (edit,), Grade.SAFE) if edit is not None else None,
    )
