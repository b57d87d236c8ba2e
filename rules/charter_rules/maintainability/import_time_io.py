"""Finds modules that talk to the network or a database, or start programs, when they are imported."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_VERBS = ("get", "post", "put", "patch", "delete", "head", "request")
_SCRIPTS = (
    "setup.py",
    "conftest.py",
    "manage.py",
    "noxfile.py",
    "tasks.py",
    "fabfile.py",
    "__main__.py",
    "conf.py",
)


@rule(
    ast.Call,
    code="MNT062",
    principles=("no-hidden-state",),
    severity=Severity.MEDIUM,
    default=False,
    calls=(
        *(f"requests.{verb}" for verb in _VERBS),
        *(f"httpx.{verb}" for verb in _VERBS),
        "urllib.request.urlopen",
        "urllib.request.urlretrieve",
        "sqlite3.connect",
        "psycopg2.connect",
        "psycopg.connect",
        "pymysql.connect",
        "MySQLdb.connect",
        "smtplib.SMTP",
        "socket.create_connection",
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.Popen",
        "os.system",
        "time.sleep",
        "paramiko.SSHClient",
    ),
)
def import_time_io(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Importing the module connects, downloads, sleeps or starts a program.

    An import should only define. What it does besides happens in every tool that imports the module: the test
    collector, the documentation builder, the command that only prints its version; it cannot be configured, mocked
    or retried, and where it fails the whole program does not start.

    Scripts (code under `if __name__ == "__main__"`, modules that nothing can import) are left alone.

    Off by default: too few of its findings on published packages have been read to promise nine in ten.

    ```python bad title="shop/rates.py"
    import requests

    RATES = requests.get("https://rates.example", timeout=5).json()
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `requests.get` runs when `shop.rates` is imported

    def rate(currency):
        return RATES[currency]
    ```
    ```python good title="shop/rates.py"
    from functools import cache

    import requests

    @cache
    def rates():
        return requests.get("https://rates.example", timeout=5).json()

    def rate(currency):
        return rates()[currency]
    ```
    """
    if ctx.is_test or not ctx.module or ctx.path.endswith(_SCRIPTS) or "." not in ctx.module:
        ctx.not_an_opportunity()
        return
    child: ast.AST = call
    for ancestor in ctx.ancestors(call):
        if isinstance(ancestor, ast.Lambda):
            return
        if isinstance(ancestor, (ast.FunctionDef, ast.AsyncFunctionDef)) and isinstance(child, ast.stmt):
            return
        child = ancestor
        if isinstance(ancestor, ast.If) and "__name__" in ctx.source(ancestor.test):
            return
    if not _is_imported_for_names(ctx):
        return
    yield ctx.finding(call, f"`{ctx.name(call.func)}` runs when `{ctx.module}` is imported")


def _is_imported_for_names(ctx: Context) -> bool:
    """Whether the module defines something that others would import; a script of statements only is run, not imported."""
    return any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in ctx.tree.body
    )
