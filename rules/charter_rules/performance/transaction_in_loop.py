"""Finds loops that open a transaction for each row. How query sets are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import QueryInLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    QueryInLoop,
    code="PRF117",
    principles=("set-based-queries",),
    severity=Severity.LOW,
    kinds=("transaction",),
    default=False,
    references=(
        "https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic",
    ),
)
def transaction_in_loop(fact: QueryInLoop, ctx: Context) -> Iterator[Finding]:
    """A loop opens a transaction in each round.

    Each one waits until the database has written its log to the disk; inside another transaction each is a savepoint,
    two more queries a row. One transaction around the loop costs one commit. Where a round may fail and the ones before
    it should stay, a transaction for each is right: the rule says nothing where something is caught, locked or hung on
    the commit, and is off unless it is asked for, because not every such reason shows in the code.

    ```python bad
    from django.db import models, transaction

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def close_all():
        for order in Order.objects.filter(status="open"):
            with transaction.atomic():
    #            ^^^^^^^^^^^^^^^^^^^^ `transaction.atomic()` opens a transaction in each round of the loop at line 7
                order.status = "closed"
                order.save()
    ```
    ```python good
    from django.db import models, transaction

    class Order(models.Model):
        status = models.CharField(max_length=8)

    def close_all():
        with transaction.atomic():
            for order in Order.objects.filter(status="open"):
                order.status = "closed"
                order.save()
    ```
    """
    loop = fact.loop
    assert loop is not None
    yield ctx.finding(
        fact.location,
        f"`{fact.subject}` opens a transaction in each round of the loop at line {loop.line}",
        related=(ctx.related(loop, "for each round of this loop"),),
    )
