"""Finds cookies that browsers may send unencrypted."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    UNKNOWN,
    Fix,
    Grade,
    Severity,
    regex,
    rule,
)
from charter_rules import calls, cookies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding, Related

_LOOPBACK: Final = regex(r"(?i)\bloopback\b")


@rule(
    ast.Call,
    ast.Assign,
    ast.Dict,
    code="SEC027",
    principles=("protected-sessions",),
    severity=Severity.MEDIUM,
    cwe=(614,),
    calls=(*cookies.SETTERS, "*.add_middleware", "starlette.middleware.sessions.SessionMiddleware"),
    mentions=("ookie", "https_only"),
    references=("https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie",),
)
def cookie_over_http(call: ast.Call | ast.Assign | ast.Dict, ctx: Context) -> Iterator[Finding]:
    """Send cookies over encrypted connections only.

    Without the `Secure` attribute, a browser sends the cookie over plain HTTP too: one link or image with `http://` is enough for
    everyone on the way to read it. For a session's cookie, that is the login. Cookies that hold no credential, such as a language, are
    reported only where the call says `secure=False`.

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
    if isinstance(call, ast.Assign):
        yield from _assigned(call, ctx)
        return
    if isinstance(call, ast.Dict) or not calls.identifier(call.func).endswith("_cookie"):
        if not ctx.is_test and any(
            cookies.lacks(header, "secure", ctx) for header in cookies.sent(call, ctx)
        ):
            yield ctx.finding(call, "browsers send this cookie over plain HTTP too: `Secure` is not set")
        elif not ctx.is_test and isinstance(call, ast.Call) and _is_open_session(call, ctx):
            fix = Fix(
                "Send it over encrypted connections only",
                (ctx.set_keyword(call, "https_only", "True"),),
                Grade.UNSAFE,
            )
            message = "browsers send the session's cookie over plain HTTP too: `https_only` is off"
            yield ctx.finding(call, message, fix=fix if calls.keyword(call, "https_only") else None)
        else:
            ctx.not_an_opportunity()
        return
    if not cookies.is_response(call, ctx):
        ctx.not_an_opportunity()
        return
    if ctx.is_test or calls.value(ctx, call, 1, "value") == "" or _forgets(call, ctx):
        return
    secure = calls.value(ctx, call, _position(call), "secure", default=cookies.is_usually(call, "secure"))
    if not cookies.holds_credential(call, ctx) and not _is_said(call):
        return
    related: tuple[Related, ...] = ()
    if secure is UNKNOWN:
        choices = calls.choices(ctx, call, _position(call), "secure")
        off = next((one for one in choices if one.value is False and one.told is not None), None)
        if off is None:
            return
        secure, related = False, calls.chosen(off, ctx)
    if secure or _stays_here(call, ctx):
        return
    fix = Fix(
        "Send it over encrypted connections only", (ctx.set_keyword(call, "secure", "True"),), Grade.UNSAFE
    )
    yield ctx.finding(
        call,
        "browsers send this cookie over plain HTTP too: `secure` is "
        + ("off" if secure is False else "not set"),
        fix=fix,
        related=related,
        severity=Severity.LOW if isinstance(calls.value(ctx, call, 1, "value"), str) else None,
    )


def _is_said(call: ast.Call) -> bool:
    """Whether the call itself says that the cookie may travel unencrypted."""
    given = calls.keyword(call, "secure")
    return given is not None and isinstance(given.value, ast.Constant) and given.value.value is False


def _stays_here(call: ast.Call, ctx: Context) -> bool:
    """Whether the call itself says that the cookie may travel unencrypted, in a function that says it serves this machine alone."""
    function = ctx.function(call)
    return _is_said(call) and function is not None and _LOOPBACK.search(ctx.source(function)) is not None


def _position(call: ast.Call) -> int | None:
    """Flask's, Django's and Starlette's order of arguments agree: key, value, max_age, expires, path, domain, secure."""
    return 6 if call.args else None


def _forgets(call: ast.Call, ctx: Context) -> bool:
    """Whether a call makes the browser forget the cookie, or the cookie is named for travelling in clear."""
    key = ctx.argument(call, 0, "key")
    if key is not None and calls.NAMED_FOR_IT.search(f"{ctx.source(key)} {ctx.value(key)}"):
        return True
    return any(calls.value(ctx, call, None, name) == 0 for name in ("max_age", "expires"))


def _is_open_session(call: ast.Call, ctx: Context) -> bool:
    """Whether Starlette's sessions are told to do without encryption."""
    first = calls.qualified(ctx, call.args[0]) if call.args else ""
    named = f"{ctx.name(call.func)} {first}"
    return "SessionMiddleware" in named and calls.value(ctx, call, None, "https_only") is False


def _assigned(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """`response["Set-Cookie"] = …`, and cookies of `http.cookies` that are never marked."""
    target = node.targets[0]
    if isinstance(target, ast.Subscript) and not ctx.is_test:
        sent = cookies.sent(node, ctx)
        if sent:
            if cookies.lacks(sent[0], "secure", ctx):
                yield ctx.finding(node, "browsers send this cookie over plain HTTP too: `Secure` is not set")
            return
        made = cookies.morsel(node, "secure", ctx)
        if made is not None and (made == "off" or cookies.is_credential(cookies.morsel_name(node, ctx))):
            yield ctx.finding(node, f"browsers send this cookie over plain HTTP too: `secure` is {made}")
            return
    ctx.not_an_opportunity()
