"""Finds logins and credentials that travel unencrypted."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Sensitivity, Severity, regex, rule, sensitivity
from charter_rules import calls, hosts, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_PLAIN: Final = ("telnetlib.Telnet", "ftplib.FTP", "telnetlib3.open_connection")
_HTTP: Final = tuple(
    f"{library}.{verb}"
    for library in ("requests", "httpx")
    for verb in ("get", "post", "put", "patch", "delete", "request")
)
_QUEUES: Final = tuple(
    f"{library}{kind}"
    for library in ("kafka.Kafka", "aiokafka.AIOKafka")
    for kind in ("Producer", "Consumer", "AdminClient")
)
_SESSIONS: Final = ("requests.", "httpx.", "aiohttp.")
"""Whose sessions send requests as their functions do."""
_MAIL: Final = {
    "smtplib.SMTP": ("starttls",),
    "imaplib.IMAP4": ("starttls",),
    "poplib.POP3": ("stls",),
    "ftplib.FTP": (),
}

_LOGIN: Final = regex(r"(?i)passw|log_?in\b|credential|username|getpass")

_ADDRESS: Final = regex(r"(?i)ur[il]$")
"""Names of addresses with a scheme."""
_TALKS: Final = regex(r"\.(?:write|read_\w+)\(")


@rule(
    ast.Call,
    code="SEC026",
    principles=("verified-transport", "private-data-stays-private"),
    severity=Severity.MEDIUM,
    cwe=(319, 523, 522),
    calls=(
        *_PLAIN,
        *_HTTP,
        *_QUEUES,
        "*.post",
        "*.login",
        "*.pass_",
        "*.simple_bind_s",
        "*.bind_s",
        "*.simple_bind",
        "ldap3.Connection",
    ),
    aliases=("B312", "S312", "B321", "S321"),
    references=("https://cwe.mitre.org/data/definitions/319.html",),
)
def cleartext_login(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Log in over encrypted connections only.

    FTP, Telnet, plain SMTP, IMAP, POP3, LDAP and HTTP send the password as it is: everyone on the way can read it, and use it. The
    encrypted forms (SFTP or FTPS, SSH, `SMTP_SSL` or `starttls()`, LDAPS, HTTPS) take the same credentials. Hosts of a private network, and
    devices that ask for no login, are left alone; an anonymous login to FTP has no password to lose, and is told as low.

    ```python bad
    import smtplib

    def send(message, user, password):
        server = smtplib.SMTP("mail.shop.net", 25)
        server.login(user, password)
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `smtplib.SMTP` sends the password unencrypted: nothing calls `starttls` before
        server.send_message(message)
    ```
    ```python good
    import smtplib
    import ssl

    def send(message, user, password):
        server = smtplib.SMTP("mail.shop.net", 587)
        server.starttls(context=ssl.create_default_context())
        server.login(user, password)
        server.send_message(message)
    ```
    """
    if ctx.is_test or calls.tries_out(ctx, call):
        return
    name = ctx.name(call.func)
    if name in _PLAIN:
        if _names_user(call, 1, ctx) if name == "ftplib.FTP" else _logs_in(call, ctx):
            yield ctx.finding(call, f"`{name}` sends what you type, passwords included, unencrypted")
    elif name in _HTTP:
        if _carries_credentials(call, ctx) and _is_plain_http(ctx.value(call.args[0]) if call.args else None):
            yield ctx.finding(call, "the credentials travel over plain HTTP")
    elif name in _QUEUES:
        servers = ctx.value(given) if (given := calls.given(ctx, call, None, "bootstrap_servers")) else ""
        if (
            calls.value(ctx, call, None, "security_protocol") == "SASL_PLAINTEXT"
            and calls.value(ctx, call, None, "sasl_mechanism", default="PLAIN") == "PLAIN"
            and not (isinstance(servers, str) and servers and hosts.is_near(servers))
        ):
            yield ctx.finding(call, "`SASL_PLAINTEXT` sends the password unencrypted: `SASL_SSL` encrypts it")
    elif isinstance(call.func, ast.Attribute) and call.func.attr == "post":
        if (
            call.args
            and _is_plain_http(ctx.value(call.args[0]))
            and (ctx.type_name(call.func.value) or "").startswith(_SESSIONS)
            and _carries_credentials(call, ctx)
        ):
            yield ctx.finding(call, "the credentials travel over plain HTTP")
        else:
            ctx.not_an_opportunity()
    elif name is None and isinstance(call.func, ast.Attribute):
        yield from _login(call, call.func, ctx)
    elif name == "ldap3.Connection":
        if _is_plain_directory(call, ctx):
            yield ctx.finding(call, "the password travels unencrypted: the server is reached without TLS")
    else:
        ctx.not_an_opportunity()


def _logs_in(call: ast.Call, ctx: Context) -> bool:
    """Whether a terminal is there to log in; many devices take commands from everybody, as what is written to them shows."""
    if not call.args and not call.keywords:
        return False  # a terminal for a connection that there is already
    text = ctx.source(ctx.class_(call) or ctx.function(call) or ctx.tree)
    return _LOGIN.search(text) is not None or _TALKS.search(text) is None


def _names_user(call: ast.Call, position: int, ctx: Context) -> bool:
    """Whether a call for FTP says who logs in: without that it is "anonymous", whose password is none."""
    user = calls.given(ctx, call, position, "user")
    return user is not None and ctx.value(user) not in {"", "anonymous"}


