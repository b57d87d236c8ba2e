"""Finds rows that Python filters by a column. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import RowsInsteadOfAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    RowsInsteadOfAnswer,
    code="PRF113",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    kinds=("filter",),
    references=("https://docs.djangoproject.com/en/stable/topics/db/optimization/",),
)
def rows_filtered_in_python(fact: RowsInsteadOfAnswer, ctx: Context) -> Iterator[Finding]:
    """A comprehension throws away rows that the database need not have sent.

    The condition is about one column and a constant: as a `filter()` it lets the database use its indexes and send only
    the rows that are kept.

    ```python bad
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def open_orders():
        return [order for order in Order.objects.order_by("pk") if order.status == "open"]
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every Order is loaded, and Python keeps those with `order.status == "open"`
    ```
    ```python fixed
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def open_orders():
        return [order for order in Order.objects.order_by("pk").filter(status="open")]
    ```
    ```python good
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def urgent_orders(is_urgent):
        return [order for order in Order.objects.order_by("pk") if is_urgent(order)]
    ```
    """
    yield ctx.finding(
        fact.location,
        f"every {fact.model} is loaded, and Python keeps those with `{fact.detail}`",
        fixes=fact.fixes,
    )
