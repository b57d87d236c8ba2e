"""Finds coroutines that drop their own cancellation."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_CANCELLED = frozenset(
    {"asyncio.CancelledError", "asyncio.exceptions.CancelledError", "concurrent.futures.CancelledError"}
)


@rule(
    ast.ExceptHandler,
    code="MNT241",
    principles=("deliberate-errors",),
    severity=Severity.MEDIUM,
    mentions=("CancelledError",),
    cwe=(390,),
)
def swallowed_cancellation(handler: ast.ExceptHandler, ctx: Context) -> Iterator[Finding]:
    """A coroutine catches `CancelledError` and goes on as if nothing had happened.

    Cancelling is how timeouts, task groups and a closing program end a task. A task that drops it runs on: `asyncio.timeout`
    does not time out, a task group never ends, Ctrl-C hangs. Tidy up and `raise`.

    To wait for a task that the function itself has cancelled is fine, and so is to end the function, or to keep the exception
    and raise it later.

    ```python bad
    import asyncio

    async def watch(queue, log):
        while True:
            try:
                log(await queue.get())
            except asyncio.CancelledError:
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the task drops its own cancellation and goes on
                log("cancelled")
    ```
    ```python good
    import asyncio

    async def watch(queue, log):
        while True:
            try:
                log(await queue.get())
            except asyncio.CancelledError:
                log("cancelled")
                raise

    async def stop(task):
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
    ```
    """
    function = ctx.function(handler)
    if not isinstance(function, ast.AsyncFunctionDef) or handler.type is None or ctx.is_test:
        ctx.not_an_opportunity()
        return
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    if not any(ctx.name(item) in _CANCELLED for item in caught):
        ctx.not_an_opportunity()
        return
    inside = [node for item in handler.body for node in ast.walk(item)]
    if any(isinstance(node, (ast.Raise, ast.Return, ast.Break)) for node in inside):
        return
    if handler.name is not None and _is_kept(handler.name, handler, ctx):
        return
    if any(
        isinstance(above, ast.ExceptHandler) and isinstance(above.body[-1], ast.Raise)
        for above in ctx.ancestors(handler)
    ):
        return  # what has to be tidied up while an exception waits, which goes on after that
    attempt = ctx.parent(handler)
    waits = isinstance(attempt, ast.Try) and any(
        isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith))
        for item in attempt.body
        for node in ast.walk(item)
    )
    cancels = any(
        isinstance(call.func, ast.Attribute) and "cancel" in call.func.attr
        for call in ctx.nodes(ast.Call, within=function)
    )
    if not waits or cancels or ctx.loop(handler) is None:
        return  # the end of the coroutine is near
    location = ctx.span(handler)
    head = ctx.text.index(":", ctx.span(handler.type).end)
    yield ctx.finding(type(location)(location.start, head), "the task drops its own cancellation and goes on")


def _is_kept(name: str, handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether the exception is stored: appended to a list, bound to something, given to a future."""
    for use in shapes.reads(name, handler.body):
        parent = ctx.parent(use)
        if isinstance(parent, (ast.Assign, ast.Tuple, ast.Dict)):
            return True
        if isinstance(parent, ast.Call) and use in parent.args and isinstance(parent.func, ast.Attribute):
            return parent.func.attr in {"append", "add", "put", "put_nowait", "set_exception"}
    return False
