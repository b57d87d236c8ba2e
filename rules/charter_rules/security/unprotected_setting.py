"""Finds settings of Django, Flask and CherryPy that switch a protection off."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Fix,
    Grade,
    Severity,
    rule,
)
from charter_rules import calls, places, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SETTINGS: Final[dict[str, tuple[object, str, str]]] = {
    "SESSION_COOKIE_SECURE": (False, "browsers send the session's cookie over plain HTTP too", "True"),
    "CSRF_COOKIE_SECURE": (False, "browsers send the CSRF cookie over plain HTTP too", "True"),
    "REMEMBER_COOKIE_SECURE": (False, "browsers send the cookie that logs in over plain HTTP too", "True"),
    "SESSION_COOKIE_HTTPONLY": (False, "scripts can read the session's cookie", "True"),
    "REMEMBER_COOKIE_HTTPONLY": (False, "scripts can read the cookie that logs in", "True"),
    "JWT_COOKIE_SECURE": (False, "browsers send the cookie that logs in over plain HTTP too", "True"),
    "JWT_COOKIE_CSRF_PROTECT": (
        False,
        "every other site can send requests with the cookie that logs in",
        "True",
    ),
    "JWT_ACCESS_TOKEN_EXPIRES": (False, "tokens that log in are good for ever", ""),
    "tools.sessions.secure": (False, "browsers send the session's cookie over plain HTTP too", "True"),
    "tools.sessions.httponly": (False, "scripts can read the session's cookie", "True"),
    "SESSION_COOKIE_SAMESITE": (
        "None",
        "every other site can send requests with the session's cookie",
        '"Lax"',
    ),
    "CSRF_COOKIE_SAMESITE": ("None", "every other site can send requests with the CSRF cookie", '"Lax"'),
    "SECURE_CONTENT_TYPE_NOSNIFF": (False, "browsers may take an uploaded file for a script", "True"),
    "SECURE_SSL_REDIRECT": (False, "what is asked for over plain HTTP is answered over it", "True"),
    "X_FRAME_OPTIONS": (
        "ALLOWALL",
        "every other site can show these pages in a frame, and steer clicks",
        '"DENY"',
    ),
    "ALLOWED_HOSTS": (["*"], "requests with any host name are answered, forged ones included", ""),
    "SESSION_SERIALIZER": (
        "django.contrib.sessions.serializers.PickleSerializer",
        "whoever learns the secret key can run code: sessions are unpickled",
        '"django.contrib.sessions.serializers.JSONSerializer"',
    ),
}
"""For each setting, the bad value, what it means, and a better value as source."""
_ACCEPTS: Final = frozenset({"CELERY_ACCEPT_CONTENT", "accept_content"})
"""Celery's setting that lists what messages it reads."""


@rule(
    ast.Assign,
    ast.keyword,
    ast.Call,
    code="SEC032",
    calls=("*.update", "*.from_mapping"),
    principles=("protected-sessions", "hardened-defaults"),
    severity=Severity.MEDIUM,
    cwe=(614, 1004, 16, 1275, 319, 1021),
    references=(
        "https://docs.djangoproject.com/en/stable/ref/settings/#security",
        "https://flask.palletsprojects.com/en/stable/config/",
    ),
    mentions=(
        "COOKIE",
        "ALLOWED_HOSTS",
        "PASSWORD_HASHERS",
        "SESSION_SERIALIZER",
        "X_FRAME_OPTIONS",
        "CORS_",
        "SECURE_",
        "TALISMAN",
        "tools.sessions",
        "JWT_ACCESS_TOKEN_EXPIRES",
        "ccept_content",
        "ACCEPT_CONTENT",
    ),
)
def unprotected_setting(node: ast.Assign | ast.keyword | ast.Call, ctx: Context) -> Iterator[Finding]:
    """Leave the protections of the framework on.

    Each of these settings guards against one attack: cookies that travel unencrypted or that scripts can read, pages framed by other
    sites, answers made for a forged host name, passwords hashed too fast, sessions that are unpickled. Where a test or a laptop needs
    another value, set it there, not in the settings that are deployed.

    ```python bad
    SESSION_COOKIE_SECURE = False
    #^^^^^^^^^^^^^^^^^^^^^^^^^^^^ browsers send the session's cookie over plain HTTP too
    ALLOWED_HOSTS = ["*"]
    #^^^^^^^^^^^^^^^^^^^^ requests with any host name are answered, forged ones included
    ```
    ```python good
    import os

    SESSION_COOKIE_SECURE = True
    ALLOWED_HOSTS = os.environ["HOSTS"].split(",")
    ```
    """
    if isinstance(node, ast.Call):
        yield from _updated(node, ctx)
        return
    if _accepts_pickle(node, ctx):
        if not ctx.is_test and places.is_deployed(ctx, node):
            yield ctx.finding(node, "whoever can send a message can run code: messages are unpickled")
        return
    if isinstance(node, ast.keyword):
        found = _SETTINGS.get(node.arg or "") if _is_option(node, ctx) else None
    else:
        target = node.targets[0]
        found = _SETTINGS.get(calls.identifier(target)) if _is_setting(target, ctx) else None
    if found is None:
        ctx.not_an_opportunity()
        return
    bad, message, better = found
    value = ctx.value(node.value)
    if (
        not _matches(value, bad)
        or ctx.is_test
        or not places.is_deployed(ctx, node)
        or (isinstance(node.value, ast.Name) and re.search(r"(?i)https|ssl|tls", node.value.id))
    ):
        return
    if _is_seen_to(calls.identifier(getattr(node, "targets", [None])[0]), ctx):
        return
    if isinstance(node, ast.Assign) and shapes.is_one_of_ways(node, ctx):
        return
    fix = Fix(f"Set it to `{better}`", (ctx.replace(node.value, better),), Grade.UNSAFE) if better else None
    yield ctx.finding(node, message, fix=fix)


