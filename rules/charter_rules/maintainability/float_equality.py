"""Finds computed numbers that are compared with a fraction by `==`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_EXACT = 2.0**-20
"""Fractions that are whole multiples of this, such as 0.5 and 0.25, are exact in binary."""


@rule(
    ast.Compare,
    code="MNT233",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    in_tests=False,
    when=lambda comparison: len(comparison.ops) == 1 and isinstance(comparison.ops[0], (ast.Eq, ast.NotEq)),
    aliases=("RUF069", "S1244"),
    cwe=(697,),
)
def float_equality(comparison: ast.Compare, ctx: Context) -> Iterator[Finding]:
    """The result of a computation is compared with a decimal fraction by `==` or `!=`.

    `0.1 + 0.2 == 0.3` is False: decimal fractions are not exact in binary, and each operation rounds. `math.isclose`
    compares with a tolerance.

    Values that are handed on as they are may be compared, and so may fractions that are exact, such as 0.5. Tests are left
    alone: one that passes has shown that the numbers are equal.

    ```python bad
    def is_reduced(price, rate):
        return price * rate == 0.3
    #          ^^^^^^^^^^^^^^^^^^^ a computed number is compared with `0.3` by `==`, which rounding errors make false
    ```
    ```python good
    import math

    def is_reduced(price, rate):
        return math.isclose(price * rate, 0.3)
    ```
    """
    left, right = comparison.left, comparison.comparators[0]
    for number, other in ((left, right), (right, left)):
        value = number.value if type(number) is ast.Constant else None
        if isinstance(value, float) and (value / _EXACT) % 1 and _is_computed(other, ctx):
            operator, answer = ("==", "false") if type(comparison.ops[0]) is ast.Eq else ("!=", "true")
            yield ctx.finding(
                comparison,
                f"a computed number is compared with `{ctx.source(number)}` by `{operator}`, which rounding errors make {answer}",
            )
            return


def _is_computed(expression: ast.expr, ctx: Context) -> bool:
    origin = ctx.origin(expression) if isinstance(expression, ast.Name) else expression
    if isinstance(origin, ast.BinOp):
        return isinstance(origin.op, (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow))
    return isinstance(origin, ast.Call) and ctx.name(origin.func) in {
        "builtins.sum", "math.sqrt", "math.sin", "math.cos", "math.exp", "math.log", "statistics.mean",
    }  # fmt: skip
