"""Finds web applications that start with their debugger on."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Fix, Grade, Severity, regex, rule
from charter_rules import calls, places, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CONSTRUCTORS: Final = {
    "fastapi.FastAPI": "debug",
    "starlette.applications.Starlette": "debug",
    "tornado.web.Application": "debug",
    "litestar.Litestar": "debug",
    "bottle.run": "debug",
    "bottle.debug": "mode",
    "werkzeug.serving.run_simple": "use_debugger",
    "werkzeug.run_simple": "use_debugger",
    "aiohttp.web.Application": "debug",
    "django.conf.settings.configure": "DEBUG",
    "werkzeug.debug.DebuggedApplication": "evalex",
    "flask_socketio.SocketIO.run": "debug",
}
_APPLICATIONS: Final = frozenset(
    {
        "flask.Flask",
        "flask.app.Flask",
        "flask_socketio.SocketIO",
        "sanic.Sanic",
        "quart.Quart",
        "dash.Dash",
        "bottle.Bottle",
        "connexion.App",
    }
)
_FRAMEWORKS: Final = regex(r"\b(flask|sanic|quart|dash|bottle|connexion)\b", re.IGNORECASE)
_SETTINGS: Final = regex(
    r"(^|/)settings(/(base|common|default|defaults|prod|production|main|__init__))?\.py$|(^|/)(config|prod|production)/settings\.py$"
)

_DEVELOPMENT: Final = regex(r"(?i)(?<![a-z])(?:dev(?!ic)|debug)")
"""Names of switches for whoever works on the program."""


@rule(
    ast.Call,
    ast.Assign,
    code="SEC009",
    calls=(*_CONSTRUCTORS, "*.run", "*.run_server", "*.update", "*.from_mapping", "cgitb.enable"),
    principles=("hardened-defaults", "private-data-stays-private"),
    severity=Severity.HIGH,
    when=lambda node: (
        type(node) is not ast.Assign
        or type(node.value) is ast.Constant
        or getattr(node.targets[0], "id", "") == "DEBUG"
    ),
    cwe=(489, 215),
    mentions=("debug", "DEBUG", "use_debugger", "cgitb"),
    aliases=("B201", "S201"),
    references=(
        "https://flask.palletsprojects.com/en/stable/debugging/",
        "https://docs.djangoproject.com/en/stable/ref/settings/#debug",
    ),
)
def debug_enabled(node: ast.Call | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """Keep the debugger of a web application off in what you ship.

    Flask's and Werkzeug's debugger shows a Python console on every error page: whoever can cause an error can run
    code on the server. Django's and FastAPI's debug pages show settings, local variables and source. Read the switch
    from the environment, off by default.

    ```python bad
    from flask import Flask

    app = Flask(__name__)

    if __name__ == "__main__":
        app.run(debug=True)
    #   ^^^^^^^^^^^^^^^^^^^ `debug=True` lets whoever causes an error read, or run, code on the server
    ```
    ```python fixed
    from flask import Flask

    app = Flask(__name__)

    if __name__ == "__main__":
        app.run()
    ```
    ```python good
    import os
    from flask import Flask

    app = Flask(__name__)

    if __name__ == "__main__":
        app.run(debug=os.environ.get("APP_DEBUG") == "1")
    ```
    """
    if ctx.is_test:
        return
    if isinstance(node, ast.Call):
        yield from _call(node, ctx)
    elif not _may_be_set_later(node, ctx):
        yield from _assignment(node, ctx)


def _call(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    name = ctx.name(call.func)
    if name == "cgitb.enable":
        if calls.value(ctx, call, 0, "display", default=1) not in {0, UNKNOWN}:
            yield ctx.finding(
                call, "`cgitb` shows the client source, arguments and variables of whatever fails"
            )
        return
    if calls.identifier(call.func) in {"update", "from_mapping"} and not _is_configuration(call, ctx):
        ctx.not_an_opportunity()
        return
    argument = "DEBUG" if _is_configuration(call, ctx) else _CONSTRUCTORS.get(name or "")
    if argument is None and not _is_run(call, ctx):
        ctx.not_an_opportunity()
        return
    argument = argument or "debug"
    if _is_for_development(call, ctx):
        return
    position = 0 if argument == "mode" else 2 if argument == "debug" and name not in _CONSTRUCTORS else None
    if calls.usual(ctx, call, position, argument) is not True:
        argument = "use_debugger"  # what Flask hands on to Werkzeug
        if calls.usual(ctx, call, None, argument) is not True:
            return
    fix = None
    if calls.keyword(call, argument) is not None:
        fix = Fix("Leave the debugger off", (ctx.remove_argument(call, argument),), Grade.UNSAFE)
    yield ctx.finding(
        call,
        f"`{argument}=True` lets whoever causes an error read, or run, code on the server",
        fix=fix,
        severity=Severity.LOW if places.is_sample(ctx) else None,  # it is copied, but not deployed
    )


def _is_for_development(call: ast.Call, ctx: Context) -> bool:
    """Whether a call is made only where somebody has asked for development, by a switch that is named for it."""
    switches = (
        branch.test for branch in shapes.conditions(call, ctx) if _DEVELOPMENT.search(ctx.source(branch.test))
    )
    switch = next(switches, None)
    return switch is not None and not isinstance(switch, ast.UnaryOp)


def _is_configuration(call: ast.Call, ctx: Context) -> bool:
    """Whether a call is `app.config.update` of an application."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return (
        calls.identifier(call.func) in {"update", "from_mapping"}
        and isinstance(owner, ast.Attribute)
        and owner.attr == "config"
        and ctx.type_name(owner.value) in _APPLICATIONS
    )


