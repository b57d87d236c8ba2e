"""Text that is put together in several statements: `sql += …`, and a list of pieces that is joined in the end.

Branches and loops are not told apart: every step counts, in the order of the file.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter_rules import building, shapes
from charter_rules.building import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context


def pieces(text: ast.expr, ctx: Context) -> tuple[Piece, ...]:
    """Take a text apart that has grown before it is used.

    Args:
        text: a name, or the call that joins a list.
        ctx: the file.

    Returns:
        Its pieces in order; () for a text that has not grown, or of which a part is not seen.
    """
    if isinstance(text, ast.Name):
        return tuple(_of_steps(_steps(text, ctx), "", ctx))
    if (
        isinstance(text, ast.Call)
        and isinstance(text.func, ast.Attribute)
        and text.func.attr == "join"
        and len(text.args) == 1
        and isinstance(text.args[0], ast.Name)
    ):
        between = ctx.value(text.func.value)
        return tuple(_of_steps(_items(text.args[0], ctx), between, ctx)) if isinstance(between, str) else ()
    return ()


def place(used: ast.expr, written: ast.expr, part: ast.expr, ctx: Context) -> ast.expr | None:
    """Where a part comes into a text, if that is not where the text is used.

    Args:
        used: the expression that stands for the text where it is used.
        written: where that has its value from, if it is bound once.
        part: what has been put into the text.
        ctx: the file.
    """
    if written is not used:
        return written
    return None if part is used or used in ctx.ancestors(part) else part


def _of_steps(steps: list[ast.expr], between: str, ctx: Context) -> Iterator[Piece]:
    for number, step in enumerate(steps):
        if number and between:
            yield Piece(between)
        text = ctx.value(step)
        if isinstance(text, str):
            yield Piece(text)
        else:
            yield from building.pieces(step, ctx) or (Piece(value=step),)


def _steps(name: ast.Name, ctx: Context) -> list[ast.expr]:
    """What a name is assigned and what is then added to it, before it is read; none if nothing is."""
    steps: list[ast.expr] = []
    has_grown = False
    for node in _bound_before(name, ctx):
        statement = ctx.parent(node)
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add) and steps:
            steps.append(statement.value)
            has_grown = True
            continue
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
            return []
        added = _added_to(name.id, statement.value)
        has_grown = bool(added)
        steps = [*steps, *added] if added else [statement.value]
    return steps if has_grown else []


def _added_to(name: str, value: ast.expr) -> list[ast.expr]:
    """What `name + …` adds to the name's own text; none for anything else."""
    added: list[ast.expr] = []
    while isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        added.insert(0, value.right)
        value = value.left
    return added if shapes.is_name(value, name) else []


def _items(name: ast.Name, ctx: Context) -> list[ast.expr]:
    """The items of a list that is written out, and those that are appended to it before it is read."""
    items: list[ast.expr] = []
    bound = list(_bound_before(name, ctx))
    for node in bound:
        statement = ctx.parent(node)
        value = getattr(statement, "value", None)
        if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)) or not isinstance(
            value, ast.List
        ):
            return []
        items = [*items, *value.elts] if isinstance(statement, ast.AugAssign) else list(value.elts)
    for grows in ctx.gets.get("append", ()) if bound else ():
        call = ctx.parent(grows)
        if (
            shapes.is_name(grows.value, name.id)
            and ctx.function(grows) is ctx.function(name)
            and bound[-1].lineno <= grows.lineno <= name.lineno
            and isinstance(call, ast.Call)
        ):
            items.extend(call.args)
    return items


def _bound_before(name: ast.Name, ctx: Context) -> Iterator[ast.Name]:
    """Where a name is bound above the place where it is read, in the function around it or in the module."""
    around = ctx.function(name)
    for node in ctx.binds.get(name.id, ()):
        if node.lineno <= name.lineno and ctx.function(node) is around:
            yield node
