"""Finds query sets that are counted or tested by a query, and then loaded by another. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import RowsInsteadOfAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    RowsInsteadOfAnswer,
    code="PRF114",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    kinds=("twice",),
    references=(
        "https://docs.djangoproject.com/en/stable/topics/db/optimization/#don-t-overuse-contains-count-and-exists",
    ),
)
def query_run_twice(fact: RowsInsteadOfAnswer, ctx: Context) -> Iterator[Finding]:
    """A query set is counted or tested by a query of its own, and then its rows are loaded anyway.

    Loading the rows fills the query set, and from then on `len()`, its truth and every loop over it cost nothing. The
    question before is one round trip too many. The rule speaks only where the rows are certain to be loaded afterwards,
    in the same function and from the same variable.

    ```python bad
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def open_orders():
        orders = Order.objects.filter(status="open")
        if orders.exists():
    #      ^^^^^^^^^^^^^^^ `orders.exists()` runs a query, and line 9 runs another that loads the rows
            for order in orders:
                print(order.pk)
    ```
    ```python fixed
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def open_orders():
        orders = Order.objects.filter(status="open")
        if orders:
            for order in orders:
                print(order.pk)
    ```
    ```python good
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def has_open_orders(listed):
        orders = Order.objects.filter(status="open")
        found = orders.exists()
        if listed:
            print([order.pk for order in orders])
        return found
    ```
    """
    again = fact.again
    assert again is not None
    yield ctx.finding(
        fact.location,
        f"`{ctx.text[fact.location.span.start : fact.location.span.end]}` runs a query, and line {again.line} runs another that loads the rows",
        fixes=fact.fixes,
        related=(ctx.related(again, "the rows are loaded here"),),
    )
