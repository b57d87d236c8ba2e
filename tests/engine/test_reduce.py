"""The solvers of a project between edits: what they are told, and when."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from charter.analysis import Analysis, ProjectInfo, Solution
from charter.engine.extract import Extract
from charter.engine.reduce import Reducer

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLD: list[tuple[str, object]] = []


class Listening:
    """A solver that notes what it is told."""

    def __init__(self, project: ProjectInfo) -> None:
        del project

    def update(self, path: str, extract: object | None) -> None:
        TOLD.append((path, extract))

    def solve(self) -> Solution:
        return Solution({})


@pytest.fixture
def reducer(monkeypatch: pytest.MonkeyPatch) -> Reducer:
    module = ModuleType("listening")
    vars(module)["Solver"] = Listening
    monkeypatch.setitem(sys.modules, "listening", module)
    TOLD.clear()
    info = ProjectInfo("", (3, 11), {}, (), lambda _: None, {}, {})
    return Reducer([Analysis("listening", (), project=True)], info)


def extract(value: int) -> Mapping[str, Extract]:
    return {"listening": Extract(value=value)}


def test_a_new_file_is_told(reducer: Reducer) -> None:
    reducer.update("a.py", extract(1))
    reducer.solve()
    assert TOLD == [("a.py", 1)]


def test_a_change_is_told_once_however_often_the_file_changes(reducer: Reducer) -> None:
    reducer.update("a.py", extract(1))
    reducer.update("a.py", extract(2), extract(1))
    reducer.update("a.py", extract(3), extract(2))
    reducer.solve()
    assert TOLD == [("a.py", 1), ("a.py", 3)]


def test_a_change_that_is_taken_back_costs_the_solvers_nothing(reducer: Reducer) -> None:
    reducer.update("a.py", extract(1))
    reducer.update("a.py", extract(2), extract(1))
    reducer.update("a.py", extract(1), extract(2))
    reducer.solve()
    assert TOLD == [("a.py", 1)]


def test_a_file_that_goes_while_it_is_changed_is_told_as_gone(reducer: Reducer) -> None:
    reducer.update("a.py", extract(1))
    reducer.update("a.py", extract(2), extract(1))
    reducer.update("a.py", {})
    reducer.solve()
    assert TOLD == [("a.py", 1), ("a.py", None)]
