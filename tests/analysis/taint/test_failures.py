"""What becomes of the other flows when a part of the analysis fails."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from following import record, solver

from charter.analysis.taint.run import Run

if TYPE_CHECKING:
    from charter.analysis.taint.context import Entry
    from charter.analysis.taint.frame import Summary
    from charter.analysis.taint.values import Value

APP = """\
from flask import Flask, request

app = Flask(__name__)

def fragile(text):
    return text

@app.get("/a")
def broken():
    return "<b>" + fragile(request.args["x"])

@app.get("/b")
def sound():
    return "<b>" + request.args["x"]
"""

KEPT = """\
from flask import Flask, request

app = Flask(__name__)

class Raw:
    def __init__(self, default=None):
        self.default = default

    def made(self):
        return self.default()

def applied(data, mask):
    if isinstance(data, list):
        return [applied(one, mask) for one in data]
    elif type(data) == Raw:
        return Raw(default=data.default)
    out = {}
    for field in mask:
        out[field] = data.get(field, None)
    return out

def marshal(data, fields, mask=None):
    fields = applied(fields, mask)
    for key, field in fields.items():
        marshal(data, field, mask) if isinstance(field, dict) else field.made()

@app.get("/")
def shown():
    mask = request.headers["mask"].split()
    marshal({}, known, mask)
    eval(mask[0])
"""


def _fail_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = Run.execute

    def failing(self: Run, entry: Entry) -> Summary:
        if self.function.name.endswith(name):
            raise LookupError("on purpose")
        return execute(self, entry)

    monkeypatch.setattr(Run, "execute", failing)


def test_a_function_on_which_the_analysis_fails_is_named_and_costs_no_other_flow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _fail_on("fragile", monkeypatch)
    engine = solver()
    engine.update("app.py", record("app.py", APP))
    solution = engine.solve()
    assert [fact.location.line for fact in solution.facts["app.py"]] == [14]
    assert [(path, str(error)) for path, error in solution.failures] == [("app.py", "on purpose")]


def test_a_method_that_is_kept_under_its_own_name_is_not_looked_up_without_end() -> None:
    engine = solver()
    engine.update("app.py", record("app.py", KEPT))
    solution = engine.solve()
    assert [fact.location.line for fact in solution.facts["app.py"]] == [31]
    assert solution.failures == ()


@pytest.mark.parametrize(
    "long",
    ["b'a' * 10 ** 8", "10 ** 8 * b'a'", "'a'.zfill(10 ** 8)", "b'a'.center(10 ** 8)"],
)
def test_a_constant_that_would_fill_the_memory_is_not_computed(long: str) -> None:
    engine = solver()
    tracemalloc.start()
    try:
        engine.update("app.py", record("app.py", APP.replace("text\n", f"text + str({long})\n")))
        solution = engine.solve()
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert [fact.location.line for fact in solution.facts["app.py"]] == [10, 14]


@pytest.mark.parametrize("edit", [("fragile", "mended"), ("    return text", "    return text.lower()")])
def test_a_function_that_was_edited_is_analysed_and_named_no_more(
    edit: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = solver()
    with monkeypatch.context() as patch:
        _fail_on("fragile", patch)
        engine.update("app.py", record("app.py", APP))
        assert engine.solve().failures
    engine.update("app.py", record("app.py", APP.replace(*edit)))
    solution = engine.solve()
    assert [fact.location.line for fact in solution.facts["app.py"]] == [10, 14]
    assert solution.failures == ()


@pytest.mark.parametrize(
    "file",
    ["def helper(x):\n" + "    x = x.strip()\n" * 5000 + "    return x\n", "def take(x):\n    return x\n"],
)
def test_a_function_that_was_made_simpler_is_named_as_coarse_no_more(file: str) -> None:
    view = "from flask import Flask, request\nfrom store import *\napp = Flask(__name__)\n\n@app.get('/')\ndef view():\n"
    crowd = "".join(f"    take({{'k{number}': request.args['x']}})\n" for number in range(30))
    engine = solver()
    engine.update("store.py", record("store.py", file))
    engine.update("web.py", record("web.py", view + "    helper(request.args['x'])\n" + crowd))
    assert [name.rpartition(" ")[2] for name in engine.solve().coarse] == [file[4 : file.index("(")]]
    engine.update(
        "store.py", record("store.py", "def helper(x):\n    return x\ndef take(x):\n    return x\n")
    )
    engine.update("web.py", record("web.py", view + "    helper(request.args['x'])\n"))
    assert engine.solve().coarse == ()


def test_what_is_in_many_lists_is_taken_over_from_a_callee_once(monkeypatch: pytest.MonkeyPatch) -> None:
    translate, calls = Run.translate, 0

    def counting(self: Run, *arguments: Any) -> Value:
        nonlocal calls
        calls += 1
        assert calls < 1000, "each list doubles the work"
        return translate(self, *arguments)

    monkeypatch.setattr(Run, "translate", counting)
    nested = "def fragile(text):\n" + "    text = [text, text]\n" * 16
    engine = solver()
    code = APP.replace("def fragile(text):\n", nested).replace(
        'fragile(request.args["x"])', 'str(fragile(request.args["x"]))'
    )
    engine.update("app.py", record("app.py", code))
    solution = engine.solve()
    assert [fact.location.line for fact in solution.facts["app.py"]] == [26, 30]
    assert solution.failures == ()
