"""Finds conditions that are written with operators or indices instead of `if`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Expr,
    ast.Subscript,
    ast.BoolOp,
    code="MNT022",
    principles=("explicit-over-clever", "robust-comparisons"),
    severity=Severity.LOW,
    when=lambda node: (
        isinstance(node.value, (ast.Tuple, ast.List, ast.BoolOp))
        if isinstance(node, (ast.Expr, ast.Subscript))
        else isinstance(node.op, ast.Or)
    ),
)
def operator_trick(node: ast.Expr | ast.Subscript | ast.BoolOp, ctx: Context) -> Iterator[Finding]:
    """A decision hides in an operator.

    `(a, b)[condition]` evaluates both sides and takes the second when the condition is true; `x and a or b` gives
    `b` when `a` is empty or 0; `ready and start()` as a statement is an `if` that does not look like one. The
    language has words for all three.

    ```python bad
    def greet(user, morning):
        word = ("Hello", "Good morning")[morning is True]
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ an index by truth is a conditional expression in disguise
        user.known and user.greet(word)
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this statement is an `if` in disguise
    ```
    ```python fixed
    def greet(user, morning):
        word = "Good morning" if morning is True else "Hello"
        if user.known:
            user.greet(word)
    ```
    ```python good
    def greet(user, morning):
        word = "Good morning" if morning is True else "Hello"
        if user.known:
            user.greet(word)
        return user.known and user.name
    ```
    """
    if isinstance(node, ast.Subscript):
        yield from _index(node, ctx)
    elif isinstance(node, ast.BoolOp):
        yield from _and_or(node, ctx)
    elif isinstance(node.value, ast.BoolOp) and len(node.value.values) == 2:
        yield from _statement(node, node.value, ctx)
    else:
        ctx.not_an_opportunity()


def _index(node: ast.Subscript, ctx: Context) -> Iterator[Finding]:
    choices, index = node.value, node.slice
    if not isinstance(choices, (ast.Tuple, ast.List)) or len(choices.elts) != 2:
        ctx.not_an_opportunity()
        return
    is_truth = isinstance(index, ast.Compare) or (
        isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.Not)
    )
    if not is_truth or any(isinstance(item, ast.Starred) for item in choices.elts):
        return
    no, yes = (_operand(item, ctx) for item in choices.elts)
    text = f"{yes} if {ctx.source(index)} else {no}"
    if isinstance(ctx.parent(node), ast.expr) and not lines.is_in_brackets(node, ctx):
        text = f"({text})"
    grade = Grade.SAFE if all(isinstance(item, ast.Constant) for item in choices.elts) else Grade.UNSAFE
    yield ctx.finding(
        node,
        "an index by truth is a conditional expression in disguise",
        fix=Fix("Write the conditional expression", (ctx.replace(node, text),), grade),
    )


def _and_or(node: ast.BoolOp, ctx: Context) -> Iterator[Finding]:
    """`x and a or b`, where `a` is a constant or call that may well be false."""
    first = node.values[0]
    if not isinstance(node.op, ast.Or) or len(node.values) != 2:
        ctx.not_an_opportunity()
        return
    if not isinstance(first, ast.BoolOp) or not isinstance(first.op, ast.And) or len(first.values) != 2:
        return
    condition, yes = first.values
    if not isinstance(condition, ast.Compare) or not isinstance(
        yes, (ast.Constant, ast.List, ast.Dict, ast.Tuple)
    ):
        return
    if isinstance(yes, ast.Constant) and isinstance(yes.value, bool):
        return
    text = f"{_operand(yes, ctx)} if {ctx.source(condition)} else {_operand(node.values[1], ctx)}"
    if isinstance(ctx.parent(node), ast.expr) and not lines.is_in_brackets(node, ctx):
        text = f"({text})"
    certain = isinstance(yes, ast.Constant) and bool(yes.value)
    yield ctx.finding(
        node,
        "`and … or` is a conditional expression in disguise"
        if certain
        else "`and … or` is a conditional expression that fails where its first value is empty",
        fix=Fix(
            "Write the conditional expression",
            (ctx.replace(node, text),),
            Grade.SAFE if certain else Grade.UNSAFE,
        ),
    )


def _operand(node: ast.expr, ctx: Context) -> str:
    """An expression as a part of a conditional expression, in brackets where it would be read otherwise."""
    text = ctx.source(node)
    return f"({text})" if isinstance(node, (ast.IfExp, ast.Lambda, ast.NamedExpr)) else text


def _ends_line(node: ast.Expr, ctx: Context) -> bool:
    """Whether nothing but a comment stands behind a statement, which an `if` in its place would take in."""
    rest = ctx.text[ctx.span(node).end :].partition("\n")[0].strip()
    return not rest or rest.startswith("#")


def _statement(node: ast.Expr, value: ast.BoolOp, ctx: Context) -> Iterator[Finding]:
    condition, action = value.values
    if not isinstance(action.value if isinstance(action, ast.Await) else action, ast.Call):
        return
    test = ctx.source(condition)
    if isinstance(value.op, ast.Or):
        test = (
            f"not {test}" if isinstance(condition, (ast.Name, ast.Attribute, ast.Call)) else f"not ({test})"
        )
    outer = lines.indent(node, ctx)
    fix: Fix | None = None
    if outer is not None and "\n" not in ctx.source(node) and _ends_line(node, ctx):
        edit = ctx.replace(node, f"if {test}:\n{lines.deeper(outer)}{ctx.source(action)}")
        fix = Fix("Write the `if`", (edit,), Grade.SAFE)
    yield ctx.finding(node, "this statement is an `if` in disguise", fix=fix)
