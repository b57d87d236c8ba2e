"""Finds locks that stay taken when an exception is raised."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, Span, rule
from charter_rules import lifetimes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_WORDS = ("lock", "mutex", "semaphore", "condition")


@rule(
    ast.Call,
    code="MNT121",
    principles=("released-resources",),
    severity=Severity.MEDIUM,
    default=False,
    calls=("*.acquire",),
    cwe=(667,),
)
def unreleased_lock(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A lock is acquired and released, but not when something in between fails.

    The first exception between `acquire()` and `release()` leaves the lock taken for good, and every other thread
    waits for ever. `with lock:` releases on every path.

    Off by default: too few of its findings on published packages have been read to promise nine in ten.

    ```python bad
    def add(self, item):
        self.lock.acquire()
    #   ^^^^^^^^^^^^^^^^^^^ `self.lock` stays taken if an exception is raised before it is released
        self.items.append(self.price(item))
        self.lock.release()
    ```
    ```python fixed
    def add(self, item):
        with self.lock:
            self.items.append(self.price(item))
    ```
    ```python good
    def add(self, item):
        self.lock.acquire()
        try:
            self.items.append(self.price(item))
        finally:
            self.lock.release()
    ```
    """
    statement = ctx.parent(call)
    if not isinstance(statement, ast.Expr) or call.args or call.keywords or ctx.is_test:
        return
    assert isinstance(call.func, ast.Attribute)
    lock = ctx.source(call.func.value)
    if not any(word in lock.rpartition(".")[2].lower() for word in _WORDS):
        return  # only what is named a lock is sure to be one, and to work in a `with` statement
    block = lifetimes.block_of(statement, ctx)
    if block is None:
        return
    after = block[block.index(statement) + 1 :]
    release = next((item for item in after if _releases(item, lock, ctx)), None)
    if release is None:
        return
    between = after[: after.index(release)]
    if not between or any(isinstance(item, ast.Try) for item in between):
        return
    if not any(isinstance(node, (ast.Call, ast.Subscript)) for item in between for node in ast.walk(item)):
        return
    yield ctx.finding(
        call,
        f"`{lock}` stays taken if an exception is raised before it is released",
        fix=_with(statement, release, between, lock, ctx),
    )


def _releases(statement: ast.stmt, lock: str, ctx: Context) -> bool:
    return isinstance(statement, ast.Expr) and ctx.source(statement) == f"{lock}.release()"


def _with(
    statement: ast.Expr, release: ast.stmt, between: list[ast.stmt], lock: str, ctx: Context
) -> Fix | None:
    text = lifetimes.indented(statement, release, between, ctx)
    if text is None:
        return None
    span = Span(ctx.span(statement).start, ctx.span(release).end)
    return Fix("Hold it in a `with` statement", (ctx.replace(span, f"with {lock}:{text}"),), Grade.UNSAFE)
