"""What is known of a document after any edits is what a fresh check of its text would find."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import charter
from charter.api import Location, Span, Step
from charter.api.facts.names import ImportedConstant
from charter.api.facts.queries import QueryInLoop
from charter.api.facts.taint import TaintFlow
from charter.lsp.homes import Homes
from charter.lsp.sheets import Sheet

if TYPE_CHECKING:
    from charter.lsp.homes import Home

ROOT = Path(charter.__file__).parent
FILES = [
    file.relative_to(ROOT).as_posix()
    for file in sorted(ROOT.rglob("*.py"))
    if 2_000 < file.stat().st_size < 5_000
]
PIECES = [
    "x = 1\n", "import os\n", "def f(a, b=[]):\n    return a == None\n", "\n", "    ", "(", '"""', "if x:\n    pass\n",
    "    return eval(a)\n", "# charter: ignore[mutable-default]\n", "except:\n", "é😀", "", "x", "from os import *\n",
]  # fmt: skip
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([0, 0, 3, 30]), st.sampled_from(PIECES), st.booleans()),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    return Homes(lambda _file: None).of(str(folder / "a.py"))


def sheet_of(home: Home, text: str) -> Sheet:
    sheet = Sheet("file:///a.py", str(home.root / "a.py"), "python", 1, text, home)
    sheet.check_touched(lambda: None)
    return sheet


def seen(sheet: Sheet) -> set[tuple[Any, ...]]:
    """The findings without the numbers by which they are asked about."""
    return {(start, end, *row[1:]) for start, end, row in sheet.rows()}


@settings(max_examples=20)
@given(st.sampled_from(FILES), EDITS)
def test_incremental_equals_fresh(home: Home, file: str, script: list[tuple[float, int, str, bool]]) -> None:
    sheet = sheet_of(home, (ROOT / file).read_text("utf-8"))
    for version, (place, length, new, at_line) in enumerate(script, 2):
        start = int(place * len(sheet.text))
        if at_line:
            start = sheet.text.rfind("\n", 0, start) + 1
        sheet.edit(version, ((start, min(start + length, len(sheet.text)), new),))
        sheet.check_touched(lambda: None)
        sheet.check_whole(lambda: None)
        assert sheet.take_failures() == []
        if not sheet.document.broken:
            assert seen(sheet) == seen(sheet_of(home, sheet.text))


def test_a_finding_keeps_its_name_through_edits(home: Home) -> None:
    sheet = sheet_of(home, "def f(a):\n    return a == None\n")
    before = {row[1]: row[0] for _, _, row in sheet.rows()}
    sheet.edit(2, ((0, 0, "x = 1\n"),))
    sheet.check_touched(lambda: None)
    sheet.check_whole(lambda: None)
    after = {row[1]: row[0] for _, _, row in sheet.rows()}
    assert after["singleton-comparison"] == before["singleton-comparison"]


def test_what_was_found_stays_while_its_statement_is_half_typed(home: Home) -> None:
    text = "import os\n\n\ndef f(a, b=[]):\n    b.append(os.sep)\n    return a == None\n\n\ndef g(a):\n    return a == None\n"
    sheet = sheet_of(home, text)
    before = [row[1] for _, _, row in sheet.rows()]
    assert before.count("singleton-comparison") == 2
    at = text.index("os.sep)") + len("os.sep")
    sheet.edit(2, ((at, at + 1, ""),))
    sheet.check_touched(lambda: None)
    sheet.check_whole(lambda: None)
    assert sheet.document.broken
    assert [row[1] for _, _, row in sheet.rows()] == ["syntax-error", *before]
    keys = {start: row[0] for start, _, row in sheet.rows() if row[1] == "singleton-comparison"}
    assert [sheet.held(keys[start]) is None for start in sorted(keys)] == [True, False]
    # Other settings make other findings, also of what does not parse.
    (home.root / "sub").mkdir()
    (home.root / "sub" / "charter.toml").write_text('ignore = ["singleton-comparison"]\n')
    sheet.move_to(Homes(lambda _file: None).of(str(home.root / "sub" / "a.py")))
    sheet.check_touched(lambda: None)
    assert "singleton-comparison" not in {row[1] for _, _, row in sheet.rows()}


