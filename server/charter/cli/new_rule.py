"""`charter new-rule`: starts a rule in an installable package of its own, which works from the first minute."""

from __future__ import annotations

import re
from pathlib import Path

import click

from charter.cli.session import fail

_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{distribution}"
version = "0.1.0"
description = "Rules for Charter"
requires-python = ">=3.11"
dependencies = ["charter-lint"]

[project.entry-points."charter.rules"]
{package} = "{package}"

[dependency-groups]
dev = ["pytest"]

[tool.hatch.build.targets.wheel]
packages = ["{package}"]
"""

_PACKAGE = '''\
"""Rules for Charter, one a module."""
'''

_RULE = '''\
"""Calls of `print` in a library."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from charter.api import Context, Finding, Severity, rule


@rule(
    ast.Call,
    code="{code}",
    principles=("explicit-over-clever",),
    severity=Severity.LOW,
    calls=("builtins.print",),
)
def {function}(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Say in one line what the code should do.

    Then say why, in two or three sentences. The blocks below are the documentation and the tests: every mark must be
    found, and nothing else. Here calls of `print` are found outside of tests; put your own check in their place.

    ```python bad
    def finish():
        print("done")
    #   ^^^^^^^^^^^^^ `print` writes to wherever the program's output goes
    ```
    ```python good
    import logging

    logging.getLogger(__name__).info("done")
    ```
    """
    if not ctx.is_test:
        yield ctx.finding(call, "`print` writes to wherever the program's output goes")
'''

_TEST = '''\
"""The examples in the rule's documentation hold."""

from charter.mend.examples import failures

from {package}.{function} import {function}


def test_{function}() -> None:
    assert failures({function}) == []
'''

_README = """\
# {distribution}

Rules for Charter. Install the package beside Charter, and `charter check` runs them:

    pip install -e .
    charter explain {name}
    charter check

Test them with `pytest`.
"""


@click.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--code", default="TEAM001", show_default=True, help="The rule's code: letters of your own, three digits."
)
@click.option(
    "--package", default="team_rules", show_default=True, help="The import package that holds the rules."
)
@click.option(
    "--directory", type=click.Path(path_type=Path), help="Where to put it; default: beside the project."
)
def command(name: str, code: str, package: str, directory: Path | None) -> None:
    """Start the rule NAME (which names the bad thing, in kebab case) in a package of its own, with a test.

    In a package that was made so before, only the rule and its test are added.
    """
    function = name.replace("-", "_").lower()
    if not function.isidentifier():
        fail(f"`{name}` is no name for a rule; use words with hyphens, such as `print-in-library`")
    if not package.isidentifier():
        fail(f"`{package}` is no name for a package")
    if not re.fullmatch(r"[A-Z]{2,6}\d{3}", code):
        fail(f"`{code}` is no code; use letters and three digits, such as `TEAM001`")
    distribution = package.replace("_", "-")
    root = directory or Path(distribution)
    values = {
        "name": function.replace("_", "-"),
        "function": function,
        "package": package,
        "distribution": distribution,
        "code": code,
    }
    rule = root / package / f"{function}.py"
    if rule.exists():
        fail(f"{rule} exists already; it is not overwritten")
    for path, text in (
        (root / "pyproject.toml", _PYPROJECT),
        (root / "README.md", _README),
        (root / package / "__init__.py", _PACKAGE),
        (rule, _RULE),
        (root / "tests" / f"test_{function}.py", _TEST),
    ):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            for key, value in values.items():
                text = text.replace(f"{{{key}}}", value)  # noqa: PLW2901 (the templates hold braces of their own)
            path.write_text(text, "utf-8")
    click.echo(
        f"{rule} is written. Next:\n  pip install -e {root}\n  charter explain {values['name']}\n  pytest {root}"
    )
