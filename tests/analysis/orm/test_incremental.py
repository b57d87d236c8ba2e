"""A solver that is kept between edits finds what a new one finds, and quickly."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from charter.analysis import ProjectInfo
from charter.analysis.orm.solver import Solver, extract
from charter.api.facts.queries import QueryInLoop
from charter.model.names import Names
from charter.syntax.source import Source

MODELS = """
from django.db import models

class Customer(models.Model):
    name = models.CharField(max_length=10)

class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
"""
QUERIES = """
from shop.models import Order

def orders():
    return Order.objects.order_by("pk")
"""
VIEWS = """
from django.shortcuts import render
from shop.queries import orders

def names(request):
    return render(request, "shop/names.html", {"orders": orders()})
"""
TEMPLATE = "{% for order in orders %}{{ order.customer.name }}{% endfor %}"
FILES = {"shop/__init__.py": "", "shop/models.py": MODELS, "shop/queries.py": QUERIES, "shop/views.py": VIEWS}


def _solver(templates: Mapping[str, str]) -> Solver:
    info = ProjectInfo(
        root="/shop",
        python=(3, 11),
        modules={},
        files=tuple(templates),
        read=templates.get,
        settings={},
        data={},
    )
    return Solver(info)


def _put(solver: Solver, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        source = Source(path, text, "")
        solver.update(path, extract(source, Names(source)))


def _found(solver: Solver) -> list[tuple[str, int, str]]:
    facts = [fact for values in solver.solve().facts.values() for fact in values]
    assert all(isinstance(fact, QueryInLoop) for fact in facts)
    return sorted((f.location.path, f.location.line, f.method) for f in facts if isinstance(f, QueryInLoop))


def _looked_at(solver: Solver) -> dict[str, dict[str, int]]:
    return {
        path: {kind: n for (_, kind), n in counts.items()}
        for path, counts in solver.solve().opportunities.items()
    }


LAZY = [("shop/templates/shop/names.html", 1, "customer")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("shop/queries.py", QUERIES.replace('order_by("pk")', 'select_related("customer")')),
        ("shop/views.py", VIEWS.replace("orders()}", "[]}")),
        (
            "shop/models.py",
            MODELS.replace(
                'ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")', "JSONField()"
            ),
        ),
    ],
)
def test_an_edit_in_any_file_on_the_way_takes_the_finding_away_and_undoing_it_brings_it_back(
    path: str, text: str
) -> None:
    solver = _solver({"shop/templates/shop/names.html": TEMPLATE})
    _put(solver, FILES)
    assert _found(solver) == LAZY
    _put(solver, {path: text})
    assert _found(solver) == []
    _put(solver, {path: FILES[path]})
    assert _found(solver) == LAZY


def test_a_changed_template_is_read_again() -> None:
    templates = {"shop/templates/shop/names.html": TEMPLATE}
    solver = _solver(templates)
    _put(solver, FILES)
    assert _found(solver) == LAZY
    templates["shop/templates/shop/names.html"] = "{% for order in orders %}{{ order.pk }}{% endfor %}"
    assert _found(solver) == []


def test_a_file_taken_out_and_one_put_in_are_seen() -> None:
    solver = _solver({"shop/templates/shop/names.html": TEMPLATE})
    _put(solver, FILES)
    solver.update("shop/views.py", None)
    assert _found(solver) == []
    _put(
        solver,
        {
            "shop/exports.py": "from shop.queries import orders\n\ndef f():\n    return [o.customer.name for o in orders()]\n"
        },
    )
    assert _found(solver) == [("shop/exports.py", 4, "customer")]


def test_reads_in_loops_are_counted_whether_or_not_they_run_a_query() -> None:
    solver = _solver({"shop/templates/shop/names.html": TEMPLATE})
    _put(solver, FILES)
    assert _looked_at(solver) == {"shop/views.py": {"read": 1}}
    _put(solver, {"shop/queries.py": QUERIES.replace('order_by("pk")', 'select_related("customer")')})
    assert _found(solver) == []
    assert _looked_at(solver) == {"shop/views.py": {"read": 1}}


def test_what_comes_to_reach_a_query_through_another_file_is_looked_at_anew() -> None:
    solver = _solver({})
    away = {
        "shop/away.py": "def rows():\n    return []\n",
        "shop/middle.py": "from shop.away import rows\n\ndef kept():\n    return rows()\n",
        "shop/end.py": "from shop.middle import kept\n\ndef f():\n    return [o.customer.name for o in kept()]\n",
    }
    _put(solver, {**FILES, **away})
    assert _found(solver) == []
    _put(
        solver,
        {"shop/away.py": "from shop.models import Order\n\ndef rows():\n    return Order.objects.all()\n"},
    )
    assert _found(solver) == [("shop/end.py", 4, "customer")]
    _put(solver, {"shop/away.py": away["shop/away.py"]})
    assert _found(solver) == []


def test_a_project_without_a_mapper_costs_nothing() -> None:
    solver = _solver({})
    _put(solver, {"app.py": "def f(rows):\n    return [row.customer.name for row in rows]\n"})
    assert dict(solver.solve().facts) == {}


@pytest.mark.parametrize(
    "text", ["class (", "def f(:\n", "\0", "from shop.models import *\nx = y = x\n", "class A(A): pass\n"]
)
def test_what_does_not_parse_or_turns_in_a_circle_leaves_the_rest_alone(text: str) -> None:
    solver = _solver({"shop/templates/shop/names.html": TEMPLATE})
    _put(solver, FILES)
    _put(solver, {"shop/broken.py": text})
    assert _found(solver) == LAZY


def test_a_project_may_be_edited_before_it_imports_a_mapper() -> None:
    solver = _solver({"shop/templates/shop/names.html": TEMPLATE})
    plain = "def f(a):\n    return a\n"
    _put(solver, {"shop/views.py": plain})
    assert _found(solver) == []
    _put(solver, {"shop/views.py": f"\n{plain}"})
    assert _found(solver) == []
    _put(solver, FILES)
    assert _found(solver) == LAZY


def test_a_manager_is_offered_no_settings_of_an_admin() -> None:
    solver = _solver({})
    manager = (
        "from django.db import models\n\n\nclass Owners(models.Manager):\n    def names(self):\n"
        "        return [pet.owner.name for pet in self.filter(alive=True)]\n\n\n"
        "class Owner(models.Model):\n    name = models.TextField()\n\n\n"
        "class Pet(models.Model):\n    owner = models.ForeignKey(Owner, on_delete=models.CASCADE)\n"
        "    alive = models.BooleanField()\n    objects = Owners()\n"
    )
    _put(solver, {"shop/models.py": manager})
    assert [place[1] for place in _found(solver)] == [6]
    assert "list_select_related" not in repr(solver.solve().facts)


def test_what_several_loops_bring_to_one_place_is_one_finding_that_mends_them_all() -> None:
    loop = "from shop.models import Order\nfrom shop.words import name\n\ndef f():\n    return [name(o) for o in Order.objects.filter(pk__gt=%s)]\n"
    solver = _solver({})
    said = {"shop/words.py": "def name(order):\n    return order.customer.name\n"}
    _put(solver, {**FILES, **said, "shop/one.py": loop % 1, "shop/two.py": loop % 2})
    (fact,) = (fact for values in solver.solve().facts.values() for fact in values)
    assert isinstance(fact, QueryInLoop)
    assert (fact.location.path, fact.location.line) == ("shop/words.py", 2)
    loops = [each.loop.path for each in (fact, *fact.also) if each.loop]
    assert loops == ["shop/one.py", "shop/two.py"]
    assert {edit.path for edit in fact.fixes[0].edits} == set(loops)
