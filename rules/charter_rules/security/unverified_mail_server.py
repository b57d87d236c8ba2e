"""Finds encrypted mail connections that do not check the server."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    AddImport,
    Fix,
    Grade,
    Severity,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CONNECT: Final = {
    "smtplib.SMTP_SSL": "context",
    "imaplib.IMAP4_SSL": "ssl_context",
    "poplib.POP3_SSL": "context",
    "ftplib.FTP_TLS": "context",
    "nntplib.NNTP_SSL": "ssl_context",
}
_PLAIN: Final = frozenset({"smtplib.SMTP", "imaplib.IMAP4", "poplib.POP3"})


@rule(
    ast.Call,
    code="SEC062",
    principles=("verified-transport",),
    severity=Severity.MEDIUM,
    cwe=(295,),
    calls=(*_CONNECT, "*.starttls", "*.auth_tls"),
    mentions=("smtplib", "imaplib", "poplib", "ftplib", "nntplib"),
    references=(
        "https://docs.python.org/3/library/ssl.html#best-defaults",
        "https://docs.python.org/3/library/smtplib.html#smtplib.SMTP.starttls",
    ),
)
def unverified_mail_server(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Give mail and file connections a context that checks the server.

    For reasons of compatibility, `smtplib`, `imaplib`, `poplib` and `ftplib` encrypt without checking the certificate unless they are given a
    context: anyone on the way can pose as the server and take the password. `ssl.create_default_context()` checks.

    ```python bad
    import smtplib

    def send(message):
        with smtplib.SMTP("mail.shop.net", 587) as server:
            server.starttls()
    #       ^^^^^^^^^^^^^^^^^ encrypted, but to whom? Without a context the certificate is not checked
            server.send_message(message)
    ```
    ```python fixed
    import smtplib
    import ssl

    def send(message):
        with smtplib.SMTP("mail.shop.net", 587) as server:
            server.starttls(context=ssl.create_default_context())
            server.send_message(message)
    ```
    ```python good
    import smtplib
    import ssl

    def send(message):
        with smtplib.SMTP("mail.shop.net", 587) as server:
            server.starttls(context=ssl.create_default_context())
            server.send_message(message)
    ```
    """
    name = ctx.name(call.func)
    if name in _CONNECT:
        keyword = _CONNECT[name]
    elif name is None and isinstance(call.func, ast.Attribute) and _is_mail(call.func.value, ctx):
        keyword = "ssl_context" if (ctx.type_name(call.func.value) or "").startswith("imaplib") else "context"
    else:
        ctx.not_an_opportunity()
        return
    given = calls.given(ctx, call, None, keyword)
    passed = given is not None and ctx.value(given) is not None
    if passed or calls.has_unpacking(call) or ctx.is_test or (name is None and call.args):
        return
    edits = (ctx.set_keyword(call, keyword, "ssl.create_default_context()"), AddImport("ssl"))
    fix = Fix("Check the server's certificate", edits, Grade.UNSAFE)
    yield ctx.finding(
        call, "encrypted, but to whom? Without a context the certificate is not checked", fix=fix
    )


def _is_mail(receiver: ast.expr, ctx: Context) -> bool:
    """Whether an object is a connection of one of the mail libraries, also one that a `with` has opened."""
    if ctx.type_name(receiver) in _PLAIN:
        return True
    if isinstance(receiver, ast.Name) and ctx.origin(receiver) is receiver:
        around = ctx.function(receiver) or ctx.tree
        for node in ctx.walk(around):
            if isinstance(node, ast.Assign) and calls.identifier(node.targets[0]) == receiver.id:
                value = node.value
                if isinstance(value, ast.Call) and ctx.name(value.func) in _PLAIN:
                    return True
    return False
