"""Finds conditions that an earlier one has decided already."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.If,
    code="MNT220",
    principles=("robust-comparisons", "no-dead-code"),
    severity=Severity.MEDIUM,
    cwe=(570, 571),
)
def decided_condition(statement: ast.If, ctx: Context) -> Iterator[Finding]:
    """A condition is asked where an earlier one has answered it.

    In a chain of `elif`, a condition that stands there twice is never true the second time, and neither is one that a
    wider one before it has taken: after `x < 10` fails, `x < 5` fails, too. Inside of `if x > 10`, `x > 3` is always
    true. Nearly always one of the two was meant to be another: a copied line that was not changed.

    Conditions that call something, and names that are bound again in between, are left alone.

    ```python bad
    def rate(country):
        if country == "DE":
            return 0.19
        elif country == "AT":
            return 0.2
        elif country == "DE":
    #        ^^^^^^^^^^^^^^^ this is never true: line 2 has asked the same
            return 0.07
    ```
    ```python bad
    def size(count):
        if count < 100:
            return "small"
        elif count < 10:
    #        ^^^^^^^^^^ this is never true after `count < 100` on line 2 has failed
            return "tiny"
    ```
    ```python good
    def size(count):
        if count < 10:
            return "tiny"
        elif count < 100:
            return "small"
    ```
    """
    test = statement.test
    if type(ctx.parent(statement)) is not ast.If:
        return
    way: list[tuple[ast.If, ast.AST]] = []
    child: ast.AST = statement
    parent = ctx.parent(statement)
    while type(parent) is ast.If:
        failed = child in parent.orelse
        if failed and len(parent.orelse) != 1:
            return  # something stands between the two
        way.append((parent, child))
        known = parent.test
        same = shapes.may_read_alike(known, test) and ctx.source(known) == ctx.source(test)
        answer = not failed if same else _implied(known, test, failed=failed)
        if answer is not None:
            if _is_kept(test, way, ctx):
                yield _finding(test, known, ctx, answer=answer, same=same, failed=failed)
            return
        child, parent = parent, ctx.parent(parent)


def _finding(
    test: ast.expr, known: ast.expr, ctx: Context, *, answer: bool, same: bool, failed: bool
) -> Finding:
    if same:
        reason = f": line {known.lineno} has asked the same"
    elif failed:
        reason = f" after `{ctx.source(known)}` on line {known.lineno} has failed"
    else:
        reason = f" within `{ctx.source(known)}` on line {known.lineno}"
    word = "always" if answer else "never"
    return ctx.finding(test, f"this is {word} true{reason}", related=[ctx.related(known, "decided here")])


def _is_kept(test: ast.expr, way: list[tuple[ast.If, ast.AST]], ctx: Context) -> bool:
    """Whether nothing that a condition reads can change between an `if` and what stands in it.

    Args:
        test: the condition.
        way: the `if`s from the inside out, each with its part that holds the condition.
        ctx: the file.
    """
    if not shapes.is_pure(test):
        return False
    names = shapes.names_in(test)
    has_attributes = any(isinstance(node, (ast.Attribute, ast.Subscript)) for node in ast.walk(test))
    for outer, child in way:
        if not shapes.is_pure(outer.test):
            return False
        if child in outer.orelse:
            continue
        before = outer.body[: outer.body.index(child)]  # pyright: ignore[reportArgumentType] (it is a statement)
        # What is called in between may change attributes and items, and what a name holds.
        if before and (has_attributes or names & shapes.stored_in(before)):
            return False
        if not _is_about_identity(test) and any(_may_change(name, before, ctx) for name in names):
            return False
    return True


def _is_about_identity(test: ast.expr) -> bool:
    """Whether a condition asks which object it is, or compares it with a constant: no call changes those."""
    return isinstance(test, ast.Compare) and (
        all(isinstance(op, (ast.Is, ast.IsNot)) for op in test.ops) or _bound(test) is not None
    )


def _may_change(name: str, statements: list[ast.stmt], ctx: Context) -> bool:
    """Whether a method of what a name stands for is called, or it is given to a call: either may empty it."""
    for use in shapes.reads(name, statements):
        parent = ctx.parent(use)
        if isinstance(parent, ast.Attribute) and isinstance(ctx.parent(parent), ast.Call):
            return True
        if isinstance(parent, (ast.Call, ast.keyword, ast.Starred)):
            return True
    return False


_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_Bound = tuple[ast.expr, type[ast.cmpop], float]


def _bound(test: ast.expr) -> _Bound | None:
    """A comparison of something with a number, as that, the operator and the number."""
    if type(test) is not ast.Compare or len(test.ops) != 1:
        return None
    left, right, operator = test.left, test.comparators[0], type(test.ops[0])
    if _number(left) is not None:
        left, right, operator = right, left, _FLIPPED.get(operator, operator)
    number = _number(right)
    if number is None or operator not in _FLIPPED or _number(left) is not None:
        return None
    return left, operator, number


def _number(node: ast.expr) -> float | None:
    if type(node) is ast.UnaryOp and type(node.op) is ast.USub:
        inner = _number(node.operand)
        return None if inner is None else -inner
    if type(node) is ast.Constant and type(node.value) in {int, float}:
        return node.value  # pyright: ignore[reportReturnType] (asked just before)
    return None


def _implied(known: ast.expr, test: ast.expr, *, failed: bool) -> bool | None:
    """What one comparison with a number says of another of the same thing; None if it leaves it open."""
    first = _bound(known)
    second = _bound(test) if first is not None else None
    if first is None or second is None or not shapes.are_same(first[0], second[0]):
        return None
    operator = _OPPOSITE[first[1]] if failed else first[1]
    points = sorted({first[2], second[2]})
    samples = [
        points[0] - 1,
        *points,
        *((a + b) / 2 for a, b in itertools.pairwise(points)),
        points[-1] + 1,
    ]
    answers = {_holds(x, second[1], second[2]) for x in samples if _holds(x, operator, first[2])}
    return answers.pop() if len(answers) == 1 else None


def _holds(value: float, operator: type[ast.cmpop], number: float) -> bool:
    answers: dict[type[ast.cmpop], bool] = {
        ast.Lt: value < number, ast.LtE: value <= number, ast.Gt: value > number, ast.GtE: value >= number,
        ast.Eq: value == number, ast.NotEq: value != number,
    }  # fmt: skip
    return answers[operator]
