"""Finds servers that listen on every network interface."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    UNKNOWN,
    Fix,
    Grade,
    Severity,
    regex,
    rule,
)
from charter_rules import building, calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_EVERY: Final = frozenset({"0.0.0.0", "", "::", "0"})  # noqa: S104 - the addresses to look for

_FOR_PORT: Final = regex(
    r"(?i)can_(?:listen|bind)|(?:free|available|unused|open)_?port|port_?(?:is_)?(?:free|available|in_use|used)|find_.*port|is_port"
)
"""Names of functions that only see whether a port is free."""
_SEES: Final = regex(
    r"(?i)\b(?:see|check|test|tell|whether)\b[^.]{0,30}\bport\b[^.]{0,20}\b(?:free|available|unused|in use)\b"
)
"""What docstrings say of such functions."""
_PROBE: Final = regex(r"(?i)test|probe")
"""Names of sockets and functions that try something out."""

_WITH_PORT: Final = regex(r"(?:tcp://)?(\*|0\.0\.0\.0|\[::\]):(?:\d|$)")
"""An address and its port as gRPC and ZeroMQ write them in one text."""
_IN_ONE: Final = frozenset({"bind", "add_insecure_port", "add_secure_port"})
"""Methods that take such a text."""
_LETS_NOBODY_IN: Final = frozenset({"bind", "close", "setsockopt", "settimeout", "getsockname"})
"""What is done with a socket before it listens, or instead."""
_NO_HOST: Final = regex(
    r"(?i)(?:\b|_)(?:host|address|interface|addr) is None|\bnot (?:\w+\.)?_?(?:host|address|interface|addr)\b"
)
"""What a condition says where no address is given."""


@rule(
    ast.Call,
    code="SEC033",
    principles=("hardened-defaults",),
    severity=Severity.LOW,
    cwe=(605, 200, 668, 1327),
    calls=(
        "*.bind",
        "*.run",
        "*.run_server",
        "*.listen",
        "uvicorn.run",
        "hypercorn.run",
        "waitress.serve",
        "bottle.run",
        "aiohttp.web.run_app",
        "socket.create_server",
        "asyncio.start_server",
        "http.server.HTTPServer",
        "http.server.ThreadingHTTPServer",
        "socketserver.TCPServer",
        "socketserver.UDPServer",
        "werkzeug.serving.run_simple",
        "wsgiref.simple_server.make_server",
        "xmlrpc.server.SimpleXMLRPCServer",
        "*.start_server",
        "*.create_server",
        "gevent.pywsgi.WSGIServer",
        "websockets.serve",
        "websockets.server.serve",
        "websockets.asyncio.server.serve",
        "websockets.legacy.server.serve",
        "websockets.sync.server.serve",
        "*.launch",
        "*.add_insecure_port",
        "*.add_secure_port",
    ),
    mentions=("0.0.0.0", "::", "bind", "host", "HTTPServer", "TCPServer", "make_server"),  # noqa: S104
    aliases=("B104", "S104"),
    references=("https://cwe.mitre.org/data/definitions/1327.html",),
)
def bound_to_all_interfaces(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Listen on the interface you mean.

    `0.0.0.0` and `""` accept connections from every network the machine is in: the office, the hotel, the Internet. A service meant for
    the same machine belongs on `127.0.0.1`; one in a container or behind a proxy should take the address from its settings.

    ```python bad
    import socket

    def listen():
        server = socket.socket()
        server.bind(("0.0.0.0", 8000))
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `"0.0.0.0"` accepts connections from every network of the machine
        return server
    ```
    ```python fixed
    import socket

    def listen():
        server = socket.socket()
        server.bind(("127.0.0.1", 8000))
        return server
    ```
    ```python good
    import socket

    def listen(host="127.0.0.1"):
        server = socket.socket()
        server.bind((host, 8000))
        return server
    ```
    """
    address = _address(call, ctx)
    if address is None:
        ctx.not_an_opportunity()
        return
    node, value = address
    if value not in _EVERY or ctx.is_test or _is_datagram_client(call, ctx):
        return
    socket = calls.identifier(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    around = f"{ctx.symbol(call)} {socket}"
    if _PROBE.search(around) or _FOR_PORT.search(around) or _serves_search(ctx.function(call), ctx):
        return
    if _is_asked_for(call, ctx) or _never_listens(call, ctx):
        return
    fix = (
        Fix("Listen on this machine only", (ctx.replace(node, '"127.0.0.1"'),), Grade.UNSAFE)
        if isinstance(node, ast.Constant) and node.value in _EVERY
        else None
    )
    yield ctx.finding(
        call, f"`{calls.short(ctx, node)}` accepts connections from every network of the machine", fix=fix
    )


def _is_asked_for(call: ast.Call, ctx: Context) -> bool:
    """Whether the caller gave no address, which stands for all of them: `if self.host is None`."""
    return any(
        isinstance(parent, ast.If) and _NO_HOST.search(ctx.source(parent.test)) is not None
        for parent in ctx.ancestors(call)
    )


def _serves_search(function: shapes.FunctionNode | None, ctx: Context, *seen: shapes.FunctionNode) -> bool:
    """Whether all that calls a function in its file are functions that look for a free port, or in turn serve only such."""
    if function is None:
        return False
    users = {ctx.function(call) for call in shapes.calls_of(function, ctx)} - {function, *seen}
    return bool(users) and all(
        user is not None and (_looks_for_port(user) or _serves_search(user, ctx, function, *seen))
        for user in users
    )


def _looks_for_port(function: shapes.FunctionNode) -> bool:
    """Whether a function only sees whether a port is free, by its name or its docstring."""
    return (
        _FOR_PORT.search(function.name) is not None
        or _SEES.search(ast.get_docstring(function) or "") is not None
    )


def _never_listens(call: ast.Call, ctx: Context) -> bool:
    """Whether a function only sees whether an address is free: its socket is closed, and nothing lets others in before."""
    function = ctx.function(call)
    socket = call.func.value if isinstance(call.func, ast.Attribute) else None
    if function is None or not isinstance(socket, ast.Name) or calls.identifier(call.func) != "bind":
        return False
    uses = [ctx.parent(read) for read in shapes.reads_in(socket.id, function, ctx)]
    done = {use.attr for use in uses if isinstance(use, ast.Attribute)}
    is_closed = "close" in done or shapes.entered(socket, ctx) is not None
    return is_closed and done <= _LETS_NOBODY_IN and all(isinstance(use, ast.Attribute) for use in uses)


def _address(call: ast.Call, ctx: Context) -> tuple[ast.expr, object] | None:
    """The host that a call listens on, with its value; None if it listens on none that is known."""
    last = calls.identifier(call.func)
    if last in _IN_ONE:
        text = ctx.argument(call, 0, "address")
        if text is not None and _WITH_PORT.match(_beginning(text, ctx)):
            return text, "0.0.0.0"  # noqa: S104
    for keyword in ("host", "hostname", "address", "interface", "server_name"):
        given = calls.given(ctx, call, None, keyword)
        if given is not None and isinstance(_host(given, ctx), str):
            return given, _host(given, ctx)
    if last == "serve" and (host := ctx.argument(call, 1)) is not None and isinstance(_host(host, ctx), str):
        return host, _host(host, ctx)
    pair = ctx.argument(call, 0, "server_address")
    if pair is not None:
        written = ctx.origin(pair)
        if isinstance(written, ast.Tuple) and len(written.elts) >= 2 and last not in {"run", "listen"}:
            host = written.elts[0]
            value = _host(host, ctx)
            return (host, value) if isinstance(value, str) else None
        if (
            last in {"run", "run_simple", "make_server"}
            and isinstance(ctx.value(pair), str)
            and ctx.value(pair)
        ):
            return pair, ctx.value(pair)
    return None


def _beginning(text: ast.expr, ctx: Context) -> str:
    """What a text begins with, as far as it is constant."""
    value = ctx.value(text)
    if isinstance(value, str):
        return value
    parts = building.pieces(ctx.origin(text), ctx)
    return parts[0].text if parts else ""


def _host(expression: ast.expr, ctx: Context) -> object:
    """The host that an expression names: its constant, or one that it may have by default or from a caller."""
    value = ctx.value(expression)
    if value is not UNKNOWN or isinstance(ctx.origin(expression), ast.Call):
        return value  # what the environment says is said by those who run it
    named = [one.value for one in calls.values_of(ctx, expression)]
    return next((one for one in named if one in ("0.0.0.0", "::")), UNKNOWN)  # noqa: S104 - the addresses to look for


def _is_datagram_client(call: ast.Call, ctx: Context) -> bool:
    """Whether a socket takes any free port, which one peer is told, or listens to datagrams of a group: it needs every interface."""
    around = ctx.function(call) or ctx.tree
    text = ctx.source(around) if not isinstance(around, ast.Module) else ctx.text
    if "SOCK_DGRAM" in text or "multicast" in text.lower() or "datagram" in text.lower():
        return True
    pair = ctx.argument(call, 0)
    pair = pair if pair is None else ctx.origin(pair)
    return isinstance(pair, ast.Tuple) and len(pair.elts) >= 2 and ctx.value(pair.elts[1]) == 0
