"""Reports untrusted data that names a file without being kept inside a folder."""

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
    code="SEC106",
    principles=("path-containment",),
    severity=Severity.HIGH,
    cwe=(22,),
    kinds=("path",),
    references=(
        "https://docs.python.org/3/library/pathlib.html#pathlib.PurePath.is_relative_to",
        "https://cwe.mitre.org/data/definitions/22.html",
    ),
)
def path_traversal(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Keep untrusted names inside their folder.

    `../../etc/passwd` climbs out of any folder it is appended to, and an absolute path given to `os.path.join` or
    `/` throws the folder away. Reduce an upload's name with `secure_filename`; for anything else resolve first and
    then check `is_relative_to`, in that order.

    A language model's tool (MCP) that opens the path that it is given works on its user's files and is not reported; one
    that joins a name to a folder is.

    ```python bad
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/report")
    def report():
        name = request.args["name"]
        with open("reports/" + name, encoding="utf-8") as file:
    #             ^^^^^^^^^^^^^^^^^ `request.args["name"]` names the file that `open` uses
            return {"text": file.read()}
    ```
    ```python good
    from pathlib import Path
    from flask import Flask, abort, request

    app = Flask(__name__)
    REPORTS = Path("/srv/reports")

    @app.get("/report")
    def report():
        path = (REPORTS / request.args["name"]).resolve()
        if not path.is_relative_to(REPORTS):
            abort(404)
        return {"text": path.read_text()}
    ```
    """
    fixes = (guard_fixes.secured_name(flow, ctx), guard_fixes.contained(flow, ctx))
    yield flows.finding(
        flow,
        ctx,
        f"names the file that {flows.uses(flow, 'uses', 'use')}",
        Severity.HIGH,
        fixes,
    )
