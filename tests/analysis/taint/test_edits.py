"""A solver that is kept between edits finds what a new one would find."""

from __future__ import annotations

import random
import re

import pytest
from cases import all_projects, project
from following import flows, places, record, solved, solver

WEB = "from flask import Flask, request\nfrom store import find\napp = Flask(__name__)\n\n"
VIEW = '@app.get("/")\ndef view():\n    find(request.args["x"])\n    return {}\n'
STORE = "import sqlite3\ndb = sqlite3.connect('x')\ndef find(name):\n    return db.execute('SELECT * FROM t WHERE n = ' + name)\n"
FIXED = "import sqlite3\ndb = sqlite3.connect('x')\ndef find(name):\n    return db.execute('SELECT * FROM t WHERE n = ?', (name,))\n"


def test_a_helper_that_is_mended_takes_its_callers_flows_away_and_back() -> None:
    engine = solver()
    for path, text in {"web.py": WEB + VIEW, "store.py": STORE}.items():
        engine.update(path, record(path, text))
    assert places(flows(engine)) == {("store.py", 4, "sql")}
    engine.update("store.py", record("store.py", FIXED))
    assert flows(engine) == []
    engine.update("store.py", record("store.py", STORE))
    assert places(flows(engine)) == {("store.py", 4, "sql")}


def test_flows_move_with_the_lines_they_stand_on() -> None:
    engine = solver()
    for path, text in {"web.py": WEB + VIEW, "store.py": STORE}.items():
        engine.update(path, record(path, text))
    engine.solve()
    engine.update("store.py", record("store.py", "# one line more\n" + STORE))
    assert places(flows(engine)) == {("store.py", 5, "sql")}
    engine.update("web.py", record("web.py", "# two\n# more\n" + WEB + VIEW))
    assert [step.location.line for step in flows(engine)[0].steps if step.location.path == "web.py"] == [9, 9]


def test_a_file_that_comes_late_or_goes_changes_what_is_found() -> None:
    engine = solver()
    engine.update("web.py", record("web.py", WEB + VIEW))
    assert flows(engine) == []
    engine.update("store.py", record("store.py", STORE))
    assert places(flows(engine)) == {("store.py", 4, "sql")}
    engine.update("web.py", None)
    assert flows(engine) == []


def _edited(text: str, chance: random.Random) -> str:
    """The text with an import, a function, a method or a line more, or without one of its lines or definitions."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    end = at + 1
    indentation = " " * (len(lines[at]) - len(lines[at].lstrip()) + 1)
    while end < len(lines) and lines[end].startswith((indentation, ")")):
        end += 1
    called = re.findall(r"\.(\w+)\(", text) or ["brand_new"]
    method = f"    def {chance.choice(called)}(self, *args):\n        return args[-1] if args else self\n"
    return chance.choice(
        [
            re.sub(r"^class .*:\n", lambda head: head[0] + method, text, count=1, flags=re.MULTILINE),
            "import json\n" + text,
            "def brand_new(x):\n    return (lambda y: y)(x)\n" + text,
            "\n# moved\n" + text,
            "\n".join(lines[:at] + lines[at + 1 :]),
            "\n".join(lines[:at] + lines[end:]),
        ]
    )


@pytest.mark.parametrize("seed", range(12))
def test_any_sequence_of_edits_ends_where_a_new_solver_ends(seed: int) -> None:
    chance = random.Random(seed)
    projects = list(all_projects().values())
    several = [files for files in projects if len(files) > 1]
    engine, files = solver(), dict[str, str]()
    for _ in range(8):
        if not files or chance.random() < 0.4:
            new = dict(chance.choice(several if chance.random() < 0.6 else projects))
            for path in [path for path in files if path not in new and chance.random() < 0.5]:
                del files[path]
                engine.update(path, None)
        else:
            path = chance.choice(sorted(files))
            new = {path: _edited(files[path], chance)}
        try:
            changed = {path: record(path, text) for path, text in new.items()}
        except SyntaxError:
            continue
        files |= new
        for path, one in changed.items():
            engine.update(path, one)
        assert places(flows(engine)) == places(solved(files))


def test_local_input_counts_only_where_the_settings_say_so() -> None:
    text = "import sys\neval(sys.argv[1])\n"
    assert solved({"app.py": text}) == []
    assert places(solved({"app.py": text}, {"threats": ("remote", "local")})) == {("app.py", 2, "code")}


def test_stored_rows_count_only_where_the_settings_say_so_and_not_where_they_are_ordinary() -> None:
    text = (
        "import logging\nimport sqlite3\ndb = sqlite3.connect('x').cursor()\n"
        "row = db.fetchone()\nlogging.info(row[0])\neval(row[0])\n"
    )
    assert solved({"app.py": text}) == []
    assert places(solved({"app.py": text}, {"threats": ("stored",)})) == {("app.py", 6, "code")}


def test_an_attackers_source_is_shown_before_a_stored_one() -> None:
    text = (
        "import sqlite3\nfrom flask import request\ndef view():\n    x = sqlite3.connect('x').cursor().fetchone()[0]\n"
        "    if request.args.get('y'):\n        x = request.args['x']\n    eval(x)\n"
    )
    (flow,) = solved({"app.py": text}, {"threats": ("remote", "stored")})
    assert (flow.threat.value, flow.others) == ("remote", 1)


def test_one_fact_a_sink_and_kind_counts_the_other_sources() -> None:
    body = 'x = request.args["x"] + request.args["y"]\neval(x)'
    (flow,) = solved(project(body))
    assert flow.others == 1
    assert flow.steps[0].message == '`request.args["x"]` comes in here'
    assert flow.steps[-1].message == "is run as code by `builtins.eval`"


def test_a_handlers_parameter_is_shown_where_it_stands() -> None:
    text = "from flask import Flask\napp = Flask(__name__)\n\nclass Views:\n    @app.get('/<name>')\n    def view(\n        self,\n        name,\n    ):\n        eval(name)\n"
    (flow,) = solved({"app.py": text})
    assert flow.steps[0].location.line == 8
