"""Reports untrusted data that is used as a format string."""

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
    code="SEC122",
    principles=("code-injection",),
    severity=Severity.MEDIUM,
    cwe=(134,),
    kinds=("format",),
    references=(
        "https://docs.python.org/3/library/string.html#format-string-syntax",
        "https://cwe.mitre.org/data/definitions/134.html",
    ),
)
def format_string_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Use no untrusted text as a format.

    `str.format` follows attributes: `{user.__init__.__globals__[SECRET_KEY]}` prints the module's secrets. Keep the
    format constant, or use `string.Template`.

    ```python bad
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        form = request.args["form"]
        return {"text": form.format(app=app)}
    #                   ^^^^^^^^^^^^^^^^^^^^ `request.args["form"]` is read as a format, which can read attributes
    ```
    ```python good
    from string import Template
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        return {"text": Template(request.args["form"]).safe_substitute(name="you")}
    ```
    """
    yield flows.finding(flow, ctx, "is read as a format, which can read attributes", Severity.MEDIUM)
