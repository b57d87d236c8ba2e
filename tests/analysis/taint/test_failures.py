"""What becomes of the other flows when a part of the analysis fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from following import record, solver

from charter.analysis.taint.run import Run

if TYPE_CHECKING:
    import pytest

    from charter.analysis.taint.context import Entry
    from charter.analysis.taint.frame import Summary

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


def test_a_function_on_which_the_analysis_fails_is_named_and_costs_no_other_flow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute = Run.execute

    def failing(self: Run, entry: Entry) -> Summary:
        if self.function.name.endswith("fragile"):
            raise LookupError("on purpose")
        return execute(self, entry)

    monkeypatch.setattr(Run, "execute", failing)
    engine = solver()
    engine.update("app.py", record("app.py", APP))
    solution = engine.solve()
    assert [fact.location.line for fact in solution.facts["app.py"]] == [14]
    assert [(path, str(error)) for path, error in solution.failures] == [("app.py", "on purpose")]
