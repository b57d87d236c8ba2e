"""Finds things that are raised or caught and are no exceptions. `analysis.contracts` knows the project's classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import WrongCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_NAMES = frozenset({"NotImplemented", "str", "int", "object", "dict"})
_NEVER = frozenset(f"builtins.{name}" for name in _NAMES)


@rule(
    WrongCall,
    ast.Raise,
    ast.ExceptHandler,
    code="MNT204",
    principles=("deliberate-errors", "robust-comparisons"),
    severity=Severity.HIGH,
    kinds=("not-an-exception",),
    aliases=("E0702", "E0710", "E0711", "E0712", "F901"),
)
def not_an_exception(wrong: WrongCall | ast.Raise | ast.ExceptHandler, ctx: Context) -> Iterator[Finding]:
    """Something is raised or caught that is not an exception.

    Raising it ends in `TypeError: exceptions must derive from BaseException`, and the real message is lost. Catching it
    fails only when something goes wrong inside of the `try`.

    ```python bad
    class Broken:
        def __init__(self, part):
            self.part = part

    def check(part):
        if not part:
            raise Broken(part)
    #             ^^^^^^ `Broken` is no exception, so raising it ends in a `TypeError`
        raise NotImplemented
    #         ^^^^^^^^^^^^^^ `NotImplemented` is no exception, so raising it ends in a `TypeError`
    ```
    ```python good
    class Broken(Exception):
        def __init__(self, part):
            self.part = part

    def check(part):
        if not part:
            raise Broken(part)
        raise NotImplementedError
    ```
    """
    if isinstance(wrong, WrongCall):
        verb = "raising it ends in a" if wrong.subject == "raise" else "catching it ends in a"
        related = [] if wrong.defined is None else [ctx.related(wrong.defined, "derives from no exception")]
        yield ctx.finding(
            wrong.location, f"`{wrong.name}` is no exception, so {verb} `TypeError`", related=related
        )
        return
    named = wrong.exc if isinstance(wrong, ast.Raise) else wrong.type
    several = isinstance(named, ast.Tuple) and isinstance(wrong, ast.ExceptHandler)
    items = named.elts if isinstance(named, ast.Tuple) and several else [named]
    refused = [item for item in items if item is not None and _is_none(item, ctx)]
    if not refused:
        ctx.not_an_opportunity()  # every `raise` could be one; a score of them all would say nothing
    verb = "raising" if isinstance(wrong, ast.Raise) else "catching"
    for item in refused:
        yield ctx.finding(item, f"`{ctx.source(item)}` is no exception, so {verb} it ends in a `TypeError`")


def _is_none(item: ast.expr, ctx: Context) -> bool:
    """Whether an expression cannot be an exception: a literal, a text, `NotImplemented`."""
    if type(item) is ast.Constant:
        return item.value is not None
    if isinstance(item, (ast.JoinedStr, ast.List, ast.Dict, ast.Set, ast.BinOp, ast.Tuple)):
        return (
            type(item) is not ast.BinOp or type(item.left) is ast.Constant or type(item.left) is ast.JoinedStr
        )
    target = item.func if type(item) is ast.Call else item
    if type(target) is not ast.Name or (target.id not in _NAMES and target.id not in ctx.binds):
        return False
    return ctx.name(target) in _NEVER
