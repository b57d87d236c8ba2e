"""Reports untrusted data that is sent to a browser as HTML without being escaped."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows
from charter_rules.flow_fixes import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC105",
    principles=("output-escaping",),
    severity=Severity.HIGH,
    cwe=(79,),
    kinds=("xss",),
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html",
        "https://cwe.mitre.org/data/definitions/79.html",
    ),
)
def cross_site_scripting(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Escape untrusted text in HTML.

    A browser runs what stands in `<script>` whoever wrote it, with the session of the user who looks at the page.
    Templates escape on their own; text that is put together in Python does not. Use a template, or
    `markupsafe.escape` around each value, or return JSON.

    ```python bad
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        name = request.args["name"]
        return f"<h1>Hello {name}</h1>"
    #          ^^^^^^^^^^^^^^^^^^^^^^^^ `request.args["name"]` is sent to the browser as HTML
    ```
    ```python fixed
    from flask import Flask, request
    from markupsafe import escape

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        name = request.args["name"]
        return f"<h1>Hello {escape(name)}</h1>"
    ```
    ```python good
    from flask import Flask, request
    from markupsafe import escape

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        return f"<h1>Hello {escape(request.args['name'])}</h1>"

    @app.get("/user")
    def user():
        return {"name": request.args["name"]}
    ```
    """
    call = flows.call(flow, ctx)
    outer = None if call is None else ctx.parent(call)
    if isinstance(outer, ast.Attribute) and outer.attr in {"unescape", "striptags"}:
        return  # the text goes on as a text
    yield flows.finding(flow, ctx, "is sent to the browser as HTML", Severity.HIGH, (escaped(flow, ctx),))
