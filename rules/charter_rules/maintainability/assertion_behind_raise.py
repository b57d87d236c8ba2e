"""Finds assertions that stand where the exception that is expected has already ended the block."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_EXPECTERS = frozenset(
    {"pytest.raises", "raises", "assertRaises", "assertRaisesRegex", "assertRaisesMessage"}
)
_HARMLESS = frozenset({"str", "repr", "len", "isinstance", "type", "int", "list", "tuple", "set", "sorted"})


@rule(
    ast.With,
    code="MNT133",
    principles=("meaningful-tests", "no-dead-code"),
    severity=Severity.MEDIUM,
    mentions=("raises", "assertRaises", "assertRaisesRegex", "assertRaisesMessage"),
)
def assertion_behind_raise(block: ast.With, ctx: Context) -> Iterator[Finding]:
    """An assertion stands in the block that is to raise, behind the call that raises.

    The exception leaves the block at once, so the assertion never runs: it holds whatever it says. It belongs behind
    the block.

    ```python bad title="tests/test_shop.py"
    import pytest

    from shop import buy

    def test_buying_nothing():
        with pytest.raises(ValueError) as caught:
            buy([])
            assert "nothing" in str(caught.value)
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this never runs: what raises leaves the block before it
    ```
    ```python fixed title="tests/test_shop.py"
    import pytest

    from shop import buy

    def test_buying_nothing():
        with pytest.raises(ValueError) as caught:
            buy([])
        assert "nothing" in str(caught.value)
    ```
    ```python good title="tests/test_shop.py"
    import pytest

    from shop import buy

    def test_buying_nothing():
        with pytest.raises(ValueError) as caught:
            buy([])
        assert "nothing" in str(caught.value)

    def test_a_failing_check():
        with pytest.raises(AssertionError):
            assert buy([1]).is_empty
    ```
    """
    expecter = block.items[0].context_expr
    if len(block.items) != 1 or not isinstance(expecter, ast.Call) or not _is_expecter(expecter, ctx):
        ctx.not_an_opportunity()
        return
    kinds = ctx.source(expecter)
    if (
        "AssertionError" in kinds
        or "Fail" in kinds
        or "Exception)" in kinds.replace("BaseException", "Exception")
    ):
        return  # the assertion itself may be what is to fail
    caught = block.items[0].optional_vars
    dead = _tail(block, caught.id if isinstance(caught, ast.Name) else "", ctx)
    if not dead or dead[0] is block.body[0] or not _may_raise(block.body[: block.body.index(dead[0])]):
        return
    yield ctx.finding(
        dead[0],
        "this never runs: what raises leaves the block before it",
        fix=_behind(block, dead, ctx),
        tags=("unnecessary",),
    )


def _is_expecter(call: ast.Call, ctx: Context) -> bool:
    if isinstance(call.func, ast.Attribute) and call.func.attr in _EXPECTERS:
        return True
    return ctx.name(call.func) in _EXPECTERS


def _tail(block: ast.With, caught: str, ctx: Context) -> list[ast.stmt]:
    """The assertions at the end of a block that cannot be what raises."""
    found: list[ast.stmt] = []
    for statement in reversed(block.body):
        if not isinstance(statement, ast.Assert):
            break
        about = caught and caught in shapes.names_in(statement)
        if not about and any(
            isinstance(node, ast.Call) and ctx.source(node.func) not in _HARMLESS
            for node in ast.walk(statement)
        ):
            break
        if not about and any(
            isinstance(node, (ast.Subscript, ast.Attribute)) for node in ast.walk(statement)
        ):
            break  # a property or an item may raise what is expected
        found.insert(0, statement)
    return found


def _may_raise(body: list[ast.stmt]) -> bool:
    return any(isinstance(node, (ast.Call, ast.Await, ast.Raise)) for item in body for node in ast.walk(item))


def _behind(block: ast.With, dead: list[ast.stmt], ctx: Context) -> Fix | None:
    """Move the assertions one level out, where each stands on lines of its own."""
    if lines.indent(block, ctx) is None or any(item.lineno != item.end_lineno for item in dead):
        return None
    edits = tuple(ctx.remove_statement(item) for item in dead)
    text = "\n".join(ctx.source(item) for item in dead)
    return Fix("Assert behind the block", (*edits, ctx.insert_after(block, text)), Grade.UNSAFE)
