"""Reports untrusted XML for parsers that resolve external entities."""

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
    code="SEC111",
    principles=("safe-xml",),
    severity=Severity.HIGH,
    aliases=(
        "B313",
        "B314",
        "B315",
        "B316",
        "B317",
        "B318",
        "B319",
        "S313",
        "S314",
        "S315",
        "S316",
        "S317",
        "S318",
        "S319",
    ),
    cwe=(611,),
    kinds=("xxe",),
    references=(
        "https://docs.python.org/3/library/xml.html#xml-security",
        "https://cwe.mitre.org/data/definitions/611.html",
    ),
)
def xml_external_entities(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Resolve no entities of untrusted XML.

    An external entity makes the parser read `file:///etc/passwd` or call an internal address and put the answer
    into the document. Leave external entities off, or parse with `defusedxml`.

    ```python bad
    import xml.sax
    import xml.sax.handler
    from xml.dom import minidom
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/order")
    def order():
        parser = xml.sax.make_parser()
        parser.setFeature(xml.sax.handler.feature_external_ges, True)
        return {"name": minidom.parseString(request.data, parser).documentElement.tagName}
    #                                       ^^^^^^^^^^^^ `request.data` is parsed by `parseString` with external entities resolved
    ```
    ```python good
    from xml.dom import minidom
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/order")
    def order():
        return {"name": minidom.parseString(request.data).documentElement.tagName}
    ```
    """
    yield flows.finding(
        flow, ctx, f"is parsed by `{flows.api(flow)}` with external entities resolved", Severity.HIGH
    )
