"""Finds coroutines that are made and thrown away. Which functions are coroutines is `analysis.blocking`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter.api.facts.concurrency import UnawaitedCoroutine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    UnawaitedCoroutine,
    code="MNT012",
    principles=("robust-comparisons", "meaningful-tests"),
    severity=Severity.HIGH,
)
def unawaited_coroutine(call: UnawaitedCoroutine, ctx: Context) -> Iterator[Finding]:
    """A coroutine function is called without `await`, so nothing happens.

    Calling an `async def` only makes a coroutine; it runs when it is awaited. As a statement of its own, the call
    does nothing but warn, at some later time, that the coroutine was never awaited. The rule knows the project's
    coroutine functions across modules, which a check of single files cannot.

    ```python bad title="shop/orders.py"
    from shop.mail import send_receipt

    async def pay(order):
        order.paid = True
        send_receipt(order)
    #   ^^^^^^^^^^^^^^^^^^^ `send_receipt` is a coroutine function; without `await` it does nothing
    ```
    ```python good title="shop/mail.py"
    async def send_receipt(order):
        await order.customer.mail("Thank you")
    ```
    ```python fixed title="shop/orders.py"
    from shop.mail import send_receipt

    async def pay(order):
        order.paid = True
        await send_receipt(order)
    ```
    ```python good
    import asyncio

    async def work():
        await asyncio.sleep(1)

    async def main():
        await work()
        task = asyncio.create_task(work())
        await task
    ```
    """
    name = call.name.rpartition(".")[2]
    start = call.location.span.start
    fix = Fix("Await it", (ctx.insert(start, "await "),), Grade.UNSAFE) if call.in_coroutine else None
    yield ctx.finding(
        call.location, f"`{name}` is a coroutine function; without `await` it does nothing", fix=fix
    )
