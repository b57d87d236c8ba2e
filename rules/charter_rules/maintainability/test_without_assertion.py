"""Finds tests that check nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CHECKS = (
    "assert",
    "expect",
    "verify",
    "check",
    "raises",
    "warns",
    "fail",
    "should",
    "validate",
    "match",
    "ensure",
    "compare",
    "approx",
    "snapshot",
    "benchmark",
    "test",
)


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT130",
    principles=("meaningful-tests",),
    severity=Severity.LOW,
    when=lambda node: node.name.startswith("test"),
)
def test_without_assertion(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A test computes something and checks nothing.

    It fails only if the code raises, and so it goes on passing when the result is wrong. If not raising is what is
    tested, the name should say so, or a comment.

    A call of anything whose name speaks of checking (`assert_…`, `verify…`, `raises`) counts as a check, in the test
    itself or in a helper of the file that it calls. Tests whose name says that nothing is to happen
    (`test_import_works`, `test_does_not_raise`), that return something, or only pass, skip or raise, are left alone.

    ```python bad title="tests/test_prices.py"
    from shop.prices import total

    def test_total_of_two():
    #   ^^^^^^^^^^^^^^^^^ `test_total_of_two` computes `result` and checks nothing
        result = total([1, 2])
    ```
    ```python good title="tests/test_prices.py"
    import pytest

    from shop.prices import total

    def test_total_of_two():
        assert total([1, 2]) == 3

    def test_total_of_text():
        with pytest.raises(TypeError):
            total("12")

    def test_total_does_not_raise():
        result = total([])
    ```
    """
    if not ctx.is_test:
        ctx.not_an_opportunity()
        return
    if function.decorator_list or not _is_collected(function, ctx):
        return
    if any(
        word in function.name
        for word in (
            "not_raise",
            "no_error",
            "works",
            "smoke",
            "import",
            "does_not",
            "without_error",
            "no_exception",
            "ok",
            "noop",
            "crash",
        )
    ):
        return
    unused = _unread_result(function)
    if unused is None or _checks(function, ctx, depth=0) or _is_explained(function, ctx):
        return
    yield ctx.finding(ctx.name_span(function), f"`{function.name}` computes `{unused}` and checks nothing")


def _is_collected(function: shapes.FunctionNode, ctx: Context) -> bool:
    parent = ctx.parent(function)
    return isinstance(parent, ast.Module) or (
        isinstance(parent, ast.ClassDef) and parent.name.startswith("Test")
    )


def _unread_result(function: shapes.FunctionNode) -> str | None:
    """The last variable that the test sets and never looks at; None if there is none."""
    last = function.body[-1]
    if (
        not isinstance(last, ast.Assign)
        or not isinstance(last.targets[0], ast.Name)
        or not isinstance(last.value, (ast.Call, ast.Await))
    ):
        return None
    name = last.targets[0].id
    return (
        name
        if not any(True for _ in shapes.reads(name, function.body)) and not name.startswith("_")
        else None
    )


def _checks(function: shapes.FunctionNode, ctx: Context, *, depth: int) -> bool:
    for node in ast.walk(function):
        if isinstance(node, (ast.Assert, ast.Raise)):
            return True
        if depth == 0 and isinstance(node, (ast.Yield, ast.Return)) and node.value is not None:
            return True  # someone else looks at it
        if not isinstance(node, ast.Call):
            continue
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        if any(word in name.lower() for word in _CHECKS):
            return True
        if depth == 0:
            for kind in shapes.FUNCTIONS:
                for helper in ctx.nodes(kind):
                    if helper.name == name and helper is not function and _checks(helper, ctx, depth=1):
                        return True
    return False


def _is_explained(function: shapes.FunctionNode, ctx: Context) -> bool:
    start, end = ctx.span(function)
    stop = ctx.text.find("\n", end)
    text = ctx.text[start : stop if stop >= 0 else len(ctx.text)]
    return "#" in text or ast.get_docstring(function) is not None