def _is_run(call: ast.Call, ctx: Context) -> bool:
    """Whether a call is `run` of an application object."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in {"run", "run_server"}:
        return False
    owner = ctx.type_name(call.func.value) or ctx.made_by(call.func.value)
    if owner:
        return owner in _APPLICATIONS
    receiver = calls.identifier(call.func.value).lower()
    return receiver in {"app", "application", "server"} and ctx.says(_FRAMEWORKS)


def _assignment(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    target = node.targets[0]
    if not _is_switch(target, ctx) or ctx.usual(node.value) is not True:
        ctx.not_an_opportunity()
        return
    fix = Fix("Switch it off", (ctx.replace(node.value, "False"),), Grade.UNSAFE)
    yield ctx.finding(
        node, f"`{ctx.source(target)}` is on: error pages show settings, variables and code", fix=fix
    )


def _may_be_set_later(node: ast.Assign, ctx: Context) -> bool:
    """Whether the settings of the place, which a module takes in further down, may say otherwise: `from local import *`."""
    return any(each.names[0].name == "*" and each.lineno > node.lineno for each in ctx.nodes(ast.ImportFrom))


def _has_no_applications(ctx: Context) -> bool:
    """Whether settings are those of a library's tests, which list no application that could serve a page."""
    return any(
        shapes.is_name(node.targets[0], "INSTALLED_APPS")
        and ctx.source(node.value) in {"()", "[]", "tuple()", "list()"}
        for node in ctx.nodes(ast.Assign)
    )


def _is_switch(target: ast.expr, ctx: Context) -> bool:
    """Whether an assignment's target is the debug switch of an application."""
    if isinstance(target, ast.Name):
        return (
            target.id == "DEBUG"
            and ctx.parent(ctx.statement(target)) is ctx.tree
            and (bool(_SETTINGS.search(ctx.path)) or "INSTALLED_APPS" in ctx.text)
            and places.is_deployed(ctx)
            and not _has_no_applications(ctx)
        )
    if isinstance(target, ast.Attribute) and target.attr == "debug":
        return ctx.type_name(target.value) in _APPLICATIONS
    if (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Attribute)
        and target.value.attr == "config"
    ):
        return calls.identifier(target) == "DEBUG" and ctx.type_name(target.value.value) in _APPLICATIONS
    return False
