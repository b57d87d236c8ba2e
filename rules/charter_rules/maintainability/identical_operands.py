"""Finds operators with the same thing on both sides."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_SENSELESS = frozenset({ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.BitXor, ast.BitAnd, ast.BitOr})


@rule(
    ast.BoolOp,
    ast.BinOp,
    code="MNT222",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    when=lambda operation: type(operation) is ast.BoolOp or type(operation.op) in _SENSELESS,
    aliases=("R0124",),
)
def identical_operands(operation: ast.BoolOp | ast.BinOp, ctx: Context) -> Iterator[Finding]:
    """The same expression stands on both sides of an operator, or twice in a condition.

    `a.x == b.x and a.x == b.x` asks once and means to ask twice: the second was to compare `y`. What is subtracted from
    itself or divided by itself was to be something else as well.

    Ruff's PLR0124 has comparisons of a thing with itself; this rule has the other operators.

    ```python bad
    def same_place(a, b):
        return a.x == b.x and a.x == b.x
    #                         ^^^^^^^^^^ `a.x == b.x` stands here twice
    ```
    ```python bad
    def width(box):
        return box.right - box.right
    #                      ^^^^^^^^^ `box.right` stands on both sides of the operator
    ```
    ```python good
    def same_place(a, b):
        return a.x == b.x and a.y == b.y
    ```
    """
    if isinstance(operation, ast.BinOp):
        left, right = operation.left, operation.right
        if type(left) is not type(right) or isinstance(left, ast.Constant):
            return
        if (
            isinstance(left, (ast.Name, ast.Attribute, ast.Subscript))
            and shapes.are_same(left, right)
            and not ctx.is_test
        ) and (not isinstance(operation.op, (ast.BitOr, ast.BitAnd)) or isinstance(left, ast.Attribute)):
            yield ctx.finding(right, f"`{ctx.source(right)}` stands on both sides of the operator")
        return
    if len(operation.values) == 2 and not shapes.may_read_alike(*operation.values):
        return
    seen: set[str] = set()
    for value in operation.values:
        text = ctx.source(value)
        if text in seen and shapes.is_pure(value):
            yield ctx.finding(value, f"`{text}` stands here twice")
            return
        seen.add(text)