def _is_asked_for(call: ast.Call, kind: str, ctx: Context) -> bool:
    """Whether the user's address decides on FTP: under a condition about it, or in a class that is there for it."""
    if not kind.startswith("ftplib."):
        return False
    class_ = ctx.class_(call)
    return (class_ is not None and "FTP" in class_.name.upper()) or any(
        isinstance(parent, ast.If) and "ftp" in ctx.source(parent.test) for parent in ctx.ancestors(call)
    )


def _is_plain_directory(call: ast.Call, ctx: Context) -> bool:
    """Whether an ldap3 connection logs in with a password to a server that is reached without TLS."""
    if (
        calls.given(ctx, call, 2, "password") is None
        or _keeps_password(calls.given(ctx, call, None, "authentication"), ctx)
        or "start_tls" in ctx.text
        or "TLS_BEFORE_BIND" in ctx.text
    ):
        return False
    server = calls.given(ctx, call, 0, "server")
    made = ctx.origin(server) if server is not None else None
    if not isinstance(made, ast.Call) or ctx.name(made.func) != "ldap3.Server":
        return False
    host = calls.given(ctx, made, 0, "host")
    address = UNKNOWN if host is None else ctx.value(host)
    if address is UNKNOWN and _ADDRESS.search(calls.identifier(host)):
        return False  # its scheme may be `ldaps`
    tls = calls.value(ctx, made, 2, "use_ssl", default=False)
    local = isinstance(address, str) and (address.startswith("ldaps:") or hosts.is_near(address))
    return tls is False and not local


def _keeps_password(scheme: ast.expr | None, ctx: Context) -> bool:
    """Whether a way to log in, or one of those that are chosen from, proves the password without sending it."""
    if scheme is None:
        return False
    around = ctx.function(scheme) or ctx.tree
    chosen = shapes.assigned_values(scheme.id, around, ctx) if isinstance(scheme, ast.Name) else None
    return any(calls.qualified(ctx, each).endswith(("NTLM", "SASL")) for each in (scheme, *(chosen or ())))


def _login(call: ast.Call, function: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    """A login through an object that was made for an unencrypted connection and never upgraded."""
    made = ctx.origin(function.value)
    if not isinstance(made, ast.Call):
        made = shapes.entered(function.value, ctx)
    if not isinstance(made, ast.Call):
        ctx.not_an_opportunity()
        return
    kind = ctx.name(made.func) or ""
    if kind in _MAIL:
        yield from _plain_login(call, function.value, made, kind, ctx)
    elif kind in {"ldap.initialize", "ldap.open"} and function.attr.startswith(("simple_bind", "bind")):
        address = calls.value(ctx, made, 0, "uri")
        password = calls.given(ctx, call, 1, "cred")
        value = None if password is None else ctx.value(password)
        has_password = value is not None and value != ""
        plain = isinstance(address, str) and address.startswith("ldap://") and not hosts.is_near(address)
        if plain and has_password and not _calls_on(function.value, {"start_tls_s"}, call, ctx):
            yield ctx.finding(call, "the password travels unencrypted: nothing calls `start_tls_s` before")
    else:
        ctx.not_an_opportunity()


def _plain_login(
    call: ast.Call, connection: ast.expr, made: ast.Call, kind: str, ctx: Context
) -> Iterator[Finding]:
    """A login to a mail or file server that is not on the machine, over a connection that nothing encrypts before."""
    host = calls.value(ctx, made, 0, "host")
    near = isinstance(host, str) and bool(host) and hosts.is_near(host)
    if (
        near
        or _is_asked_for(call, kind, ctx)
        or _calls_on(connection, {*_MAIL[kind], "starttls", "prot_p"}, call, ctx)
    ):
        return
    ftp = kind.startswith("ftplib.") and ctx.location(made).path == ctx.path
    place = made if ftp else call
    if kind == "ftplib.FTP" and not _names_user(call, 0, ctx):
        message = f"`{kind}` is not encrypted: what it fetches may be changed on the way"
        yield ctx.finding(place, message, severity=Severity.LOW)
        return
    upgrade = "stls" if kind == "poplib.POP3" else "starttls"
    way = "`ftplib.FTP_TLS` encrypts it" if ftp else f"nothing calls `{upgrade}` before"
    yield ctx.finding(place, f"`{kind}` sends the password unencrypted: {way}")


def _calls_on(receiver: ast.expr, methods: set[str], before: ast.Call, ctx: Context) -> bool:
    """Whether a method of the same object is called earlier in the function."""
    name = ctx.source(receiver)
    around = ctx.function(before) or ctx.tree
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in methods
        and ctx.source(node.func.value) == name
        for node in ctx.walk(around)
    )


def _carries_credentials(call: ast.Call, ctx: Context) -> bool:
    if calls.keyword(call, "auth"):
        return True
    headers = calls.given(ctx, call, None, "headers")
    if headers is not None and calls.entry(ctx.origin(headers), "Authorization") is not None:
        return True
    return any(_has_password(calls.given(ctx, call, None, name), ctx) for name in ("data", "json", "params"))


def _has_password(fields: ast.expr | None, ctx: Context) -> bool:
    """Whether one of the fields that are sent is a password."""
    sent = None if fields is None else ctx.origin(fields)
    return isinstance(sent, ast.Dict) and any(
        sensitivity(calls.identifier_of_key(key)) is Sensitivity.PASSWORD for key in sent.keys
    )


def _is_plain_http(url: object) -> bool:
    return isinstance(url, str) and url.startswith("http://") and not hosts.is_near(url)
