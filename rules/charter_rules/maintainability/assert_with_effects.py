"""Finds assertions that do something which is left out when assertions are."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_EFFECTS = frozenset(
    {
        "pop", "popitem", "popleft", "append", "remove", "discard", "add", "update", "insert", "clear", "setdefault",
        "write", "send", "commit", "execute", "delete", "unlink", "mkdir", "close", "acquire", "release", "start", "join",
        "put", "save", "sendall", "flush", "rename",
    }
)  # fmt: skip


@rule(
    ast.Assert,
    code="MNT236",
    principles=("deliberate-errors", "robust-comparisons"),
    severity=Severity.MEDIUM,
    cwe=(1076,),
)
def assert_with_effects(statement: ast.Assert, ctx: Context) -> Iterator[Finding]:
    """An assertion does something that the program needs.

    `python -O` leaves assertions out, and with them whatever they do: nothing is taken from the queue, nothing written.
    Do it first, and assert the result. Tests are not run with `-O` and are left alone.

    ```python bad
    def next_job(queue):
        assert queue.pop() == "start"
    #          ^^^^^^^^^^^ `queue.pop()` is not done when assertions are left out (`python -O`)
        return queue.pop()
    ```
    ```python good
    def next_job(queue):
        first = queue.pop()
        assert first == "start"
        return queue.pop()
    ```
    """
    if ctx.is_test:
        ctx.not_an_opportunity()
        return
    for node in ast.walk(statement.test):
        if isinstance(node, (ast.Lambda, *shapes.COMPREHENSIONS)):
            return
        if isinstance(node, ast.NamedExpr) and _is_read_later(node, statement, ctx):
            yield ctx.finding(
                node, f"`{node.target.id}` is not set when assertions are left out (`python -O`)"
            )
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _EFFECTS:
            if (
                ctx.name(node.func) is None
                and not _is_fresh(node.func.value)
                and not _is_text(node.func, ctx)
            ):
                yield ctx.finding(
                    node, f"`{ctx.source(node)}` is not done when assertions are left out (`python -O`)"
                )
            return


def _is_read_later(walrus: ast.NamedExpr, statement: ast.Assert, ctx: Context) -> bool:
    function = ctx.function(statement) or ctx.tree
    end = ctx.span(statement).end
    return any(ctx.span(use).start >= end for use in shapes.reads_in(walrus.target.id, function, ctx))


def _is_fresh(receiver: ast.expr) -> bool:
    """Whether what is changed was made for the question only."""
    return isinstance(receiver, (ast.Call, ast.List, ast.Dict, ast.Set, ast.Constant, ast.JoinedStr))


def _is_text(func: ast.Attribute, ctx: Context) -> bool:
    """Whether it is `join` of a text or a path that is meant."""
    return func.attr == "join" and (
        isinstance(func.value, ast.Constant) or ctx.type_name(func.value) == "builtins.str"
    )
