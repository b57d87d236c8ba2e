"""Logging commands for Azure Pipelines, which become issues of the build."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from charter.api import Severity
from charter.report.escape import within

if TYPE_CHECKING:
    from charter.report.outcome import Outcome


def render(outcome: Outcome, out: TextIO) -> None:
    """Write a command for each finding."""
    for finding in outcome.findings:
        kind = "error" if finding.severity >= Severity.HIGH else "warning"
        place = finding.location
        out.write(
            f"##vso[task.logissue type={kind};sourcepath={_value(outcome.machine(place.path))};"
            f"linenumber={place.line};columnnumber={place.column + 1};code={finding.code};]"
            f"{_message(f'{finding.rule}: {finding.message}')}\n"
        )


def _value(text: str) -> str:
    """A property's value, in which `;` and `]` would end it."""
    return _message(text).replace(";", "%3B").replace("]", "%5D")


def _message(text: str) -> str:
    return within(text).replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")
