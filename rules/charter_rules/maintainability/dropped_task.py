"""Finds background tasks that nothing refers to."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="MNT120",
    principles=("released-resources", "deliberate-errors"),
    severity=Severity.MEDIUM,
    calls=("asyncio.create_task", "asyncio.ensure_future"),
    aliases=("RUF006",),
)
def dropped_task(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A task is started, and nothing keeps it.

    The event loop refers to its tasks weakly: a task that nobody else refers to may be collected in the middle of
    its work. Its exceptions are lost as well, since nobody asks for its result. Keep it in a set until it is done,
    or start it in a `TaskGroup`. Ruff's RUF006 reports the same.

    ```python bad
    import asyncio

    async def handle(order):
        asyncio.create_task(order.archive())
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing keeps this task: it may vanish before it is done, and its errors with it
        return order.id
    ```
    ```python good
    import asyncio

    running = set()

    async def handle(order):
        task = asyncio.create_task(order.archive())
        running.add(task)
        task.add_done_callback(running.discard)
        return order.id
    ```
    """
    if isinstance(ctx.parent(call), ast.Expr) and not ctx.is_test:
        yield ctx.finding(
            call, "nothing keeps this task: it may vanish before it is done, and its errors with it"
        )
