"""Reports untrusted data in the names or values of cookies."""

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
    code="SEC119",
    principles=(
        "log-and-header-integrity",
        "protected-sessions",
    ),
    severity=Severity.LOW,
    cwe=(20,),
    kinds=("cookie",),
    default=False,
    references=("https://cwe.mitre.org/data/definitions/20.html",),
)
def cookie_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Set no cookie to an untrusted value.

    A cookie comes back with every later request and is often trusted there. Whoever chooses its name or value can
    fix a session, or plant a value for other parts of the site. Store what you chose yourself, and keep the rest on
    the server.

    ```python bad
    from flask import Flask, make_response, request

    app = Flask(__name__)

    @app.get("/theme")
    def theme():
        response = make_response("ok")
        response.set_cookie("theme", request.args["theme"], secure=True, httponly=True, samesite="Lax")
    #                                ^^^^^^^^^^^^^^^^^^^^^ `request.args["theme"]` is set as a cookie by `Response.set_cookie`
        return response
    ```
    ```python good
    from flask import Flask, make_response, request

    app = Flask(__name__)

    @app.get("/theme")
    def theme():
        response = make_response("ok")
        theme = "dark" if request.args["theme"] == "dark" else "light"
        response.set_cookie("theme", theme, secure=True, httponly=True, samesite="Lax")
        return response
    ```
    """
    yield flows.finding(flow, ctx, f"is set as a cookie by `{flows.api(flow)}`", Severity.LOW)
