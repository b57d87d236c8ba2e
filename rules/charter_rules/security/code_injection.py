"""Reports untrusted data that is evaluated as Python code, and offers to parse it as a literal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows
from charter_rules.flow_fixes import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_LOADERS: Final = regex(r"^(?:importlib\.import_module|builtins\.__import__|ctypes\.)")
"""Sinks that are told where code is, not the code itself."""


@rule(
    TaintFlow,
    code="SEC103",
    principles=("code-injection",),
    severity=Severity.CRITICAL,
    aliases=("B307", "B102", "S307", "S102"),
    cwe=(
        94,
        95,
    ),
    kinds=("code",),
    references=(
        "https://docs.python.org/3/library/ast.html#ast.literal_eval",
        "https://cwe.mitre.org/data/definitions/95.html",
    ),
)
def code_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Never run untrusted text as Python.

    `eval`, `exec` and `import_module` with text of somebody else give away the process: files, environment,
    network. No list of forbidden words closes that door. Parse data with `json` or `ast.literal_eval`; choose code
    from a dictionary of functions.

    ```python bad
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/sum")
    def total():
        text = request.args["numbers"]
        return {"sum": sum(eval(text))}
    #                           ^^^^ `request.args["numbers"]` is run as Python code by `eval`
    ```
    ```python good
    import ast
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/sum")
    def total():
        return {"sum": sum(ast.literal_eval(request.args["numbers"]))}
    ```
    """
    does = "says what code is loaded by" if _LOADERS.match(flow.sink) else "is run as Python code by"
    yield flows.finding(flow, ctx, f"{does} `{flows.api(flow)}`", Severity.CRITICAL, (literal(flow, ctx),))
