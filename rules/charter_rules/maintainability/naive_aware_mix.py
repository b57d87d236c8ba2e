"""Finds arithmetic between times that know their zone and times that do not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

Sort = Literal["naive", "aware"]


@rule(
    ast.Compare,
    ast.BinOp,
    code="MNT154",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    mentions=("datetime",),
)
def naive_aware_mix(node: ast.Compare | ast.BinOp, ctx: Context) -> Iterator[Finding]:
    """A time with a zone is compared with, or subtracted from, one without.

    Python refuses it with a `TypeError`, at run time, in the branch where the two meet. `datetime.now()` and
    `utcnow()` know no zone; `datetime.now(timezone.utc)` does.

    ```python bad
    from datetime import datetime, timezone

    def age(path):
        changed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        return datetime.now() - changed
    #          ^^^^^^^^^^^^^^^^^^^^^^^^ this raises `TypeError`: one time knows its zone, the other does not
    ```
    ```python good
    from datetime import datetime, timezone

    def age(path):
        changed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        return datetime.now(timezone.utc) - changed
    ```
    """
    if isinstance(node, ast.BinOp):
        if not isinstance(node.op, ast.Sub):
            ctx.not_an_opportunity()
            return
        sides = (node.left, node.right)
    else:
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
            ctx.not_an_opportunity()
            return
        sides = (node.left, node.comparators[0])
    left, right = _sort(sides[0], ctx), _sort(sides[1], ctx)
    if left is not None and right is not None and left != right:
        yield ctx.finding(node, "this raises `TypeError`: one time knows its zone, the other does not")


def _sort(expression: ast.expr, ctx: Context) -> Sort | None:
    if isinstance(expression, ast.Name):
        function = ctx.function(expression)
        values = shapes.assigned_values(expression.id, function, ctx) if function is not None else None
        if values is None or len(values) != 1 or isinstance(values[0], ast.Name):
            return None
        return _sort(values[0], ctx)
    if not isinstance(expression, ast.Call):
        return None
    name = ctx.name(expression.func)
    if name in {"datetime.datetime.utcnow", "datetime.datetime.utcfromtimestamp", "datetime.datetime.today"}:
        return "naive"
    if name in {"datetime.datetime.now", "datetime.datetime.fromtimestamp"}:
        position = 0 if name.endswith("now") else 1
        zone = ctx.argument(expression, position, "tz")
        if zone is None:
            return None if any(isinstance(item, ast.Starred) for item in expression.args) else "naive"
        return None if isinstance(zone, ast.Constant) else "aware" if not isinstance(zone, ast.Name) else None
    if name == "django.utils.timezone.now":
        return None  # depends on USE_TZ
    return None
