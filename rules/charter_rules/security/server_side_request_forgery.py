"""Reports untrusted data that decides where the server connects."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import calls, flows, guard_fixes, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_ANY_ADDRESS: Final = regex(r"(?i)allow_?(?:local|private|internal|loopback|insecure|unsafe)|disable_?ssrf")
"""Settings by which an operator lets every address be reached."""

_PROXY: Final = regex(r"(?i)(?:^|[/_-]|server)prox(?:y|ies)[/_.-]")
"""Files of programs that connect where they are asked to, whose settings say where they may."""
_PROXY_CLASS: Final = regex(r"Proxy(?![a-z])")
"""What their classes are called."""


@rule(
    TaintFlow,
    code="SEC108",
    principles=("outbound-requests",),
    severity=Severity.HIGH,
    aliases=("B310", "S310"),
    cwe=(918,),
    kinds=("ssrf",),
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html",
        "https://cwe.mitre.org/data/definitions/918.html",
    ),
)
def server_side_request_forgery(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Decide yourself where the server connects.

    A server that fetches any address it is given reads `http://169.254.169.254/` (the cloud's credentials),
    internal services and `file://` for a stranger. Compare the host with a fixed list before connecting. What
    only becomes a part of the path on a fixed host is not reported, nor what an administrator alone may ask for,
    nor a program that is a proxy, nor a language model's tool (MCP) that fetches the page that its user asks for. A
    client of `httpx` with a transport of its own is left to that: it decides where to connect.

    ```python bad
    import httpx
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/preview")
    def preview():
        url = request.args["url"]
        return {"length": len(httpx.get(url).content)}
    #                                   ^^^ `request.args["url"]` says where `get` connects
    ```
    ```python good
    from urllib.parse import urlsplit
    import httpx
    from flask import Flask, abort, request

    app = Flask(__name__)
    HOSTS = {"images.example.com", "static.example.com"}

    @app.get("/preview")
    def preview():
        url = request.args["url"]
        if urlsplit(url).hostname not in HOSTS:
            abort(400)
        return {"length": len(httpx.get(url).content)}
    ```
    """
    if calls.is_of_tests(ctx):
        return
    if flow.detail == "path" or _is_of_proxy(flow, ctx) or _is_chosen(flow, ctx):
        return
    if flow.sink.startswith("httpx.") and _has_transport(ctx):
        return
    deed = f"says where {flows.uses(flow, 'connects', 'connect')}"
    yield flows.finding(flow, ctx, deed, Severity.HIGH, (guard_fixes.known_host(flow, ctx),))


def _is_of_proxy(flow: TaintFlow, ctx: Context) -> bool:
    """Whether the program is a proxy where it connects, by the name of its file or of its class."""
    if _PROXY.search(ctx.path) is not None:
        return True
    call = flows.call(flow, ctx) if ctx.says(_PROXY_CLASS) else None
    cls = None if call is None else ctx.class_(call)
    return cls is not None and _PROXY_CLASS.search(cls.name) is not None


def _has_transport(ctx: Context) -> bool:
    """Whether a client in this file is given what makes its connections, or answers without any (`ASGITransport`)."""
    return any(
        isinstance(client, ast.Call) and any(one.arg == "transport" for one in client.keywords)
        for name in ("Client", "AsyncClient")
        for made in (*ctx.gets.get(name, ()), *ctx.reads.get(name, ()))
        if (client := ctx.parent(made)) is not None
    )


def _is_chosen(flow: TaintFlow, ctx: Context) -> bool:
    """Whether the operator has decided that any address will do: the request stands under a setting that says so."""
    call = flows.call(flow, ctx)
    return call is not None and any(
        _ANY_ADDRESS.search(ctx.source(branch.test)) for branch in shapes.conditions(call, ctx)
    )
