"""Finds rows that are loaded for one of their columns. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import RowsInsteadOfAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    RowsInsteadOfAnswer,
    code="PRF112",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    kinds=("column",),
    references=("https://docs.djangoproject.com/en/stable/topics/db/optimization/",),
)
def one_column_of_rows(fact: RowsInsteadOfAnswer, ctx: Context) -> Iterator[Finding]:
    """A comprehension loads whole rows and keeps one column of each.

    Every column travels and every row becomes an object, for one value. `values_list` with `flat=True` loads that
    column alone.

    ```python bad
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def statuses():
        return [order.status for order in Order.objects.filter(pk__gt=9)]
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ whole rows of Order are loaded for `status` alone
    ```
    ```python fixed
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def statuses():
        return list(Order.objects.filter(pk__gt=9).values_list("status", flat=True))
    ```
    ```python good
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def statuses():
        return {order.pk: order.status for order in Order.objects.filter(pk__gt=9)}
    ```
    """
    yield ctx.finding(
        fact.location, f"whole rows of {fact.model} are loaded for `{fact.detail}` alone", fixes=fact.fixes
    )
