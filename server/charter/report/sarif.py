"""SARIF 2.1.0 for code scanning: rules with help and CWE tags, places, flows, fixes, stable fingerprints.

Paths are relative to `%SRCROOT%`, columns count code points. GitHub refuses more than 25,000 results a run; the worst
are kept then, and the run says so.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

from charter import __version__
from charter.api import Confidence, Pillar, Severity
from charter.report.escape import plain
from charter.report.linehash import LineHashes
from charter.report.page import CWE_ADDRESS, explanation, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.api import AnyRule, Finding, Location, Step
    from charter.mend.offer import Offer
    from charter.report.outcome import Outcome

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 25_000
MOST_TAGS = 20
MOST_STEPS = 1_000

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SECURITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}
_PRECISION = {Confidence.HIGH: "high", Confidence.MEDIUM: "medium", Confidence.LOW: "low"}


def render(outcome: Outcome, out: TextIO) -> None:
    """Write the log."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [Run(outcome).document()]}
    out.write(plain(json.dumps(log, indent=1, ensure_ascii=False)) + "\n")


class Run:
    """One run as SARIF.

    Args:
        outcome: what the run came to.
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.hashes: dict[str, LineHashes | None] = {}
        findings = outcome.findings
        self.dropped = max(0, len(findings) - MOST_RESULTS)
        if self.dropped:
            worst = sorted(findings, key=lambda finding: -finding.severity)[:MOST_RESULTS]
            kept = {id(finding) for finding in worst}
            findings = [finding for finding in findings if id(finding) in kept]
        self.findings: Sequence[Finding] = findings
        names = sorted({finding.rule for finding in findings})
        self.indices = {name: at for at, name in enumerate(names)}

    def document(self) -> dict[str, Any]:
        """The run object."""
        rules = [self._rule(name) for name in self.indices]
        driver = {
            "name": "Charter",
            "version": __version__,
            "semanticVersion": __version__,
            "rules": rules,
        }
        return {
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                "%SRCROOT%": {"description": {"text": "The root of the checked project."}}
            },
            "invocations": [self._invocation()],
            "results": [self._result(finding) for finding in self.findings],
        }

    def _invocation(self) -> dict[str, Any]:
        report = self.outcome.report
        notes: list[dict[str, Any]] = []
        if self.dropped:
            text = (
                f"{self.dropped} of {self.dropped + MOST_RESULTS} findings, the least severe, are left out: "
            )
            text += f"a run may hold {MOST_RESULTS} results."
            notes.append({"level": "warning", "message": {"text": text}})
        for problem in report.problems:
            note = {"level": "warning", "message": {"text": problem.message}}
            notes.append({**note, "locations": [self._location(problem.location)]})
        for failure in report.failures:
            text = f"{failure.part} failed on {failure.path}: {failure.error} ({failure.place})"
            notes.append({"level": "error", "message": {"text": text}})
        return {"executionSuccessful": not report.failures, "toolExecutionNotifications": notes}

    def _rule(self, name: str) -> dict[str, Any]:
        rule = self.outcome.report.rules.get(name)
        if rule is None:
            return {"id": name, "shortDescription": {"text": name}}
        text = explanation(rule) or rule.title
        page = markdown(rule, self.outcome.principles)
        return {
            "id": name,
            "name": "".join(word.capitalize() for word in name.split("-")),
            "shortDescription": {"text": _sentence(rule.title)},
            "fullDescription": {"text": " ".join(text.partition("\n\n")[0].split()) or _sentence(rule.title)},
            "help": {"text": text, "markdown": page},
            **_help_address(rule),
            "defaultConfiguration": {"level": LEVELS[rule.severity]},
            "properties": self._properties(rule),
        }

    def _properties(self, rule: AnyRule) -> dict[str, Any]:
        served = [
            self.outcome.principles[slug] for slug in rule.principles if slug in self.outcome.principles
        ]
        tags = list(dict.fromkeys(principle.pillar.value for principle in served))
        tags += [f"external/cwe/cwe-{number:03d}" for number in rule.cwe]
        tags += [tag for principle in served for tag in (principle.id, principle.slug)]
        properties: dict[str, Any] = {
            "tags": tags[:MOST_TAGS],
            "code": rule.code,
            "precision": _PRECISION[rule.confidence],
            "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[
                LEVELS[rule.severity]
            ],
        }
        if any(principle.pillar is Pillar.SECURITY for principle in served):
            properties["security-severity"] = _SECURITY[rule.severity]
        return properties

    def _result(self, finding: Finding) -> dict[str, Any]:
        offers = self.outcome.offers.get(finding.fingerprint, ())
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": self.indices[finding.rule],
            "level": LEVELS[finding.severity],
            "message": {"text": _sentence(finding.message)},
            "locations": [self._location(finding.location, snippet=True)],
            "partialFingerprints": self._fingerprints(finding),
            "properties": {
                "code": finding.code,
                "severity": finding.severity.label,
                "confidence": finding.confidence.label,
                "principles": list(finding.principles),
            },
        }
        if finding.cwe:
            result["properties"]["tags"] = [f"external/cwe/cwe-{number:03d}" for number in finding.cwe]
        if finding.related:
            result["relatedLocations"] = [
                {"id": at, **self._location(related.location), "message": {"text": related.message}}
                for at, related in enumerate(finding.related[:MOST_STEPS], 1)
            ]
        if finding.flow:
            result["codeFlows"] = [{"threadFlows": [{"locations": self._steps(finding.flow)}]}]
        if offers:
            result["fixes"] = [self._fix(offer) for offer in offers]
        return result

    def _steps(self, flow: Sequence[Step]) -> list[dict[str, Any]]:
        if len(flow) > MOST_STEPS:
            flow = [*flow[: MOST_STEPS - 1], flow[-1]]
        return [
            {
                "location": {
                    **self._location(step.location, snippet=True),
                    "message": {"text": step.message},
                },
                "importance": "essential" if step.essential else "unimportant",
            }
            for step in flow
        ]

    def _fix(self, offer: Offer) -> dict[str, Any]:
        return {
            "description": {"text": _sentence(offer.fix.title)},
            "artifactChanges": [
                {
                    "artifactLocation": self._artifact(path),
                    "replacements": [
                        {
                            "deletedRegion": self._region_of_span(path, edit.span.start, edit.span.end),
                            "insertedContent": {"text": edit.text},
                        }
                        for edit in edits
                    ],
                }
                for path, edits in offer.edits.items()
            ],
            "properties": {"grade": offer.fix.grade.value},
        }

    def _fingerprints(self, finding: Finding) -> dict[str, str]:
        prints = {"charter/v1": finding.fingerprint}
        path = finding.path
        if path not in self.hashes:
            lines = self.outcome.lines(path)
            self.hashes[path] = LineHashes(lines.text) if lines else None
        hashes = self.hashes[path]
        line = hashes.line(finding.location.line) if hashes else ""
        return {"primaryLocationLineHash": line, **prints} if line else prints

    def _location(self, location: Location, *, snippet: bool = False) -> dict[str, Any]:
        region: dict[str, Any] = {
            "startLine": location.line,
            "startColumn": location.column + 1,
            "endLine": location.end_line,
            "endColumn": location.end_column + 1,
        }
        if snippet and (text := self.outcome.snippet(location)):
            region["snippet"] = {"text": text}
        return {"physicalLocation": {"artifactLocation": self._artifact(location.path), "region": region}}

    def _artifact(self, path: str) -> dict[str, Any]:
        raw = self.outcome.machine(path).encode("utf-8", "surrogateescape")
        return {"uri": quote(raw), "uriBaseId": "%SRCROOT%"}

    def _region_of_span(self, path: str, start: int, end: int) -> dict[str, Any]:
        lines = self.outcome.lines(path)
        if lines is None:
            return {"charOffset": start, "charLength": end - start}
        line, column = lines.place(start)
        end_line, end_column = lines.place(end)
        return {
            "startLine": line,
            "startColumn": column + 1,
            "endLine": end_line,
            "endColumn": end_column + 1,
        }


def _help_address(rule: AnyRule) -> dict[str, str]:
    addresses = [*rule.references, *(CWE_ADDRESS.format(number) for number in rule.cwe)]
    return {"helpUri": addresses[0]} if addresses else {}


def _sentence(text: str) -> str:
    """Text for `message.text`, in which `[` and `]` would otherwise begin a link, ending as a sentence."""
    escaped = re.sub(r"([\\\[\]])", r"\\\1", text)
    return escaped if escaped.endswith((".", "!", "?")) else f"{escaped}."
