"""Reports untrusted data that is compiled as a regular expression."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows
from charter_rules.flow_fixes import escaped_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC120",
    principles=(
        "bounded-resources",
        "query-languages",
    ),
    severity=Severity.MEDIUM,
    cwe=(
        1333,
        730,
    ),
    kinds=("regex",),
    references=(
        "https://docs.python.org/3/library/re.html#re.escape",
        "https://cwe.mitre.org/data/definitions/1333.html",
    ),
)
def regex_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Compile no untrusted pattern.

    A pattern such as `(a+)+$` takes exponential time on a short text; one request stops a worker for hours. Escape
    text that is to be found literally with `re.escape`. A pattern that is only compiled, to see whether it is one, is
    matched with nothing, and not reported.

    ```python bad
    import re
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/search")
    def search():
        pattern = request.args["pattern"]
        return {"found": bool(re.search(pattern, "the text"))}
    #                                   ^^^^^^^ `request.args["pattern"]` is compiled as a regular expression by `search`
    ```
    ```python fixed
    import re
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/search")
    def search():
        pattern = request.args["pattern"]
        return {"found": bool(re.search(re.escape(pattern), "the text"))}
    ```
    ```python good
    import re
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/search")
    def search():
        return {"found": bool(re.search(re.escape(request.args["word"]), "the text"))}
    ```
    """
    call = flows.call(flow, ctx)
    if call is not None and flows.api(flow) == "compile" and isinstance(ctx.parent(call), ast.Expr):
        return
    yield flows.finding(
        flow,
        ctx,
        f"is compiled as a regular expression by `{flows.api(flow)}`",
        Severity.MEDIUM,
        (escaped_pattern(flow, ctx),),
    )
