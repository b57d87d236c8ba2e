"""Finds boolean parameters that choose between two functions in one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Confidence, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT046",
    principles=("bounded-complexity", "honest-names"),
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
    default=False,
    aliases=("FBT001", "FBT002"),
    options={"statements": 3},
)
def flag_parameter(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A boolean parameter decides which of two bodies a function has.

    `render(page, True)` says nothing at the call, and inside of it the two cases share little more than a name. Two
    functions with names of their own say at each call what is meant; what they share is a third.

    Ruff's FBT rules report every boolean parameter. This rule reports those whose `if` is all that the function does,
    with at least `statements` statements on both sides. Off by default: which of the two reads better is a matter of
    the callers. Both sides are shown.

    ```python bad
    def render(page, as_text: bool = False):
    #                ^^^^^^^^^^^^^ `as_text` chooses between two bodies of `render`: make them two functions
        if as_text:
            lines = [block.text for block in page]
            lines.append("")
            return lines
        else:
            tree = build(page)
            tree.close()
            return tree
    ```
    ```python good
    def render(page, pretty: bool = False):
        tree = build(page)
        if pretty:
            tree.indent()
        return tree
    ```
    """
    least = ctx.option("statements", int)
    body = shapes.without_docstring(function.body)
    choice = body[0] if body else None
    if not isinstance(choice, ast.If) or function.name.startswith("__"):
        ctx.not_an_opportunity()
        return
    test = choice.test.operand if isinstance(choice.test, ast.UnaryOp) else choice.test
    flag = next((item for item in _flags(function, ctx) if shapes.is_name(test, item.arg)), None)
    if flag is None or any(shapes.is_mutation(use, ctx) for use in shapes.reads_in(flag.arg, function, ctx)):
        return
    sides = (choice.body, choice.orelse or body[1:])
    if (choice.orelse and len(body) > 1) or (
        not choice.orelse and not isinstance(choice.body[-1], ast.Return)
    ):
        return
    if any(_size(side) < least for side in sides):
        return
    yield ctx.finding(
        flag,
        f"`{flag.arg}` chooses between two bodies of `{function.name}`: make them two functions",
        related=[ctx.related(side[0], f"{_size(side)} statements from here") for side in sides],
    )


def _flags(function: shapes.FunctionNode, ctx: Context) -> Iterator[ast.arg]:
    """The parameters that are true or false by their annotation or default."""
    given = {argument.arg: default for argument, default in shapes.defaults(function)}
    for argument in shapes.parameters(function):
        default = given.get(argument.arg)
        annotated = argument.annotation is not None and ctx.name(argument.annotation) == "builtins.bool"
        if annotated or (isinstance(default, ast.Constant) and isinstance(default.value, bool)):
            yield argument


def _size(side: list[ast.stmt]) -> int:
    return sum(isinstance(node, ast.stmt) for statement in side for node in ast.walk(statement))
