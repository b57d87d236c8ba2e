"""Reports untrusted data among the arguments of a program that is run without a shell."""

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
    code="SEC102",
    principles=("command-injection",),
    severity=Severity.LOW,
    cwe=(88,),
    kinds=("argument",),
    references=("https://cwe.mitre.org/data/definitions/88.html",),
)
def argument_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Let no untrusted argument begin with a dash.

    Without a shell no second command can be started, but the program itself reads `--output=/etc/cron.d/x` or
    `-oProxyCommand=…` as an option when it stands where a file name was meant. Put `--` before such arguments where
    the program knows it, or check that they do not begin with a dash.

    ```python bad
    import subprocess
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/log")
    def log():
        branch = request.args["branch"]
        return subprocess.check_output(["git", "log", branch])
    #                                  ^^^^^^^^^^^^^^^^^^^^^^ `request.args["branch"]` becomes an argument of the program that `check_output` starts
    ```
    ```python good
    import subprocess
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/log/<int:number>")
    def log(number):
        return subprocess.check_output(["git", "log", "-n", str(number)])
    ```
    """
    yield flows.finding(
        flow, ctx, f"becomes an argument of the program that `{flows.api(flow)}` starts", Severity.LOW
    )
