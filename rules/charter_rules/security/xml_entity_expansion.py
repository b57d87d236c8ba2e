"""Reports untrusted XML for parsers that expand internal entities."""

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
    code="SEC112",
    principles=("safe-xml",),
    severity=Severity.LOW,
    cwe=(776,),
    kinds=("xml-bomb",),
    default=False,
    references=(
        "https://docs.python.org/3/library/xml.html#xml-security",
        "https://cwe.mitre.org/data/definitions/776.html",
    ),
)
def xml_entity_expansion(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Expand no entities of untrusted XML without bound.

    Ten lines of nested entities ("billion laughs") grow to gigabytes in a parser without limits. Recent expat
    (2.4.1 and later) stops them; `defusedxml` refuses them everywhere.

    ```python bad
    import xmlrpc.client
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/feed")
    def feed():
        return {"title": xmlrpc.client.loads(request.data)[1]}
    #                                        ^^^^^^^^^^^^ `request.data` is parsed by `loads`, which expands entities without bound
    ```
    ```python good
    from defusedxml import ElementTree
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/feed")
    def feed():
        return {"title": ElementTree.fromstring(request.data).tag}
    ```
    """
    yield flows.finding(
        flow, ctx, f"is parsed by `{flows.api(flow)}`, which expands entities without bound", Severity.LOW
    )
