"""Reports untrusted data in XPath expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows, guard_fixes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC114",
    principles=("query-languages",),
    severity=Severity.HIGH,
    cwe=(643,),
    kinds=("xpath",),
    references=(
        "https://lxml.de/xpathxslt.html#the-xpath-method",
        "https://cwe.mitre.org/data/definitions/643.html",
    ),
)
def xpath_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Pass untrusted values to XPath as variables.

    `' or '1'='1` inside an XPath predicate selects every node of the document. lxml takes values as variables:
    `tree.xpath("//user[@name=$name]", name=name)`.

    ```python bad
    import lxml.etree
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/user")
    def user():
        tree = lxml.etree.parse("users.xml")
        name = request.args["name"]
        return {"found": len(tree.xpath(f"//user[@name='{name}']"))}
    #                                   ^^^^^^^^^^^^^^^^^^^^^^^^^ `request.args["name"]` becomes part of the XPath expression that `xpath` evaluates
    ```
    ```python good
    import lxml.etree
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/user")
    def user():
        tree = lxml.etree.parse("users.xml")
        return {"found": len(tree.xpath("//user[@name=$name]", name=request.args["name"]))}
    ```
    """
    yield flows.finding(
        flow,
        ctx,
        f"becomes part of the XPath expression that `{flows.api(flow).rpartition('.')[2]}` evaluates",
        Severity.HIGH,
        (guard_fixes.variables(flow, ctx),),
    )
