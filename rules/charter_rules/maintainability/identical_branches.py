"""Finds decisions that do the same whatever they decide."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Module,
    code="MNT221",
    principles=("robust-comparisons", "no-dead-code"),
    severity=Severity.MEDIUM,
)
def identical_branches(module: ast.Module, ctx: Context) -> Iterator[Finding]:
    """All branches of a decision do the same.

    The condition makes no difference: one of the branches was copied and not changed, or the difference has gone and
    the `if` was forgotten.

    ```python bad
    def price(order):
        if order.is_express:
    #      ^^^^^^^^^^^^^^^^ this decides nothing: all branches are the same
            rate = order.weight * 2
        else:
            rate = order.weight * 2
        return rate
    ```
    ```python fixed
    def price(order):
        rate = order.weight * 2
        return rate
    ```
    ```python good
    def price(order):
        if order.is_express:
            rate = order.weight * 3
        else:
            rate = order.weight * 2
        return rate
    ```
    """
    del module
    for choice in ctx.nodes(ast.IfExp):
        if shapes.are_same(choice.body, choice.orelse):
            fix = _value(choice, ctx)
            yield ctx.finding(choice.test, "this decides nothing: both values are the same", fix=fix)
    for decision in ctx.nodes(ast.If):
        following = decision.orelse
        if len(following) == 1 and type(following[0]) is ast.If:
            following = following[0].body
        # The first two branches are not as long, or their last statements differ in kind: nearly all of them.
        if len(following) == len(decision.body) and type(following[-1]) is type(decision.body[-1]):
            yield from _chain(decision, ctx)


def _chain(decision: ast.If, ctx: Context) -> Iterator[Finding]:
    if _is_elif(decision, ctx):
        return
    bodies, tests = _branches(decision)
    if bodies is None or shapes.is_trivial(decision.body) or isinstance(decision.test, ast.Constant):
        return
    if all(shapes.are_same(bodies[0], body) for body in bodies[1:]):
        yield ctx.finding(
            decision.test,
            "this decides nothing: all branches are the same",
            fix=_body(decision, tests, ctx),
        )


def _is_elif(decision: ast.If, ctx: Context) -> bool:
    parent = ctx.parent(decision)
    return isinstance(parent, ast.If) and parent.orelse == [decision]


def _branches(decision: ast.If) -> tuple[list[list[ast.stmt]] | None, list[ast.expr]]:
    """The bodies of a chain of `if`, `elif` and `else`, and its conditions; None for bodies if no `else` ends it."""
    bodies, tests = [decision.body], [decision.test]
    rest = decision.orelse
    while len(rest) == 1 and isinstance(rest[0], ast.If):
        bodies.append(rest[0].body)
        tests.append(rest[0].test)
        rest = rest[0].orelse
    return ([*bodies, rest] if rest else None), tests


def _value(decision: ast.IfExp, ctx: Context) -> Fix | None:
    if not shapes.is_pure(decision.test):
        return None
    text = ctx.source(decision.body)
    return Fix("Keep the value", (ctx.replace(decision, text),), Grade.UNSAFE)


def _body(decision: ast.If, tests: list[ast.expr], ctx: Context) -> Fix | None:
    """Keep one of the branches, where nothing else is lost: no call in a condition, no comment."""
    span = ctx.span(decision)
    whole = ctx.text[span.start : span.end]
    if not all(shapes.is_pure(test) for test in tests) or shapes.has_comment(whole) or '"""' in whole:
        return None
    first, last = decision.body[0], decision.body[-1]
    if first.lineno == decision.lineno:
        return None
    outer, inner = lines.indent(decision, ctx), lines.indent(first, ctx)
    if outer is None or inner is None:
        return None
    kept = ctx.text[ctx.span(first).start : ctx.span(last).end].split(f"\n{inner}")
    return Fix("Keep one of them", (ctx.replace(span, f"\n{outer}".join(kept)),), Grade.UNSAFE)
