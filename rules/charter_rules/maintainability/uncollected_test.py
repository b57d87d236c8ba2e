"""Finds tests that no runner collects, because of where they stand or what their class is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.ClassDef,
    ast.FunctionDef,
    code="MNT134",
    principles=("meaningful-tests", "no-dead-code"),
    severity=Severity.MEDIUM,
    in_tests=True,
)
def uncollected_test(node: ast.ClassDef | ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    """A test looks like one and never runs.

    pytest collects functions at module level and methods of classes that are named `Test…` and have no `__init__`;
    `unittest.TestCase` calls an `async def` test and drops the coroutine that it gets. Such a test is written, read and
    counted, and nothing would be noticed if it failed.

    Reported, in files named `test_….py` or `…_test.py`: a class with test methods that has no base, is not named
    `Test…` while others of the file are, and is used nowhere in it; a `Test…` class with an `__init__`; a test function
    inside of another test that nothing calls; a coroutine in a plain `unittest.TestCase`.

    ```python bad title="tests/test_shop.py"
    import unittest

    class ShopTests:
    #     ^^^^^^^^^ `ShopTests` is not collected, so its 1 test never runs: pytest wants a name that begins with `Test`
        def test_open(self):
            assert shop.open()

    class TestCart:
    #     ^^^^^^^^ `TestCart` is not collected, so its 1 test never runs: pytest leaves out classes with an `__init__`
        def __init__(self):
            self.cart = []

        def test_empty(self):
            assert not self.cart

    class TestDoor(unittest.TestCase):
        async def test_open(self):
    #             ^^^^^^^^^ `test_open` never runs: `unittest.TestCase` awaits no coroutine, `IsolatedAsyncioTestCase` does
            assert await door.open()
    ```
    ```python good title="tests/test_shop.py"
    import unittest

    class TestShop:
        def test_open(self):
            assert shop.open()

    class Doors:
        def test_open(self):
            assert self.door.open()

    class TestBackDoor(Doors):
        pass

    class TestDoor(unittest.IsolatedAsyncioTestCase):
        async def test_open(self):
            assert await door.open()
    ```
    """
    file = ctx.path.rpartition("/")[2]
    if not file.startswith("test_") and not file.endswith("_test.py"):
        ctx.not_an_opportunity()
        return
    if isinstance(node, ast.ClassDef):
        yield from _class(node, ctx)
    else:
        yield from _function(node, ctx)


def _class(node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    tests = [
        item for item in node.body if isinstance(item, shapes.FUNCTIONS) and item.name.startswith("test_")
    ]
    if not tests or not isinstance(ctx.parent(node), ast.Module):
        ctx.not_an_opportunity()
        return
    if node.bases:
        if all(ctx.name(base) == "unittest.TestCase" for base in node.bases) and not node.decorator_list:
            for test in tests:
                if isinstance(test, ast.AsyncFunctionDef) and not test.decorator_list:
                    yield ctx.finding(
                        ctx.name_span(test),
                        f"`{test.name}` never runs: `unittest.TestCase` awaits no coroutine, "
                        "`IsolatedAsyncioTestCase` does",
                    )
        return
    named = node.name.startswith("Test")
    made = any(isinstance(item, shapes.FUNCTIONS) and item.name == "__init__" for item in node.body)
    if node.decorator_list or node.keywords or named is not made or _is_used(node, ctx):
        return
    if not named and (_is_switched_off(node) or not _has_habit(ctx)):
        return
    reason = (
        "pytest leaves out classes with an `__init__`"
        if named
        else "pytest wants a name that begins with `Test`"
    )
    count = f"{len(tests)} tests never run" if len(tests) > 1 else "1 test never runs"
    yield ctx.finding(
        ctx.name_span(node),
        f"`{node.name}` is not collected, so its {count}: {reason}",
        related=[ctx.related(ctx.name_span(test), "never runs") for test in tests],
    )


def _is_used(node: ast.ClassDef, ctx: Context) -> bool:
    """Whether the file names the class elsewhere, as a base or to call it."""
    return any(use.id == node.name for use in ctx.nodes(ast.Name)) or any(
        "load_tests" in item.name for item in ctx.nodes(ast.FunctionDef)
    )


def _has_habit(ctx: Context) -> bool:
    """Whether other classes of the file are named as pytest wants them; settings may ask for another name."""
    return any(
        item.name.startswith("Test")
        and any(isinstance(test, shapes.FUNCTIONS) and test.name.startswith("test_") for test in item.body)
        for item in ctx.nodes(ast.ClassDef)
    )


def _is_switched_off(node: ast.ClassDef) -> bool:
    """Whether the name says that other files are to inherit it, or that it is not to run."""
    words = (
        "Base",
        "Mixin",
        "Abstract",
        "Common",
        "Shared",
        "Disabled",
        "Suite",
        "Skip",
        "No",
        "Helper",
        "_",
    )
    return any(word in node.name for word in words)


def _function(node: ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    outer = ctx.parent(node)
    if (
        not isinstance(outer, shapes.FUNCTIONS)
        or not node.name.startswith("test_")
        or not outer.name.startswith("test_")
    ):
        ctx.not_an_opportunity()
        return
    if node.decorator_list or any(True for _ in shapes.reads_in(node.name, outer, ctx)):
        return
    yield ctx.finding(
        ctx.name_span(node),
        f"`{node.name}` never runs: it stands inside of `{outer.name}`, and nothing calls it",
    )
