"""`charter lsp`: starts the language server, which is loaded here and nowhere else in the command line."""

from __future__ import annotations

import importlib

import click


@click.command()
@click.option("--stdio", is_flag=True, expose_value=False, help="Accepted for editors; it is always so.")
def command() -> int:
    """Start the language server on standard input and output."""
    server = importlib.import_module("charter.lsp.server")
    code: int | None = server.main()
    return code or 0
