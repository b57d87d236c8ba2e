"""Finds two collections that are matched by trying every pair."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Confidence, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.For,
    code="PRF020",
    principles=("bounded-complexity-of-work", "fitting-data-structures"),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
)
def nested_loop_join(inner: ast.For, ctx: Context) -> Iterator[Finding]:
    """Two collections are matched by comparing every item of one with every item of the other.

    For n items and m items that is n*m comparisons: a hundred million for 10,000 on each side. A dictionary of one
    side, by the value that is compared, finds each match in one step: n + m. For 2,000 on
    each side that is a quarter of a second against a tenth of a millisecond.

    ```python bad
    def totals(customers, orders):
        for customer in customers:
            for order in orders:
    #       ^^^^^^^^^^^^^^^^^^^ every item of `orders` is compared with every one of `customers`; index one of them by `customer_id`
                if order.customer_id == customer.id:
                    customer.total += order.price
    ```
    ```python good
    from collections import defaultdict

    def totals(customers, orders):
        by_customer = defaultdict(list)
        for order in orders:
            by_customer[order.customer_id].append(order)
        for customer in customers:
            customer.total = sum(order.price for order in by_customer[customer.id])
    ```
    """
    outer = ctx.parent(inner)
    if (
        not isinstance(outer, ast.For)
        or ctx.is_test
        or not _is_data(inner.iter, ctx)
        or not _is_data(outer.iter, ctx)
    ):
        ctx.not_an_opportunity()
        return
    if len(inner.body) != 1 or not isinstance(inner.body[0], ast.If) or inner.body[0].orelse:
        return
    inner_names, outer_names = shapes.names_in(inner.target), shapes.names_in(outer.target)
    if shapes.names_in(inner.iter) & (outer_names | shapes.stored_in(outer.body)):
        return
    if any(shapes.changed_in(name, [outer], ctx) for name in shapes.names_in(inner.iter)):
        return  # grows or shrinks as the loop goes on
    key = _compared(inner.body[0].test, inner_names, outer_names)
    if key is None:
        return
    span = ctx.span(inner)
    head = type(span)(span.start, ctx.span(inner.iter).end)
    yield ctx.finding(
        head,
        f"every item of `{ctx.source(inner.iter)}` is compared with every one of `{ctx.source(outer.iter)}`; "
        f"index one of them by `{key}`",
        related=[ctx.related(inner.body[0].test, "the comparison")],
    )


def _is_data(iterable: ast.expr, ctx: Context) -> bool:
    """Whether an iterable is a collection as long as the data, as far as one can see."""
    if isinstance(iterable, ast.Name):
        return not iterable.id.isupper() and not isinstance(
            ctx.value(iterable), (tuple, list, dict, set, str)
        )
    return isinstance(iterable, ast.Attribute) and not iterable.attr.isupper()


def _compared(test: ast.expr, inner: set[str], outer: set[str]) -> str | None:
    """The attribute or key of the inner item that must equal something of the outer item."""
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    for part in parts:
        if not isinstance(part, ast.Compare) or len(part.ops) != 1 or not isinstance(part.ops[0], ast.Eq):
            continue
        for one, other in ((part.left, part.comparators[0]), (part.comparators[0], part.left)):
            if not isinstance(one, (ast.Attribute, ast.Subscript)) or any(
                isinstance(n, ast.Call) for n in ast.walk(part)
            ):
                continue
            if shapes.names_in(one) <= inner and shapes.names_in(other) <= outer and shapes.names_in(other):
                if isinstance(one, ast.Attribute):
                    return one.attr
                return (
                    one.slice.value
                    if isinstance(one.slice, ast.Constant) and isinstance(one.slice.value, str)
                    else None
                )
    return None
