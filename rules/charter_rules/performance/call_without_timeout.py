"""Finds connections that may wait for ever. HTTP with requests is a matter of the security rules."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_TIMEOUT_AT: dict[str, int] = {
    "urllib.request.urlopen": 2,
    "socket.create_connection": 1,
    "smtplib.SMTP": 3,
    "smtplib.SMTP_SSL": 6,
    "ftplib.FTP": 4,
    "http.client.HTTPConnection": 2,
    "http.client.HTTPSConnection": 4,
    "imaplib.IMAP4": 2,
    "imaplib.IMAP4_SSL": 5,
    "poplib.POP3": 2,
    "poplib.POP3_SSL": 5,
    "telnetlib.Telnet": 2,
}
"""The position of the timeout among the arguments of each call, 0-based."""
_LATER = frozenset({"smtplib.SMTP", "smtplib.SMTP_SSL", "ftplib.FTP", "telnetlib.Telnet"})
"""What connects only if it is told where to."""


@rule(
    ast.Call,
    code="PRF013",
    principles=("bounded-resources",),
    severity=Severity.MEDIUM,
    calls=tuple(_TIMEOUT_AT),
    cwe=(400,),
)
def call_without_timeout(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A connection is made without a limit on how long it may take.

    Without a timeout these calls wait as long as the other side keeps silent: for ever, if it is gone without a
    word. One dead mail server then takes one worker after the other until none is left.

    ```python bad
    from urllib.request import urlopen

    def fetch(url):
        return urlopen(url).read()
    #          ^^^^^^^^^^^^ `urlopen` has no timeout and may wait for ever
    ```
    ```python fixed
    from urllib.request import urlopen

    def fetch(url):
        return urlopen(url, timeout=30).read()
    ```
    ```python good
    import smtplib
    from urllib.request import urlopen

    def fetch(url, **options):
        with smtplib.SMTP("mail.example", timeout=10) as server:
            server.noop()
        return urlopen(url, None, 30).read() + urlopen(url, **options).read()
    ```
    """
    if ctx.is_test:
        return
    name = ctx.name(call.func) or ""
    if any(keyword.arg in {"timeout", None} for keyword in call.keywords):
        return
    if name in _LATER and not call.args and not call.keywords:
        return  # made now, connected later, which is where the timeout may be given
    if len(call.args) > _TIMEOUT_AT.get(name, 0) or any(isinstance(item, ast.Starred) for item in call.args):
        return
    named = (*ctx.gets.get("setdefaulttimeout", ()), *ctx.reads.get("setdefaulttimeout", ()))
    if any(ctx.name(node) == "socket.setdefaulttimeout" for node in named):
        return
    shown = name.rpartition(".")[2]
    yield ctx.finding(
        call,
        f"`{shown}` has no timeout and may wait for ever",
        fix=Fix("Give it 30 seconds", (ctx.set_keyword(call, "timeout", "30"),), Grade.UNSAFE),
    )
