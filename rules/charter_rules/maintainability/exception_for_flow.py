"""Finds exceptions that a function raises to catch them itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Raise,
    code="MNT238",
    principles=("deliberate-errors", "explicit-over-clever"),
    severity=Severity.LOW,
    aliases=("TRY301",),
)
def exception_for_flow(statement: ast.Raise, ctx: Context) -> Iterator[Finding]:
    """A function raises an exception only to catch it itself a few lines below: a jump in disguise.

    The reader must find out which handler is meant, and an exception of the same class from a call in between lands
    there, too. A `return`, a `break` or a flag says it plainly, and costs a fraction.

    Ruff's TRY301 reports every `raise` inside of a `try`; this rule reports those whose own handler only goes on, and does
    not look at the exception.

    ```python bad
    def find(rows, key):
        found = None
        try:
            for row in rows:
                if row.key == key:
                    found = row
                    raise StopIteration
    #               ^^^^^^^^^^^^^^^^^^^ this is raised only to jump to line 8
        except StopIteration:
            pass
        return found
    ```
    ```python good
    def find(rows, key):
        for row in rows:
            if row.key == key:
                return row
        return None
    ```
    """
    raised = statement.exc.func if type(statement.exc) is ast.Call else statement.exc
    if (type(raised) is not ast.Name and type(raised) is not ast.Attribute) or statement.cause is not None:
        ctx.not_an_opportunity()
        return
    child: ast.AST = statement
    for ancestor in ctx.ancestors(statement):
        if isinstance(
            ancestor, (*shapes.DEFINITIONS, ast.Lambda, ast.ExceptHandler, ast.With, ast.AsyncWith)
        ):
            ctx.not_an_opportunity()
            return  # also out of a `with`, which an exception may be raised to undo
        if type(ancestor) is ast.Try and child in ancestor.body and ancestor.handlers:
            name = ctx.source(raised)
            handler = next(
                (h for h in ancestor.handlers if h.type is not None and name in _caught(h.type, ctx)), None
            )
            if handler is not None:
                if handler.name is None and _only_goes_on(handler) and _is_alone(name, ancestor, ctx):
                    yield ctx.finding(
                        statement,
                        f"this is raised only to jump to line {handler.lineno}",
                        related=[ctx.related(handler, "caught here")],
                    )
                return
        child = ancestor
    ctx.not_an_opportunity()


def _caught(caught: ast.expr, ctx: Context) -> list[str]:
    return [ctx.source(item) for item in (caught.elts if isinstance(caught, ast.Tuple) else [caught])]


def _only_goes_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler does nothing but go on: an exception that is handled is what exceptions are for."""
    return all(isinstance(item, (ast.Pass, ast.Break, ast.Continue)) for item in handler.body)


def _is_alone(name: str, statement: ast.Try, ctx: Context) -> bool:
    """Whether nothing else in the `try` is likely to raise the same class: no conversion, item or call of its own."""
    raises = [node for item in statement.body for node in ast.walk(item) if isinstance(node, ast.Raise)]
    same = [node for node in raises if node.exc is not None and name in ctx.source(node.exc)]
    if name in {
        "ValueError",
        "KeyError",
        "TypeError",
        "AttributeError",
        "IndexError",
        "OSError",
        "Exception",
        "LookupError",
    }:
        calls = [
            node
            for item in statement.body
            for node in ast.walk(item)
            if isinstance(node, (ast.Call, ast.Subscript))
        ]
        own = {inner for node in same for inner in ast.walk(node)}
        return bool(same) and all(call in own for call in calls)
    return bool(same)
