"""Finds tests that never run because a later one has the same name."""

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
    ast.ClassDef,
    code="MNT132",
    principles=("meaningful-tests", "no-dead-code"),
    severity=Severity.MEDIUM,
    aliases=("F811", "E0102"),
)
def hidden_test(scope: ast.Module | ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A test, function or method is replaced by a later one of the same name.

    The later definition takes the name, and the earlier one is gone before anything can call it. Of two tests with
    one name only the second runs, and nobody notices that the first would fail.

    Ruff's F811 covers this where nothing uses the name in between. Overloads, properties, conditional definitions
    and registering decorators are left alone.

    ```python bad title="tests/test_prices.py"
    def test_total():
    #   ^^^^^^^^^^ `test_total` never runs: line 4 defines it again
        assert total([1, 2]) == 3

    def test_total():
        assert total([]) == 0
    ```
    ```python good title="tests/test_prices.py"
    def test_total():
        assert total([1, 2]) == 3

    def test_total_of_nothing():
        assert total([]) == 0

    class Price:
        @property
        def amount(self):
            return 1

        @amount.setter
        def amount(self, value):
            pass
    ```
    """
    seen: dict[str, shapes.FunctionNode] = {}
    for node in scope.body:
        if not isinstance(node, shapes.FUNCTIONS):
            continue
        earlier = seen.get(node.name)
        seen[node.name] = node
        if earlier is None or earlier.decorator_list or node.decorator_list or node.name == "_":
            continue
        uses = (*ctx.reads.get(node.name, ()), *ctx.binds.get(node.name, ()))
        if any(earlier.lineno < use.lineno <= node.lineno for use in uses if type(use.ctx) is not ast.Store):
            continue
        word = "never runs" if node.name.startswith("test") else "can never be called"
        yield ctx.finding(
            ctx.name_span(earlier),
            f"`{node.name}` {word}: line {node.lineno} defines it again",
            related=[ctx.related(ctx.name_span(node), "defined again here")],
            tags=("unnecessary",),
        )
