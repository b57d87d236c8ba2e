"""Finds assertions that hold only while the clock stands still."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_NOW = frozenset(
    {
        "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
        "time.time", "django.utils.timezone.now", "time.localtime", "time.gmtime",
    }
)  # fmt: skip
_LAST = frozenset(name.rpartition(".")[2] for name in _NOW)
_FROZEN = ("freeze", "frozen", "time_machine", "travel", "monkeypatch", "mock", "patch", "fake")


@rule(
    ast.Assert,
    ast.Call,
    code="MNT137",
    principles=("meaningful-tests",),
    severity=Severity.LOW,
    in_tests=True,
    calls=("*.assertEqual", "*.assertEquals"),
    mentions=("now", "utcnow", "today", "time", "localtime", "gmtime"),
)
def clock_in_test(node: ast.Assert | ast.Call, ctx: Context) -> Iterator[Finding]:
    """An assertion compares a result with what the clock says now.

    Between the code under test and the assertion time goes on: such a test fails at midnight, at the turn of the year,
    or whenever the machine is busy for a moment. Freeze the clock, hand a time in, or allow a difference.

    Reported are comparisons for equality with a call of the clock, in files that freeze nothing.

    ```python bad title="tests/test_orders.py"
    from datetime import date, datetime

    def test_order():
        order = place()
        assert order.day == date.today()
    #                       ^^^^^^^^^^^^ the clock may have gone on since `order.day` was set; freeze it, or hand the time in
    ```
    ```python good title="tests/test_orders.py"
    from datetime import date, datetime, timedelta

    def test_order():
        order = place(date(2026, 5, 1))
        assert order.day == date(2026, 5, 1)

    def test_stamp():
        assert datetime.now() - place().stamp < timedelta(minutes=1)
    ```
    """
    sides = _compared(node)
    if sides is None:
        ctx.not_an_opportunity()
        return
    for one, other in (sides, sides[::-1]):
        clock = next(
            (item for item in ast.walk(one) if isinstance(item, ast.Call) and _is_clock(item, ctx)), None
        )
        if clock is None or isinstance(other, ast.Constant) or _is_rounded(clock, one, ctx):
            continue
        if isinstance(other, ast.Call) and _is_clock(other, ctx):
            continue
        if any(word in ctx.text for word in _FROZEN):
            return
        yield ctx.finding(
            clock,
            f"the clock may have gone on since `{calls.short(ctx, other)}` was set; freeze it, or hand the time in",
        )
        return


def _is_clock(call: ast.Call, ctx: Context) -> bool:
    """Whether a call asks the clock; most methods have another name."""
    if isinstance(call.func, ast.Attribute) and call.func.attr not in _LAST:
        return False
    return ctx.name(call.func) in _NOW


def _compared(node: ast.Assert | ast.Call) -> tuple[ast.expr, ast.expr] | None:
    """The two sides of an assertion of equality."""
    if isinstance(node, ast.Assert):
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            return test.left, test.comparators[0]
        return None
    return (node.args[0], node.args[1]) if len(node.args) >= 2 else None


def _is_rounded(clock: ast.Call, whole: ast.expr, ctx: Context) -> bool:
    """Whether only the year of the clock is used, or the clock is an argument of something that is tested itself."""
    if clock is whole:
        return False
    for ancestor in ctx.ancestors(clock):
        if isinstance(ancestor, ast.Attribute) and ancestor.attr in {
            "year",
            "tzinfo",
            "utcoffset",
            "__class__",
        }:
            return True
        if isinstance(ancestor, ast.Call) and ancestor.func is not clock and clock in ancestor.args:
            return True
        if ancestor is whole or isinstance(ancestor, ast.stmt):
            return False
    return False
