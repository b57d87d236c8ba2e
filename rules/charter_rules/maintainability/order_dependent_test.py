"""Finds tests that leave something behind for other tests."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Global,
    code="MNT138",
    principles=("meaningful-tests", "no-hidden-state"),
    severity=Severity.LOW,
    in_tests=True,
)
def order_dependent_test(statement: ast.Global, ctx: Context) -> Iterator[Finding]:
    """A test sets a global variable that another test reads.

    The second passes only if the first has run before it: alone, in another order or in another process it fails, and
    so does everybody who tries to find out why. What both need is a fixture.

    Reported is a `global` name that one test function sets and another reads without setting it itself, and that no
    `setup` or `teardown` function and no fixture of the file sets.

    ```python bad title="tests/test_shop.py"
    order = None

    def test_create():
        global order
    #   ^^^^^^^^^^^^ `test_pay` passes only behind `test_create`, which sets `order` for it; make it a fixture
        order = create()
        assert order.open

    def test_pay():
        assert order.pay()
    ```
    ```python good title="tests/test_shop.py"
    import pytest

    @pytest.fixture
    def order():
        return create()

    def test_create(order):
        assert order.open

    def test_pay(order):
        assert order.pay()
    ```
    """
    setter = ctx.function(statement)
    if setter is None or not setter.name.startswith("test"):
        ctx.not_an_opportunity()
        return
    functions = [node for kind in shapes.FUNCTIONS for node in ctx.nodes(kind)]
    imported = {
        alias.asname or alias.name
        for kind in (ast.Import, ast.ImportFrom)
        for node in ctx.nodes(kind)
        for alias in node.names
    }
    for name in statement.names:
        if name in imported:
            continue  # reloaded, not handed on
        setters = [
            node
            for node in functions
            if any(name in inner.names for inner in ctx.nodes(ast.Global, within=node))
            and name in shapes.stored_in([item for item in node.body if not isinstance(item, ast.Global)])
        ]
        if setter not in setters or any(not node.name.startswith("test") for node in setters):
            continue
        reader = next(
            (
                node
                for node in functions
                if node.name.startswith("test")
                and node not in setters
                and not any(argument.arg == name for argument in shapes.parameters(node))
                and name not in shapes.stored_in(node.body)
                and any(True for _ in shapes.reads_in(name, node, ctx))
            ),
            None,
        )
        if reader is not None:
            yield ctx.finding(
                statement,
                f"`{reader.name}` passes only behind `{setter.name}`, which sets `{name}` for it; make it a fixture",
                related=[ctx.related(ctx.name_span(reader), f"reads `{name}`")],
            )
            return
