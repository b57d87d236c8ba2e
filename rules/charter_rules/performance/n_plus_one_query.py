"""Finds queries that a loop repeats. How rows are followed is `analysis.orm`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.queries import QueryInLoop
from charter_rules.repeated import message, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    QueryInLoop,
    code="PRF100",
    principles=("no-n-plus-one", "set-based-queries"),
    severity=Severity.MEDIUM,
    cwe=(1073,),
    kinds=("read", "query"),
    references=(
        "https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-related",
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html",
    ),
)
def n_plus_one_query(fact: QueryInLoop, ctx: Context) -> Iterator[Finding]:
    """A loop runs one query for each of its rows.

    Reading a relation that was not loaded along runs a query, and in a loop it runs one for every row: one query for
    a hundred orders, then a hundred for their customers. Nothing in the line shows it, and with the ten rows of a
    test nothing is slow. The query that loads the rows can load what the loop reads: then it is one query or two,
    whatever the number of rows.

    The models of the project are known to this rule, and rows are followed from the query through functions,
    properties, serializers, admin pages and templates to where they are read.

    ```python bad title="shop/models.py"
    from django.db import models

    class Customer(models.Model):
        name = models.CharField(max_length=80)

    class Order(models.Model):
        customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    ```
    ```python bad title="shop/exports.py"
    from shop.models import Order

    def customer_names():
        return [order.customer.name for order in Order.objects.all()]
    #           ^^^^^^^^^^^^^^ `order.customer` runs one `SELECT … FROM Customer` for each Order in the loop at line 4
    ```
    ```python fixed title="shop/exports.py"
    from shop.models import Order

    def customer_names():
        return [order.customer.name for order in Order.objects.select_related("customer")]
    ```
    ```python good title="shop/models.py"
    from django.db import models

    class Customer(models.Model):
        name = models.CharField(max_length=80)

    class Order(models.Model):
        customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    ```
    ```python good title="shop/exports.py"
    from shop.models import Order

    def customer_names():
        return [order.customer.name for order in Order.objects.select_related("customer")]
    ```
    """
    yield ctx.finding(fact.location, message(fact), fixes=fact.fixes, related=places(fact, ctx))
