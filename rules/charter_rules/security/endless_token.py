"""Finds tokens that are good for ever."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter_rules import calls, protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_TIMED: Final = frozenset(
    {
        "itsdangerous.URLSafeTimedSerializer", "itsdangerous.TimedSerializer", "itsdangerous.TimestampSigner",
        "itsdangerous.url_safe.URLSafeTimedSerializer", "itsdangerous.timed.TimedSerializer",
        "itsdangerous.timed.TimestampSigner", "django.core.signing.TimestampSigner",
    }
)  # fmt: skip
"""What signs with the time, so that it can tell later how old a token is."""
_OF_FLASK: Final = ("flask_jwt_extended.create_access_token", "flask_jwt_extended.create_refresh_token")
"""Functions whose tokens end by themselves, unless they are told not to."""
_OF_USER: Final = frozenset({"sub", "user", "user_id", "userid", "uid", "username", "email", "id", "role"})
"""Claims that tell who has logged in."""
_ENDS: Final = regex(r"[\"']exp[\"']|\bexp *=|(?i:expir|ttl|max_?age|lifetime)")
"""What code speaks of that lets its tokens end, one way or another."""
_BEGAN: Final = regex(r"[\"']iat[\"']")
"""The claim that tells when a token was made, from which code may tell itself how old it is."""
_ONCE: Final = frozenset({"nonce", "jti"})
"""Claims by which whoever is given a token knows that it has been used."""
_OTHER_CHECKS: Final = ("verify_nbf", "verify_iat")
"""What nobody switches off but a function that is asked for the signature alone, and leaves the claims to others."""
_ENDED: Final = regex(r"(?i)refresh|expir|log_?out|revoke|renew|peek|inspect|blacklist|denylist|debug")
"""Names of functions that are given tokens which have ended."""


@rule(
    ast.Call,
    code="SEC137",
    principles=("protected-sessions",),
    severity=Severity.MEDIUM,
    in_tests=False,
    cwe=(613,),
    calls=(
        "*.loads",
        "*.unsign",
        "jwt.decode",
        "jose.jwt.decode",
        "jwt.encode",
        "jose.jwt.encode",
        *_OF_FLASK,
    ),
    mentions=("itsdangerous", "signing", "jwt", "jose"),
    references=(
        "https://itsdangerous.palletsprojects.com/en/stable/timed/",
        "https://datatracker.ietf.org/doc/html/rfc8725#section-3.8",
    ),
)
def endless_token(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Let every token end.

    Tokens are found later: in logs, in backups, in the mailbox of somebody who has left. One without an end still logs in then, and
    nothing takes it back. Give tokens of a login an `exp`, check it, and give those that are mailed a `max_age`.

    ```python bad
    from itsdangerous import URLSafeTimedSerializer

    def user_of(link, key):
        return URLSafeTimedSerializer(key).loads(link)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the token is good for ever: no `max_age` is asked for
    ```
    ```python good
    from itsdangerous import URLSafeTimedSerializer

    def user_of(link, key):
        return URLSafeTimedSerializer(key).loads(link, max_age=3600)
    ```
    """
    if isinstance(call.func, ast.Attribute) and call.func.attr in {"loads", "unsign"}:
        why = _of_any_age(call, call.func, ctx)
    elif ctx.name(call.func) in _OF_FLASK:
        why = "`expires_delta` is off" if calls.value(ctx, call, None, "expires_delta") is False else ""
    elif calls.identifier(call.func) == "decode":
        why = "`verify_exp` is off" if _takes_ended(call, ctx) else ""
    else:
        why = "it has no `exp`" if _never_ends(call, ctx) else ""
    if why:
        yield ctx.finding(call, f"the token is good for ever: {why}")


def _of_any_age(call: ast.Call, method: ast.Attribute, ctx: Context) -> str:
    """Why a token that is signed with the time may be of any age; "" if it may not."""
    if ctx.made_by(method.value) not in _TIMED:
        ctx.not_an_opportunity()
        return ""
    if calls.has_unpacking(call) or calls.keyword(call, "return_timestamp"):
        return ""
    if _has_age(call, ctx) or _is_read_again(call, method, ctx):
        return ""
    return "no `max_age` is asked for"


def _has_age(call: ast.Call, ctx: Context) -> bool:
    age = calls.given(ctx, call, 1, "max_age")
    return age is not None and not (isinstance(age, ast.Constant) and age.value is None)


def _is_read_again(call: ast.Call, method: ast.Attribute, ctx: Context) -> bool:
    """Whether the function around a call reads the same token once more, now that it knows how old it may be."""
    around = ctx.function(call)
    given = [ctx.source(one) for one in call.args[:1]]
    return around is not None and any(
        isinstance(user := ctx.parent(other), ast.Call)
        and ctx.function(user) is around
        and [ctx.source(one) for one in user.args[:1]] == given
        and _has_age(user, ctx)
        for other in ctx.gets.get(method.attr, ())
    )


def _takes_ended(call: ast.Call, ctx: Context) -> bool:
    """Whether a token is decoded with its signature checked, but not when it ends."""
    options = calls.given(ctx, call, 3, "options")
    function = ctx.function(call)
    if options is None or _ENDED.search(ctx.symbol(call)) or _speaks_of_end(call, ctx):
        return False
    if isinstance(ctx.parent(call), ast.Expr):
        return False  # nobody reads what it says: it is asked which key has signed
    if function is not None and _BEGAN.search(ctx.source(function)):
        return False
    if ctx.function(ctx.origin(options)) is not function:
        return False  # checks that several methods leave out, each for its own reason
    ends = calls.held(ctx, call, options, "verify_exp")
    others = (calls.held(ctx, call, options, name) for name in _OTHER_CHECKS)
    return (
        ends is not None
        and ctx.value(ends) is False
        and _is_signed(call, options, ctx)
        and not any(one is not None and ctx.value(one) is False for one in others)
        and not protocols.asked_of_others(ctx, call)
    )


def _is_signed(call: ast.Call, options: ast.expr, ctx: Context) -> bool:
    """Whether the signature of a token is checked: by the options, and by the third argument that PyJWT once had."""
    signed = calls.held(ctx, call, options, "verify_signature")
    verify = call.args[2] if len(call.args) > 2 else calls.given(ctx, call, None, "verify")
    return not any(one is not None and ctx.value(one) is False for one in (signed, verify))


def _speaks_of_end(call: ast.Call, ctx: Context) -> bool:
    """Whether the class or function around a call lets tokens end by itself."""
    around = ctx.class_(call) or ctx.function(call)
    return ctx.says(_ENDS) if around is None else _ENDS.search(ctx.source(around)) is not None


def _never_ends(call: ast.Call, ctx: Context) -> bool:
    """Whether a token that says who has logged in is written out without an end, by code that knows of none."""
    if not call.args or _speaks_of_end(call, ctx) or protocols.asked_of_others(ctx, call):
        return False
    claims = ctx.origin(call.args[0])
    if not isinstance(claims, ast.Dict) or None in claims.keys:
        return False
    names = {calls.identifier_of_key(key) for key in claims.keys}
    return (
        not names.isdisjoint(_OF_USER)
        and names.isdisjoint(_ONCE)
        and not any(_may_add(ctx.parent(use)) for use in ctx.reads.get(calls.identifier(call.args[0]), ()))
    )


def _may_add(user: ast.AST | None) -> bool:
    """Whether a use of a dictionary may put more into it: a method, or what is stored under a key."""
    return isinstance(user, ast.Attribute) or (
        isinstance(user, ast.Subscript) and isinstance(user.ctx, ast.Store)
    )
