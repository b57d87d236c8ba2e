"""Reports untrusted data that is stored where it is trusted later."""

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
    code="SEC121",
    principles=("protected-sessions",),
    severity=Severity.LOW,
    cwe=(501,),
    kinds=("trust",),
    references=("https://cwe.mitre.org/data/definitions/501.html",),
)
def trust_boundary_violation(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Put nothing unchecked into the session.

    Code that reads the session takes what it finds there for checked. A value, or worse a key, that goes in as it
    came from the client breaks that promise for every later reader. Check it first, or store what it stands for.

    ```python bad
    from flask import Flask, request, session

    app = Flask(__name__)

    @app.post("/as")
    def act_as():
        session["user"] = request.form["user"]
    #   ^^^^^^^^^^^^^^^ `request.form["user"]` is stored in `SessionMixin`, where it is trusted later
        return {}
    ```
    ```python good
    from flask import Flask, request, session

    app = Flask(__name__)

    @app.post("/page")
    def page():
        session["page"] = int(request.form["page"])
        return {}
    ```
    """
    yield flows.finding(
        flow, ctx, f"is stored in `{flows.api(flow)}`, where it is trusted later", Severity.LOW
    )
