"""One JSON document with everything: findings, proved fixes, scores, what went wrong. Its form has a version.

`version` rises when a reader would have to change; new keys may come at any time. Lines and columns are 1-based and
count code points; a range's end is behind its last character. `start` and `end` are 0-based offsets into the text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from charter import __version__
from charter.report.escape import plain

if TYPE_CHECKING:
    from charter.api import Finding, Location
    from charter.mend.offer import Offer
    from charter.report.outcome import Outcome

VERSION = 1


def render(outcome: Outcome, out: TextIO) -> None:
    """Write the document."""
    report = outcome.report
    document = {
        "version": VERSION,
        "tool": {"name": "charter", "version": __version__},
        "files": len(report.paths),
        "lines": sum(report.lines.values()),
        "findings": [finding_document(outcome, finding) for finding in outcome.findings],
        "scores": scores_document(outcome),
        "problems": [
            {**place(outcome, problem.location), "message": problem.message, "remedy": problem.remedy}
            for problem in report.problems
        ],
        "failures": [
            {"path": outcome.machine(f.path), "part": f.part, "error": f.error, "place": f.place}
            for f in report.failures
        ],
        "suppressed": len(report.suppressed),
        "baseline": outcome.known,
    }
    out.write(plain(json.dumps(document, indent=2, ensure_ascii=False)) + "\n")


def finding_document(outcome: Outcome, finding: Finding) -> dict[str, Any]:
    """One finding as JSON values."""
    return {
        "rule": finding.rule,
        "code": finding.code,
        **place(outcome, finding.location),
        "message": finding.message,
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "principles": list(finding.principles),
        "cwe": list(finding.cwe),
        "symbol": finding.symbol,
        "tags": list(finding.tags),
        "fingerprint": finding.fingerprint,
        "related": [{**place(outcome, r.location), "message": r.message} for r in finding.related],
        "flow": [{**place(outcome, step.location), "message": step.message} for step in finding.flow],
        "fixes": [_fix(outcome, offer) for offer in outcome.offers.get(finding.fingerprint, ())],
    }


def scores_document(outcome: Outcome) -> dict[str, Any]:
    """The scores as JSON values; null where there is none."""
    return {
        "total": outcome.scores.total,
        "threshold": outcome.threshold,
        "pillars": {pillar.value: value for pillar, value in outcome.scores.pillars.items()},
        "principles": {
            slug: {
                "id": outcome.principles[slug].id,
                "score": score.value,
                "share": score.share,
                "cap": score.cap,
                "violations": score.violations,
                "opportunities": score.opportunities,
            }
            for slug, score in outcome.scores.principles.items()
        },
    }


def place(outcome: Outcome, location: Location) -> dict[str, Any]:
    """A place as JSON values."""
    return {
        "path": outcome.machine(location.path),
        "line": location.line,
        "column": location.column + 1,
        "end_line": location.end_line,
        "end_column": location.end_column + 1,
        "start": location.span.start,
        "end": location.span.end,
    }


def _fix(outcome: Outcome, offer: Offer) -> dict[str, Any]:
    return {
        "title": offer.fix.title,
        "grade": offer.fix.grade.value,
        "doubt": offer.fix.doubt,
        "edits": [
            {"path": outcome.machine(path), "start": edit.span.start, "end": edit.span.end, "text": edit.text}
            for path, edits in offer.edits.items()
            for edit in edits
        ],
    }
