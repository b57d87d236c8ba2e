"""Reports untrusted data in the names or values of response headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC118",
    principles=("log-and-header-integrity",),
    severity=Severity.MEDIUM,
    cwe=(113,),
    kinds=("header",),
    references=("https://cwe.mitre.org/data/definitions/113.html",),
)
def header_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Keep line breaks of untrusted text out of headers.

    A line break in a header's value begins the next header, or the body: the response is split and the second half
    is the attacker's. Frameworks that refuse such values raise an error at best. Take carriage returns and line
    feeds out, or choose the value from a list. A header or an address as it came in is one line, and is not reported
    until it is decoded.

    ```python bad
    from http.server import BaseHTTPRequestHandler
    from urllib.parse import unquote

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("X-Place", unquote(self.path))
    #                                   ^^^^^^^^^^^^^^^^^^ `BaseHTTPRequestHandler.path` is sent in a header by `BaseHTTPRequestHandler.send_header`
            self.end_headers()
    ```
    ```python good
    from http.server import BaseHTTPRequestHandler

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("X-Length", str(int(self.headers["Content-Length"])))
            self.end_headers()
    ```
    """
    yield flows.finding(flow, ctx, f"is sent in a header by `{flows.api(flow)}`", Severity.MEDIUM)
