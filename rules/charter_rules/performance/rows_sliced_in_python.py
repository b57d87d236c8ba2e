"""Finds query sets that are loaded whole and then cut. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import RowsInsteadOfAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    RowsInsteadOfAnswer,
    code="PRF115",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    kinds=("slice",),
    references=("https://docs.djangoproject.com/en/stable/topics/db/queries/#limiting-querysets",),
)
def rows_sliced_in_python(fact: RowsInsteadOfAnswer, ctx: Context) -> Iterator[Finding]:
    """A query set is made into a list, and the list is cut: every row is loaded for a few of them.

    A slice of the query set itself becomes `LIMIT` and `OFFSET`, and only these rows travel.

    ```python bad
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def newest_orders():
        return list(Order.objects.order_by("-pk"))[:10]
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every Order is loaded, and all but `[:10]` are thrown away
    ```
    ```python fixed
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def newest_orders():
        return list(Order.objects.order_by("-pk")[:10])
    ```
    ```python good
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def first_and_last(orders):
        loaded = list(orders)
        return loaded[:1], loaded[-1:]
    ```
    """
    yield ctx.finding(
        fact.location,
        f"every {fact.model} is loaded, and all but `{fact.detail}` are thrown away",
        fixes=fact.fixes,
    )
