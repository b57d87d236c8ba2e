"""Finds writes that a loop repeats row by row. How rows are followed is `analysis.orm`'s business."""

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
    code="PRF101",
    principles=("set-based-queries", "no-n-plus-one"),
    severity=Severity.LOW,
    cwe=(1073,),
    kinds=("write",),
    references=("https://docs.djangoproject.com/en/stable/topics/db/optimization/#use-bulk-methods",),
)
def n_plus_one_write(fact: QueryInLoop, ctx: Context) -> Iterator[Finding]:
    """A loop writes its rows one by one.

    Every `save()`, `create()`, `delete()` or `commit()` is a round trip to the database, and often a transaction of
    its own. Written together (`bulk_create`, `bulk_update`, `update()`, `delete()` on the query set, one commit after the
    loop) a thousand rows cost what one does. The bulk methods send no signals and call no `save()` of the model:
    where those matter, the loop may be right.

    ```python bad title="shop/models.py"
    from django.db import models

    class Label(models.Model):
        text = models.CharField(max_length=40)
    ```
    ```python bad title="shop/imports.py"
    from shop.models import Label

    def import_labels(texts):
        for text in texts:
            Label.objects.create(text=text)
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `Label.objects.create(text=text)` runs one `INSERT INTO Label` in each round of the loop at line 4
    ```
    ```python fixed title="shop/imports.py"
    from shop.models import Label

    def import_labels(texts):
        new_labels = []
        for text in texts:
            new_labels.append(Label(text=text))
        Label.objects.bulk_create(new_labels)
    ```
    ```python good title="shop/models.py"
    from django.db import models

    class Label(models.Model):
        text = models.CharField(max_length=40)
    ```
    ```python good title="shop/imports.py"
    from shop.models import Label

    def import_labels(texts):
        Label.objects.bulk_create([Label(text=text) for text in texts])
    ```
    """
    yield ctx.finding(fact.location, message(fact), fixes=fact.fixes, related=places(fact, ctx))
