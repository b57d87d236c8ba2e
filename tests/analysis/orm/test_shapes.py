"""Whole small programs in many shapes: each line marked `N+1` is found, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from charter.analysis import ProjectInfo
from charter.analysis.orm.solver import Solver, extract
from charter.api.facts.queries import QueryInLoop
from charter.model.names import Names
from charter.syntax.source import Source

PROGRAMS = sorted((Path(__file__).parent / "shapes").glob("*.md"))
_BLOCK = re.compile(r'^```[\w+]+ title="(.+?)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def _files(program: Path) -> dict[str, str]:
    return {match[1]: match[2] for match in _BLOCK.finditer(program.read_text(encoding="utf-8"))}


def _solver(files: dict[str, str]) -> Solver:
    templates = {path: text for path, text in files.items() if not path.endswith(".py")}
    info = ProjectInfo(
        root="/program",
        python=(3, 11),
        modules={},
        files=tuple(templates),
        read=templates.get,
        settings={},
        data={},
    )
    solver = Solver(info)
    for path in files.keys() - templates.keys():
        source = Source(path, files[path], "")
        solver.update(path, extract(source, Names(source)))
    return solver


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_each_marked_line_repeats_a_query_and_no_other(program: Path) -> None:
    files = _files(program)
    marked = {
        (path, number)
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if "# N+1" in line
    }
    assert marked
    facts = [fact for values in _solver(files).solve().facts.values() for fact in values]
    found = {(f.location.path, f.location.line) for f in facts if isinstance(f, QueryInLoop)}
    assert found == marked


def test_a_mappers_own_code_is_not_searched_for_repeated_queries() -> None:
    text = "def load_all(session, keys):\n    return [session.execute(key) for key in keys]\n"
    own = Source("sqlalchemy/orm/loading.py", text, "sqlalchemy.orm.loading")
    other = Source("shop/loading.py", text, "shop.loading")
    assert extract(own, Names(own)) is None
    assert extract(other, Names(other)) is not None
