"""`charter score`: how well code keeps each principle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from charter.cli.session import check, open_paths, outcome_of, selection, tell_troubles, total_opportunities

if TYPE_CHECKING:
    from charter.engine.score import Score
    from charter.report.outcome import Outcome


@click.command()
@selection
@click.option("--fail-under", type=click.FloatRange(0, 100), help="The score below which a principle fails.")
@click.option("--by-file", is_flag=True, help="Show also the files with the lowest scores.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
def command(
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    config: Path | None,
    jobs: int,
    *,
    no_cache: bool,
    fail_under: float | None,
    by_file: bool,
    as_json: bool,
) -> int:
    """Score files and folders (the current one by default); exits with 1 if a principle fails."""
    opened = open_paths(paths, config=config, select=select, ignore=ignore)
    report = check(opened, jobs=jobs, cache=not no_cache)
    outcome = outcome_of(opened, report, threshold=fail_under)
    if as_json:
        _print_json(outcome)
    else:
        _print_tables(outcome)
        if by_file:
            _print_files(outcome)
    return tell_troubles(outcome) or int(bool(outcome.scores.failing(outcome.threshold)))


def _print_tables(outcome: Outcome) -> None:
    from charter.cli.tables import console_print, table
    from charter.engine.score import shown

    rows = [
        (
            outcome.principles[score.principle].id,
            outcome.principles[score.principle].title,
            shown(score.value),
            f"{score.violations:,}",
            f"{score.opportunities:,}",
            _verdict(score, outcome.threshold),
        )
        for score in outcome.scores.principles.values()
        if score.value is not None
    ]
    console_print(
        table(["id", "principle", "score", "violations", "opportunities", ""], rows, right=(2, 3, 4)),
    )
    unscored = sum(score.value is None for score in outcome.scores.principles.values())
    if unscored:
        click.echo(f"{unscored} principles have no score: there was nothing that they could be seen on.")
    pillars = [f"{pillar.value} {shown(value)}" for pillar, value in outcome.scores.pillars.items()]
    click.echo(f"Pillars: {', '.join(pillars)}. Whole: {shown(outcome.scores.total)}.")


def _verdict(score: Score, threshold: float) -> str:
    if score.value is None or score.value >= threshold:
        return ""
    return f"fails (worst: {score.worst.label})" if score.worst is not None else "fails"


def _print_files(outcome: Outcome) -> None:
    from charter.cli.tables import console_print, table
    from charter.engine.score import scores, shown

    report = outcome.report
    rows: list[tuple[float, str, str]] = []
    for path in report.paths:
        found = [finding for finding in report.findings if finding.path == path]
        made = scores(report.principles, report.rules, found, total_opportunities(report, [path]))
        if found and made.total is not None:
            failing = " ".join(outcome.principles[s.principle].id for s in made.failing(outcome.threshold))
            rows.append((made.total, path, failing))
    worst = [(outcome.shown(path), shown(total), failing) for total, path, failing in sorted(rows)[:20]]
    console_print(table(["file", "score", "failing"], worst, right=(1,)))


def _print_json(outcome: Outcome) -> None:
    import json

    from charter.report.json_document import scores_document

    click.echo(json.dumps(scores_document(outcome), indent=2))
