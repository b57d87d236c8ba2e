"""Finds query sets that are loaded to see whether there are any. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import RowsInsteadOfAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    RowsInsteadOfAnswer,
    code="PRF111",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    kinds=("exists",),
    references=("https://docs.djangoproject.com/en/stable/topics/db/optimization/",),
)
def rows_tested_in_python(fact: RowsInsteadOfAnswer, ctx: Context) -> Iterator[Finding]:
    """The truth of a query set loads every row to see whether there is one.

    `.exists()` asks for a single row without its columns. Where the rows are used afterwards the test costs nothing
    more, and this rule says nothing: it speaks of query sets that nothing else names.

    ```python bad
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def has_open_orders():
        if Order.objects.filter(status="open"):
    #      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this test loads every Order to see whether there is one
            return "yes"
        return "no"
    ```
    ```python fixed
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def has_open_orders():
        if Order.objects.filter(status="open").exists():
            return "yes"
        return "no"
    ```
    ```python good
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def first_open_order():
        orders = Order.objects.filter(status="open")
        return orders[0] if orders else None
    ```
    """
    yield ctx.finding(
        fact.location, f"this test loads every {fact.model} to see whether there is one", fixes=fact.fixes
    )
