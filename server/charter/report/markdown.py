"""Markdown for job summaries and comments: the scores that fail, and a table of findings, as many as are useful."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from charter.engine.score import shown
from charter.report.escape import code_span, message
from charter.report.full import fix_line

if TYPE_CHECKING:
    from charter.report.outcome import Outcome

MOST_ROWS = 200
"""A job summary may hold one megabyte; nobody reads more rows."""


def render(outcome: Outcome, out: TextIO) -> None:
    """Write the summary."""
    count, files = len(outcome.findings), len(outcome.report.paths)
    severities = ", ".join(f"{number} {severity.label}" for severity, number in outcome.by_severity().items())
    out.write("## Charter\n\n")
    out.write(f"{count or 'No'} finding{'s' * (count != 1)} in {files} file{'s' * (files != 1)}")
    out.write(f": {severities}.\n\n" if count else ".\n\n")
    pillars = " | ".join(
        f"{pillar.value} **{shown(value)}**" for pillar, value in outcome.scores.pillars.items()
    )
    out.write(f"{pillars}\n")
    failing = outcome.scores.failing(outcome.threshold)
    if failing:
        out.write(f"\n| fails (under {outcome.threshold:g}) | score | violations |\n| --- | ---: | ---: |\n")
        for score in failing:
            principle = outcome.principles[score.principle]
            out.write(
                f"| {principle.id} {message(principle.title)} | {shown(score.value)} | {score.violations} |\n"
            )
    if count:
        out.write("\n| place | severity | rule | finding |\n| --- | --- | --- | --- |\n")
    worst = sorted(outcome.findings, key=lambda finding: -finding.severity)
    for finding in worst[:MOST_ROWS]:
        place = code_span(f"{outcome.machine(finding.path)}:{finding.location.line}")
        fix = fix_line(outcome, finding)
        text = message(finding.message) + (f"<br>fix: {message(fix)}" if fix else "")
        out.write(f"| {place} | {finding.severity.label} | {finding.code} {finding.rule} | {text} |\n")
    if count > MOST_ROWS:
        out.write(f"\n{count - MOST_ROWS} more, less severe, are not listed.\n")