def _updated(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`app.config.update({"NAME": …})`."""
    mapping = ctx.origin(call.args[0]) if len(call.args) == 1 else None
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    if not isinstance(mapping, ast.Dict) or calls.identifier(owner) != "config" or ctx.is_test:
        ctx.not_an_opportunity()
        return
    for key, value in zip(mapping.keys, mapping.values, strict=True):
        found = _SETTINGS.get(calls.identifier_of_key(key))
        if found is not None and _matches(ctx.value(value), found[0]) and places.is_deployed(ctx):
            better = found[2]
            fix = (
                Fix(f"Set it to `{better}`", (ctx.replace(value, better),), Grade.UNSAFE) if better else None
            )
            yield ctx.finding(value, found[1], fix=fix)


def _accepts_pickle(node: ast.Assign | ast.keyword, ctx: Context) -> bool:
    """Whether Celery is told to read pickled messages, which it refuses by itself."""
    name = calls.identifier(node.targets[0]) if isinstance(node, ast.Assign) else node.arg
    if name not in _ACCEPTS:
        return False
    accepted = ctx.value(node.value)
    return isinstance(accepted, (list, tuple, set)) and "pickle" in accepted


def _is_setting(target: ast.expr, ctx: Context) -> bool:
    """Whether an assignment sets a configuration: a module's or class's constant, or an item of `config`."""
    if isinstance(target, ast.Name):
        parent = ctx.parent(ctx.statement(target))
        return isinstance(parent, (ast.Module, ast.ClassDef)) or "settings" in ctx.path
    if isinstance(target, ast.Subscript):
        return calls.identifier(target.value) == "config"
    return False


def _is_option(item: ast.keyword, ctx: Context) -> bool:
    """Whether a keyword sets a configuration: `app.config.update(NAME=…)`, `app.config.from_mapping(dict(NAME=…))`."""
    call = ctx.parent(item)
    if isinstance(call, ast.Call) and shapes.is_name(call.func, "dict"):
        call = ctx.parent(call)
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"update", "from_mapping"}
        and calls.identifier(call.func.value) == "config"
    )


def _matches(value: object, bad: object) -> bool:
    return value is bad if isinstance(bad, bool) else value == bad


def _is_seen_to(setting: str, ctx: Context) -> bool:
    """Whether something else does what a setting leaves: a middleware that knows the hosts, a proxy that ends TLS."""
    if setting == "SECURE_SSL_REDIRECT":
        return "SECURE_PROXY_SSL_HEADER" in ctx.text
    return setting == "ALLOWED_HOSTS" and _knows_its_hosts(ctx)


def _knows_its_hosts(ctx: Context) -> bool:
    """Whether the settings name a middleware of the project's own that finds the site by its host."""
    return (
        re.search(
            r"[\"'](?!django\.)[\w.]*(?i:domain|tenant|vhost|hostname|subdomain)[\w.]*[Mm]iddleware", ctx.text
        )
        is not None
    )
