"""`charter baseline`: accepts today's findings, so that a project can start with a clean slate."""

from __future__ import annotations

from pathlib import Path

import click

from charter.cli.session import check, fail, open_paths, outcome_of, readable_errors, selection, tell_troubles


@click.command()
@selection
@click.option(
    "--file", "target", type=click.Path(path_type=Path), help="Where to write; default: as in the settings."
)
@click.option("--prune", is_flag=True, help="Only take out what is no longer found; accept nothing new.")
def command(
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    config: Path | None,
    jobs: int,
    *,
    no_cache: bool,
    target: Path | None,
    prune: bool,
) -> int:
    """Write the findings of files and folders (the current one by default) into the baseline."""
    from charter.engine import baseline

    opened = open_paths(paths, config=config, select=select, ignore=ignore)
    settings = opened.settings
    path = target or settings.root / (settings.baseline or baseline.DEFAULT_NAME)
    report = check(opened, jobs=jobs, cache=not no_cache)
    findings = report.findings
    with readable_errors():
        if prune:
            _, findings, _ = baseline.load(path).split(findings)
        try:
            baseline.save(path, baseline.of(findings))
        except OSError as error:
            fail(f"{path}: cannot be written: {error.strerror}; check the folder and its permissions")
    count = len(findings)
    click.echo(f"{path}: {count} finding{'s' * (count != 1)} accepted.")
    if not settings.baseline and target is None:
        click.echo(f'Add `baseline = "{baseline.DEFAULT_NAME}"` to the settings, so that it is used.')
    return tell_troubles(outcome_of(opened, report))
