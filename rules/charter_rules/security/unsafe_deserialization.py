"""Reports untrusted bytes that a deserializer turns into any object."""

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
    code="SEC110",
    principles=("safe-deserialization",),
    severity=Severity.CRITICAL,
    aliases=("B301", "B302", "S301", "S302"),
    cwe=(502,),
    kinds=("deserialization",),
    references=(
        "https://docs.python.org/3/library/pickle.html",
        "https://cwe.mitre.org/data/definitions/502.html",
    ),
)
def unsafe_deserialization(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Never unpickle untrusted bytes.

    `pickle`, `marshal`, `shelve`, `dill` and full YAML loaders build any object the bytes ask for and run code
    while doing so. A signature helps only if it is checked first. Use JSON, or `yaml.safe_load`.

    ```python bad
    import pickle
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/cart")
    def cart():
        return {"items": pickle.loads(request.data)}
    #                                 ^^^^^^^^^^^^ `request.data` is turned into objects by `loads`, which can run code
    ```
    ```python good
    import json
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/cart")
    def cart():
        return {"items": json.loads(request.data)}
    ```
    """
    yield flows.finding(
        flow, ctx, f"is turned into objects by `{flows.api(flow)}`, which can run code", Severity.CRITICAL
    )
