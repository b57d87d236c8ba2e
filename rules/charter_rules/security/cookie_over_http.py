"""Finds cookies that browsers may send unencrypted."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import (
    UNKNOWN,
    Fix,
    Grade,
    Severity,
    rule,
)
from charter_rules import building, calls, cookies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="SEC027",
    principles=("protected-sessions",),
    severity=Severity.MEDIUM,
    cwe=(614,),
    calls=(
        "*.set_cookie",
        "*.set_secure_cookie",
        "*.set_signed_cookie",
        "*.send_header",
        "*.add_header",
        "*.set_header",
    ),
    references=("https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie",),
)
def cookie_over_http(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Send cookies over encrypted connections only.

    Without the `Secure` attribute, a browser sends the cookie over plain HTTP too: one link or image with `http://` is enough for
    everyone on the way to read it. For a session's cookie, that is the login.

    ```python bad
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session", user.token, httponly=True, samesite="Lax", secure=False)
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ browsers send this cookie over plain HTTP too: `secure` is off
        return response
    ```
    ```python fixed
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session", user.token, httponly=True, samesite="Lax", secure=True)
        return response
    ```
    ```python good
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session", user.token, httponly=True, samesite="Lax", secure=True)
        return response

    def forget(response):
        response.set_cookie("session", "", max_age=0)
    ```
    """
    if calls.identifier(call.func).endswith("_header"):
        if _is_open_header(call, ctx):
            yield ctx.finding(call, "browsers send this cookie over plain HTTP too: `Secure` is not set")
        else:
            ctx.not_an_opportunity()
        return
    if not cookies.is_response(call, ctx):
        ctx.not_an_opportunity()
        return
    if ctx.is_test or calls.value(ctx, call, 1, "value") == "" or _forgets(call, ctx):
        return
    secure = calls.value(ctx, call, _position(call), "secure", default=None)
    if secure is UNKNOWN or secure:
        return
    fix = Fix(
        "Send it over encrypted connections only", (ctx.set_keyword(call, "secure", "True"),), Grade.UNSAFE
    )
    yield ctx.finding(
        call,
        "browsers send this cookie over plain HTTP too: `secure` is "
        + ("off" if secure is False else "not set"),
        fix=fix,
        severity=Severity.LOW if isinstance(calls.value(ctx, call, 1, "value"), str) else None,
    )


def _position(call: ast.Call) -> int | None:
    """Flask's, Django's and Starlette's order of arguments agree: key, value, max_age, expires, path, domain, secure."""
    return 6 if call.args else None


def _forgets(call: ast.Call, ctx: Context) -> bool:
    """Whether a call makes the browser forget the cookie."""
    return any(calls.value(ctx, call, None, name) == 0 for name in ("max_age", "expires"))


def _is_open_header(call: ast.Call, ctx: Context) -> bool:
    """Whether a call sends a `Set-Cookie` header with a computed value and without `Secure`, all of it in sight."""
    if len(call.args) != 2 or ctx.is_test or str(ctx.value(call.args[0])).lower() != "set-cookie":
        return False
    parts = building.pieces(ctx.origin(call.args[1]), ctx)
    if not parts or not parts[0].text.partition("=")[0].strip() or "=" not in parts[0].text:
        return False
    first = next((number for number, part in enumerate(parts) if ";" in part.text), len(parts))
    if any(part.value is not None for part in parts[first:]):
        return False  # an attribute is computed
    text = "".join(part.text for part in parts).lower()
    return not any(word in text for word in ("secure", "max-age=0", "expires=thu, 01"))
