"""Finds assertions that cannot fail."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_MOCK_WORDS = frozenset(
    {
        "called_once", "called_with", "called_once_with", "any_call", "has_calls", "not_called", "assert_called_once_wiht",
        "asert_called", "asert_called_once_with", "assert_callled",
    }
)  # fmt: skip
_MOCK_CHECKS = frozenset(
    {
        "assert_called", "assert_called_once", "assert_called_with", "assert_called_once_with", "assert_any_call",
        "assert_has_calls", "assert_not_called", "assert_awaited", "assert_awaited_once", "assert_not_awaited",
        "assert_awaited_with", "assert_awaited_once_with",
    }
)  # fmt: skip


@rule(
    ast.Assert,
    ast.Call,
    ast.Expr,
    code="MNT131",
    principles=("meaningful-tests", "robust-comparisons"),
    severity=Severity.MEDIUM,
    calls=("*.assertTrue", "*.assertFalse"),
    when=lambda node: type(node) is not ast.Expr or type(node.value) is ast.Attribute,
    aliases=("F631", "PGH005", "B011", "PLW0129"),
)
def always_true_assertion(node: ast.Assert | ast.Call | ast.Expr, ctx: Context) -> Iterator[Finding]:
    """An assertion can never fail.

    A tuple that is not empty is true whatever is in it; `assertTrue(a, b)` takes `b` for the message; a mock's
    `called_once_with(…)` is not an assertion but another mock, which is true; `mock.assert_called_once` without
    parentheses is never called. The test passes and says nothing.

    Ruff's F631 and PGH005 cover the tuple and some of the mocks; `assertTrue` with two values is this rule's.

    ```python bad title="tests/test_prices.py"
    import unittest

    class TestPrice(unittest.TestCase):
        def test_total(self):
            self.assertTrue(total([1, 2]), 3)
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `assertTrue` takes its second argument for the message; nothing is compared with `3`
            assert (total([]) == 0, "empty")
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this assertion is always true: a tuple with something in it
            self.mailer.send.assert_called_once
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `assert_called_once` is not called, so nothing is asserted
    ```
    ```python fixed title="tests/test_prices.py"
    import unittest

    class TestPrice(unittest.TestCase):
        def test_total(self):
            self.assertEqual(total([1, 2]), 3)
            assert total([]) == 0, "empty"
            self.mailer.send.assert_called_once()
    ```
    ```python good title="tests/test_prices.py"
    import unittest

    class TestPrice(unittest.TestCase):
        def test_total(self):
            self.assertTrue(total([1, 2]) == 3, "two items")
            assert total([]) == 0, "empty"
            self.mailer.send.assert_called_once()
    ```
    """
    if isinstance(node, ast.Assert):
        yield from _assert(node, ctx)
    elif isinstance(node, ast.Call):
        yield from _call(node, ctx)
    else:
        yield from _statement(node, ctx)


def _assert(node: ast.Assert, ctx: Context) -> Iterator[Finding]:
    test = node.test
    if isinstance(test, ast.Tuple) and test.elts:
        fix: Fix | None = None
        if len(test.elts) == 2 and node.msg is None:
            text = f"{ctx.source(test.elts[0])}, {ctx.source(test.elts[1])}"
            fix = Fix("Take the second part for the message", (ctx.replace(test, text),), Grade.UNSAFE)
        yield ctx.finding(node, "this assertion is always true: a tuple with something in it", fix=fix)
    elif (
        isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr in _MOCK_WORDS
    ):
        name = test.func.attr
        yield ctx.finding(node, f"`{name}` is no check of a mock but another mock, which is always true")


def _call(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    func = node.func
    if not isinstance(func, ast.Attribute) or not shapes.is_name(func.value, "self"):
        ctx.not_an_opportunity()
        return
    if len(node.args) != 2:
        return
    second = node.args[1]
    if isinstance(second, ast.Constant) and not isinstance(second.value, (str, type(None))):
        fix: Fix | None = None
        if func.attr == "assertTrue":
            fix = Fix("Compare them", (ctx.replace(ctx.name_span(func), "assertEqual"),), Grade.UNSAFE)
        yield ctx.finding(
            node,
            f"`{func.attr}` takes its second argument for the message; nothing is compared with `{ctx.source(second)}`",
            fix=fix,
        )


def _statement(node: ast.Expr, ctx: Context) -> Iterator[Finding]:
    value = node.value
    if isinstance(value, ast.Attribute) and value.attr in _MOCK_CHECKS:
        fix = Fix("Call it", (ctx.insert(ctx.span(value).end, "()"),), Grade.UNSAFE)
        yield ctx.finding(node, f"`{value.attr}` is not called, so nothing is asserted", fix=fix)
    else:
        ctx.not_an_opportunity()
