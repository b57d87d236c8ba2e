"""Finds tests that wait for time to pass."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="MNT135",
    principles=("meaningful-tests",),
    severity=Severity.LOW,
    in_tests=True,
    default=False,
    calls=("time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep"),
    options={"seconds": 0.5},
)
def sleeping_test(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A test sleeps for a fixed time.

    Whatever it waits for takes a little longer on a busy machine, and then the test fails on another's day; on a fast
    one everybody waits for nothing. Wait for the condition itself, with a limit, or give the code a clock of its own.

    Reported are sleeps of at least `seconds` in a test function, outside of loops, which poll. Off by default: what
    is tested may be time itself.

    ```python bad title="tests/test_jobs.py"
    import time

    def test_job(queue):
        queue.start()
        time.sleep(2)
    #   ^^^^^^^^^^^^^ this test sleeps for 2 seconds; wait for what it needs, with a limit
        assert queue.done
    ```
    ```python good title="tests/test_jobs.py"
    def test_job(queue):
        queue.start()
        assert queue.finished.wait(timeout=10)
    ```
    """
    least = ctx.option("seconds", float)
    function = ctx.function(call)
    if function is None or not function.name.startswith("test"):
        ctx.not_an_opportunity()
        return
    seconds = ctx.value(call.args[0]) if call.args else 0
    if ctx.loop(call) is not None or not isinstance(seconds, (int, float)):
        return
    if seconds >= least:
        yield ctx.finding(
            call, f"this test sleeps for {seconds:g} seconds; wait for what it needs, with a limit"
        )
