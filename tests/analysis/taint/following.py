"""Runs the taint analysis on small projects and reads what is expected from `# !kind` comments."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from charter.analysis import ProjectInfo
from charter.analysis.taint import Solver, extract
from charter.api.facts.taint import TaintFlow
from charter.model.library import load
from charter.model.names import Names
from charter.syntax.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

Found = set[tuple[str, int, str]]
"""Path, line and kind of each flow."""


@cache
def models() -> dict[str, str]:
    """The texts of the models that Charter ships."""
    folder = files("charter_rules") / "models"
    return {
        file.name: file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }


def solver(settings: Mapping[str, object] | None = None, own: str = "") -> Solver:
    """A solver without files; `own` is TOML as in a project's own model file."""
    return Solver(
        ProjectInfo(
            root="/project",
            python=(3, 11),
            modules={},
            files=(),
            read=lambda _path: None,
            settings=settings or {},
            data=models(),
            libraries=(load(own, "own.toml"),) if own else (),
        )
    )


def record(path: str, text: str) -> object:
    """The extract of one file."""
    source = Source(path, text)
    return extract(source, Names(source))


def solved(
    project: Mapping[str, str], settings: Mapping[str, object] | None = None, own: str = ""
) -> list[TaintFlow]:
    """The flows in a project."""
    engine = solver(settings, own)
    for path, text in project.items():
        engine.update(path, record(path, text))
    return flows(engine)


def flows(engine: Solver) -> list[TaintFlow]:
    """The flows that a solver finds now."""
    solution = engine.solve()
    for _, error in solution.failures:
        raise error
    return [fact for facts in solution.facts.values() for fact in facts if isinstance(fact, TaintFlow)]


def places(found: list[TaintFlow]) -> Found:
    """Where the flows end."""
    return {
        (place.path, place.line, fact.kind)
        for fact in found
        for place in (fact.location, *(use.location for use in fact.also))
    }


def expected(project: Mapping[str, str]) -> Found:
    """What the comments of a project demand."""
    return {
        (path, number, kind)
        for path, text in project.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (mark := re.search(r"# !([\w! -]+)$", line))
        for kind in mark[1].split(" !")
    }
