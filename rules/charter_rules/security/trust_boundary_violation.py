"""Reports untrusted data that is stored where it is trusted later."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_OF_PERSONS: Final = regex(
    r"(?i)user|role|admin|account|group|permission|tenant|owner|privilege|staff|customer|member"
)
"""Keys of what says who somebody is, and what that one may do."""


@rule(
    TaintFlow,
    code="SEC121",
    principles=("protected-sessions",),
    severity=Severity.LOW,
    cwe=(501,),
    kinds=("trust",),
    references=("https://cwe.mitre.org/data/definitions/501.html",),
)
def trust_boundary_violation(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Put nothing unchecked into the session.

    Code that reads the session takes what it finds there for checked. A value, or worse a key, that goes in as it
    came from the client breaks that promise for every later reader. Check it first, or store what it stands for. Where
    to go next, a language or what was typed into a form is not reported: only keys, and what says who somebody is.

    ```python bad
    from flask import Flask, request, session

    app = Flask(__name__)

    @app.post("/as")
    def act_as():
        session["user"] = request.form["user"]
    #   ^^^^^^^^^^^^^^^ `request.form["user"]` is stored in `SessionMixin`, where it is trusted later
        return {}
    ```
    ```python good
    from flask import Flask, request, session

    app = Flask(__name__)

    @app.post("/page")
    def page():
        session["page"] = int(request.form["page"])
        return {}
    ```
    """
    stored = shapes.node_at(flow.location.span, ctx, ast.Subscript)
    key = "" if stored is None else _spelled(stored.slice)
    if key and not _OF_PERSONS.search(key):
        return
    yield flows.finding(
        flow, ctx, f"is stored in `{flows.api(flow)}`, where it is trusted later", Severity.LOW
    )


def _spelled(key: ast.expr) -> str:
    """A key that the program has chosen, or the name of its constant; "" for one that may be another's."""
    if isinstance(key, ast.Constant):
        return str(key.value)
    name = key.id if isinstance(key, ast.Name) else key.attr if isinstance(key, ast.Attribute) else ""
    return name if name.isupper() else ""
