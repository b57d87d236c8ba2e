"""Finds query sets that are loaded to be counted. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import RowsInsteadOfAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    RowsInsteadOfAnswer,
    code="PRF110",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    kinds=("count",),
    references=("https://docs.djangoproject.com/en/stable/topics/db/optimization/",),
)
def rows_counted_in_python(fact: RowsInsteadOfAnswer, ctx: Context) -> Iterator[Finding]:
    """`len()` of a query set loads every row to count them.

    The rows travel to the process, become objects and are thrown away; `.count()` moves one number. Where the rows are
    used afterwards, `len()` is right, and this rule says nothing: it speaks of query sets that nothing else names.

    ```python bad
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def open_orders():
        return len(Order.objects.filter(status="open"))
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `len()` loads every Order to count them
    ```
    ```python fixed
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def open_orders():
        return Order.objects.filter(status="open").count()
    ```
    ```python good
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def open_orders():
        orders = Order.objects.filter(status="open")
        return len(orders), [order.pk for order in orders]
    ```
    """
    yield ctx.finding(fact.location, f"`len()` loads every {fact.model} to count them", fixes=fact.fixes)
