"""Finds HTTP requests that may wait for ever."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Fix, Grade, Severity, rule
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_REQUESTS: Final = tuple(f"requests.{place}{verb}" for place in ("", "api.") for verb in _VERBS)
_HTTPX: Final = (*(f"httpx.{verb}" for verb in (*_VERBS, "stream")), "httpx.Client", "httpx.AsyncClient")


@rule(
    ast.Call,
    code="SEC006",
    principles=("bounded-resources",),
    severity=Severity.MEDIUM,
    cwe=(400,),
    calls=(*_REQUESTS, *_HTTPX, *(f"*.{verb}" for verb in _VERBS)),
    mentions=("requests", "httpx"),
    aliases=("B113", "S113"),
    references=("https://requests.readthedocs.io/en/latest/user/advanced/#timeouts",),
)
def request_without_timeout(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Give every request a timeout.

    `requests` waits without end for a server that accepts the connection and then says nothing. Each such request
    holds a thread and a connection; a slow or hostile server can hold them all, and the program hangs. `httpx` has
    a limit of five seconds unless it is switched off with `timeout=None`.

    ```python bad
    import requests

    def page(url):
        return requests.get(url)
    #          ^^^^^^^^^^^^^^^^^ `requests.get` may wait for ever: it has no timeout
    ```
    ```python fixed
    import requests

    def page(url):
        return requests.get(url, timeout=10)
    ```
    ```python good
    import requests

    def page(url):
        return requests.get(url, timeout=10)
    ```
    """
    name = ctx.name(call.func)
    if name in _REQUESTS or _is_session(call, name, ctx):
        timeout = calls.value(ctx, call, None, "timeout", default=None)
    elif name in _HTTPX:
        timeout = calls.value(ctx, call, None, "timeout", default=UNKNOWN)
    else:
        ctx.not_an_opportunity()
        return
    if timeout is not None or ctx.is_test:
        return
    fix = Fix("Wait at most 10 seconds", (ctx.set_keyword(call, "timeout", "10"),), Grade.UNSAFE)
    yield ctx.finding(call, f"`{ctx.source(call.func)}` may wait for ever: it has no timeout", fix=fix)


def _is_session(call: ast.Call, name: str | None, ctx: Context) -> bool:
    """Whether the receiver is certainly a `requests.Session` without a transport adapter of its own."""
    if name is not None or not isinstance(call.func, ast.Attribute):
        return False
    return (
        ctx.type_name(call.func.value) in {"requests.Session", "requests.sessions.Session"}
        and ".mount(" not in ctx.text
    )
