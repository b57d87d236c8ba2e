"""What analyses took from files, on its way to solvers."""

from __future__ import annotations

import importlib
import marshal
from typing import TYPE_CHECKING, Any

import pytest

from charter.analysis import ANALYSES
from charter.engine import codec
from charter.engine.check import FileResult
from charter.engine.extract import Extract
from charter.engine.opening import open_project

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "app/models.py": "class Base:\n    def __init__(self, a):\n        self.a = a\n\n\nclass Row(Base):\n    pass\n",
    "app/views.py": (
        "from app.models import Row\n\n\ndef view(request):\n"
        "    rows = [Row(one) for one in request.GET]\n    return eval(rows[0].a)\n"
    ),
    "app/__init__.py": "from app.views import *\n",
}


def test_what_is_kept_and_read_again_says_the_same() -> None:
    known = Extract(value=({"a": 1}, [None]))
    result = codec.loads(codec.dumps(FileResult("a.py", extracts={"some": known})))
    assert result.extracts == {"some": known}
    assert result.extracts["some"].value == ({"a": 1}, [None])
    assert known != Extract(value=({"a": 2}, [None]))


@pytest.mark.parametrize("module", [analysis.module for analysis in ANALYSES if analysis.project])
def test_no_solver_changes_what_others_hold_too(module: str, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    project = open_project([tmp_path], select=("all",)).project
    analysis: Any = importlib.import_module(module)
    solver = analysis.Solver(project.info)
    extracts = {path: project.check_file(path).extracts.get(module) for path in project.paths}
    held = {path: extract for path, extract in extracts.items() if extract is not None}
    for path, extract in held.items():
        solver.update(path, extract.value)
    solver.solve()
    assert all(extract.value == marshal.loads(extract.data) for extract in held.values())
