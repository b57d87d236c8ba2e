"""Finds sockets, connections, archives, sessions, pools and processes that are not released on every path; files have their own rule."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import lifetimes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_RESOURCES = {
    "socket.socket": ("socket", True),
    "socket.create_connection": ("socket", True),
    "sqlite3.connect": ("connection", False),
    "psycopg2.connect": ("connection", False),
    "psycopg.connect": ("connection", False),
    "pymysql.connect": ("connection", False),
    "MySQLdb.connect": ("connection", False),
    "pyodbc.connect": ("connection", False),
    "cx_Oracle.connect": ("connection", False),
    "zipfile.ZipFile": ("archive", True),
    "tarfile.open": ("archive", True),
    "shelve.open": ("shelf", True),
    "requests.Session": ("session", True),
    "requests.session": ("session", True),
    "httpx.Client": ("client", True),
    "smtplib.SMTP": ("connection", True),
    "smtplib.SMTP_SSL": ("connection", True),
    "ftplib.FTP": ("connection", True),
    "imaplib.IMAP4_SSL": ("connection", True),
    "concurrent.futures.ThreadPoolExecutor": ("pool", True),
    "concurrent.futures.ProcessPoolExecutor": ("pool", True),
    "multiprocessing.Pool": ("pool", False),
    "mmap.mmap": ("map", True),
    "subprocess.Popen": ("process", True),
    "httpx.AsyncClient": ("client", False),
    "aiohttp.ClientSession": ("session", False),
    "http.client.HTTPConnection": ("connection", False),
    "http.client.HTTPSConnection": ("connection", False),
    "imaplib.IMAP4": ("connection", True),
    "poplib.POP3": ("connection", False),
    "poplib.POP3_SSL": ("connection", False),
    "ldap3.Connection": ("connection", True),
    "paramiko.SSHClient": ("client", True),
}
"""What is acquired by which call, and whether its `with` statement releases it (a database connection's commits)."""

_RELEASES = frozenset(
    {
        "close", "shutdown", "terminate", "quit", "logout", "stop", "detach", "aclose", "cleanup", "unbind",
        "communicate", "wait", "poll", "kill", "send_signal",
    }
)  # fmt: skip


@rule(
    ast.Call,
    code="MNT011",
    principles=("released-resources",),
    severity=Severity.MEDIUM,
    calls=tuple(_RESOURCES),
    cwe=(772,),
)
def unclosed_resource(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A socket, connection, archive, session, pool or process is acquired and not released on every path.

    Servers allow a limited number of connections and processes a limited number of descriptors; one leak for each
    failing request uses them up, and a process that nobody waits for stays a zombie. What is returned, stored, handed on or released in a `finally` is in good hands
    and not reported, and so is an archive that is read from bytes in memory.

    ```python bad
    import sqlite3

    def count_orders(path):
        connection = sqlite3.connect(path)
    #                ^^^^^^^^^^^^^^^^^^^^^ the connection `connection` stays open if an exception is raised before it is closed
        total = connection.execute("SELECT count(*) FROM orders").fetchone()[0]
        connection.close()
        return total
    ```
    ```python bad
    import socket

    def is_open(host, port):
        probe = socket.socket()
    #           ^^^^^^^^^^^^^^^ the socket `probe` is never closed
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
    ```
    ```python good
    import contextlib
    import sqlite3

    def count_orders(path):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT count(*) FROM orders").fetchone()[0]

    def connect(path):
        return sqlite3.connect(path)
    ```
    """
    name = ctx.name(call.func)
    what, has_with = _RESOURCES.get(name or "", ("resource", False))
    if what == "archive" and _is_read_from_memory(call, ctx):
        return
    found = lifetimes.leak(call, ctx, _RELEASES)
    if found is None:
        return
    if what == "process":
        if found.fate == "never" and not ctx.is_test:
            yield ctx.finding(call, f"nothing waits for the process `{found.name}`, nor stops it")
    elif found.fate == "dropped":
        yield ctx.finding(call, f"this {what} is never closed")
    elif found.fate == "never":
        yield ctx.finding(call, f"the {what} `{found.name}` is never closed")
    else:
        fix = lifetimes.with_statement(found, "Acquire it in a `with` statement", ctx) if has_with else None
        yield ctx.finding(
            call,
            f"the {what} `{found.name}` stays open if an exception is raised before it is closed",
            fix=fix,
            severity=Severity.LOW,
        )


def _is_read_from_memory(call: ast.Call, ctx: Context) -> bool:
    file, mode = ctx.argument(call, 0, "file"), ctx.argument(call, 1, "mode")
    source = ctx.origin(file) if file is not None else None
    in_memory = isinstance(source, ast.Call) and ctx.name(source.func) == "io.BytesIO"
    return in_memory and (mode is None or ctx.value(mode) == "r")