def test_what_was_not_touched_is_not_looked_for_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def f(a):\n    return a == None\n\n\ndef g(a):\n    return a == None\n"
    sheet = sheet_of(home, text)
    asked: list[int] = []

    def check(source: Any, plan: Any, nodes: Any, **_: Any) -> Any:
        asked.extend(node.lineno for found in nodes.values() for node in found if hasattr(node, "lineno"))
        return original(source, plan, nodes)

    from charter.engine.check import check_nodes as original

    monkeypatch.setattr("charter.lsp.sheets.check_nodes", check)
    sheet.edit(2, ((text.index("def g") + 4, text.index("def g") + 5, "h"),))
    sheet.check_touched(lambda: None)
    assert asked
    assert min(asked) == 5
    assert len([row for row in sheet.rows() if row[2][1] == "singleton-comparison"]) == 2


def test_a_constant_of_another_file_counts_while_its_user_is_edited(home: Home) -> None:
    text = "import requests\nfrom shop import OFF\n\ndef f(u):\n    return requests.get(u, timeout=1, verify=OFF)\n"
    sheet = sheet_of(home, text)

    def found() -> int:
        return len([row for row in sheet.rows() if row[2][1] == "unverified-request"])

    assert not found()
    sheet.check_whole(lambda: None)
    taken = sheet.take_extracts()
    assert taken is not None
    fact = ImportedConstant(Location("a.py", Span(0, 0), 1, 0, 1, 0), "shop.OFF", literal="False")
    assert sheet.take_facts(taken[0], pickle.dumps(([fact], {})))
    assert found() == 1
    sheet.edit(2, ((text.index("timeout=1") + 8, text.index("timeout=1") + 9, "2"),))
    sheet.check_touched(lambda: None)
    assert found() == 1


def test_a_finding_in_a_template_is_shown_at_the_code_that_renders_it(home: Home) -> None:
    text = "from django.shortcuts import render\n\ndef f(r, rows):\n    return render(r, 'a.html', {'rows': rows})\n"
    sheet = sheet_of(home, text)
    sheet.check_whole(lambda: None)
    taken = sheet.take_extracts()
    assert taken is not None
    call = Span(text.index("render(r"), text.index(")\n", text.index("render(r")) + 1)
    fact = QueryInLoop(
        Location("templates/a.html", Span(900, 910), 33, 0, 33, 10),
        "read",
        "{{ row.owner }}",
        "Owner",
        "owner",
        Location("templates/a.html", Span(800, 810), 30, 0, 30, 10),
        "Row",
        rendered=Location("a.py", call, 4, 11, 4, 46),
    )
    assert sheet.take_facts(taken[0], pickle.dumps(([fact], {})))
    shown = [(start, end, row[3]) for start, end, row in sheet.rows() if row[1] == "n-plus-one-query"]
    assert [(start, end) for start, end, _ in shown] == [call]
    assert shown[0][2].startswith("templates/a.html:33: `{{ row.owner }}`")


def test_a_flow_that_was_followed_stands_for_what_its_pattern_alone_says(home: Home) -> None:
    text = "import os\n\ndef run(request):\n    os.system('ls ' + request)\n"
    sheet = sheet_of(home, text)
    sheet.check_whole(lambda: None)
    assert {row[1] for _, _, row in sheet.rows()} == {"shell-with-built-text"}
    taken = sheet.take_extracts()
    assert taken is not None
    at = Location("a.py", Span(text.index("'ls"), text.index(")\n", text.index("'ls"))), 4, 14, 4, 29)
    flow = TaintFlow(at, "command", "os.system", source="`request`", steps=(Step(at, "here"),))
    assert sheet.take_facts(taken[0], pickle.dumps(([flow], {})))
    assert {row[1] for _, _, row in sheet.rows()} == {"command-injection"}


def test_generated_data_is_left_alone(home: Home) -> None:
    sheet = sheet_of(home, "x = [\n" + "    1,\n" * 400_000 + "]\n")
    assert sheet.complete
    assert sheet.rows() == []


def test_a_key_costs_less_than_parsing_the_file(home: Home) -> None:
    body = '    if a == None:\n        raise ValueError(f"no {a}")\n    return [b for b in a if b]\n\n\n'
    text = "".join(f"def f{number}(a):\n{body}" for number in range(400)) + "x = 1  # charter: ignore[dead]\n"
    sheet = sheet_of(home, text)
    at = text.index("def f200")
    keys: list[float] = []
    for version, key in enumerate("zq = [None == x, eval(x)]\n" * 2, 2):
        started = process_time()
        sheet.edit(version, ((at, at, key),))
        sheet.check_touched(lambda: None)
        keys.append(process_time() - started)
        at += 1
    parses: list[float] = []
    for _ in range(5):
        started = process_time()
        ast.parse(text)
        parses.append(process_time() - started)
    assert median(keys) < median(parses)
