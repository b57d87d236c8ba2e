"""Reports untrusted data in the cells of spreadsheets."""

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
    code="SEC125",
    principles=("output-escaping",),
    severity=Severity.LOW,
    cwe=(1236,),
    kinds=("csv",),
    default=False,
    references=(
        "https://owasp.org/www-community/attacks/CSV_Injection",
        "https://cwe.mitre.org/data/definitions/1236.html",
    ),
)
def formula_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Neutralise formulas in spreadsheets.

    A cell that begins with `=`, `+`, `-` or `@` is a formula for Excel and LibreOffice: `=HYPERLINK(…)` sends the
    other cells away when the file is opened. Put an apostrophe before such values.

    ```python bad
    import csv
    import sys
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/export")
    def export():
        writer = csv.writer(sys.stdout)
        writer.writerow([request.args["name"], 1])
    #                   ^^^^^^^^^^^^^^^^^^^^^^^^^ `request.args["name"]` becomes a cell that a spreadsheet may run as a formula
        return {}
    ```
    ```python good
    import csv
    import sys
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/export")
    def export():
        writer = csv.writer(sys.stdout)
        writer.writerow([int(request.args["number"]), 1])
        return {}
    ```
    """
    yield flows.finding(flow, ctx, "becomes a cell that a spreadsheet may run as a formula", Severity.LOW)
