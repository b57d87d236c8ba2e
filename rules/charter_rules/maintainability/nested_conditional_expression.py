"""Finds conditional expressions inside conditional expressions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.IfExp,
    code="MNT020",
    principles=("explicit-over-clever",),
    severity=Severity.LOW,
    aliases=("PLR5501",),
    options={"depth": 3},
)
def nested_conditional_expression(expression: ast.IfExp, ctx: Context) -> Iterator[Finding]:
    """Several conditional expressions are folded into one.

    `a if x else b if y else c if z else d` is an `if` statement without its layout: the reader must find the
    conditions between the values, in an order that is neither that of evaluation nor that of reading. From three
    conditions on (`depth`), write the statement, or a table.

    ```python bad
    def size(kilos):
        return "S" if kilos < 1 else "M" if kilos < 5 else "L" if kilos < 20 else "XL"
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ 3 conditional expressions in one; an `if` statement shows which applies when
    ```
    ```python good
    def size(kilos):
        if kilos < 1:
            return "S"
        if kilos < 5:
            return "M"
        return "L" if kilos < 20 else "XL"
    ```
    """
    if isinstance(ctx.parent(expression), ast.IfExp):
        ctx.not_an_opportunity()
        return
    if _chain(expression) >= ctx.option("depth", int):
        count = 1 + len(ctx.nodes(ast.IfExp, within=expression))
        yield ctx.finding(
            expression, f"{count} conditional expressions in one; an `if` statement shows which applies when"
        )


def _chain(expression: ast.expr) -> int:
    """How many conditions must be read to know which value it is."""
    if type(expression) is not ast.IfExp:
        return 0
    return 1 + max(_chain(expression.body), _chain(expression.orelse), _chain(expression.test))
