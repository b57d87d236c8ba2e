"""The format for people: each finding with its code underlined, what is wrong, why, the principle and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from charter.api import Grade, Severity
from charter.engine.score import shown
from charter.report.escape import visible
from charter.report.page import why
from charter.report.paint import Line, painter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Finding, Location
    from charter.report.outcome import Outcome

STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "blue",
}
_MAX_LINES = 6
"""A longer place shows its first and last lines."""
_MAX_RELATED = 5


def render(outcome: Outcome, out: TextIO) -> None:
    """Write a run's outcome for a person."""
    paint = painter(out)
    for finding in outcome.findings:
        paint(_finding(outcome, finding))
    paint(problems(outcome))
    paint(summary(outcome))


def problems(outcome: Outcome) -> Iterator[Line]:
    """What could not be read, and what went wrong within Charter."""
    for problem in outcome.report.problems:
        place = problem.location
        yield [
            (visible(f"{outcome.shown(place.path)}:{place.line}:{place.column + 1}"), "bold"),
            ("  ", ""),
            (visible(problem.message), "red"),
            (f"; {visible(problem.remedy)}" if problem.remedy else "", ""),
        ]
    for failure in outcome.report.failures:
        yield [
            (visible(outcome.shown(failure.path)), "bold"),
            (
                f"  Charter's `{failure.part}` failed here: {visible(failure.error)} ({failure.place}); ",
                "magenta",
            ),
            ("the rest was checked, please report it", ""),
        ]


def summary(outcome: Outcome) -> Iterator[Line]:
    """The closing lines: how many findings, how many can be fixed, the scores."""
    files = len(outcome.report.paths)
    count = len(outcome.findings)
    where = f"{files} file{'s' * (files != 1)}"
    if count == 0:
        yield [(f"No findings in {where}", "green"), (_quiet(outcome), "")]
    else:
        severities = ", ".join(f"{number} {s.label}" for s, number in outcome.by_severity().items())
        yield [
            (f"{count} finding{'s' * (count != 1)}", "bold"),
            (f" in {where}: {severities}{_quiet(outcome)}", ""),
        ]
        if ways := _fixable(outcome):
            yield [(f"Fixes: {ways}", "")]
    scored = [f"{pillar.value} {shown(value)}" for pillar, value in outcome.scores.pillars.items()]
    yield [(f"Scores: {', '.join(scored)}", "")]
    failing = outcome.scores.failing(outcome.threshold)
    if failing:
        names = ", ".join(
            f"{outcome.principles[score.principle].id} {score.principle} {shown(score.value)}"
            for score in failing
        )
        yield [(f"Under {outcome.threshold:g}: ", "red"), (names, "")]


def fix_line(outcome: Outcome, finding: Finding) -> str:
    """What can be done about a finding by a proved fix; "" if nothing can."""
    offer = outcome.offer(finding)
    if offer is None:
        return ""
    fix = offer.fix
    how = {Grade.SAFE: "--fix", Grade.UNSAFE: "--unsafe-fixes"}.get(fix.grade)
    doubt = f": {fix.doubt}" if fix.doubt else ""
    return f"{fix.title} ({how})" if how else f"{fix.title} (by hand{doubt})"


def _fixable(outcome: Outcome) -> str:
    safe, unsafe = outcome.fixable()
    offered = sum(map(bool, outcome.offers.values()))
    untried = sum(1 for finding in outcome.findings if finding.fixes) if not offered else outcome.unproved
    ways = [f"{safe} with `--fix`"] * bool(safe) + [f"{unsafe} with `--unsafe-fixes`"] * bool(unsafe)
    ways += [f"{untried}{' more' * bool(ways)} to be tried, see `--diff` and `--unsafe-fixes --diff`"] * bool(
        untried
    )
    return ", ".join(ways)


def _quiet(outcome: Outcome) -> str:
    quiet = [f"{outcome.known} in the baseline"] * bool(outcome.known)
    suppressed = len(outcome.report.suppressed)
    quiet += [f"{suppressed} suppressed"] * bool(suppressed)
    return f" ({', '.join(quiet)})" if quiet else ""


def _finding(outcome: Outcome, finding: Finding) -> Iterator[Line]:
    place = finding.location
    style = STYLES[finding.severity]
    yield [
        (visible(f"{outcome.shown(place.path)}:{place.line}:{place.column + 1}"), "bold"),
        ("  ", ""),
        (f"{finding.severity.label} ", style),
        (f"{finding.code} {finding.rule}", style),
    ]
    yield [("  ", ""), (visible(finding.message), "bold")]
    gutter = len(str(max([place.end_line, *(step.location.line for step in finding.flow)])))
    yield from _snippet(outcome, place, gutter, style)
    for number, step in enumerate(finding.flow, 1):
        yield [
            (f"  {number}. ", "dim"),
            (visible(_place(outcome, finding, step.location)), ""),
            (f": {visible(step.message)}", ""),
        ]
        yield from _snippet(outcome, step.location, gutter, "blue", one_line=True)
    for related in finding.related[:_MAX_RELATED]:
        yield [
            ("  see ", "dim"),
            (visible(f"{_place(outcome, finding, related.location)}: {related.message}"), ""),
        ]
    if len(finding.related) > _MAX_RELATED:
        yield [(f"  and {len(finding.related) - _MAX_RELATED} more places", "dim")]
    yield from _because(outcome, finding)
    yield []


def _because(outcome: Outcome, finding: Finding) -> Iterator[Line]:
    rule = outcome.rule(finding)
    principle = outcome.principle(finding)
    if rule is not None and (reason := why(rule)):
        yield [("  why ", "dim"), (visible(reason), "")]
    if principle is not None:
        yield [("  principle ", "dim"), (f"{principle.id} {visible(principle.title)}", "")]
    fix = fix_line(outcome, finding)
    if fix:
        yield [("  fix ", "green"), (visible(fix), "")]


def _place(outcome: Outcome, finding: Finding, location: Location) -> str:
    if location.path == finding.path:
        return f"line {location.line}"
    return f"{outcome.shown(location.path)}:{location.line}"


def _snippet(
    outcome: Outcome, place: Location, gutter: int, style: str, *, one_line: bool = False
) -> Iterator[Line]:
    """The lines of a place, underlined."""
    lines = outcome.lines(place.path)
    if lines is None or place.line > len(lines.starts):
        return
    end_line = place.line if one_line else place.end_line
    numbers = list(range(place.line, end_line + 1))
    if len(numbers) > _MAX_LINES:
        numbers = [*numbers[: _MAX_LINES - 2], 0, numbers[-1]]
    for number in numbers:
        if number == 0:
            yield [(f"  {'…':>{gutter}} │", "dim")]
            continue
        text = lines.line_text(number)
        start = place.column if number == place.line else len(text) - len(text.lstrip())
        end = place.end_column if number == place.end_line else len(text.rstrip())
        yield [(f"  {number:>{gutter}} │ ", "dim"), (visible(text).rstrip(), "")]
        if end > start or place.line == place.end_line:
            before, marked = visible(text[:start]), visible(text[start:end])
            yield [
                (f"  {'':>{gutter}} │ ", "dim"),
                (" " * _width(before) + "^" * max(1, _width(marked)), style),
            ]


def _width(text: str) -> int:
    """The number of columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
