"""Workflow commands for GitHub Actions, which show findings beside the code of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from charter.api import Severity
from charter.report.escape import command_property, command_value

if TYPE_CHECKING:
    from charter.report.outcome import Outcome

_COMMANDS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}
_SHOWN_BY_GITHUB = 10
"""GitHub shows so many annotations of a kind for each step, and drops the others without a word."""


def render(outcome: Outcome, out: TextIO) -> None:
    """Write a command for each finding, the worst first, so that what GitHub drops matters least."""
    counts: dict[str, int] = {}
    for finding in sorted(outcome.findings, key=lambda finding: -finding.severity):
        command = _COMMANDS[finding.severity]
        counts[command] = counts.get(command, 0) + 1
        place = finding.location
        properties = {
            "file": outcome.machine(place.path),
            "line": str(place.line),
            "endLine": str(place.end_line),
            "title": f"{finding.code} {finding.rule}",
        }
        if place.line == place.end_line:
            # GitHub takes columns only within one line.
            properties |= {
                "col": str(place.column + 1),
                "endColumn": str(max(place.end_column, place.column + 1)),
            }
        listed = ",".join(f"{name}={command_property(value)}" for name, value in properties.items())
        out.write(f"::{command} {listed}::{command_value(finding.message)}\n")
    for problem in outcome.report.problems:
        file = command_property(outcome.machine(problem.location.path))
        out.write(f"::error file={file},line={problem.location.line}::{command_value(problem.message)}\n")
    hidden = sum(max(0, count - _SHOWN_BY_GITHUB) for count in counts.values())
    if hidden:
        out.write(
            f"{len(outcome.findings)} findings; GitHub shows ten of a kind, so {hidden} are only in this log.\n"
        )
