"""Analyses that are solved in processes of their own find what one process finds, whatever becomes of the processes."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from charter.engine import apart
from charter.engine.project import Project
from charter.engine.registry import load
from charter.engine.run import check_project
from charter.engine.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from charter.analysis import Analysis
    from charter.engine.check import FileResult
    from charter.engine.reduce import ProjectFacts

FILES = {
    "shop/__init__.py": "",
    "shop/tools.py": "import shop.views\n\n\ndef run(text):\n    eval(text)\n\n\ndef _forgotten():\n    return 1\n",
    "shop/views.py": (
        "from flask import request\nfrom shop.tools import run\n\n\ndef view():\n    run(request.args['x'], 2)\n"
    ),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(apart, "_FROM", 0)
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Project.of(Settings(root=tmp_path), load(), (), FILES, lambda path: (tmp_path / path).read_bytes())


def test_they_find_the_same_in_the_same_order(project: Project) -> None:
    serial, parallel = check_project(project), check_project(project, jobs=2)
    assert {"code-injection", "dead-code", "import-cycle"} <= {finding.rule for finding in serial.findings}
    assert parallel.findings == serial.findings
    assert parallel.opportunities == serial.opportunities


def test_what_a_dead_process_was_to_solve_is_solved_here(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, alone = os.getpid(), apart._alone  # pyright: ignore[reportPrivateUsage]

    def dying(project: Project, results: Mapping[str, FileResult], analysis: Analysis) -> ProjectFacts:
        if os.getpid() != here and "taint" in analysis.module:
            os.kill(os.getpid(), signal.SIGKILL)
        return alone(project, results, analysis)

    expected = check_project(project).findings
    monkeypatch.setattr(apart, "_alone", dying)
    assert check_project(project, jobs=2).findings == expected


def test_the_solvers_are_there_for_proofs_whoever_solved(project: Project) -> None:
    report = check_project(project, jobs=2)
    reducer = report.reducer()
    assert reducer is not None
    assert {fact.kind for fact in reducer.solve().facts["shop/tools.py"]} >= {"code"}
