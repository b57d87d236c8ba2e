"""Finds servers that let every site act with the visitor's login."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, cast

from charter.api import (
    UNKNOWN,
    Severity,
    regex,
    rule,
)
from charter_rules import calls, headers, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_MESSAGE: Final = "every site may send requests with the visitor's cookies, and read the answers"
_STRANGERS: Final = ("https://stranger.com", "http://stranger.com")
_OPEN_DOT: Final = regex(r"((?<!\\)\w|\*|\))\.([A-Za-z][\w-]*(?:\\?\.[A-Za-z]+)*\$?$)")
"""A dot before the end of a host's name that stands for any character: `.*.shop.net`, `shop.net`."""
_EVERYONE: Final = frozenset({"CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"})

_SOCKETS: Final = ("flask_socketio.SocketIO", "socketio.Server", "socketio.AsyncServer")
"""Servers whose connections carry cookies unless they are told otherwise."""


@rule(
    ast.Call,
    ast.Assign,
    ast.Dict,
    code="SEC031",
    principles=("protected-sessions",),
    severity=Severity.HIGH,
    cwe=(942, 346),
    calls=(
        "*.add_middleware",
        "starlette.middleware.Middleware",
        "starlette.middleware.cors.CORSMiddleware",
        "fastapi.middleware.cors.CORSMiddleware",
        "flask_cors.CORS",
        "flask_cors.cross_origin",
        "aiohttp_cors.ResourceOptions",
        *_SOCKETS,
        "*.add",
        "*.set",
        "*.setdefault",
        "*.send_header",
        "*.set_header",
    ),
    mentions=("CORS", "cors", "Access-Control-Allow-Credentials"),
    references=(
        "https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS",
        "https://cwe.mitre.org/data/definitions/942.html",
    ),
)
def cors_with_credentials(call: ast.Call | ast.Assign | ast.Dict, ctx: Context) -> Iterator[Finding]:
    """Name the sites that may send requests with the visitor's cookies.

    Browsers refuse `Access-Control-Allow-Origin: *` together with credentials. Middleware that is told to allow both therefore repeats the
    origin of whoever asks, and so lets every page in the world read what the visitor may read, and act with his login.

    ```python bad
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
    #^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every site may send requests with the visitor's cookies, and read the answers
    ```
    ```python good
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.net"], allow_credentials=True)

    public = FastAPI()
    public.add_middleware(CORSMiddleware, allow_origins=["*"])
    ```
    """
    if not ctx.is_test and (origin := _allowed_origin(call, ctx)) is not None:
        if _reflects(origin, ctx):
            yield ctx.finding(call, _MESSAGE)
        return
    if isinstance(call, ast.Dict):
        ctx.not_an_opportunity()
        return
    if isinstance(call, ast.Assign):
        yield from _setting(call, ctx)
        return
    name = ctx.name(call.func) or ""
    if not name or name.endswith("middleware.Middleware"):
        first = ctx.argument(call, 0)
        if first is None or "CORSMiddleware" not in calls.qualified(ctx, first):
            ctx.not_an_opportunity()
            return
    if ctx.is_test:
        return
    if name in _SOCKETS:
        origins = calls.value(ctx, call, None, "cors_allowed_origins")
        if origins in ("*", ["*"]) and calls.value(ctx, call, None, "cors_credentials") is not False:
            yield ctx.finding(call, _MESSAGE, severity=Severity.MEDIUM)
        return
    credentials_on = any(
        calls.value(ctx, call, None, keyword) is True
        for keyword in ("allow_credentials", "supports_credentials")
    )
    if (credentials_on and _any_origin(call, name, ctx)) or _resources(
        call, ctx, with_credentials=credentials_on
    ):
        yield ctx.finding(call, _MESSAGE)


