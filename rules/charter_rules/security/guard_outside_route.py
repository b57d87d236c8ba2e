"""Finds login checks that stand above the route and so never run."""

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


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="SEC048",
    principles=("authentication-first",),
    severity=Severity.HIGH,
    cwe=(306, 862, 285),
    mentions=("flask", "quart", "bottle", "Flask", "fastapi"),
    references=("https://flask.palletsprojects.com/en/stable/patterns/viewdecorators/",),
)
def guard_outside_route(node: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """Put the login check below the route.

    `@app.route` registers the function it stands on. A decorator above it wraps the function afterwards: the wrapped one is a name that nobody
    calls, and requests reach the unprotected function.

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


def _is_route(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in {"route", "get", "post", "put", "patch", "delete"}
        and bool(decorator.args)
        and isinstance(decorator.args[0], ast.Constant)
    )


def _is_guard(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return _GUARD.match(calls.identifier(target)) is not None
