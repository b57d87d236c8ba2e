"""Finds commands and tasks that keep a whole table in memory while they go through it. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import RowsInsteadOfAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    RowsInsteadOfAnswer,
    code="PRF116",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    kinds=("table",),
    default=False,
    references=("https://docs.djangoproject.com/en/stable/ref/models/querysets/#iterator",),
)
def whole_table_in_memory(fact: RowsInsteadOfAnswer, ctx: Context) -> Iterator[Finding]:
    """A command or task goes through a whole table once, and all of its rows stay in memory until the end.

    A query set keeps what it has loaded for the next loop over it. Where there is none, `.iterator()` reads the rows in
    chunks and lets each go. A table that is known to stay small does not need it, which no program can see: the rule is
    off unless it is asked for.

    ```python bad title="shop/models.py"
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)
    ```
    ```python bad title="shop/management/commands/export.py"
    from django.core.management.base import BaseCommand
    from shop.models import Order

    class Command(BaseCommand):
        def handle(self, *args, **options):
            for order in Order.objects.all():
    #                    ^^^^^^^^^^^^^^^^^^^ all rows of Order stay in memory while this loop reads each of them once
                self.stdout.write(order.status)
    ```
    ```python fixed title="shop/management/commands/export.py"
    from django.core.management.base import BaseCommand
    from shop.models import Order

    class Command(BaseCommand):
        def handle(self, *args, **options):
            for order in Order.objects.all().iterator():
                self.stdout.write(order.status)
    ```
    ```python good title="shop/models.py"
    from django.db import models

    class Order(models.Model):
        status = models.CharField(max_length=8)
    ```
    ```python good title="shop/management/commands/export.py"
    from django.core.management.base import BaseCommand
    from shop.models import Order

    class Command(BaseCommand):
        def handle(self, *args, **options):
            for order in Order.objects.filter(status="new"):
                self.stdout.write(order.status)
    ```
    """
    yield ctx.finding(
        fact.location,
        f"all rows of {fact.model} stay in memory while this loop reads each of them once",
        fixes=fact.fixes,
    )
