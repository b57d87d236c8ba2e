"""Finds writes to `locals()`, which change no variable."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="MNT240",
    principles=("robust-comparisons", "explicit-over-clever"),
    severity=Severity.MEDIUM,
    calls=("builtins.locals",),
)
def changed_locals(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Something is written to `locals()` in a function, where it changes no variable.

    `locals()` gives a snapshot: what is stored in it is not seen by the function's variables (PEP 667 made this the rule
    for every call). Use a dictionary of your own.

    ```python bad
    def load(settings):
        for name, value in settings.items():
            locals()[name] = value
    #       ^^^^^^^^ what is stored in `locals()` changes no variable of the function
        return locals()
    ```
    ```python good
    def load(settings):
        found = {}
        for name, value in settings.items():
            found[name] = value
        return found
    ```
    """
    parent = ctx.parent(call)
    if ctx.function(call) is None or _in_class(call, ctx):
        ctx.not_an_opportunity()
        return
    changed = isinstance(parent, ast.Subscript) and not isinstance(parent.ctx, ast.Load)
    if isinstance(parent, ast.Attribute) and parent.attr in {"update", "setdefault", "pop", "clear"}:
        outer = ctx.parent(parent)
        changed = isinstance(outer, ast.Call) and outer.func is parent
    if changed:
        yield ctx.finding(call, "what is stored in `locals()` changes no variable of the function")


def _in_class(call: ast.Call, ctx: Context) -> bool:
    """Whether the call stands in a class's body, where `locals()` is the class's own namespace."""
    for ancestor in ctx.ancestors(call):
        if isinstance(ancestor, ast.ClassDef):
            return True
        if isinstance(ancestor, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
    return False
