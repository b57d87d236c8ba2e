"""Reports untrusted data in the text of a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows
from charter_rules.flow_fixes import template_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC104",
    principles=("code-injection",),
    severity=Severity.CRITICAL,
    cwe=(
        1336,
        94,
    ),
    kinds=("template",),
    references=(
        "https://portswigger.net/web-security/server-side-template-injection",
        "https://cwe.mitre.org/data/definitions/1336.html",
    ),
)
def template_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Never build a template from untrusted text.

    A template is a program. `{{ ''.__class__.__mro__[1].__subclasses__() }}` in a Jinja template reaches every
    class of the process and from there a shell. Keep the template constant and hand the text in as a variable.

    ```python bad
    from flask import Flask, render_template_string, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        name = request.args["name"]
        return render_template_string("<h1>Hello " + name + "</h1>")
    #                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `request.args["name"]` is read as a template by `render_template_string`
    ```
    ```python fixed
    from flask import Flask, render_template_string, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        name = request.args["name"]
        return render_template_string("<h1>Hello {{ name }}</h1>", name=name)
    ```
    ```python good
    from flask import Flask, render_template_string, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        return render_template_string("<h1>Hello {{ name }}</h1>", name=request.args["name"])
    ```
    """
    yield flows.finding(
        flow,
        ctx,
        f"is read as a template by `{flows.api(flow)}`",
        Severity.CRITICAL,
        (template_variables(flow, ctx),),
    )
