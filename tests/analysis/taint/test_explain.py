"""How the values of a line were followed is told in words, above all where nothing is found."""

from __future__ import annotations

import pytest
from following import record, solver

from charter.analysis.taint.explain import Explanation

APP = """\
import re
import subprocess
from flask import Flask, request, abort
from odd import shuffle
app = Flask(__name__)

def quoted(x):
    return "'" + re.sub("[^a-z]", "", x) + "'"

@app.route("/a")
def view():
    name = request.args.get("name")
    number = int(request.args["n"])
    mixed = "ls " + shuffle(name)
    subprocess.run(mixed, shell=True)
    subprocess.run(f"ls {number}", shell=True)
    subprocess.run("ls " + quoted(name), shell=True)
    if name not in ("a", "b"):
        abort(400)
    subprocess.run("ls " + name, shell=True)
    other = request.args["z"]
    subprocess.run("ls " + other, shell=True)
    subprocess.run("ls", shell=True)
    found = unknown(other)
    helper(other)

def helper(text):
    eval(text)

def never(text):
    eval(text)
"""


def explained(line: int, text: str = APP) -> list[Explanation]:
    engine = solver()
    engine.update("app.py", record("app.py", text))
    return engine.explain("app.py", line, text)


@pytest.mark.parametrize(
    ("line", "verdict", "step", "words"),
    [
        (15, "lost", 14, "`odd.shuffle` is not known"),
        (16, "safe", 13, "`builtins.int`: nothing untrusted is left"),
        (17, "safe", 17, "`quoted` (app.py:7) is passed untrusted data, and gives back nothing untrusted"),
        (20, "safe", 18, '`name not in ("a", "b")`: after this check `request.args["name"]` is safe'),
        (22, "arrives", 21, "`other` is assigned here: untrusted"),
        (24, "lost", 24, "what is called is not known"),
        (28, "arrives", 27, "`text` is a parameter; passed by `view` (app.py:11): untrusted"),
        (31, "trusted", 30, "no call of `never` is known"),
    ],
)
def test_it_says_what_became_of_a_value_and_where(line: int, verdict: str, step: int, words: str) -> None:
    (found,) = explained(line)
    assert found.verdict == verdict
    assert [one.location.line for one in found.steps if words in one.message] == [step], found.steps


def test_a_constant_needs_no_explanation() -> None:
    (found,) = explained(23)
    assert (found.verdict, found.steps) == ("trusted", ())


def test_a_sink_under_a_condition_that_is_not_met() -> None:
    text = 'import subprocess\nfrom flask import request\ndef view():\n    subprocess.run(["ls", request.args["x"]], shell=False)\n'
    assert {(one.kind, one.verdict) for one in explained(4, text)} >= {("argument", "arrives")}


def test_parts_that_are_added_are_followed_too() -> None:
    text = "from flask import request\ndef view():\n    x = 'a'\n    x += request.args['b']\n    eval(x)\n"
    (found,) = explained(5, text)
    assert found.verdict == "arrives"
    assert {one.location.line for one in found.steps} >= {4}


@pytest.mark.parametrize("line", [1, 9, 99])
def test_a_line_without_values_has_no_explanation(line: int) -> None:
    assert explained(line) == []


def test_flows_that_pass_a_line_are_found_of_every_threat_model() -> None:
    engine = solver()
    engine.update("app.py", record("app.py", "import sys\ndef run(x):\n    eval(x)\nrun(sys.argv[1])\n"))
    assert [flow.threat.value for flow in engine.passing("app.py", 4)] == ["local"]
    assert [flow.location.line for flow in engine.passing("app.py", 3)] == [3]
    assert engine.passing("app.py", 2) == []


def test_a_function_with_more_callers_than_are_told_apart_is_explained_too() -> None:
    calls = "\n".join(f"    show(request.args['a'], 'text {number}')" for number in range(40))
    text = f"from flask import request\ndef view():\n{calls}\ndef show(name, text):\n    return name\n"
    assert {one.verdict for one in explained(42, text)} == {"untrusted"}
