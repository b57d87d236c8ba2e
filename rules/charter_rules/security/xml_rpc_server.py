"""Finds XML-RPC servers that a small document can fill up."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import (
    Severity,
    rule,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="SEC065",
    principles=("safe-xml", "bounded-resources"),
    severity=Severity.MEDIUM,
    cwe=(776, 400),
    calls=(
        "xmlrpc.server.SimpleXMLRPCServer",
        "xmlrpc.server.DocXMLRPCServer",
        "xmlrpc.server.CGIXMLRPCRequestHandler",
        "SimpleXMLRPCServer.SimpleXMLRPCServer",
    ),
    references=(
        "https://docs.python.org/3/library/xmlrpc.server.html",
        "https://github.com/tiran/defusedxml",
    ),
)
def xml_rpc_server(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Serve XML-RPC with limits on what a request may expand to.

    The standard library's server unpacks compressed requests and parses XML without a limit: a few kilobytes can become gigabytes. The
    documentation warns of it; `defusedxml.xmlrpc.monkey_patch()` puts limits in.

    ```python bad
    from xmlrpc.server import SimpleXMLRPCServer

    server = SimpleXMLRPCServer(("localhost", 8000))
    #        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a small request can fill the memory of this server
    ```
    ```python good
    from xmlrpc.server import SimpleXMLRPCServer

    from defusedxml.xmlrpc import monkey_patch

    monkey_patch()
    server = SimpleXMLRPCServer(("localhost", 8000))
    ```
    """
    if not ctx.is_test and "defusedxml" not in ctx.text:
        yield ctx.finding(call, "a small request can fill the memory of this server")
