"""Finds servers that take a password out of the address of a request."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Sensitivity, Severity, regex, rule, sensitivity
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_QUERIES: Final = frozenset(
    {"args", "GET", "query_params", "rel_url", "query", "query_arguments", "query_string"}
)
"""What holds the parameters of a request's address: Flask's, Django's, Starlette's, aiohttp's, Tornado's."""
_REQUEST: Final = regex(r"(?i)^_?(?:self\.)?(?:\w+_)?req(?:uest)?$|^rel_url$")
_READS: Final = frozenset({"get", "getlist", "getone", "pop"})
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_TEXT: Final = regex(r"(?:typing\.)?(?:str|SecretStr|Optional\[str\]|str \| None)")
"""Annotations of parameters that FastAPI looks for in the address, whatever the method."""
_FROM_ELSEWHERE: Final = regex(r"\b(?:Depends|Header|Cookie|Form|Body|Security|Path)\b")
"""What FastAPI fills from other parts of a request."""
_SWITCH: Final = regex(r"\b(?:bool|True|False)\b")
"""What is said of a parameter that asks whether there shall be passwords."""


@rule(
    ast.Attribute,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="SEC138",
    principles=("private-data-stays-private",),
    severity=Severity.MEDIUM,
    in_tests=False,
    cwe=(598,),
    attributes=tuple(_QUERIES),
    mentions=("passw", "Passw", "pwd"),
    references=("https://cwe.mitre.org/data/definitions/598.html",),
)
def password_in_query(
    node: ast.Attribute | ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context
) -> Iterator[Finding]:
    """Take passwords out of the body of a request, not out of its address.

    Addresses are kept: in the logs of servers and proxies, in the history of the browser, and in the `Referer` that the next site
    is told. Send passwords with POST, in a form or as JSON.

    ```python bad
    from flask import request

    def login():
        return start(request.args["user"], request.args["password"])
    #                                      ^^^^^^^^^^^^^^^^^^^^^^^^ the password stands in the address, which logs and browsers keep
    ```
    ```python good
    from flask import request

    def login():
        return start(request.form["user"], request.form["password"])
    ```
    """
    found = _read(node, ctx) if isinstance(node, ast.Attribute) else _parameter(node, ctx)
    if found is None or _only_while_debugging(found, ctx):
        ctx.not_an_opportunity()
        return
    yield ctx.finding(found, "the password stands in the address, which logs and browsers keep")


def _read(query: ast.Attribute, ctx: Context) -> ast.expr | None:
    """Where a password is taken out of the parameters of an address."""
    if not _REQUEST.search(calls.identifier(query.value)):
        return None
    user = ctx.parent(query)
    if isinstance(user, ast.Attribute) and user.attr in _READS:
        user = ctx.parent(user)
    if isinstance(ctx.parent(user or query), ast.Subscript):
        return None  # one of several values, which Twisted reads out of the body as well
    if not isinstance(user, (ast.Subscript, ast.Call)) or query in getattr(user, "args", ()):
        return None
    return user if sensitivity(calls.identifier(user)) is Sensitivity.PASSWORD else None


def _only_while_debugging(found: ast.AST, ctx: Context) -> bool:
    return any(isinstance(one, ast.If) and "DEBUG" in ctx.source(one.test) for one in ctx.ancestors(found))


def _parameter(function: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> ast.arg | None:
    """The parameter of FastAPI's handler that holds a password and comes with the address, as all do that are plain texts."""
    if "fastapi" not in ctx.text:
        return None
    routes = {
        calls.identifier(one.func)
        for one in function.decorator_list
        if isinstance(one, ast.Call) and one.args
    }
    if routes.isdisjoint(_METHODS):
        return None
    given = {one: ctx.source(default) for one, default in shapes.defaults(function)}
    for one in shapes.parameters(function):
        said = f"{given.get(one, '')} {'' if one.annotation is None else ctx.source(one.annotation)}"
        if sensitivity(one.arg) is not Sensitivity.PASSWORD:
            continue
        is_text = "get" in routes or (
            one.annotation is not None and _TEXT.fullmatch(ctx.source(one.annotation))
        )
        if is_text and not _FROM_ELSEWHERE.search(said) and not _SWITCH.search(said):
            return one
    return None
