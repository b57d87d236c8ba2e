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
