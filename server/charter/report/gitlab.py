"""GitLab's code quality report (a subset of Code Climate's form), which merge requests show as a widget.

One bad object stops the whole widget: fingerprints have to be unique, and the file must not begin with a byte order
mark.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from charter.api import Severity
from charter.report.escape import plain

if TYPE_CHECKING:
    from charter.report.outcome import Outcome

_SEVERITIES = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render(outcome: Outcome, out: TextIO) -> None:
    """Write the list of findings."""
    rows = [
        {
            "description": f"{finding.code} {finding.rule}: {finding.message}",
            "check_name": finding.rule,
            "fingerprint": finding.fingerprint,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": outcome.machine(finding.path),
                "lines": {"begin": finding.location.line, "end": finding.location.end_line},
            },
        }
        for finding in {finding.fingerprint: finding for finding in outcome.findings}.values()
    ]
    out.write(plain(json.dumps(rows, indent=1, ensure_ascii=False)) + "\n")
