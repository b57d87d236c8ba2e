"""`charter schema`: the JSON schema of the settings, for editors and checkers."""

from __future__ import annotations

import json

import click


@click.command()
def command() -> None:
    """Print the JSON schema of charter.toml."""
    from charter.engine.settings import schema

    click.echo(json.dumps(schema(), indent=2))
