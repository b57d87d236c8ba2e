"""Finds `is` with numbers, texts and displays. Whether two names may share one object is not its business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Fix, Grade, Severity, Span, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_IDENTITY: Final = frozenset({ast.Is, ast.IsNot})


@rule(
    ast.Compare,
    code="MNT246",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    when=lambda node: (
        type(node.ops[0]) in _IDENTITY
        and getattr(node.comparators[0], "value", "") is not None
        and len(node.ops) == 1
    ),
    cwe=(595,),
    in_tests=False,
    aliases=("F632", "R0123"),
    references=("https://docs.python.org/3/reference/expressions.html#is-not",),
)
def identity_of_value(compare: ast.Compare, ctx: Context) -> Iterator[Finding]:
    """Compare numbers and texts by `==`: `is` asks whether they are one object.

    Whether two equal numbers or texts are one object is left to the interpreter: `is` holds for those that it keeps (small numbers,
    texts that stand in the source) and fails for the same value that was read, computed or received. A check of a role, a status or
    a length that passes in the tests so fails in production, or lets everybody through where it is negated. With a list or
    dictionary that is written out, `is` is never true.

    ```python bad
    def may_delete(user):
        return user.role is "admin"
    #          ^^^^^^^^^^^^^^^^^^^^ `is` asks whether both are one object, not whether they are equal
    ```
    ```python fixed
    def may_delete(user):
        return user.role == "admin"
    ```
    ```python good
    def may_delete(user):
        return user is not None and user.role == "admin"
    ```
    """
    left, right = compare.left, compare.comparators[0]
    if _is_value(left) is _is_value(right):
        return  # neither, or both, which says something by what is written there
    negated = isinstance(compare.ops[0], ast.IsNot)
    between = Span(ctx.span(left).end, ctx.span(right).start)
    operator = ctx.text[between.start : between.end]
    equal = operator.replace("is not" if negated else "is", "!=" if negated else "==")
    word = "is not" if negated else "is"
    yield ctx.finding(
        compare,
        f"`{word}` asks whether both are one object, not whether they are equal",
        fix=Fix(f"Compare by `{equal.strip()}`", (ctx.replace(between, equal),), Grade.UNSAFE)
        if operator.split() == word.split() and word in operator
        else None,
    )


def _is_value(side: ast.expr) -> bool:
    """Whether an operand is a number, a text or a container that is written out, of which equal ones need not be one object."""
    if isinstance(side, ast.UnaryOp):
        side = side.operand
    if isinstance(side, ast.Constant):
        return type(side.value) in {int, float, complex, str, bytes}
    return isinstance(side, (ast.List, ast.Dict, ast.Set, ast.JoinedStr))
