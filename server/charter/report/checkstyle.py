"""Checkstyle's XML, which nearly every build server and review tool reads."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from charter.api import Severity
from charter.report.escape import xml

if TYPE_CHECKING:
    from charter.report.outcome import Outcome

_SEVERITIES = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
    Severity.INFO: "info",
}


def render(outcome: Outcome, out: TextIO) -> None:
    """Write an element for each file that has findings."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n')
    for path, findings in groupby(outcome.findings, key=lambda finding: finding.path):
        out.write(f'  <file name="{xml(outcome.machine(path))}">\n')
        for finding in findings:
            place = finding.location
            out.write(
                f'    <error line="{place.line}" column="{place.column + 1}" '
                f'severity="{_SEVERITIES[finding.severity]}" message="{xml(finding.message)}" '
                f'source="charter.{xml(finding.rule)}"/>\n'
            )
        out.write("  </file>\n")
    out.write("</checkstyle>\n")
