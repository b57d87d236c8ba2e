from __future__ import annotations

import ast
import json

import pytest

from charter.syntax.notebook import source_of_notebook


def notebook(*cells: str, language: str = "python") -> bytes:
    made = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    made.insert(1, {"cell_type": "markdown", "source": ["x = = not python\n"]})
    return json.dumps(
        {"cells": made, "metadata": {"language_info": {"name": language}}, "nbformat": 4}
    ).encode()


def test_cells_are_one_program_and_every_place_knows_its_cell() -> None:
    source = source_of_notebook("a.ipynb", notebook("import yaml\nx = 1", "%matplotlib inline\nyaml.load(x)"))
    assert source.problems == ()
    call = source.nodes(ast.Call)[0]
    assert source.segment(call) == "yaml.load(x)"
    assert source.cell(source.location(call).line) == (3, 2)


@pytest.mark.parametrize(
    "line", ["%time f()", "!ls -l", "x = !ls", "os.path?", "%%bash\nfor i in *; do echo; done"]
)
def test_magics_keep_their_length_and_do_no_harm(line: str) -> None:
    source = source_of_notebook("a.ipynb", notebook(line + "\n", "y = 2\n"))
    assert source.problems == ()
    assert len(source.text) == len(line) + 1 + len("y = 2\n")


def test_other_languages_have_no_code_here() -> None:
    assert source_of_notebook("a.ipynb", notebook("x <- 1", language="R")).text == ""


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"worksheets": []}', b"\xff\xfe"])
def test_what_is_no_notebook_is_refused_with_the_reason(data: bytes) -> None:
    with pytest.raises(ValueError, match="notebook"):
        source_of_notebook("a.ipynb", data)
