"""Finds columns that a project looks rows up by and that have no index. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import UnindexedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    UnindexedColumn,
    code="PRF118",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    default=False,
    references=("https://docs.djangoproject.com/en/stable/ref/models/fields/#db-index",),
)
def missing_index(fact: UnindexedColumn, ctx: Context) -> Iterator[Finding]:
    """Rows are looked up by a column at several places, and the column has no index.

    Without one the database reads the whole table each time. A small table does not mind, an index costs something with
    every write, and no program sees the sizes: the rule is off unless it is asked for, and names the places that would
    gain, so that somebody who knows the data can judge. Columns of few values (flags, choices) are left out.

    ```python bad
    from django.db import models

    class Parcel(models.Model):
        number = models.CharField(max_length=20)
    #            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `Parcel.number` has no index; rows are looked up by it at 4 places

    def find(number):
        return Parcel.objects.get(number=number)

    def known(numbers):
        return Parcel.objects.filter(number__in=numbers)

    def after(number):
        return Parcel.objects.filter(number__gt=number)

    def listed():
        return Parcel.objects.order_by("number")
    ```
    ```python fixed
    from django.db import models

    class Parcel(models.Model):
        number = models.CharField(max_length=20, db_index=True)

    def find(number):
        return Parcel.objects.get(number=number)

    def known(numbers):
        return Parcel.objects.filter(number__in=numbers)

    def after(number):
        return Parcel.objects.filter(number__gt=number)

    def listed():
        return Parcel.objects.order_by("number")
    ```
    ```python good
    from django.db import models

    class Parcel(models.Model):
        number = models.CharField(max_length=20, unique=True)

    def find(number):
        return Parcel.objects.get(number=number)

    def known(numbers):
        return Parcel.objects.filter(number__in=numbers)

    def after(number):
        return Parcel.objects.filter(number__gt=number)

    def listed():
        return Parcel.objects.order_by("number")
    ```
    """
    yield ctx.finding(
        fact.location,
        f"`{fact.model}.{fact.column}` has no index; rows are looked up by it at {len(fact.uses)} places",
        fixes=fact.fixes,
        related=tuple(ctx.related(place, "rows are looked up by it here") for place in fact.uses),
    )
