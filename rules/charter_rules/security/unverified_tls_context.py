"""Finds TLS contexts and sessions that stop checking certificates."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Fix,
    Grade,
    Severity,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_UNVERIFIED: Final = ("ssl._create_unverified_context", "ssl._create_stdlib_context")
_NONE: Final = frozenset({"ssl.CERT_NONE", "ssl.VerifyMode.CERT_NONE"})
_SESSIONS: Final = frozenset({"requests.Session", "requests.sessions.Session"})


@rule(
    ast.Assign,
    ast.Call,
    code="SEC023",
    principles=("verified-transport",),
    severity=Severity.HIGH,
    cwe=(295, 297),
    calls=(*_UNVERIFIED, "ssl.wrap_socket", "*.set_verify"),
    mentions=(
        "CERT_NONE",
        "check_hostname",
        "_create_unverified_context",
        "_create_stdlib_context",
        "verify",
        "VERIFY_NONE",
        "wrap_socket",
        "verify_mode",
        "VerifyMode",
    ),
    aliases=("B323", "S323"),
    references=("https://docs.python.org/3/library/ssl.html#ssl-security",),
)
def unverified_tls_context(node: ast.Assign | ast.Call, ctx: Context) -> Iterator[Finding]:
    """Keep the checks of certificate and host name on.

    An encrypted connection to somebody unknown is no secret: without these checks, anyone on the way can present a certificate of
    their own, decrypt, read, change and pass on. For a private authority, load its certificate with `load_verify_locations`.

    ```python bad
    import ssl

    def context():
        made = ssl.create_default_context()
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `made` accepts any certificate
        return made
    ```
    ```python good
    import ssl

    def context(authority):
        made = ssl.create_default_context()
        made.load_verify_locations(authority)
        return made

    def optional(verify):
        made = ssl.create_default_context()
        if not verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made
    ```
    """
    if isinstance(node, ast.Assign):
        yield from _assignment(node, ctx)
        return
    name = ctx.name(node.func)
    if name in _UNVERIFIED:
        if not ctx.is_test and not _is_optional(node, ctx):
            yield ctx.finding(node, f"`{name}` makes a context that accepts any certificate")
    elif name == "ssl.wrap_socket":
        required = calls.given(ctx, node, None, "cert_reqs")
        server = calls.value(ctx, node, None, "server_side", default=False)
        unchecked = required is None or calls.qualified(ctx, required) == "ssl.CERT_NONE"
        if unchecked and server is not True and not calls.has_unpacking(node) and not ctx.is_test:
            yield ctx.finding(
                node, "`ssl.wrap_socket` accepts any certificate unless `cert_reqs` says otherwise"
            )
    elif name is None and node.args:
        mode = calls.qualified(ctx, node.args[0])
        if (
            mode in {"OpenSSL.SSL.VERIFY_NONE", "ssl.CERT_NONE"}
            and not ctx.is_test
            and not _is_optional(node, ctx)
        ):
            yield ctx.finding(node, "the connection accepts any certificate")
        else:
            ctx.not_an_opportunity()
    else:
        ctx.not_an_opportunity()


def _assignment(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    target = node.targets[0]
    if not isinstance(target, ast.Attribute):
        ctx.not_an_opportunity()
        return
    message = _weakened(target, node.value, ctx)
    if message is None:
        ctx.not_an_opportunity()
    elif message and not ctx.is_test and not _is_optional(node, ctx):
        yield ctx.finding(node, message, fix=_fix(node, target, ctx))


def _weakened(target: ast.Attribute, value: ast.expr, ctx: Context) -> str | None:
    """What an assignment does to a connection; "" if nothing, None if it is about something else."""
    if target.attr == "verify_mode":
        if calls.qualified(ctx, value) in _NONE:
            return f"`{ctx.source(target.value)}` accepts any certificate"
        return ""
    if target.attr == "check_hostname":
        if ctx.value(value) is False and not _also_unverified(target, ctx):
            return f"`{ctx.source(target.value)}` accepts the certificate of any other host"
        return ""
    if target.attr == "verify" and ctx.type_name(target.value) in _SESSIONS:
        return "the session accepts any certificate" if ctx.value(value) is False else ""
    if (
        target.attr in {"_create_default_https_context", "create_default_context"}
        and ctx.name(target.value) == "ssl"
    ):
        unverified = calls.qualified(ctx, value) in _UNVERIFIED
        return "every HTTPS connection of the program accepts any certificate" if unverified else ""
    return None


def _also_unverified(target: ast.Attribute, ctx: Context) -> bool:
    """Whether the same object is told to accept any certificate, which is reported there."""
    owner = ctx.source(target.value)
    around = ctx.function(target) or ctx.tree
    return any(
        isinstance(other, ast.Assign)
        and isinstance(other.targets[0], ast.Attribute)
        and other.targets[0].attr == "verify_mode"
        and ctx.source(other.targets[0].value) == owner
        and calls.qualified(ctx, other.value) in _NONE
        for other in ctx.walk(around)
    )


def _is_optional(node: ast.AST, ctx: Context) -> bool:
    """Whether the user decides: the place is under a condition that speaks of it, or in a function made for it."""
    function = ctx.function(node)
    if function is not None and re.search(
        r"(?i)unverified|insecure|no_verify|noverify|unsafe", function.name
    ):
        return True
    for parent in ctx.ancestors(node):
        if isinstance(parent, (ast.If, ast.IfExp)) and re.search(
            r"(?i)verif|insecure|ssl|tls|cert|check|hostname|skip", ctx.source(parent.test)
        ):
            return True
    return False


def _fix(node: ast.Assign, target: ast.Attribute, ctx: Context) -> Fix | None:
    if target.attr != "verify" or len(node.targets) != 1:
        return None
    return Fix("Check the certificate", (ctx.remove_statement(node),), Grade.UNSAFE)
