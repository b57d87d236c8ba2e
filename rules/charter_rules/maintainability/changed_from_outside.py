"""Finds variables of another module that are changed from outside."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Module,
    code="MNT237",
    principles=("no-hidden-state",),
    severity=Severity.LOW,
)
def changed_from_outside(module: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A function sets a variable of another module of the project.

    Whoever reads that variable gets another value depending on who ran before, and nothing in its module says so. Names that
    were taken by `from … import` keep the old value. A function of that module that sets it can be found and tested.

    What is set when a program starts, in tests, and what another package offers for it, is left alone.

    ```python bad title="shop/cart.py"
    from shop import settings

    def enable(rate):
        settings.RATE = rate
    #   ^^^^^^^^^^^^^ this changes `RATE` of the module `shop.settings` from outside
    ```
    ```python good title="shop/settings.py"
    RATE = 0.19

    def set_rate(rate):
        global RATE
        RATE = rate
    ```
    """
    del module
    if ctx.is_test or not ctx.module or "testing" in ctx.module.split("."):
        return
    # All attributes in one go: nearly all are of the object at hand.
    foreign = [
        node
        for nodes in ctx.sets.values()
        for node in nodes
        if not shapes.is_name(node.value, "self") and type(node.ctx) is ast.Store
    ]
    if not foreign:
        return
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for statement in (*ctx.nodes(ast.Import), *ctx.nodes(ast.ImportFrom))
        for alias in statement.names
    }
    for attribute in foreign:
        root = attribute.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in imported:
            yield from _changed(attribute, ctx)


def _changed(attribute: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    owner = attribute.value
    if not isinstance(owner, (ast.Name, ast.Attribute)) or attribute.attr.startswith("__"):
        return
    if ctx.function(attribute) is None:
        return  # what is set at the start
    name = ctx.name(owner)
    if name is None or name == ctx.module or name.partition(".")[0] != ctx.module.partition(".")[0]:
        return
    if name.rpartition(".")[2][:1].isupper() or not _is_module(owner, name, ctx):
        return
    yield ctx.finding(attribute, f"this changes `{attribute.attr}` of the module `{name}` from outside")


def _is_module(owner: ast.expr, name: str, ctx: Context) -> bool:
    """Whether a name is that of a module: imported by itself, or from a package and written as one."""
    root = owner
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return False
    for statement in ctx.nodes(ast.Import):
        for alias in statement.names:
            if alias.name == name or (alias.asname == root.id and name == alias.name):
                return True
    for statement in ctx.nodes(ast.ImportFrom):
        for alias in statement.names:
            if (alias.asname or alias.name) == root.id and root is owner and not statement.level:
                # `from shop import settings`: an object of that name in `shop` would be defined in another module.
                return (
                    bool(statement.module)
                    and f"{statement.module}.{alias.name}" == name
                    and "." not in (statement.module or "")
                )
    return False
