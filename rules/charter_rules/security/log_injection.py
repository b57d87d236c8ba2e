"""Reports untrusted data that is logged with its line breaks."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Confidence, Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SHOWN: Final = (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Tuple)
"""What is written with the `repr` of its items, in which line breaks are escaped."""

_MOST_STEPS: Final = 9
"""The longest way that somebody would follow for a line of a log."""


@rule(
    TaintFlow,
    code="SEC117",
    principles=("log-and-header-integrity",),
    severity=Severity.LOW,
    cwe=(117,),
    kinds=("log",),
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html",
        "https://cwe.mitre.org/data/definitions/117.html",
    ),
)
def log_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    r"""Keep line breaks of untrusted text out of logs.

    A value with a line break writes log lines of its own: `bob\n2026-01-01 INFO admin logged in`. Who reads the
    log later, person or machine, is misled. Log it with `%r` or take the line breaks out. A dictionary, list or
    data class that is logged as a whole shows its texts as `%r` does, and is not reported; nor are headers and addresses as they were
    sent, each of which is one line, and the arguments of tools that a language model calls for the reader of the log.

    ```python bad
    import logging
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/login")
    def login():
        user = request.form["user"]
        logging.info("login of %s", user)
    #                               ^^^^ `request.form["user"]` is written to the log with its line breaks
        return {}
    ```
    ```python good
    import logging
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/login")
    def login():
        user = request.form["user"].replace("\n", "")
        logging.info("login of %s", user)
        return {}
    ```
    """
    if flow.certainty < Confidence.HIGH or len(flow.steps) > _MOST_STEPS:
        return  # so long a way holds more checks and conversions than line breaks are worth
    if flow.source_kind == "tool":
        return  # the caller of a tool acts for the person who reads the log
    logged = flows.argument(flow, ctx)
    if logged is not None and (isinstance(logged, _SHOWN) or isinstance(ctx.origin(logged), _SHOWN)):
        return
    yield flows.finding(flow, ctx, "is written to the log with its line breaks", Severity.LOW)
