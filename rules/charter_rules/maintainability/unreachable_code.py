"""Finds statements that no path reaches."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, Span, regex, rule
from charter_rules import lifetimes, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)


@rule(
    ast.Return,
    ast.Raise,
    ast.Break,
    ast.Continue,
    ast.If,
    ast.Try,
    ast.While,
    code="MNT080",
    principles=("no-dead-code",),
    severity=Severity.MEDIUM,
    aliases=("W0101",),
    cwe=(561,),
)
def unreachable_code(statement: ast.stmt, ctx: Context) -> Iterator[Finding]:
    """Statements stand where no path leads.

    They follow a `return`, `raise`, `break` or `continue`, or an `if` whose branches all leave. Either they are
    left over, or the jump above them is: then something that should happen never does.

    A `yield` behind a `return` makes a function a generator, and is left alone.

    ```python bad
    def price(item):
        if item.sold:
            raise ValueError(item)
        else:
            return item.price
        log(item)
    #   ^^^^^^^^^ nothing reaches this line: every path above has left
    ```
    ```python fixed
    def price(item):
        if item.sold:
            raise ValueError(item)
        else:
            return item.price
    ```
    ```python good
    def price(item):
        while True:
            if item.ready:
                break
            item.wait()
        return item.price

    def nothing():
        return
        yield
    ```
    """
    around: list[ast.stmt] = getattr(ctx.parent(statement), "body", [])
    if (around and around[-1] is statement) or not leaves(statement):
        return  # most jumps are the last thing that a block does
    block = lifetimes.block_of(statement, ctx)
    if block is None or block[-1] is statement or ctx.function(statement) is None:
        return
    index = block.index(statement)
    if any(leaves(earlier) for earlier in block[:index]):
        return  # reported there
    rest = block[index + 1 :]
    if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for item in rest for node in ast.walk(item)):
        return
    if all(isinstance(item, (*shapes.DEFINITIONS, ast.Pass)) or _is_never(item) for item in rest):
        return
    span = Span(ctx.span(rest[0]).start, ctx.span(rest[-1]).end)
    between = ctx.text[ctx.span(statement).end : ctx.text.find("\n", span.start) + 1 or len(ctx.text)]
    if _SAID.search(between):
        return
    edits = tuple(ctx.remove_statement(item) for item in rest)
    yield ctx.finding(
        rest[0] if len(rest) == 1 else span,
        "nothing reaches this line: every path above has left",
        fix=Fix("Remove what is never reached", edits, Grade.UNSAFE),
        tags=("unnecessary",),
    )


_SAID = regex(r"#.*(never|reach|should ?n[o']t|cannot|can't|safety|defensive|just in case)", re.IGNORECASE)
"""What a comment says where the author knows that nothing gets there."""


def _is_never(statement: ast.stmt) -> bool:
    """Whether a statement says itself that it is not to be reached, for the reader or a type checker."""
    if isinstance(statement, ast.Assert):
        return isinstance(statement.test, ast.Constant) and not statement.test.value
    if isinstance(statement, ast.Raise):
        return True
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, (ast.Call, ast.Constant))
        and ("assert_never" in ast.dump(statement) or isinstance(statement.value, ast.Constant))
    )


def leaves(statement: ast.stmt) -> bool:
    """Whether every path through a statement jumps out of its block."""
    if isinstance(statement, _JUMPS):
        return True
    if type(statement) is ast.If:
        return bool(statement.orelse) and _block_leaves(statement.body) and _block_leaves(statement.orelse)
    if type(statement) is ast.Try:
        if _block_leaves(statement.finalbody):
            return True
        body = _block_leaves(statement.body) or (bool(statement.orelse) and _block_leaves(statement.orelse))
        return body and all(_block_leaves(handler.body) for handler in statement.handlers)
    if type(statement) is ast.While:
        always = type(statement.test) is ast.Constant and bool(statement.test.value)
        return always and not _breaks(statement.body)
    return False


def _block_leaves(body: list[ast.stmt]) -> bool:
    return any(leaves(statement) for statement in body)


def _breaks(body: list[ast.stmt]) -> bool:
    """Whether a `break` in a loop's body leaves this very loop."""
    for statement in body:
        if isinstance(statement, ast.Break):
            return True
        if isinstance(statement, shapes.DEFINITIONS):
            continue
        inner = (
            (statement.orelse,)
            if isinstance(statement, shapes.LOOPS)
            else (
                getattr(statement, "body", []),
                getattr(statement, "orelse", []),
                getattr(statement, "finalbody", []),
                *(handler.body for handler in getattr(statement, "handlers", [])),
                *(case.body for case in getattr(statement, "cases", [])),
            )
        )
        if any(_breaks(block) for block in inner):
            return True
    return False
