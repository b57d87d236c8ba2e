"""Reports untrusted data that decides where a browser is redirected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows, guard_fixes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_QUOTING: Final = ("django.", "starlette.")
"""Frameworks that write a backslash in an address as `%5C`, in which browsers see no slash."""


@rule(
    TaintFlow,
    code="SEC109",
    principles=("outbound-requests",),
    severity=Severity.MEDIUM,
    cwe=(601,),
    kinds=("redirect",),
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html",
        "https://cwe.mitre.org/data/definitions/601.html",
    ),
)
def open_redirect(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    r"""Redirect only to addresses of your own.

    A link to your site that ends on another one makes phishing believable, and hands over tokens that stand in the
    address. `//evil.example` passes a check for a leading slash, and `/\evil.example` and `https:///evil.example` one for an empty host:
    browsers find a host in them all. Compare the host with your own, let nothing but a path through, or redirect to a route by name.

    ```python bad
    from flask import Flask, redirect, request

    app = Flask(__name__)

    @app.get("/login")
    def login():
        return redirect(request.args["next"])
    #                   ^^^^^^^^^^^^^^^^^^^^ `request.args["next"]` decides where `redirect` sends the browser
    ```
    ```python good
    from urllib.parse import urlsplit
    from flask import Flask, redirect, request, url_for

    app = Flask(__name__)

    @app.get("/login")
    def login():
        target = request.args["next"]
        if urlsplit(target).netloc != "shop.example":
            target = url_for("home")
        return redirect(target)

    @app.get("/logout")
    def logout():
        return redirect("/" + request.args["next"].lstrip("/\\"))

    @app.get("/old/<int:number>")
    def old(number):
        return redirect(f"/articles/{number}")
    ```
    """
    if flow.detail == "slashes" and flow.sink.startswith(_QUOTING):
        return
    deed = f"decides where `{flows.api(flow)}` sends the browser"
    severity = Severity.MEDIUM
    if flow.detail == "slashes":
        deed += ": `/\\host` gets past the check"
        severity = Severity.LOW
    yield flows.finding(flow, ctx, deed, severity, (guard_fixes.own_address(flow, ctx),))
