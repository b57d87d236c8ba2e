"""The model graph is drawn as it is declared."""

from __future__ import annotations

import pytest

from charter.analysis.orm.graph import draw
from charter.analysis.orm.schema import Schema
from charter.analysis.orm.world import World

MODELS = """
from django.db import models

class Stamped(models.Model):
    by = models.ForeignKey("shop.Person", null=True, on_delete=models.SET_NULL, related_name="%(class)s_made")
    class Meta:
        abstract = True

class Person(models.Model):
    pass

class Tag(models.Model):
    pass

class Order(Stamped):
    tags = models.ManyToManyField(Tag)

class BigOrder(Order):
    note = models.TextField()
"""


def _schema() -> Schema:
    world = World()
    world.set_files({"shop/__init__.py": "", "shop/models.py": MODELS})
    return Schema(world, ["shop/models.py"])


def test_the_text_names_both_ends_of_every_relation() -> None:
    lines = draw(_schema(), "text").splitlines()
    assert "shop.Order  shop/models.py:15" in lines
    assert "  by -> Person  (foreign key, null, back as `order_made`)" in lines
    assert "  order_made -> Order  (reverse foreign key, back as `by`)" in lines
    assert "  tags -> Tag  (many-to-many, back as `order_set`)" in lines
    assert "shop.BigOrder (Order)  shop/models.py:18" in lines


def test_the_pictures_draw_a_relation_once() -> None:
    mermaid = draw(_schema(), "mermaid")
    assert mermaid.count("}o--o{") == 1
    assert "  Order }o--|| Person : by" in mermaid
    assert draw(_schema(), "graphviz").count("dir=both") == 1


def test_an_unknown_form_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="`png`; use one of text, mermaid, graphviz"):
        draw(_schema(), "png")
