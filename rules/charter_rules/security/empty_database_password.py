"""Finds database logins with an empty password."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    regex,
    rule,
)
from charter_rules import calls, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CONNECT: Final[dict[str, tuple[int | None, tuple[str, ...]]]] = {
    "pymysql.connect": (2, ("password", "passwd")),
    "MySQLdb.connect": (2, ("password", "passwd")),
    "mysql.connector.connect": (None, ("password", "passwd")),
    "mysql.connector.connection.MySQLConnection": (None, ("password", "passwd")),
    "psycopg2.connect": (None, ("password",)),
    "psycopg.connect": (None, ("password",)),
    "asyncpg.connect": (None, ("password",)),
    "aiomysql.connect": (None, ("password",)),
    "pymssql.connect": (2, ("password",)),
    "cx_Oracle.connect": (1, ("password",)),
    "oracledb.connect": (None, ("password",)),
    "pgdb.connect": (2, ("password",)),
    "pg.DB": (5, ("passwd",)),
}
_BY_ADDRESS: Final = (
    "sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "psycopg2.connect", "psycopg.connect",
    "asyncpg.connect", "databases.Database",
)  # fmt: skip
_EMPTY: Final = regex(r"^(?:mysql|mariadb|postgres\w*|mssql|oracle)[+\w]*://\w+:@(?!localhost|127\.)")


@rule(
    ast.Call,
    code="SEC060",
    principles=("authentication-first", "no-secrets-in-source"),
    severity=Severity.MEDIUM,
    cwe=(521, 258),
    calls=(*_CONNECT, *_BY_ADDRESS),
    references=("https://cwe.mitre.org/data/definitions/258.html",),
)
def empty_database_password(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Protect databases with a password.

    A database account with an empty password is open to every program that reaches the server, and to every user of the machine.

    ```python bad
    import pymysql

    def connect():
        return pymysql.connect(host="db.shop.net", user="shop", password="")
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the database is opened with an empty password
    ```
    ```python good
    import os
    import pymysql

    def connect():
        return pymysql.connect(host="db.shop.net", user="shop", password=os.environ["DB_PASSWORD"])
    ```
    """
    if ctx.is_test or places.is_sample(ctx):
        return
    name = ctx.name(call.func) or ""
    address = calls.value(ctx, call, 0, "url") if name in _BY_ADDRESS else None
    if isinstance(address, str) and _EMPTY.match(address):
        yield ctx.finding(call, "the database is opened with an empty password")
        return
    position, names = _CONNECT.get(name, (None, ()))
    for name in names:
        argument = calls.given(ctx, call, position, name)
        if argument is not None:
            if ctx.value(argument) == "":
                yield ctx.finding(call, "the database is opened with an empty password")
            return
