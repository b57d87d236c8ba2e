"""`charter conventions`: what a project's own code does in one way so often that the other way is a slip."""

from __future__ import annotations

from pathlib import Path

import click

from charter.cli.session import open_paths, solver_of


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
def command(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Print the conventions that the code follows, each with how often it does.

    The settings pin one (`[conventions]` with `optional-types = "X | None"`) or drop it (`text-formatting = false`).
    """
    from charter.analysis.conventions import Solver

    solver: Solver = solver_of(open_paths(paths), "charter.analysis.conventions")
    learned = solver.learned()
    if as_json:
        import json

        rows = [
            {"topic": c.topic, "way": c.way, "count": c.count, "total": c.total, "pinned": c.pinned}
            for c in learned
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    if not learned:
        click.echo("No convention is followed often enough to be held to.", err=True)
        return
    from charter.cli.tables import console_print, table

    cells = [
        (c.topic, c.way, f"{c.count:,} of {c.total:,}{' (pinned)' if c.pinned else ''}") for c in learned
    ]
    console_print(table(["topic", "the project's way", "how often"], cells, right=(2,)))
