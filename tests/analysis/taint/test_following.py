"""Data is followed to where it becomes dangerous, and no further."""

from __future__ import annotations

import pytest
from cases import all_projects
from following import expected, places, solved

CASES = all_projects()


@pytest.mark.parametrize("name", CASES)
def test_data_arrives_exactly_where_it_is_marked(name: str) -> None:
    assert places(solved(CASES[name])) == expected(CASES[name])


def test_a_number_that_is_no_integer_stops_nothing() -> None:
    assert solved({"a.py": "LIMIT = int(1e999)\nOTHER = int(-1e999)\n"}) == []


def test_a_method_that_only_one_of_the_things_a_name_may_hold_has_is_called_of_that_one() -> None:
    text = """\
from flask import request
class Basket: pass
def view(flag):
    held = [] if flag else Basket
    held.append(request.args["x"])
    eval(held[0])
"""
    assert places(solved({"app.py": text})) == {("app.py", 6, "code")}
