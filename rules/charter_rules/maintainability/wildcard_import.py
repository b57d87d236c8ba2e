"""Finds imports of everything."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.ImportFrom,
    code="MNT141",
    principles=("clean-imports", "explicit-over-clever"),
    severity=Severity.LOW,
    when=lambda node: any(alias.name == "*" for alias in node.names),
    aliases=("F403", "W0401"),
)
def wildcard_import(statement: ast.ImportFrom, ctx: Context) -> Iterator[Finding]:
    """A module imports everything another one happens to hold.

    A reader cannot tell where a name comes from, no tool can tell whether it exists, and a name that the other
    module gains tomorrow silently replaces one here.

    Ruff's F403 reports every one. This rule leaves alone what stars are for: the front of a package
    (`__init__.py`), a module that only passes names on, settings built on settings, and tests.

    ```python bad
    from os.path import *
    #^^^^^^^^^^^^^^^^^^^^ any name of `os.path` may be meant from here on; import the ones that are

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
    if any(isinstance(node, ast.Try) for node in ctx.ancestors(statement)):
        return
    module = "." * statement.level + (statement.module or "")
    yield ctx.finding(
        statement, f"any name of `{module}` may be meant from here on; import the ones that are"
    )
