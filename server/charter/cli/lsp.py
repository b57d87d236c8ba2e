"""`charter lsp`: starts the language server, which is loaded here and nowhere else in the command line."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command()
@click.option("--stdio", is_flag=True, expose_value=False, help="Accepted for editors; it is always so.")
def command() -> int:
    """Start the language server on standard input and output."""
    serve: Callable[[], int] = importlib.import_module("charter.lsp.main").serve
    return serve()
