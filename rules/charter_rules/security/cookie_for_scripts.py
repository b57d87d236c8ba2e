"""Finds session cookies that scripts can read."""

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
from charter_rules import calls, cookies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    ast.Assign,
    ast.Dict,
    code="SEC028",
    principles=("protected-sessions",),
    severity=Severity.MEDIUM,
    cwe=(1004,),
    calls=cookies.SETTERS,
    mentions=("ookie",),
    references=("https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie",),
)
def cookie_for_scripts(call: ast.Call | ast.Assign | ast.Dict, ctx: Context) -> Iterator[Finding]:
    """Keep session cookies away from scripts.

    Without the `HttpOnly` attribute, JavaScript can read the cookie; one injected script is then enough to steal the session. Cookies
    that hold no credential, such as a language or a CSRF token that scripts must read, are not reported.

    ```python bad
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session_token", user.token, secure=True)
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ scripts can read this cookie, which holds a credential: `httponly` is not set
        return response
    ```
    ```python fixed
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session_token", user.token, secure=True, httponly=True)
        return response
    ```
    ```python good
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session_token", user.token, secure=True, httponly=True)
        response.set_cookie("language", user.language, secure=True)
        return response
    ```
    """
    sent = cookies.sent(call, ctx)
    if sent:
        if not ctx.is_test and any(
            cookies.lacks(header, "httponly", ctx) and cookies.names_credential(header, ctx)
            for header in sent
        ):
            yield ctx.finding(
                call, "scripts can read this cookie, which holds a credential: `HttpOnly` is not set"
            )
        return
    if isinstance(call, ast.Dict) or (
        isinstance(call, ast.Call) and not calls.identifier(call.func).endswith("_cookie")
    ):
        ctx.not_an_opportunity()
        return
    if isinstance(call, ast.Assign):
        missing = None if ctx.is_test else cookies.morsel(call, "httponly", ctx)
        if missing is not None and cookies.is_credential(cookies.morsel_name(call, ctx)):
            yield ctx.finding(
                call, f"scripts can read this cookie, which holds a credential: `httponly` is {missing}"
            )
        else:
            ctx.not_an_opportunity()
        return
    if not cookies.is_response(call, ctx):
        ctx.not_an_opportunity()
        return
    if ctx.is_test or calls.value(ctx, call, 1, "value") == "":
        return
    only = calls.value(ctx, call, 7 if call.args else None, "httponly", default=None)
    if isinstance(calls.value(ctx, call, 1, "value"), str) and only is not False:
        return  # a constant is no secret
    if (
        only is UNKNOWN
        or only
        or not cookies.holds_credential(call, ctx)
        or cookies.is_for_scripts(call, ctx)
    ):
        return
    fix = Fix("Keep it away from scripts", (ctx.set_keyword(call, "httponly", "True"),), Grade.UNSAFE)
    yield ctx.finding(
        call, "scripts can read this cookie, which holds a credential: `httponly` is not set", fix=fix
    )
