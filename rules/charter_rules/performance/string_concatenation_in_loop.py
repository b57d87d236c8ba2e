"""Finds text that is built with `+=` in a loop. Numbers and lists are not its business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding


@rule(
    ast.AugAssign,
    code="PRF002",
    principles=("linear-strings",),
    severity=Severity.LOW,
)
def string_concatenation_in_loop(statement: ast.AugAssign, ctx: Context) -> Iterator[Finding]:
    r"""A text grows by `+=` in a loop.

    Strings cannot change, so each `+=` may copy all that was built before: n pieces cost n²/2 copies of a piece.
    CPython often avoids the copy for a local variable that nothing else refers to, and PyPy, an attribute or a
    second reference lose that. `"".join(pieces)` is linear everywhere: 100,000 pieces of 100 characters take 10 ms,
    where the copies of `+=` on an attribute take some 20 s.

    Reported are attributes, which CPython always copies, and locals in a loop within a loop, where the cost adds up.

    ```python bad
    class Report:
        def render(self, rows):
            self.text = ""
            for row in rows:
                self.text += f"{row.name}: {row.total}\n"
    #           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ each round copies all of `self.text` to add to it
    ```
    ```python bad
    def table(rows):
        text = ""
        for row in rows:
            for cell in row:
                text += f"{cell},"
    #           ^^^^^^^^^^^^^^^^^^ each round may copy all of `text` to add to it
        return text
    ```
    ```python fixed
    def table(rows):
        parts = []
        for row in rows:
            for cell in row:
                parts.append(f"{cell},")
        text = "".join(parts)
        return text
    ```
    ```python good
    def table(rows):
        return ",".join(str(cell) for row in rows for cell in row)

    def total(rows):
        count = 0
        for row in rows:
            for cell in row:
                count += cell
        return count
    ```
    """
    target = statement.target
    if not isinstance(statement.op, ast.Add) or not isinstance(target, (ast.Name, ast.Attribute)):
        ctx.not_an_opportunity()
        return
    loop = ctx.loop(statement)
    function = ctx.function(statement)
    if function is None or not isinstance(loop, shapes.LOOPS):
        ctx.not_an_opportunity()
        return
    if ctx.is_test or not shapes.is_string(statement.value, ctx):
        return
    if isinstance(target, ast.Attribute):
        owner = target.value
        same = isinstance(owner, ast.Name) and owner.id not in shapes.stored_in([loop])
        if same and not _reset_in(loop, target, ctx):
            yield ctx.finding(statement, f"each round copies all of `{ctx.source(target)}` to add to it")
        return
    outermost = _outermost_loop(target.id, loop, function, ctx)
    if outermost is None or outermost is loop:
        return
    yield ctx.finding(
        statement,
        f"each round may copy all of `{target.id}` to add to it",
        fix=_join(target.id, outermost, function, ctx),
    )


def _reset_in(loop: ast.AST, target: ast.Attribute, ctx: Context) -> bool:
    """Whether the loop itself starts the attribute anew, so that it stays short."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == target.attr
        and isinstance(node.ctx, ast.Store)
        and not isinstance(ctx.parent(node), ast.AugAssign)
        for node in ast.walk(loop)
    )


def _outermost_loop(
    name: str, loop: shapes.Loop, function: shapes.FunctionNode, ctx: Context
) -> shapes.Loop | None:
    """The widest loop around in which the text is never started anew; None if the text does not start as a literal."""
    values = shapes.assigned_values(name, function, ctx)
    if not values or not all(shapes.is_string(value, ctx) for value in values):
        return None
    widest: shapes.Loop = loop
    for ancestor in (loop, *ctx.ancestors(loop)):
        if ancestor is function:
            break
        if isinstance(ancestor, shapes.LOOPS):
            if any(
                isinstance(node, ast.Name)
                and node.id == name
                and isinstance(node.ctx, ast.Store)
                and not isinstance(ctx.parent(node), ast.AugAssign)
                for node in ast.walk(ancestor)
            ):
                break
            widest = ancestor
    return widest


def _join(name: str, loop: shapes.Loop, function: shapes.FunctionNode, ctx: Context) -> Fix | None:
    """Collect the pieces in a list, where `text = ""` is followed by the loop and the loop only adds to the text."""
    parent = ctx.parent(loop)
    block = next(
        (found for field in ("body", "orelse", "finalbody") if loop in (found := getattr(parent, field, []))),
        None,
    )
    if block is None or block.index(loop) == 0 or loop.orelse:
        return None
    start = block[block.index(loop) - 1]
    if not (
        isinstance(start, ast.Assign)
        and len(start.targets) == 1
        and shapes.is_name(start.targets[0], name)
        and isinstance(start.value, ast.Constant)
        and start.value.value == ""
    ):
        return None
    parts = shapes.free_name(("parts", "pieces", f"{name}_parts"), shapes.names_in(function))
    edits: list[AnyEdit] = [
        ctx.replace(start, f"{parts} = []"),
        ctx.insert_after(loop, f'{name} = "".join({parts})'),
    ]
    for node in ast.walk(loop):
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
            return None
        if isinstance(node, ast.Name) and node.id == name:
            addition = ctx.parent(node)
            if not isinstance(addition, ast.AugAssign) or not shapes.is_string(addition.value, ctx):
                return None
            edits.append(ctx.replace(addition, f"{parts}.append({_bare(addition.value, ctx)})"))
    return Fix("Collect the pieces and join them once", tuple(edits), Grade.UNSAFE)


def _bare(value: ast.expr, ctx: Context) -> str:
    return ctx.source(value)
