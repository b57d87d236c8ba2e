"""An outcome as nasty as a repository can make it: names, messages and code that want to break out of every format."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from charter.api import (
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Grade,
    Location,
    Pillar,
    Principle,
    Related,
    Severity,
    Span,
    Step,
    rule,
)
from charter.engine.project import Report
from charter.engine.score import scores
from charter.mend.offer import Offer
from charter.report.outcome import Outcome
from charter.syntax.positions import Positions
from charter.syntax.source import Problem

NASTY = "pkg/a,b::error file=z.py::owned\n;]<b>&'\"`@me`|\x1b[31m.py"
TEXT = 'def f(x):\n\tprint("é😀", x)  # <script>alert(1)</script>\n\treturn x\n'
OTHER = "pkg/plain.py"


@rule(
    ast.Call,
    code="SEC900",
    principles=("sql-injection",),
    severity=Severity.CRITICAL,
    cwe=(89, 20),
    references=("https://example.org/rule",),
)
def nasty_rule(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Do [not] do this.

    Because it `hurts`. And <b>more</b>.

    ```python bad
    print(1)
    #^^^^^^^ found
    ```
    """
    yield ctx.finding(node, "found")


PRINCIPLE = Principle("S01", "sql-injection", "Never let <b>text</b> become SQL", Pillar.SECURITY, 1, "Why.")


def place(path: str, start: int, end: int) -> Location:
    lines = Positions(TEXT)
    (line, column), (end_line, end_column) = lines.place(start), lines.place(end)
    return Location(path, Span(start, end), line, column, end_line, end_column)


def finding(path: str, start: int, end: int, number: int, severity: Severity = Severity.CRITICAL) -> Finding:
    return Finding(
        rule="nasty-rule",
        code="SEC900",
        location=place(path, start, end),
        message="`x` [reaches](http://evil) ::error::\r\n the <sink> ##vso[x] @everyone",
        severity=severity,
        confidence=Confidence.HIGH,
        principles=("sql-injection",),
        cwe=(89,),
        related=(Related(place(OTHER, 0, 5), "defined [here]"),),
        flow=(Step(place(path, 6, 7), "comes in"), Step(place(OTHER, 11, 30), "goes on", essential=False)),
        symbol="f",
        fingerprint=f"{number:032x}",
    )


@pytest.fixture
def outcome() -> Outcome:
    start = TEXT.index("print")
    end = TEXT.index("  #")
    found = [
        finding(NASTY, start, end, 1),
        finding(NASTY, start, end, 2, Severity.LOW),
        finding(OTHER, 0, len(TEXT), 3, Severity.HIGH),
    ]
    fix = Fix("Call `safe`", (Edit(Span(start, start + 5), "safe"),), Grade.SAFE)
    offer = Offer(fix, {NASTY: (Edit(Span(start, start + 5), "safe"),)})
    report = Report(
        root=Path("/root"),
        paths=(NASTY, OTHER, "pkg/clean.py"),
        findings=found,
        suppressed=[],
        problems=[Problem(place("pkg/clean.py", 0, 1), "does <not> parse\n::error::", "mend it")],
        failures=[],
        opportunities={NASTY: {"nasty-rule": 10}},
        lines={NASTY: 3, OTHER: 3, "pkg/clean.py": 1},
        rules={"nasty-rule": nasty_rule},
        principles=(PRINCIPLE,),
        times={},
        read=lambda _: TEXT.encode(),
    )
    made = scores((PRINCIPLE,), report.rules, found, {"nasty-rule": 10})
    return Outcome(report, made, {found[0].fingerprint: (offer,)})


@pytest.fixture
def empty(outcome: Outcome) -> Outcome:
    report = replace(outcome.report, findings=[], problems=[])
    return replace(outcome, report=report, offers={}, scores=scores((PRINCIPLE,), report.rules, [], {}))
