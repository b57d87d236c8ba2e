"""Reports untrusted data that is read as an XSLT style sheet."""

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
    code="SEC134",
    principles=("code-injection",),
    severity=Severity.HIGH,
    cwe=(91,),
    kinds=("xslt",),
    references=(
        "https://lxml.de/xpathxslt.html#xslt",
        "https://lxml.de/resolvers.html#i-o-access-control-in-xslt",
        "https://cwe.mitre.org/data/definitions/91.html",
    ),
)
def xslt_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Transform with style sheets of your own.

    A style sheet is a program: `document('/etc/passwd')` copies a file of the server into the result, `exsl:document` writes one,
    and a template that calls itself never ends. Keep the style sheets with the program and pass what changes as parameters;
    if others must write them, switch off what they may reach with `XSLTAccessControl.DENY_ALL`.

    ```python bad
    import lxml.etree
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/report")
    def report():
        style = lxml.etree.XML(request.form["style"])
        return str(lxml.etree.XSLT(style)(lxml.etree.parse("report.xml")))
    #                              ^^^^^ `request.form["style"]` is run as a style sheet by `XSLT`
    ```
    ```python good
    import lxml.etree
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/report")
    def report():
        transform = lxml.etree.XSLT(lxml.etree.parse("report.xsl"))
        title = lxml.etree.XSLT.strparam(request.form["title"])
        return str(transform(lxml.etree.parse("report.xml"), title=title))
    ```
    """
    yield flows.finding(
        flow, ctx, f"is run as a style sheet by `{flows.api(flow).rpartition('.')[2]}`", Severity.HIGH
    )
