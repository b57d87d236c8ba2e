"""Findings under their file's name, in columns."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from charter.report.escape import visible
from charter.report.full import STYLES, problems, summary
from charter.report.paint import Line, painter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.report.outcome import Outcome


def render(outcome: Outcome, out: TextIO) -> None:
    """Write each file's findings under its name."""
    paint = painter(out)
    paint(_files(outcome))
    paint(problems(outcome))
    paint(summary(outcome))


def _files(outcome: Outcome) -> Iterator[Line]:
    for path, group in groupby(outcome.findings, key=lambda finding: finding.path):
        findings = list(group)
        places = [f"{f.location.line}:{f.location.column + 1}" for f in findings]
        width = max(len(place) for place in places)
        rules = max(len(f"{f.code} {f.rule}") for f in findings)
        yield [(visible(outcome.shown(path)), "bold underline")]
        for place, finding in zip(places, findings, strict=True):
            yield [
                (f"  {place:<{width}}  ", "dim"),
                (f"{finding.code} {finding.rule}".ljust(rules), STYLES[finding.severity]),
                (f"  {visible(finding.message)}", ""),
            ]
        yield []
