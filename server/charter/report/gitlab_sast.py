"""GitLab's security report of the SAST kind: the findings of the security pillar only, as its dashboard expects."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from charter import __version__
from charter.api import Pillar
from charter.report.escape import plain
from charter.report.page import CWE_ADDRESS, explanation

if TYPE_CHECKING:
    from charter.api import Finding
    from charter.report.outcome import Outcome

FORM = "15.2.1"
"""The version of GitLab's report form."""

_SPACE = uuid.UUID("4f1c8f0e-5d0a-4a55-9c58-0f8f5d6f3c11")
"""The name space of the ids made from fingerprints."""


def render(outcome: Outcome, out: TextIO) -> None:
    """Write the report."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    tool = {"id": "charter", "name": "Charter", "vendor": {"name": "Charter"}, "version": __version__}
    document = {
        "version": FORM,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "sast",
            "start_time": now,
            "end_time": now,
            "status": "success",
        },
        "vulnerabilities": [
            _vulnerability(outcome, finding) for finding in outcome.findings if _is_security(outcome, finding)
        ],
    }
    out.write(plain(json.dumps(document, indent=1, ensure_ascii=False)) + "\n")


def _is_security(outcome: Outcome, finding: Finding) -> bool:
    principle = outcome.principle(finding)
    return principle is not None and principle.pillar is Pillar.SECURITY


def _vulnerability(outcome: Outcome, finding: Finding) -> dict[str, Any]:
    rule = outcome.rule(finding)
    offer = outcome.offer(finding)
    location: dict[str, Any] = {
        "file": outcome.machine(finding.path),
        "start_line": finding.location.line,
        "end_line": finding.location.end_line,
    }
    if finding.symbol:
        location["method"] = finding.symbol
    return {
        "id": str(uuid.uuid5(_SPACE, finding.fingerprint)),
        "name": (rule.title if rule else finding.rule)[:255],
        "description": f"{finding.message}\n\n{explanation(rule) if rule else ''}".strip(),
        "severity": finding.severity.label.capitalize(),
        "solution": offer.fix.title if offer else "",
        "location": location,
        "identifiers": [
            {"type": "charter_rule", "name": f"{finding.code} {finding.rule}", "value": finding.rule},
            *(
                {
                    "type": "cwe",
                    "name": f"CWE-{number}",
                    "value": str(number),
                    "url": CWE_ADDRESS.format(number),
                }
                for number in finding.cwe
            ),
        ],
    }
