"""Finds comparisons that Python chains where the reader does not expect it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_MEMBERSHIP = (ast.In, ast.NotIn, ast.Is, ast.IsNot)

_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip


@rule(
    ast.Compare,
    code="MNT155",
    principles=("robust-comparisons", "explicit-over-clever"),
    severity=Severity.MEDIUM,
    when=lambda node: len(node.ops) > 1,
    aliases=("W3601",),
)
def surprising_chain(compare: ast.Compare, ctx: Context) -> Iterator[Finding]:
    """`a in b == c` means `a in b and b == c`.

    Python chains comparisons of every kind, not only `0 < x < 9`. Mixed with `in` or `is`, the result is seldom what
    was meant: `key in table == False` is false whatever is in the table.

    ```python bad
    def missing(key, table):
        return key in table == False
    #          ^^^^^^^^^^^^^^^^^^^^^ this means `key in table and table == False`
    ```
    ```python good
    def inside(value):
        return 0 < value < 9

    def same(a, b, c):
        return a == b == c
    ```
    """
    membership = any(isinstance(op, _MEMBERSHIP) for op in compare.ops)
    if not membership or all(isinstance(op, (ast.Is, ast.IsNot)) for op in compare.ops):
        return
    if all(isinstance(op, (ast.In, *_ORDER)) for op in compare.ops) and not isinstance(
        compare.ops[0], ast.In
    ):
        return
    operands = [compare.left, *compare.comparators]
    parts = [
        f"{ctx.source(one)} {_SIGNS[type(op)]} {ctx.source(other)}"
        for one, op, other in zip(operands, compare.ops, operands[1:], strict=False)
    ]
    yield ctx.finding(compare, f"this means `{' and '.join(parts)}`")
