"""Reviewdog's Diagnostic Format, whose suggestions reviewdog posts as comments. Columns count UTF-8 bytes there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from charter.api import Severity
from charter.report.escape import plain
from charter.report.page import CWE_ADDRESS

if TYPE_CHECKING:
    from charter.api import Finding
    from charter.report.outcome import Outcome

_SEVERITIES = {
    Severity.CRITICAL: "ERROR",
    Severity.HIGH: "ERROR",
    Severity.MEDIUM: "WARNING",
    Severity.LOW: "INFO",
    Severity.INFO: "INFO",
}


def render(outcome: Outcome, out: TextIO) -> None:
    """Write the result object."""
    document = {
        "source": {"name": "charter"},
        "severity": "WARNING",
        "diagnostics": [_diagnostic(outcome, finding) for finding in outcome.findings],
    }
    out.write(plain(json.dumps(document, indent=1, ensure_ascii=False)) + "\n")


def _diagnostic(outcome: Outcome, finding: Finding) -> dict[str, Any]:
    span = finding.location.span
    made: dict[str, Any] = {
        "message": finding.message,
        "location": {
            "path": outcome.machine(finding.path),
            "range": _range(outcome, finding.path, span.start, span.end),
        },
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.rule},
    }
    if finding.cwe:
        made["code"]["url"] = CWE_ADDRESS.format(finding.cwe[0])
    offer = outcome.offer(finding)
    # A suggestion may change the finding's own file only.
    if offer is not None and set(offer.edits) == {finding.path}:
        made["suggestions"] = [
            {"range": _range(outcome, finding.path, edit.span.start, edit.span.end), "text": edit.text}
            for edit in offer.edits[finding.path]
        ]
    return made


def _range(outcome: Outcome, path: str, start: int, end: int) -> dict[str, Any]:
    lines = outcome.lines(path)
    if lines is None:
        return {"start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 1}}
    made: dict[str, Any] = {}
    for name, offset in (("start", start), ("end", end)):
        line, column = lines.place(offset)
        before = lines.line_text(line)[:column].encode("utf-8", "surrogatepass")
        made[name] = {"line": line, "column": len(before) + 1}
    return made
