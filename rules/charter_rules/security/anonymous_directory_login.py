"""Finds logins to a directory that need no password."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import (
    Severity,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="SEC059",
    principles=("authentication-first",),
    severity=Severity.HIGH,
    cwe=(287, 521),
    calls=("*.simple_bind_s", "*.simple_bind", "*.bind_s", "*.bind", "ldap3.Connection"),
    mentions=("ldap",),
    references=("https://datatracker.ietf.org/doc/html/rfc4513#section-5.1.2",),
)
def anonymous_directory_login(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Log in to a directory with a password.

    A directory takes a login with a name and an empty password for an anonymous one and says that it succeeded (RFC 4513). A program that reads
    this as "the password is right" lets everybody in.

    ```python bad
    import ldap

    def search(name):
        connection = ldap.initialize("ldaps://directory.shop.net")
        connection.simple_bind_s(f"cn={name}", "")
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the directory takes this for an anonymous login: there is no password
        return connection
    ```
    ```python good
    import ldap

    def search(name, password):
        connection = ldap.initialize("ldaps://directory.shop.net")
        connection.simple_bind_s(f"cn={name}", password)
        return connection
    ```
    """
    if ctx.is_test:
        return
    name = ctx.name(call.func)
    if name == "ldap3.Connection":
        user = calls.given(ctx, call, 1, "user")
        password = calls.value(ctx, call, 2, "password", default=None)
        sasl = calls.keyword(call, "sasl_mechanism") or calls.keyword(call, "authentication")
        if (password == "" or (password is None and user is not None)) and not (
            sasl and "ANONYMOUS" not in ctx.source(sasl)
        ):
            yield ctx.finding(call, "the directory takes this for an anonymous login: there is no password")
        return
    made = ctx.origin(call.func.value) if isinstance(call.func, ast.Attribute) else None
    if (
        (name is not None and not name.startswith(f"{ctx.module}."))
        or not isinstance(made, ast.Call)
        or ctx.name(made.func) not in {"ldap.initialize", "ldap.open"}
    ):
        ctx.not_an_opportunity()
        return
    password = calls.value(ctx, call, 1, "cred", default=None)
    if not call.args and not call.keywords and _is_the_other_way(call, ctx):
        return
    if password is None or password == "":
        yield ctx.finding(call, "the directory takes this for an anonymous login: there is no password")


def _is_the_other_way(call: ast.Call, ctx: Context) -> bool:
    """Whether a login without a name stands beside one with a name: the user has chosen to give none."""
    return any(
        isinstance(node, ast.Call)
        and node is not call
        and ctx.source(node.func) == ctx.source(call.func)
        and len(node.args) > 1
        for parent in ctx.ancestors(call)
        if isinstance(parent, ast.If)
        for node in ctx.walk(parent)
    )
