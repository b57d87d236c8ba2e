"""Finds clients, engines and pools that the handler of a request makes anew for each request."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, rule
from charter_rules import clients, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SHARED: Final = tuple(
    name
    for name in clients.CLIENTS
    # A session of `requests` keeps cookies and is not made for several threads; threads are cheap, and so is SQLite.
    if not name.startswith(("requests.", "sqlite3.", "smtplib.", "paramiko.", "concurrent.futures.Thread"))
)
_VERBS: Final = frozenset(
    {"route", "get", "post", "put", "delete", "patch", "head", "options", "websocket", "api_route"}
)
_REQUESTS: Final = frozenset(
    {
        "fastapi.Request", "starlette.requests.Request", "django.http.HttpRequest", "aiohttp.web.Request",
        "sanic.Request", "litestar.Request",
    }
)  # fmt: skip


@rule(
    ast.Call,
    code="PRF027",
    principles=("reused-connections", "bounded-resources"),
    severity=Severity.MEDIUM,
    calls=_SHARED,
)
def client_per_request(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The handler of a request makes a client, an engine or a pool that all requests could share.

    Each request then pays for a connection, mostly with a TLS handshake (two to three round trips), and an engine or a
    pool of connections that serves one request is none: under load the database runs out of connections. Make it when
    the program starts, and close it when it ends.

    A handler is a function with a route (`@app.get("/orders")`) or one whose parameter is annotated as a request.
    Reported where nothing in the call depends on the request, and nothing keeps what was made.

    ```python bad
    import httpx
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/rates")
    async def rates():
        async with httpx.AsyncClient(timeout=5) as client:
    #              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ each request makes a new client; make one when the program starts and share it
            return (await client.get("https://rates.example.com/eur")).json()
    ```
    ```python good
    import httpx
    from fastapi import FastAPI

    app = FastAPI()
    client = httpx.AsyncClient(timeout=5)

    @app.get("/rates")
    async def rates():
        return (await client.get("https://rates.example.com/eur")).json()
    ```
    """
    function = ctx.function(call)
    if function is None or ctx.is_test or ctx.loop(call) is not None or not _is_handler(function, ctx):
        ctx.not_an_opportunity()
        return
    if clients.depends_on(call, function, ctx) or clients.is_kept(call, ctx):
        return
    what = clients.CLIENTS.get(ctx.name(call.func) or "", "client")
    yield ctx.finding(call, f"each request makes a new {what}; make one when the program starts and share it")


def _is_handler(function: shapes.FunctionNode, ctx: Context) -> bool:
    for decorator in function.decorator_list:
        if (
            isinstance(decorator, ast.Call)
            and isinstance(decorator.func, ast.Attribute)
            and decorator.func.attr in _VERBS
            and decorator.args
            and str(ctx.value(decorator.args[0])).startswith("/")
        ):
            return True
    return any(
        parameter.annotation is not None and ctx.name(parameter.annotation) in _REQUESTS
        for parameter in shapes.parameters(function)
    )
