"""One line a finding, as compilers write them, for editors and for grep."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from charter.report.escape import visible
from charter.report.full import STYLES, problems, summary
from charter.report.paint import Line, painter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.report.outcome import Outcome


def render(outcome: Outcome, out: TextIO) -> None:
    """Write `path:line:column: CODE rule: message` for each finding; nothing where there is none, as hooks want it."""
    paint = painter(out)
    paint(_findings(outcome))
    paint(problems(outcome))
    if outcome.findings or outcome.report.problems or outcome.report.failures:
        paint(summary(outcome))


def _findings(outcome: Outcome) -> Iterator[Line]:
    for finding in outcome.findings:
        place = finding.location
        yield [
            (visible(f"{outcome.shown(place.path)}:{place.line}:{place.column + 1}"), "bold"),
            (": ", ""),
            (f"{finding.code} {finding.rule}", STYLES[finding.severity]),
            (f": {visible(finding.message)}", ""),
        ]
