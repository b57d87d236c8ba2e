"""`charter init`: a settings file to start from, in which every setting is named and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import click

from charter.cli.session import fail

_CHARTER_TOML = """\
# Settings of Charter. Every key may be left out; `charter schema` describes them all.

# Rules that run, by name, code (SEC031), beginning of a code (SEC), principle (sql-injection, S01) or pillar.
# select = ["all"]
# extend-select = []
# ignore = ["documented-api"]

# A principle scored below this fails.
fail-under = 80

# Findings that are accepted for now; `charter baseline` writes the file.
# baseline = "charter-baseline.json"

# Files not to look into, as in .gitignore, on top of what git ignores.
# exclude = ["legacy/"]

# Which files are tests.
# tests = ["tests/", "test_*.py", "*_test.py", "conftest.py"]

# The oldest Python to be supported; by default what `requires-python` says.
# python = "3.11"

# Whose input is not to be trusted: "remote" (the network), "model" (answers of a language model), or also "local"
# (arguments, environment, files) and "stored" (rows of a database).
# threats = ["remote", "model"]

# A function that runs SQL, for the rules that follow data; docs/data-flow.md describes the tables.
# [[taint.sink]]
# names = ["shop.db.run"]
# kind = "sql"

# What is different for some files.
# [per-file."scripts/"]
# ignore = ["S13"]

# How bad a rule's findings are: info, low, medium, high, critical.
# [severity]
# unchained-raise = "info"

# Options of rules; `charter explain RULE` names them.
# [rules.complex-function]
# limit = 20

# Changes to the charter: weights, retired principles, principles of your own.
# [principles.documented-api]
# weight = 0.5

# Conventions that hold whatever is learned from the code, or that are left alone; `charter conventions` names them.
# [conventions]
# optional-types = "X | None"
# text-formatting = false

# Imports may only go down.
# [[layers]]
# layers = ["shop.web", "shop.orders | shop.stock", "shop.core"]
"""


@click.command()
@click.option("--pyproject", is_flag=True, help="Add a [tool.charter] table to pyproject.toml instead.")
def command(*, pyproject: bool) -> None:
    """Write charter.toml into the current folder."""
    from charter.engine.atomic import write_text

    path = Path("pyproject.toml" if pyproject else "charter.toml")
    if not pyproject:
        if path.exists():
            fail(f"{path} exists already; it is not overwritten")
        write_text(path, _CHARTER_TOML)
    else:
        text = path.read_text("utf-8") if path.exists() else ""
        if "[tool.charter" in text:
            fail(f"{path} has a [tool.charter] table already")
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        write_text(path, f"{text}{gap}[tool.charter]\nfail-under = 80\n")
    click.echo(f"{path} is written. Now run `charter check`.")
