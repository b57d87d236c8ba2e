"""Finds switches of a module that nothing in it ever turns."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.If,
    ast.IfExp,
    code="MNT245",
    principles=("no-dead-code",),
    severity=Severity.INFO,
    default=False,
)
def settled_flag(decision: ast.If | ast.IfExp, ctx: Context) -> Iterator[Finding]:
    """A branch depends on a switch of the module that is always on, or always off.

    A feature that was hidden behind a switch has come, or never will; the switch and the branch that is never taken are left
    over.

    Off by default: another module may set the switch, or people who work on it by hand. Names in capitals that are bound
    once, to `True` or `False`, are looked at.

    ```python bad
    USE_NEW_CHECKOUT = True

    def checkout(order):
        if USE_NEW_CHECKOUT:
    #      ^^^^^^^^^^^^^^^^ `USE_NEW_CHECKOUT` is always True as far as this module goes, so that the other branch is dead
            return order.pay()
        return order.invoice()
    ```
    ```python good
    import os

    USE_NEW_CHECKOUT = os.environ.get("NEW_CHECKOUT") == "1"

    def checkout(order):
        if USE_NEW_CHECKOUT:
            return order.pay()
        return order.invoice()
    ```
    """
    test = decision.test.operand if isinstance(decision.test, ast.UnaryOp) else decision.test
    if not isinstance(test, ast.Name) or not test.id.strip("_").isupper() or test.id == "TYPE_CHECKING":
        ctx.not_an_opportunity()
        return
    stores = [
        node for node in ctx.nodes(ast.Name) if node.id == test.id and not isinstance(node.ctx, ast.Load)
    ]
    assignment = ctx.parent(stores[0]) if len(stores) == 1 else None
    if not isinstance(assignment, (ast.Assign, ast.AnnAssign)) or not isinstance(
        ctx.parent(assignment), ast.Module
    ):
        return
    value = assignment.value
    if isinstance(value, ast.Constant) and isinstance(value.value, bool) and not ctx.is_test:
        yield ctx.finding(
            test,
            f"`{test.id}` is always {value.value} as far as this module goes, so that the other branch is dead",
            related=[ctx.related(assignment, "set here, once")],
        )
