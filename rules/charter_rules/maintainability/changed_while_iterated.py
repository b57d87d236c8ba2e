"""Finds collections that a loop changes while it goes through them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_VIEWS = frozenset({"keys", "values", "items"})
_RESIZES = frozenset({"remove", "pop", "popitem", "clear", "insert", "add", "discard"})
"""Methods that change the size. `append` is left out: a list that grows while it is gone through is a work list."""


@rule(
    ast.For,
    code="MNT151",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    aliases=("B909", "W4701", "W4702", "W4703"),
)
def changed_while_iterated(loop: ast.For, ctx: Context) -> Iterator[Finding]:
    """A loop adds to or removes from the collection that it goes through.

    A list skips the item behind each one that is removed; a dictionary or set raises `RuntimeError` once its size
    has changed. Go through a copy, or build a new collection.

    A change that is followed by leaving the loop is fine and not reported.

    ```python bad
    def drop_empty(rows):
        for row in rows:
    #              ^^^^ the loop changes `rows` while it goes through it, on line 4
            if not row:
                rows.remove(row)
    ```
    ```python fixed
    def drop_empty(rows):
        for row in list(rows):
            if not row:
                rows.remove(row)
    ```
    ```python good
    def drop_first_empty(rows):
        for row in rows:
            if not row:
                rows.remove(row)
                break
    ```
    """
    target = loop.iter
    if (
        isinstance(target, ast.Call)
        and isinstance(target.func, ast.Attribute)
        and target.func.attr in _VIEWS
        and not target.args
    ):
        target = target.func.value
    if not isinstance(target, (ast.Name, ast.Attribute)):
        ctx.not_an_opportunity()
        return
    text = ctx.source(target)
    if text == "self":
        return  # a container of its own kind, which may hand out copies
    if text not in ctx.text[ctx.span(loop.body[0]).start : ctx.span(loop.body[-1]).end]:
        return  # most loops: what is gone through is not touched
    for statement in loop.body:
        for node in (statement, *ctx.walk(statement, into_functions=False)):
            changes = _changes(node, text, ctx) or _adds(node, text, loop, ctx)
            if changes and not _leaves_after(node, loop, ctx):
                if isinstance(target, ast.Name) and _is_bound_anew(target.id, loop, ctx):
                    return
                yield ctx.finding(
                    loop.iter,
                    f"the loop changes `{text}` while it goes through it, on line {ctx.location(node).line}",
                    related=[ctx.related(node, "changed here")],
                    fix=Fix(
                        "Go through a copy",
                        (ctx.replace(loop.iter, f"list({ctx.source(loop.iter)})"),),
                        Grade.UNSAFE,
                    ),
                )
                return


def _is_bound_anew(name: str, loop: ast.For, ctx: Context) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        for node in ctx.walk(loop)
    )


def _changes(node: ast.AST, text: str, ctx: Context) -> bool:
    if type(node) is ast.Call and type(node.func) is ast.Attribute and node.func.attr in _RESIZES:
        return ctx.source(node.func.value) == text
    if type(node) is ast.Delete:
        return any(type(item) is ast.Subscript and ctx.source(item.value) == text for item in node.targets)
    return False


def _adds(node: ast.AST, text: str, loop: ast.For, ctx: Context) -> bool:
    """Whether a statement gives the dictionary that is gone through a key which is made of others."""
    if type(node) is not ast.Assign or ctx.source(loop.iter) == text:
        return False
    target = node.targets[0]
    key = target.slice if type(target) is ast.Subscript and ctx.source(target.value) == text else None
    return type(key) is ast.BinOp or type(key) is ast.JoinedStr


def _leaves_after(node: ast.AST, loop: ast.For, ctx: Context) -> bool:
    """Whether the loop is left behind the change, in its block or a block around it."""
    statement: ast.AST = node if isinstance(node, ast.stmt) else ctx.statement(node)
    while statement is not loop:
        parent = ctx.parent(statement)
        for field in ("body", "orelse", "finalbody"):
            block: list[ast.AST] = getattr(parent, field, [])
            if statement in block:
                rest = block[block.index(statement) :]
                if any(isinstance(item, (ast.Break, ast.Return, ast.Raise)) for item in rest):
                    return True
        if parent is None or isinstance(parent, shapes.FUNCTIONS):
            return False
        statement = parent
    return False
