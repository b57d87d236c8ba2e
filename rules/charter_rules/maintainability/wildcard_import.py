"""Finds imports of everything."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter.api.facts.names import StarImport
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_WIDTH = 88
"""Where an import is broken into a line for each name."""


@rule(
    StarImport,
    code="MNT141",
    principles=("clean-imports", "explicit-over-clever"),
    severity=Severity.LOW,
    aliases=("F403", "W0401"),
)
def wildcard_import(star: StarImport, ctx: Context) -> Iterator[Finding]:
    """A module imports everything another one happens to hold.

    A reader cannot tell where a name comes from, no tool can tell whether it exists, and a name that the other
    module gains tomorrow silently replaces one here.

    Ruff's F403 reports every one. This rule leaves alone what stars are for: the front of a package
    (`__init__.py`), a module that only passes names on, settings built on settings, and tests.

    The fix names what the module uses and what others take from it. Of modules outside of the project it is offered
    where only one star can be meant.

    ```python bad
    from os.path import *
    #^^^^^^^^^^^^^^^^^^^^ any name of `os.path` may be meant from here on; import the ones that are

    def name(path):
        return basename(path)
    ```
    ```python fixed
    from os.path import basename

    def name(path):
        return basename(path)
    ```
    ```python good title="shop/__init__.py"
    from shop.prices import *
    ```
    ```python good title="shop/paths.py"
    from os.path import basename

    def name(path):
        return basename(path)
    ```
    """
    file = ctx.path.rpartition("/")[2]
    if file == "__init__.py" or ctx.is_test or "settings" in ctx.path or "conf" in file:
        return
    if not any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in ctx.tree.body
    ):
        return
    statement = shapes.node_at(star.location.span, ctx, ast.ImportFrom)
    if statement is None or any(isinstance(node, ast.Try) for node in ctx.ancestors(statement)):
        return
    yield ctx.finding(
        star.location,
        f"any name of `{star.module}` may be meant from here on; import the ones that are",
        fix=_fix(star, statement, ctx),
    )


def _fix(star: StarImport, statement: ast.ImportFrom, ctx: Context) -> Fix | None:
    if star.names is None or len(star.names) > 40:
        return None
    if not star.names:
        return Fix("Remove the import", (ctx.remove_statement(statement),), Grade.UNSAFE)
    line = f"from {star.module} import {', '.join(star.names)}"
    if len(line) + statement.col_offset > _WIDTH:
        indent = " " * statement.col_offset
        names = "".join(f"{indent}    {name},\n" for name in star.names)
        line = f"from {star.module} import (\n{names}{indent})"
    return Fix("Import the names", (ctx.replace(statement, line),), Grade.UNSAFE)
