"""Finds links that carry a secret to the host which the request names. It looks at one file, and at frameworks that check no host."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Confidence, Sensitivity, Severity, regex, rule, sensitivity
from charter_rules import building, calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_HOSTS: Final = frozenset({"host_url", "url_root", "root_url", "host", "base_url"})
"""Attributes of requests that are made of the `Host` header."""
_HEADER: Final = regex(r"(?i)^(?:x-forwarded-)?host$|^origin$")
"""Headers by which a client names the site; what Django keeps as `HTTP_HOST`, it has compared with `ALLOWED_HOSTS`."""
_MAILS: Final = regex(r"(?i)mail|smtp|send_?message")
_LINK: Final = regex(r"(?i)reset|confirm|verif|activat|recover|invit|login|token|password|magic")
"""What is said of a link that lets its reader in."""
_CODE: Final = regex(r"(?i)(?:^|_)(?:token|code|otp|key|hash|signature|uid(?:b64)?)$")
"""Names of what makes such a link a secret."""
_TRIMS: Final = frozenset({"rstrip", "strip", "removesuffix", "lower"})
_CHECKED: Final = regex(r"SERVER_NAME|TRUSTED_HOSTS|TrustedHostMiddleware|allowed_hosts|ALLOWED_HOSTS")
"""Settings by which a framework refuses other hosts."""


@rule(
    ast.JoinedStr,
    ast.BinOp,
    ast.Call,
    code="SEC145",
    principles=("authentication-first",),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(640, 644),
    calls=("*.format",),
    mentions=(
        "host_url",
        "url_root",
        "root_url",
        "request.base_url",
        "request.host",
        *(
            f"{quote}{name}{quote}"
            for name in ("Host", "host", "X-Forwarded-Host", "Origin")
            for quote in "\"'"
        ),
    ),
    in_tests=False,
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html",
        "https://cwe.mitre.org/data/definitions/640.html",
    ),
)
def link_by_forged_host(text: ast.JoinedStr | ast.BinOp | ast.Call, ctx: Context) -> Iterator[Finding]:
    """Take the host of links with secrets from the settings.

    Whoever asks for another's password to be reset sends the request, its `Host` header included. The mail then comes from you and
    carries your wording, and its link leads to the attacker's host, together with the token that sets a new password. Keep the
    address of the site in the settings, or have the framework refuse other hosts (`SERVER_NAME`, `TRUSTED_HOSTS`,
    `TrustedHostMiddleware`).

    ```python bad
    from flask import request
    from shop.mail import send_mail

    def send_reset(user, token):
        link = f"{request.host_url}reset-password?token={token}"
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ whoever sends the request says where `token` goes: `request.host_url`
        send_mail(user.email, "A new password", link)
    ```
    ```python good
    from flask import current_app
    from shop.mail import send_mail

    def send_reset(user, token):
        link = f"{current_app.config['SITE']}/reset-password?token={token}"
        send_mail(user.email, "A new password", link)
    ```
    """
    if not ctx.says(_MAILS) or ctx.says(_CHECKED) or _is_part(text, ctx):
        ctx.not_an_opportunity()
        return
    values = [piece.value for piece in building.pieces(text, ctx) or () if piece.value is not None]
    host = next((value for value in values if _is_of_request(value, ctx)), None)
    secret = next(filter(None, map(_secret, values)), None)
    if host is not None and secret is not None and _LINK.search(ctx.source(text)):
        sent, named = calls.short(ctx, secret), calls.short(ctx, ctx.origin(host))
        yield ctx.finding(text, f"whoever sends the request says where `{sent}` goes: `{named}`")


def _is_part(text: ast.expr, ctx: Context) -> bool:
    """Whether a text is an operand of a longer one, which is looked at by itself."""
    return isinstance(ctx.parent(text), (ast.BinOp, ast.FormattedValue))


def _is_of_request(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is the host that a request names: `request.host_url`, `request.headers["Host"]`."""
    made = ctx.origin(value)
    if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr in _TRIMS:
        made = ctx.origin(made.func.value)
    if isinstance(made, ast.Attribute):
        return made.attr in _HOSTS and calls.identifier(made.value) in {"request", "req"}
    return (
        isinstance(made, (ast.Subscript, ast.Call))
        and _HEADER.search(calls.identifier(made)) is not None
        and "headers" in ctx.source(made)
    )


def _secret(value: ast.expr) -> ast.expr | None:
    """What lets in whoever holds it: a value that is named for it, or one that is put into an address by `url_for`."""
    given = [item.value for item in value.keywords] if isinstance(value, ast.Call) else []
    return next((one for one in (value, *given) if _is_secret(calls.identifier(one))), None)


def _is_secret(name: str) -> bool:
    return _CODE.search(name) is not None or sensitivity(name) in {Sensitivity.PASSWORD, Sensitivity.SECRET}
