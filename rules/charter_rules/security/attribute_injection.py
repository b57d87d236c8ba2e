"""Reports untrusted data that names an attribute to be read or set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_BY_NAME: Final = frozenset({"getattr", "setattr", "delattr", "globals", "locals"})


@rule(
    TaintFlow,
    code="SEC123",
    principles=("code-injection",),
    severity=Severity.MEDIUM,
    cwe=(915,),
    kinds=("attribute",),
    references=("https://cwe.mitre.org/data/definitions/915.html",),
)
def attribute_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Let no untrusted text name an attribute.

    `getattr` and `setattr` with a name of the client's reach every method and field, `__class__` and `is_admin`
    included. So does `Model(**data)` with all that the client has sent: it sets `is_admin` along with the name.
    Look the name up in a dictionary or a set of allowed names.

    ```python bad
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/profile")
    def profile(user=None):
        for field, value in request.form.items():
            setattr(user, field, value)
    #                     ^^^^^ `request.form` names the attribute that `setattr` uses
        return {}
    ```
    ```python good
    from flask import Flask, request

    app = Flask(__name__)
    FIELDS = {"name", "city"}

    @app.post("/profile")
    def profile(user=None):
        for field, value in request.form.items():
            if field in FIELDS:
                setattr(user, field, value)
        return {}
    ```
    """
    what = "attribute" if flows.api(flow) in _BY_NAME else "fields"
    yield flows.finding(
        flow, ctx, f"names the {what} that {flows.uses(flow, 'uses', 'use')}", Severity.MEDIUM
    )
