"""Pylint's line format, which many editors and build servers read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from charter.report.escape import visible

if TYPE_CHECKING:
    from charter.report.outcome import Outcome


def render(outcome: Outcome, out: TextIO) -> None:
    """Write `path:line: [CODE(rule), symbol] message` for each finding."""
    for finding in outcome.findings:
        symbol = f", {finding.symbol}" if finding.symbol else ""
        out.write(
            f"{visible(outcome.machine(finding.path))}:{finding.location.line}: "
            f"[{finding.code}({finding.rule}){visible(symbol)}] {visible(finding.message)}\n"
        )
