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
    ast.ListComp,
    ast.GeneratorExp,
    code="PRF020",
    principles=("bounded-complexity-of-work", "fitting-data-structures"),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    in_tests=False,
)
def nested_loop_join(inner: ast.For | ast.ListComp | ast.GeneratorExp, ctx: Context) -> Iterator[Finding]:
    """Two collections are matched by comparing every item of one with every item of the other.

    For n items and m items that is n*m comparisons: a hundred million for 10,000 on each side. A dictionary of one
    side, by the value that is compared, finds each match in one step: n + m. For 2,000 on
    each side that is a quarter of a second against a tenth of a millisecond.

    A search for the first match, in an order of preference, is left alone.

    Measured with Python 3.11.7: 2,000 items with 2,000 take 140 ms pair by pair, 0.2 ms by a dictionary.

    ```python bad
    def totals(customers, orders):
        for customer in customers:
            for order in orders:
    #       ^^^^^^^^^^^^^^^^^^^ every item of `orders` is compared with every one of `customers`; index one of them by `customer_id`
                if order.customer_id == customer.id:
                    customer.total += order.price
    ```
    ```python bad
    def totals(customers, orders):
        for customer in customers:
            own = [order for order in orders if order.customer_id == customer.id]
    #             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every item of `orders` is compared with every one of `customers`; index one of them by `customer_id`
            customer.total = sum(order.price for order in own)
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
    if not isinstance(inner, ast.For):
        yield from _filtered(inner, ctx)
        return
    outer = ctx.parent(inner)
    if not isinstance(outer, ast.For) or not _is_data(inner.iter, ctx) or not _is_data(outer.iter, ctx):
        ctx.not_an_opportunity()
        return
    if len(inner.body) != 1 or not isinstance(inner.body[0], ast.If) or inner.body[0].orelse:
        return
    if isinstance(inner.body[0].body[-1], ast.Return):
        return  # the first match ends both: a search in an order of preference
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


def _filtered(inner: ast.ListComp | ast.GeneratorExp, ctx: Context) -> Iterator[Finding]:
    """The items of one collection that match the item of a loop over another, picked out by a comprehension."""
    generator = inner.generators[0]
    outer = ctx.loop(inner) if len(inner.generators) == 1 and generator.ifs else None
    if not isinstance(outer, ast.For):
        ctx.not_an_opportunity()
        return
    if (
        not isinstance(generator.iter, ast.Name)
        or not _is_data(generator.iter, ctx)
        or not _is_data(outer.iter, ctx)
    ):
        return
    name = generator.iter.id
    function = ctx.function(inner)
    if function is None or shapes.changed_in(name, [outer], ctx) or shapes.is_name(outer.iter, name):
        return
    key = next(
        (
            found
            for test in generator.ifs
            if (found := _compared(test, shapes.names_in(generator.target), shapes.names_in(outer.target)))
        ),
        None,
    )
    if key is not None and _is_always_made(inner, outer, ctx):
        yield ctx.finding(
            inner,
            f"every item of `{name}` is compared with every one of `{ctx.source(outer.iter)}`; "
            f"index one of them by `{key}`",
            related=[ctx.related(generator.ifs[0], "the comparison")],
        )


def _is_always_made(inner: ast.AST, outer: ast.For, ctx: Context) -> bool:
    """Whether each round makes the comprehension, and the loop goes on behind it."""
    for ancestor in ctx.ancestors(inner):
        if ancestor is outer:
            return True
        if isinstance(ancestor, (ast.If, ast.IfExp, ast.Return, ast.Raise, ast.ExceptHandler, ast.Lambda)):
            return False
    return False


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
