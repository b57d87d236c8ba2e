"""Reports untrusted archives that are unpacked with the paths they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows
from charter_rules.flow_fixes import extraction_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC107",
    principles=("path-containment",),
    severity=Severity.MEDIUM,
    cwe=(22,),
    kinds=("archive",),
    references=(
        "https://docs.python.org/3/library/tarfile.html#extraction-filters",
        "https://cwe.mitre.org/data/definitions/22.html",
    ),
)
def archive_traversal(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Unpack untrusted archives only inside a folder.

    The names in an archive are the attacker's: `../../app/settings.py`, absolute paths, links that lead out.
    `tarfile` follows them unless `filter="data"` is given (the default from Python 3.14 on).

    ```python bad
    import tarfile
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/import")
    def load():
        archive = tarfile.open(fileobj=request.files["archive"].stream)
        archive.extractall("/srv/data")
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `request.files["archive"]` is unpacked with the paths it names
        return {}
    ```
    ```python fixed
    import tarfile
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/import")
    def load():
        archive = tarfile.open(fileobj=request.files["archive"].stream)
        archive.extractall("/srv/data", filter="data")
        return {}
    ```
    ```python good
    import tarfile
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/import")
    def load():
        archive = tarfile.open(fileobj=request.files["archive"].stream)
        archive.extractall("/srv/data", filter="data")
        return {}
    ```
    """
    deed = "is unpacked with the paths it names"
    if flow.source_kind == "archive":
        deed = f"names the file that `{flows.api(flow)}` writes"
    yield flows.finding(flow, ctx, deed, Severity.MEDIUM, (extraction_filter(flow, ctx),))
