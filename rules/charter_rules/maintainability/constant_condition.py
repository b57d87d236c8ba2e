"""Finds conditions that are the same in every run: literals, and variables that are bound once to one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Module,
    code="MNT243",
    principles=("no-dead-code", "robust-comparisons"),
    severity=Severity.LOW,
    aliases=("W0125", "S5797"),
    cwe=(570, 571),
)
def constant_condition(module: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A condition is a constant, so that one of the branches is never taken.

    `if False:` keeps code that is not run, is not tested and rots. A variable that is set to `True` once and never again was
    to be changed somewhere, and is not.

    `while True` is a loop, and `if 0:` at the top of a file is a habit of some; both are left alone, and so are variables of
    a module, which others may set, and the `yield` that is never reached and makes a function a generator.

    ```python bad
    def total(rows):
        found = False
        for row in rows:
            if row.total:
                print(row)
        if found:
    #      ^^^^^ `found` is always False here: nothing else is ever bound to it
            return 0
        return sum(row.total for row in rows)
    ```
    ```python good
    def total(rows):
        found = False
        for row in rows:
            if row.total:
                found = True
        if found:
            return 0
        return sum(row.total for row in rows)
    ```
    """
    del module
    settled = {
        node.targets[0].id
        for node in ctx.nodes(ast.Assign)
        if type(node.value) is ast.Constant
        and (node.value.value is None or isinstance(node.value.value, bool))
        and type(node.targets[0]) is ast.Name
    }
    for decision in (*ctx.nodes(ast.If), *ctx.nodes(ast.IfExp), *ctx.nodes(ast.While)):
        test = decision.test
        if type(test) is ast.UnaryOp and type(test.op) is ast.Not:
            test = test.operand
        if type(test) is ast.Constant:
            is_loop = type(decision) is ast.While or isinstance(test.value, str)
            if not is_loop and ctx.function(decision) is not None and not _makes_a_generator(decision, ctx):
                answer = bool(test.value) is (test is decision.test)
                yield ctx.finding(decision.test, f"this condition is always {'true' if answer else 'false'}")
        elif type(test) is ast.Name and test.id in settled:
            yield from _settled(decision, test, ctx)


def _makes_a_generator(decision: ast.If | ast.IfExp | ast.While, ctx: Context) -> bool:
    """Whether the only `yield`s of a function are those that the condition keeps from being reached."""
    function = ctx.function(decision)
    yields = [
        node
        for kind in (ast.Yield, ast.YieldFrom)
        for node in ctx.nodes(kind, within=function)
        if ctx.function(node) is function
    ]
    if not isinstance(decision, ast.If) or not yields:
        return False
    if isinstance(decision.body[-1], (ast.Return, ast.Raise)):
        return all(node.lineno > decision.lineno for node in yields)
    return all(decision in ctx.ancestors(node) for node in yields)


def _settled(decision: ast.If | ast.IfExp | ast.While, test: ast.Name, ctx: Context) -> Iterator[Finding]:
    function = ctx.function(decision)
    if function is None:
        return
    bindings = shapes.bindings(test.id, function, ctx)
    assignment = ctx.parent(bindings[0]) if len(bindings) == 1 else None
    if not isinstance(assignment, ast.Assign) or not isinstance(assignment.value, ast.Constant):
        return
    if assignment.value.value is not None and not isinstance(assignment.value.value, bool):
        return
    if assignment.lineno > decision.lineno or any(
        test.id in node.names for node in ctx.nodes(ast.Nonlocal, within=function)
    ):
        return
    yield ctx.finding(
        test,
        f"`{test.id}` is always {assignment.value.value} here: nothing else is ever bound to it",
        related=[ctx.related(assignment, "bound here, once")],
    )
