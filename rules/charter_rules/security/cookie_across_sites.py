"""Finds cookies that other sites can send."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import (
    Fix,
    Grade,
    Severity,
    rule,
)
from charter_rules import calls, cookies, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="SEC029",
    principles=("protected-sessions",),
    severity=Severity.MEDIUM,
    cwe=(1275, 352),
    calls=("*.set_cookie", "*.set_secure_cookie", "*.set_signed_cookie"),
    references=("https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie",),
)
def cookie_across_sites(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Keep cookies from being sent with requests of other sites.

    `SameSite=None` lets every other site send requests that carry the cookie: a form on a foreign page acts with the user's login.
    `Lax` sends it only when the user follows a link. Write `None` only for a page that is meant to be embedded elsewhere.

    ```python bad
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session", user.token, secure=True, httponly=True, samesite="None")
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every other site can send requests with this cookie: `samesite` is `None`
        return response
    ```
    ```python fixed
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session", user.token, secure=True, httponly=True, samesite="Lax")
        return response
    ```
    ```python good
    from flask import make_response

    def remember(user):
        response = make_response("hello")
        response.set_cookie("session", user.token, secure=True, httponly=True, samesite="Lax")
        return response
    ```
    """
    if not cookies.is_response(call, ctx):
        ctx.not_an_opportunity()
        return
    value = calls.value(ctx, call, 8 if call.args else None, "samesite", default="Lax")
    if not isinstance(value, str) or value.lower() != "none" or ctx.is_test:
        return
    if shapes.is_one_of_ways(call, ctx):
        return
    fix = Fix(
        "Send it with links only, not with requests of other sites",
        (ctx.set_keyword(call, "samesite", '"Lax"'),),
        Grade.UNSAFE,
    )
    yield ctx.finding(
        call, "every other site can send requests with this cookie: `samesite` is `None`", fix=fix
    )
