"""Finds calls that are tried again for ever."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Confidence, Severity, rule
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FAILURES = (
    "Timeout",
    "Connection",
    "HTTP",
    "Request",
    "Network",
    "URLError",
    "ClientError",
    "OperationalError",
)
_ALL = frozenset({"Exception", "BaseException"})
_ASKING = frozenset({"input", "prompt", "getpass", "confirm", "accept", "select", "poll"})


@rule(
    ast.While,
    code="PRF025",
    principles=("bounded-resources", "deliberate-errors"),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    default=False,
    when=lambda node: isinstance(node.test, ast.Constant) and bool(node.test.value),
)
def endless_retry(loop: ast.While, ctx: Context) -> Iterator[Finding]:
    """What fails is tried again until it succeeds, however often that is.

    A server that is gone for good, a wrong password or a broken request never succeeds. The caller waits for ever, and
    without a pause the loop asks thousands of times a second: all clients together then keep a server down that tries
    to come up. Count the attempts, raise the last error, and wait longer each time.

    Reported is a `while True` that ends only with success, around a `try` whose handler of a failing connection or of
    every exception goes on in any case. Loops that are to run for ever, and those that ask a person, are left alone. Off
    by default: a service may have nothing better to do than to wait for what it depends on.

    ```python bad
    import time

    import requests

    def fetch(url):
        while True:
            try:
                return requests.get(url, timeout=5)
            except requests.ConnectionError:
    #              ^^^^^^^^^^^^^^^^^^^^^^^^ this is tried again for ever if it never succeeds; count the attempts, and raise the last error
                time.sleep(1)
    ```
    ```python good
    import time

    import requests

    def fetch(url):
        for attempt in range(5):
            try:
                return requests.get(url, timeout=5)
            except requests.ConnectionError:
                time.sleep(2**attempt)
        return requests.get(url, timeout=5)
    ```
    """
    if ctx.is_test or len(loop.body) > 3:
        return
    attempt = next((item for item in loop.body if isinstance(item, ast.Try)), None)
    if attempt is None or not _ends_with_success(attempt, loop) or _asks(loop):
        return
    for handler in attempt.handlers:
        if not _is_of_failure(handler, ctx) or _may_leave(handler):
            continue
        yield ctx.finding(
            handler.type or handler,
            "this is tried again for ever if it never succeeds; count the attempts, and raise the last error",
            related=[ctx.related(loop.test, "the loop has no end of its own")],
        )
        return


def _ends_with_success(attempt: ast.Try, loop: ast.While) -> bool:
    """Whether the loop is left where nothing failed, and nowhere else."""
    inside = [*attempt.body, *attempt.orelse]
    behind = loop.body[loop.body.index(attempt) + 1 :]
    left = any(isinstance(item, (ast.Return, ast.Break)) for item in inside) or any(
        isinstance(item, (ast.Return, ast.Break)) for item in behind
    )
    others = [
        item for item in loop.body if item is not attempt and not isinstance(item, (ast.Return, ast.Break))
    ]
    return left and not any(
        isinstance(node, (ast.Return, ast.Break, ast.Raise, ast.Yield))
        for item in others
        for node in ast.walk(item)
    )


def _asks(loop: ast.While) -> bool:
    """Whether each round waits for a person or for somebody to connect."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Call) and calls.identifier(node.func) in _ASKING:
            return True
    return False


def _is_of_failure(handler: ast.ExceptHandler, ctx: Context) -> bool:
    kinds = (
        handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type else []
    )
    names = [ctx.source(kind).rpartition(".")[2] for kind in kinds]
    return not names or any(name in _ALL or any(word in name for word in _FAILURES) for name in names)


def _may_leave(handler: ast.ExceptHandler) -> bool:
    """Whether a handler looks at something before it goes on, or counts."""
    return any(
        isinstance(node, (ast.Raise, ast.Return, ast.Break, ast.If, ast.AugAssign, *shapes.LOOPS))
        for node in ast.walk(handler)
    )
