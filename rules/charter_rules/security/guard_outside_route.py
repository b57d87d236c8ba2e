"""Finds login checks that stand above the route, or behind the view that they should guard, and so never run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Fix,
    Grade,
    Severity,
    regex,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_GUARD: Final = regex(
    r"(?i)^(?:\w*login_required|\w*auth(?:_|entication_)?required|requires_?auth\w*|jwt_required|roles?_(?:required|accepted)|permission_?required|admin_required"
    r"|token_required|auth_required|requires_(?:login|role|roles|permission|admin)|authenticated|require_\w+|csrf_protect|\w+_required)$"
)
_MIXINS: Final = frozenset(
    f"django.contrib.auth.mixins.{name}"
    for name in ("LoginRequiredMixin", "PermissionRequiredMixin", "UserPassesTestMixin", "AccessMixin")
)


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    code="SEC048",
    principles=("authentication-first",),
    severity=Severity.HIGH,
    cwe=(306, 862, 285),
    mentions=("flask", "quart", "bottle", "Flask", "fastapi", "django.contrib.auth.mixins"),
    references=(
        "https://flask.palletsprojects.com/en/stable/patterns/viewdecorators/",
        "https://docs.djangoproject.com/en/stable/topics/auth/default/#the-loginrequiredmixin-mixin",
    ),
)
def guard_outside_route(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, ctx: Context
) -> Iterator[Finding]:
    """Put the login check below the route.

    `@app.route` registers the function it stands on. A decorator above it wraps the function afterwards: the wrapped one is a name that nobody
    calls, and requests reach the unprotected function. Likewise a mixin that checks the login must be the leftmost base of a view:
    the `dispatch` of Django's views calls no other.

    ```python bad
    from flask import Flask
    from flask_login import login_required

    app = Flask(__name__)

    @login_required
     #^^^^^^^^^^^^^ `@login_required` never runs: the route below registers the function without it
    @app.route("/orders")
    def orders():
        return "all orders"
    ```
    ```python fixed
    from flask import Flask
    from flask_login import login_required

    app = Flask(__name__)

    @app.route("/orders")
    @login_required
    def orders():
        return "all orders"
    ```
    ```python good
    from flask import Flask
    from flask_login import login_required

    app = Flask(__name__)

    @app.route("/orders")
    @login_required
    def orders():
        return "all orders"
    ```
    """
    if isinstance(node, ast.ClassDef):
        yield from _mixin(node, ctx)
        return
    route = next((index for index, decorator in enumerate(node.decorator_list) if _is_route(decorator)), None)
    if route is None:
        ctx.not_an_opportunity()
        return
    guards = [decorator for decorator in node.decorator_list[:route] if _is_guard(decorator)]
    if not guards:
        return
    guard = guards[-1]
    first = node.decorator_list[route]
    below = {*node.decorator_list[route:]}
    fix = None
    if len(below) == 1 and len(node.decorator_list) == 2:
        edits = (ctx.replace(guard, ctx.source(first)), ctx.replace(first, ctx.source(guard)))
        fix = Fix("Put the route on top", edits, Grade.UNSAFE)
    yield ctx.finding(
        guard,
        f"`@{calls.short(ctx, guard)}` never runs: the route below registers the function without it",
        fix=fix,
    )


def _mixin(view: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A mixin that checks the login behind a view of Django's, whose `dispatch` answers before it is asked."""
    behind = next((index for index, base in enumerate(view.bases) if ctx.name(base) in _MIXINS), 0)
    before = view.bases[:behind]
    if (
        not any((ctx.name(base) or "").startswith("django.views.") for base in before)
        or not all(_asks_nobody(base, ctx) for base in before)
        or view.decorator_list
        or any(isinstance(item, ast.FunctionDef) and item.name == "dispatch" for item in view.body)
    ):
        ctx.not_an_opportunity()
        return
    mixin = view.bases[behind]
    fix = None
    if len(view.bases) == 2:
        edits = (ctx.replace(mixin, ctx.source(before[0])), ctx.replace(before[0], ctx.source(mixin)))
        fix = Fix("Put the mixin first", edits, Grade.UNSAFE)
    yield ctx.finding(
        mixin,
        f"`{ctx.source(mixin)}` never runs: `dispatch` of `{ctx.source(before[0])}` answers before it",
        fix=fix,
    )


def _asks_nobody(base: ast.expr, ctx: Context) -> bool:
    """Whether a base of a view is known to check no login: Django's own views, and what this file makes of them."""
    name = ctx.name(base) or ""
    if name.startswith("django."):
        return name not in _MIXINS
    own = name.removeprefix(f"{ctx.module}.")
    defined = next((each for each in ctx.nodes(ast.ClassDef) if ctx.symbol(each) == own), None)
    return (
        defined is not None
        and not defined.decorator_list
        and "dispatch" not in ctx.source(defined)
        and all(_asks_nobody(each, ctx) for each in defined.bases)
    )


def _is_route(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in {"route", "get", "post", "put", "patch", "delete"}
        and bool(decorator.args)
        and isinstance(decorator.args[0], ast.Constant)
    )


def _is_guard(decorator: ast.expr) -> bool:
    target = calls.decorating(decorator)
    return _GUARD.match(calls.identifier(target)) is not None
