"""`charter models`: the data models of a project and their relations, as text or as a picture's source."""

from __future__ import annotations

from pathlib import Path

import click

from charter.cli.session import open_paths, solver_of


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["text", "mermaid", "graphviz"]), default="text", show_default=True
)
def command(paths: tuple[Path, ...], form: str) -> None:
    """Print the models of the project (Django, SQLAlchemy, Peewee and others) that some paths belong to."""
    from charter.analysis.orm.graph import render

    drawn = render(solver_of(open_paths(paths), "charter.analysis.orm.solver"), form)
    if drawn:
        click.echo(drawn, nl=False)
    else:
        click.echo("No models were found.", err=True)
