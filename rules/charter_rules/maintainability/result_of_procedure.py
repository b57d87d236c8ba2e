"""Finds uses of what a function gives that gives nothing. `analysis.contracts` knows the functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import WrongCall
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    WrongCall,
    code="MNT201",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    kinds=("result-of-procedure",),
    aliases=("E1111", "E1128"),
)
def result_of_procedure(call: WrongCall, ctx: Context) -> Iterator[Finding]:
    """The result of a function is used, but the function never returns one.

    What is used is always `None`. Mostly the function changes its argument in place, or a `return` was forgotten.

    Functions and methods of the project are known across files; methods that a class below defines again are not judged,
    and what is only returned again may have to return something for others.

    ```python bad
    def add_tax(order):
        order.total *= 1.19

    def show(order):
        total = add_tax(order)
    #           ^^^^^^^^^^^^^^ `add_tax` returns nothing, so this is always `None`
        print(total)
    ```
    ```python good
    def add_tax(order):
        order.total *= 1.19
        return order

    def show(order):
        total = add_tax(order)
        print(total)
    ```
    """
    if ctx.is_test or _is_of_no_matter(call, ctx):
        return
    related = [] if call.defined is None else [ctx.related(call.defined, "has no `return` with a value")]
    yield ctx.finding(
        call.location, f"`{call.name}` returns nothing, so this is always `None`", related=related
    )


def _is_of_no_matter(call: WrongCall, ctx: Context) -> bool:
    """Whether the result has a name that is only returned, or gets its value from one of several functions."""
    for node in ctx.nodes(ast.Assign):
        if ctx.span(node.value) == call.location.span and len(node.targets) == 1:
            target, function = node.targets[0], ctx.function(node)
            return isinstance(target, ast.Name) and (
                (
                    function is not None
                    and all(
                        isinstance(ctx.parent(use), ast.Return)
                        for use in shapes.reads_in(target.id, function, ctx)
                    )
                )
                or _is_set_beside(node, target.id, ctx)
            )
    return False


def _is_set_beside(node: ast.Assign, name: str, ctx: Context) -> bool:
    """Whether the branches beside give the name what other functions return: all are called alike."""
    branch: ast.AST = node
    for parent in ctx.ancestors(node):
        if not isinstance(parent, (ast.If, ast.Try)):
            return False
        if isinstance(parent, ast.If):
            beside = parent.orelse if branch in parent.body else parent.body
            if any(
                isinstance(one, ast.Assign)
                and isinstance(one.value, ast.Call)
                and shapes.is_name(one.targets[0], name)
                for other in beside
                for one in ast.walk(other)
            ):
                return True
        branch = parent
    return False
