"""Reports untrusted data that is run as SQL, and passes values as parameters instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows
from charter_rules.sql_fixes import parameterized

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    TaintFlow,
    code="SEC100",
    principles=(
        "sql-injection",
        "parameterized-queries",
    ),
    severity=Severity.CRITICAL,
    cwe=(89,),
    kinds=("sql",),
    references=(
        "https://peps.python.org/pep-0249/#paramstyle",
        "https://cwe.mitre.org/data/definitions/89.html",
    ),
)
def sql_injection(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    """Keep untrusted text out of SQL.

    Whoever controls a piece of an SQL statement reads, changes or deletes the whole database: `' OR 1=1 --` is
    enough. Charter followed this text from where it enters the program. Parameters travel beside the statement, so
    that no quoting can be forgotten. A table or column name cannot be a parameter: choose it from a fixed list.
    A language model's tool (MCP) whose parameter is the statement itself runs what it is asked to, and is not reported.

    ```python bad
    import sqlite3
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/user")
    def user():
        name = request.args["name"]
        connection = sqlite3.connect("users.db")
        rows = connection.execute(f"SELECT * FROM users WHERE name = '{name}'")
    #                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `request.args["name"]` becomes part of the SQL that `Connection.execute` runs
        return {"rows": rows.fetchall()}
    ```
    ```python fixed
    import sqlite3
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/user")
    def user():
        name = request.args["name"]
        connection = sqlite3.connect("users.db")
        rows = connection.execute("SELECT * FROM users WHERE name = ?", (name,))
        return {"rows": rows.fetchall()}
    ```
    ```python good
    import sqlite3
    from flask import Flask, request

    app = Flask(__name__)
    COLUMNS = {"name": "name", "age": "age"}

    @app.get("/user")
    def user():
        connection = sqlite3.connect("users.db")
        order = COLUMNS[request.args["order"]]
        rows = connection.execute(f"SELECT * FROM users WHERE name = ? ORDER BY {order}", (request.args["name"],))
        return {"rows": rows.fetchall()}
    ```
    """
    yield flows.finding(
        flow,
        ctx,
        f"becomes part of the SQL that `{flows.api(flow)}` runs",
        Severity.CRITICAL,
        (parameterized(flow, ctx),),
    )
