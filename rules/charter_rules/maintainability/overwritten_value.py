"""Finds values that are replaced before anybody has read them."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Module,
    code="MNT230",
    principles=("no-dead-code", "robust-comparisons"),
    severity=Severity.LOW,
    in_tests=False,
    cwe=(563,),
)
def overwritten_value(module: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A value is stored, and the next statement stores another in the same place.

    One of the two was meant for another variable, key or attribute: a copied line that was not changed.

    Only two statements that follow each other are compared. Plain constants that are given first, as a default or a
    declaration, are not reported.

    ```python bad
    def headers(token, kind):
        found = {}
        found["Authorization"] = f"Bearer {token}"
    #   ^^^^^^^^^^^^^^^^^^^^^^ `found["Authorization"]` is set again on the next line, before it is read
        found["Authorization"] = f"text/{kind}"
        return found
    ```
    ```python good
    def headers(token, kind):
        found = {}
        found["Authorization"] = f"Bearer {token}"
        found["Content-Type"] = f"text/{kind}"
        return found
    ```
    """
    del module
    # If the statement behind an assignment is another, it is the next one of the file, too.
    for assignment, following in itertools.pairwise(ctx.nodes(ast.Assign)):
        first, second = assignment.targets[0], following.targets[0]
        if type(first) is not type(second):
            continue
        if type(first) is ast.Name and type(second) is ast.Name:
            if first.id != second.id:
                continue
        elif type(first) is not ast.Subscript:
            continue
        if ctx.parent(assignment) is ctx.parent(following):
            yield from _overwritten(assignment, following, ctx)


def _overwritten(assignment: ast.Assign, following: ast.Assign, ctx: Context) -> Iterator[Finding]:
    target = assignment.targets[0]
    is_item = isinstance(target, ast.Subscript)
    if len(assignment.targets) != 1 or len(following.targets) != 1:
        return
    text = ctx.source(target)
    if text != ctx.source(following.targets[0]) or _next(assignment, ctx) is not following:
        return
    again = following.targets[0]
    if not _is_plain(target):
        return
    if isinstance(assignment.value, ast.Constant) and not is_item:
        return
    root = target
    while isinstance(root, (ast.Attribute, ast.Subscript)):
        root = root.value
    # The second value may be made of the first, by way of any object that holds it.
    reads = {node.id for node in ast.walk(following.value) if isinstance(node, ast.Name)}
    calls = any(isinstance(node, (ast.Call, ast.Await, ast.Yield)) for node in ast.walk(following.value))
    if isinstance(target, ast.Name):
        if target.id in reads or target.id == "_" or _is_declared(target.id, ctx, assignment):
            return
    elif (
        not isinstance(root, ast.Name)
        or root.id in reads
        or (calls and isinstance(assignment.value, ast.Constant))  # it stays if the call raises
        or not is_item
    ):
        return
    yield ctx.finding(
        target,
        f"`{text}` is set again on the next line, before it is read",
        related=[ctx.related(again, "set again here")],
    )


def _next(statement: ast.stmt, ctx: Context) -> ast.stmt | None:
    """The statement behind one in the same block."""
    parent = ctx.parent(statement)
    for field in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(parent, field, [])
        if statement in block:
            at = block.index(statement) + 1
            return block[at] if at < len(block) else None
    return None


def _is_plain(target: ast.expr) -> bool:
    """Whether the place is the same each time: names, attributes and constant keys only."""
    return all(
        isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.expr_context))
        for node in ast.walk(target)
    )


def _is_declared(name: str, ctx: Context, at: ast.AST) -> bool:
    """Whether a name belongs to others, who may look at it in between."""
    function = ctx.function(at)
    if function is None:
        return True
    return any(
        name in node.names for kind in (ast.Global, ast.Nonlocal) for node in ctx.nodes(kind, within=function)
    )