def _setting(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """django-cors-headers' settings."""
    target = node.targets[0]
    if not isinstance(target, ast.Name) or target.id not in _EVERYONE or ctx.parent(node) is not ctx.tree:
        ctx.not_an_opportunity()
    elif ctx.value(node.value) is True and not ctx.is_test and _allows_credentials(ctx):
        yield ctx.finding(node, _MESSAGE)


def _allowed_origin(node: ast.AST, ctx: Context) -> ast.expr | None:
    """The site that a node says may read the answer; None if it says nothing of it."""
    set_ = headers.set_by(node, ctx)
    return next((value for name, value in set_ if name == "access-control-allow-origin"), None)


def _reflects(origin: ast.expr, ctx: Context) -> bool:
    """Whether a response allows whatever site asks, with cookies, and nothing looks at the site."""
    around = ctx.function(origin)
    asked = origin.func if isinstance(origin, ast.Call) else origin
    if (
        around is None
        or calls.identifier(ctx.origin(origin)).lower() not in {"origin", "http_origin"}
        or (isinstance(asked, ast.Attribute) and calls.identifier(asked.value) == "self")
        or _is_told_outside(origin, around, ctx)
    ):
        return False  # also where it is an object's own setting, what its method answers, or a decorator's argument
    tests = [parent.test for parent in ctx.nodes(ast.If, within=around)]
    value = ctx.source(origin)
    if any(
        ("origin" in ctx.source(test).lower() or re.search(rf"\b{re.escape(value)}\b", ctx.source(test)))
        and isinstance(test, (ast.Compare, ast.Call, ast.BoolOp))
        for test in tests
    ):
        return False
    return any(
        name == "access-control-allow-credentials" and str(ctx.value(value)).lower() == "true"
        for kind in (ast.Assign, ast.Call, ast.Dict)
        for other in ctx.nodes(kind, within=around)
        for name, value in headers.set_by(other, ctx)
    )


def _is_told_outside(origin: ast.expr, around: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether a site is a parameter of a function around the one that answers: who decorates with it names the site."""
    outer = ctx.function(around)
    return outer is not None and any(
        shapes.is_name(origin, argument.arg)
        for one in (outer, ctx.function(outer))
        if one is not None
        for argument in shapes.parameters(one)
    )


def _resources(call: ast.Call, ctx: Context, *, with_credentials: bool) -> bool:
    """Whether an entry of Flask-CORS's `resources`, or of aiohttp-cors's `defaults`, opens to everybody with cookies.

    Args:
        call: the call that sets them.
        ctx: the file.
        with_credentials: whether cookies are allowed where an entry does not say so.
    """
    for name in ("resources", "defaults"):
        given = calls.given(ctx, call, 1 if name == "resources" else None, name)
        mapping = None if given is None else ctx.origin(given)
        if not isinstance(mapping, ast.Dict):
            continue
        for key, value in zip(mapping.keys, mapping.values, strict=True):
            entry = ctx.value(value)
            if isinstance(entry, dict):
                options = cast("dict[str, object]", entry)
                allows = options.get("supports_credentials", with_credentials)
                if allows is True and options.get("origins", "*") in ("*", ["*"]):
                    return True
            elif isinstance(value, ast.Call) and calls.identifier(value.func) == "ResourceOptions":
                everyone = calls.identifier_of_key(key) == "*"
                if everyone and calls.value(ctx, value, None, "allow_credentials") is True:
                    return True
    return False


def _allows_credentials(ctx: Context) -> bool:
    return any(
        isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "CORS_ALLOW_CREDENTIALS"
        and ctx.value(node.value) is True
        for node in ctx.nodes(ast.Assign)
    )


def _is_of_any_site(pattern: str) -> bool:
    """Whether a pattern of origins, which is compared with the whole of one, also fits sites that anybody can register."""
    try:
        return any(re.fullmatch(pattern, origin) for origin in _STRANGERS) or bool(
            (dotted := _OPEN_DOT.sub(r"\1x\2", pattern)) != pattern and re.compile(dotted)
        )
    except re.error:
        return False


def _any_origin(call: ast.Call, name: str, ctx: Context) -> bool:
    default: object = "*" if name.startswith("flask_cors.") else UNKNOWN
    resources = calls.given(ctx, call, None, "resources")
    if resources is not None:
        return False
    origins = calls.value(
        ctx, call, None, "allow_origins" if "flask" not in name else "origins", default=default
    )
    pattern = calls.value(ctx, call, None, "allow_origin_regex")
    if isinstance(pattern, str) and _is_of_any_site(pattern):
        return True
    if isinstance(origins, str):
        return origins in {"*", ".*"}
    return isinstance(origins, (list, tuple, set)) and "*" in origins
