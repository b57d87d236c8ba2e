"""Finds stack traces and messages of exceptions that are sent to whoever asked."""

from __future__ import annotations

import ast
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from charter.api import (
    Confidence,
    Severity,
    regex,
    rule,
)
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_RESPONSES: Final = {
    "django.http.HttpResponse", "django.http.JsonResponse", "django.http.HttpResponseServerError", "django.http.HttpResponseBadRequest",
    "flask.jsonify", "flask.make_response", "flask.Response", "flask.abort", "fastapi.responses.JSONResponse", "fastapi.responses.HTMLResponse",
    "fastapi.responses.PlainTextResponse", "starlette.responses.JSONResponse", "starlette.responses.PlainTextResponse",
    "starlette.responses.HTMLResponse", "aiohttp.web.Response", "aiohttp.web.json_response", "rest_framework.response.Response",
    "flask.render_template_string", "fastapi.HTTPException", "fastapi.exceptions.HTTPException",
    "starlette.exceptions.HTTPException", "flask.render_template", "django.shortcuts.render",
}  # fmt: skip
_BODIES: Final = frozenset({"content", "data", "text", "body", "response", "description", "detail"})
_ROUTE: Final = regex(
    r"^(?:route|get|post|put|patch|delete|api_view|errorhandler|exception_handler|websocket|head|options|view|endpoint)$"
)
_TRACES: Final = frozenset(
    {
        "traceback.format_exc",
        "traceback.format_exception",
        "traceback.format_tb",
        "traceback.format_stack",
        "sys.exc_info",
    }
)

_CLEANS: Final = regex(r"(?i)sanitiz|redact|scrub|mask|anonymi|censor")
"""Names of functions that take out of a text what must not be seen."""


@rule(
    ast.Call,
    ast.Return,
    code="SEC045",
    principles=("private-data-stays-private",),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(209, 497, 200),
    mentions=("traceback", "except"),
    calls=(*_RESPONSES, "*.write"),
    references=("https://cwe.mitre.org/data/definitions/209.html",),
)
def stack_trace_sent(node: ast.Call | ast.Return, ctx: Context) -> Iterator[Finding]:
    """Log what went wrong; tell the client only that it did.

    A stack trace shows paths, versions, queries and sometimes values: a map for the next attack. Log it with `logging.exception`, and answer
    with a message of your own.

    ```python bad
    import traceback
    from flask import Flask

    app = Flask(__name__)

    @app.route("/orders")
    def orders():
        try:
            return load()
        except Exception:
            return traceback.format_exc(), 500
    #              ^^^^^^^^^^^^^^^^^^^^^^ `traceback.format_exc()` tells the client how the program works inside
    ```
    ```python good
    import logging
    from flask import Flask

    app = Flask(__name__)

    @app.route("/orders")
    def orders():
        try:
            return load()
        except Exception:
            logging.exception("orders failed")
            return "something went wrong", 500

    def describe():
        try:
            load()
        except OSError as error:
            return str(error)
    ```
    """
    if ctx.is_test:
        return
    if isinstance(node, ast.Call):
        name = ctx.name(node.func) or ""
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "write"
            and not _answers(node.func, ctx)
        ):
            ctx.not_an_opportunity()
            return
        sent: list[ast.expr] = [
            *node.args[:2],
            *(item.value for item in node.keywords if item.arg in _BODIES),
        ]
        traces_only = name not in _RESPONSES or _blames_client(node, ctx)
    else:
        views = ctx.once(_views)
        if node.value is None or not views or ctx.function(node) not in views:
            ctx.not_an_opportunity()
            return
        sent = [node.value]
        if isinstance(node.value, ast.Call):
            traces_only = _blames_client(node.value, ctx)
        else:
            traces_only = isinstance(node.value, ast.Tuple) and any(
                _is_clients_fault(part, ctx) for part in node.value.elts[1:2]
            )
    for part in sent:
        leak = _leak(part, ctx, traces_only=traces_only)
        if leak is not None and not _only_while_debugging(leak, ctx):
            yield ctx.finding(
                leak, f"`{calls.short(ctx, leak)}` tells the client how the program works inside"
            )
            return


def _answers(write: ast.Attribute, ctx: Context) -> bool:
    """Whether a method writes to the client: to `wfile` of `http.server`, or as Tornado's handler does itself."""
    if isinstance(write.value, ast.Attribute):
        return write.value.attr == "wfile"
    class_ = ctx.class_(write) if shapes.is_name(write.value, "self") else None
    return class_ is not None and any(
        (ctx.name(base) or "").startswith("tornado.web.") for base in class_.bases
    )


