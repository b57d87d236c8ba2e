"""One HTML page that needs nothing else: scores by pillar and principle, findings with their code.

It loads nothing and runs no script; a policy in the page forbids both, whatever a file under review may hold.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from charter import __version__
from charter.engine.score import shown
from charter.report.escape import visible, xml
from charter.report.full import fix_line
from charter.report.page import why

if TYPE_CHECKING:
    from charter.api import Finding
    from charter.report.outcome import Outcome

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --good: #2e7d32; --mid: #b26a00; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
meter { width: 10rem; } .bad { color: var(--bad); } .good { color: var(--good); } .mid { color: var(--mid); }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; } summary { cursor: pointer; }
pre { background: #8881; padding: .6rem; overflow-x: auto; } mark { background: #fb03; color: inherit; }
.why { opacity: .8; }
"""


def render(outcome: Outcome, out: TextIO) -> None:
    """Write the page."""
    out.write(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Charter</title>\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head><body>\n<h1>Charter</h1>\n"
    )
    count, files = len(outcome.findings), len(outcome.report.paths)
    severities = ", ".join(f"{number} {severity.label}" for severity, number in outcome.by_severity().items())
    out.write(
        f"<p>{count} findings in {files} files{': ' + severities if count else ''}. Charter {__version__}.</p>\n"
    )
    _scores(outcome, out)
    out.write("<h2>Findings</h2>\n")
    for path, findings in groupby(outcome.findings, key=lambda finding: finding.path):
        out.write(f"<h3>{_text(outcome.shown(path))}</h3>\n")
        for finding in findings:
            _finding(outcome, finding, out)
    out.write("</body></html>\n")


def _scores(outcome: Outcome, out: TextIO) -> None:
    out.write("<h2>Scores</h2>\n<table><tr><th>Principle<th><th>Score<th>Violations<th>Opportunities</tr>\n")
    for pillar, value in outcome.scores.pillars.items():
        out.write(
            f'<tr><th>{pillar.value.capitalize()}<th>{_meter(value)}<td class="n">{shown(value)}<td><td></tr>\n'
        )
        for score in outcome.scores.principles.values():
            principle = outcome.principles[score.principle]
            if principle.pillar is not pillar or score.value is None:
                continue
            kind = "bad" if score.value < outcome.threshold else "good"
            out.write(
                f"<tr><td>{_text(principle.id)} {_text(principle.title)}<td>{_meter(score.value)}"
                f'<td class="n {kind}">{shown(score.value)}<td class="n">{score.violations}'
                f'<td class="n">{score.opportunities}</tr>\n'
            )
    out.write("</table>\n")


def _meter(value: float | None) -> str:
    return (
        ""
        if value is None
        else f'<meter min="0" max="100" low="80" optimum="100" value="{value:.0f}"></meter>'
    )


def _finding(outcome: Outcome, finding: Finding, out: TextIO) -> None:
    place = finding.location
    kind = "bad" if finding.severity.label in {"high", "critical"} else "mid"
    out.write(
        f'<details><summary><b>{place.line}</b> <span class="{kind}">{finding.severity.label}</span> '
        f"{_text(finding.message)} <small>{finding.code} {_text(finding.rule)}</small></summary>\n"
    )
    rule, principle = outcome.rule(finding), outcome.principle(finding)
    if rule is not None:
        out.write(f'<p class="why">{_text(why(rule))}')
        out.write(f" <b>{_text(principle.id)} {_text(principle.title)}</b></p>\n" if principle else "</p>\n")
    out.write(_code(outcome, finding))
    for step in finding.flow:
        where = f"{outcome.shown(step.location.path)}:{step.location.line}"
        out.write(f"<div>{_text(where)}: {_text(step.message)}</div>\n")
    fix = fix_line(outcome, finding)
    out.write(f"<p>Fix: {_text(fix)}</p></details>\n" if fix else "</details>\n")


def _code(outcome: Outcome, finding: Finding) -> str:
    place = finding.location
    lines = outcome.lines(place.path)
    if lines is None:
        return ""
    last = min(place.end_line, place.line + 5)
    rows: list[str] = []
    for number in range(place.line, last + 1):
        text = lines.line_text(number)
        start = place.column if number == place.line else 0
        end = place.end_column if number == place.end_line else len(text)
        rows.append(
            f"{number:>5}  {_text(text[:start])}<mark>{_text(text[start:end])}</mark>{_text(text[end:])}"
        )
    return f"<pre>{chr(10).join(rows)}</pre>\n"


def _text(text: str) -> str:
    return xml(visible(text))
