"""Reports untrusted objects in NoSQL queries and untrusted text in their code."""

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
    code="SEC116",
    principles=("query-languages",),
    severity=Severity.HIGH,
    cwe=(943,),
    kinds=("nosql",),
    references=(
        "https://www.mongodb.com/docs/manual/faq/fundamentals/",
        "https://cwe.mitre.org/data/definitions/943.html",
    ),
)
def nosql_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Let no untrusted object become a NoSQL query.

    JSON may hold `{"$gt": ""}` where a password was expected: as a filter it matches every document. A text in
    `$where` is JavaScript. Convert values with `str`, or compare with `{"$eq": value}`.

    ```python bad
    import pymongo
    from flask import Flask, request

    app = Flask(__name__)
    users = pymongo.MongoClient()["shop"]["users"]

    @app.post("/login")
    def login():
        data = request.get_json()
        found = users.find_one({"name": "admin", "password": data["password"]})
    #                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `request.get_json["password"]` can bring operators into the query that `Collection.find_one` runs
        return {"ok": found is not None}
    ```
    ```python good
    import pymongo
    from flask import Flask, request

    app = Flask(__name__)
    users = pymongo.MongoClient()["shop"]["users"]

    @app.post("/login")
    def login():
        data = request.get_json()
        found = users.find_one({"name": str(data["name"])})
        return {"ok": found is not None}
    ```
    """
    yield flows.finding(
        flow,
        ctx,
        f"can bring operators into the query that `{flows.api(flow)}` runs",
        Severity.HIGH,
        (guard_fixes.text_values(flow, ctx),),
    )