def _blames_client(call: ast.Call, ctx: Context) -> bool:
    """Whether an answer tells the client what was wrong with its request."""
    parent = ctx.parent(call)
    # A view of Flask may return the answer with its status beside.
    beside = parent.elts[1:2] if isinstance(parent, ast.Tuple) and call is parent.elts[0] else []
    given = [
        *call.args[:2],
        *beside,
        *(item.value for item in call.keywords if item.arg in {"status", "status_code", "code"}),
    ]
    return (ctx.name(call.func) or "").endswith("BadRequest") or any(
        _is_clients_fault(part, ctx) for part in given
    )


def _is_clients_fault(status: ast.expr, ctx: Context) -> bool:
    """Whether an expression is a status from 400 to 499: as a number, of `http.HTTPStatus`, or by a name with the number."""
    value = ctx.value(status)
    if isinstance(status, ast.Attribute):
        named = re.search(r"_(\d{3})_", status.attr)
        if named is not None:
            value = int(named[1])
        elif status.attr in HTTPStatus.__members__:
            value = HTTPStatus[status.attr].value
    return isinstance(value, int) and 400 <= value < 500


def _views(ctx: Context) -> set[ast.AST]:
    """The functions of a file that answer requests."""
    return {function for kind in shapes.FUNCTIONS for function in ctx.nodes(kind) if _is_view(function)}


def _is_view(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function answers requests: it is registered as a route."""
    for decorator in function.decorator_list:
        target = calls.decorating(decorator)
        if (
            isinstance(target, ast.Attribute)
            and _ROUTE.match(target.attr)
            and isinstance(decorator, ast.Call)
        ):
            return True
    return False


def _leak(expression: ast.expr, ctx: Context, *, traces_only: bool) -> ast.expr | None:
    """The part of a response that is a stack trace, or an exception of any kind as text."""
    for node in (expression, *ctx.walk(expression)):
        if isinstance(node, ast.Call) and _is_trace(node, ctx):
            return node
        if isinstance(node, ast.Name):
            if _is_trace(ctx.origin(node), ctx):
                return node
            if (
                not traces_only
                and _is_broad_exception(node, ctx)
                and _becomes_text(node, ctx)
                and not _is_cleaned(node, ctx)
            ):
                return node
    return None


def _is_trace(made: ast.expr, ctx: Context) -> bool:
    """Whether a call gives a stack trace, also joined, and also through a function of the project."""
    if not isinstance(made, ast.Call):
        return False
    if calls.identifier(made.func) == "join" and len(made.args) == 1:
        joined = ctx.origin(made.args[0])
        return joined is not made and _is_trace(joined, ctx)  # `text = "".join(text)`
    return (ctx.name(made.func) or "") in _TRACES or ctx.made_by(made) in _TRACES


def _becomes_text(name: ast.Name, ctx: Context) -> bool:
    """Whether an exception is turned into text: `str(error)`, `f"{error}"`, `"%s" % error`, or taken apart."""
    parent = ctx.parent(name)
    if isinstance(parent, ast.Call):
        return calls.identifier(parent.func) in {"str", "repr", "format"} and name in parent.args
    if isinstance(parent, ast.Attribute):
        return parent.attr in {"args", "__traceback__"}
    return isinstance(parent, (ast.FormattedValue, ast.BinOp))


def _is_cleaned(name: ast.Name, ctx: Context) -> bool:
    """Whether a function takes out of the text what must not be seen."""
    return any(
        isinstance(parent, ast.Call) and _CLEANS.search(calls.identifier(parent.func))
        for parent in ctx.ancestors(name)
    )


def _is_broad_exception(name: ast.Name, ctx: Context) -> bool:
    """Whether a name is bound by `except Exception as name`, which catches what nobody foresaw."""
    for parent in ctx.ancestors(name):
        if isinstance(parent, ast.ExceptHandler) and parent.name == name.id:
            return parent.type is None or ctx.name(parent.type) in {
                "builtins.Exception",
                "builtins.BaseException",
            }
    return False


def _only_while_debugging(node: ast.AST, ctx: Context) -> bool:
    """Whether a debug switch decides: around the node, or by leaving the function before if it is off."""
    if any(
        isinstance(parent, (ast.If, ast.IfExp)) and _asks_for_debugging(parent.test, ctx)
        for parent in ctx.ancestors(node)
    ):
        return True
    function = ctx.function(node)
    return function is not None and any(
        isinstance(before, ast.If)
        and isinstance(before.test, ast.UnaryOp)
        and isinstance(before.body[-1], (ast.Raise, ast.Return))
        and _asks_for_debugging(before.test, ctx)
        and before.lineno < ctx.statement(node).lineno
        for before in function.body
    )


def _asks_for_debugging(test: ast.expr, ctx: Context) -> bool:
    return "debug" in ctx.source(test).lower()
