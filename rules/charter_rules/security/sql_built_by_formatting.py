"""Finds SQL whose values are written into the text instead of being passed as parameters. Where they come from is not asked."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Confidence, Severity, rule
from charter_rules import building, growing, sql, sql_fixes, sql_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_METHODS: Final = (
    "execute",
    "executemany",
    "executescript",
    "fetch",
    "fetchrow",
    "fetchval",
    "raw",
    "exec_driver_sql",
    "read_sql",
)
_FUNCTIONS: Final = ("sqlalchemy.text", "sqlalchemy.sql.text", "sqlalchemy.sql.expression.text", "pandas.read_sql",
                     "pandas.read_sql_query")  # fmt: skip


@rule(
    ast.Call,
    code="SEC002",
    principles=("parameterized-queries", "sql-injection"),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(89,),
    calls=(*(f"*.{name}" for name in _METHODS), *_FUNCTIONS),
    aliases=("B608", "S608"),
    references=(
        "https://peps.python.org/pep-0249/#paramstyle",
        "https://cwe.mitre.org/data/definitions/89.html",
    ),
)
def sql_built_by_formatting(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Pass values to the database as parameters, never inside of the SQL text.

    A value that is written into the text can end the quotes around it and go on as SQL. Even where it is trusted
    today, the next caller may not know; quotes in names break the statement, and the database cannot reuse its plan.
    Parameters cost nothing. Table and column names cannot be parameters; they are not reported here.

    ```python bad
    import sqlite3

    def user(name):
        connection = sqlite3.connect("users.db")
        return connection.execute(f"SELECT * FROM users WHERE name = '{name}'").fetchone()
    #                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `name` becomes part of the SQL text instead of a parameter
    ```
    ```python fixed
    import sqlite3

    def user(name):
        connection = sqlite3.connect("users.db")
        return connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()
    ```
    ```python good
    import sqlite3

    def user(name):
        connection = sqlite3.connect("users.db")
        return connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()

    def count(connection, table):
        return connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
    ```
    """
    argument = ctx.argument(call, 0, "sql") or ctx.argument(call, None, "query")
    if argument is None:
        ctx.not_an_opportunity()
        return
    written = ctx.origin(argument)
    parts = building.pieces(written, ctx) or growing.pieces(written, ctx)
    if not parts:
        return
    if not sql.looks_like_sql(parts):
        ctx.not_an_opportunity()
        return
    value = sql_values.risky(parts, ctx, has_parameters=len(call.args) + len(call.keywords) > 1)
    if value is None or ctx.is_test or sql.is_migration(ctx):
        return
    name = ctx.name(call.func) or getattr(call.func, "attr", "")
    fix = sql_fixes.for_call(call, argument, name, ctx) if written is argument else None
    place = growing.place(argument, written, value, ctx)
    related = [] if place is None else [ctx.related(place, "the text is put together here")]
    text = " ".join(ctx.source(value).split())
    yield ctx.finding(
        argument, f"`{text}` becomes part of the SQL text instead of a parameter", fix=fix, related=related
    )
