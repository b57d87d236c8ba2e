"""Which values are seen, within one file, to come with the request of a client. It follows no flow through other files."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import regex
from charter_rules import calls, protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context

_REQUEST: Final = regex(
    r"(?i)^_?req(?:uest)?$|^(?:http|flask|current|ws)_?request$|^environ$|^websocket$|^(?:validated|cleaned)_data$|^form(?:_data)?$|^attrs$"
)
"""Names of what a client has sent."""
_OF_SERVER: Final = frozenset({"app", "application", "config", "registry", "settings", "state", "user"})
"""What frameworks hang on a request that a client has not sent."""
_OTHER_OWNERS: Final = frozenset({"os", "urllib", "response", "resp"})
"""Whose `request` or `environ` no client has sent: modules, and answers, which name the request that the program sent itself."""
_TAKES: Final = regex(
    r"(?i)header|bearer|cookie|authorization|from_request|(?:get|extract|read|parse|resolve|obtain|find)_?\w*(?:token|jwt)"
)
"""Names of functions elsewhere that take a token out of the request which they are given."""
_CONVERTS: Final = frozenset(
    {
        "builtins.str",
        "builtins.bytes",
        "builtins.dict",
        "json.loads",
        "urllib.parse.unquote",
        "urllib.parse.parse_qs",
    }
)
"""Functions that give what they are given in another form."""
_EXCHANGES: Final = regex(r"(?i)authorize_access|fetch|exchange|acquire|refresh|_code$")
"""Names of functions that are given a request to ask an issuer for a token."""
_AUTHORIZATION: Final = regex(r"(?i)^(?:http_)?(?:x[-_])?authorization(?:token)?$")
"""The header by which clients bring what shows who they are, or the field in which a gateway hands it on."""
_OF_SCOPE: Final = frozenset({"headers", "query_string"})
"""What ASGI tells of a request in its `scope`."""
_INJECTED: Final = regex(
    r"\b(?:Depends|Security|Header|Cookie|Query|Body|Form)\(|\bHTTPAuthorizationCredentials\b|\b(?:Http)?Request\b"
)
"""How an argument is said to come from the request."""
_ROUTE: Final = regex(r"\.(?:\w*route|get|post|put|patch|delete|websocket)\(")
_SESSION: Final = regex(r"(?i)session")
"""Where a server keeps what it was given when the user logged in."""
_STEPS: Final = 60
"""How many expressions are looked at for one value."""


def is_of_client(expression: ast.expr, ctx: Context) -> bool:
    """Whether a value is seen to come with a request: by its name, its makers in this file, or the callers there."""
    return _comes(expression, ctx, set())


def _comes(expression: ast.AST, ctx: Context, seen: set[ast.AST]) -> bool:
    if expression in seen or len(seen) > _STEPS:
        return False
    seen.add(expression)
    if isinstance(expression, (ast.Attribute, ast.Subscript)):
        return _is_field(expression, ctx, seen)
    if isinstance(expression, ast.Call):
        return _is_made(expression, ctx, seen)
    if isinstance(expression, ast.Name):
        return _is_bound(expression, ctx, seen)
    if isinstance(expression, (ast.Await, ast.Starred, ast.NamedExpr, ast.FormattedValue)):
        return _comes(expression.value, ctx, seen)
    if isinstance(expression, ast.IfExp):
        return any(_comes(one, ctx, seen) for one in (expression.body, expression.orelse))
    parts: list[ast.expr] = []
    if isinstance(expression, ast.BoolOp):
        parts = expression.values
    elif isinstance(expression, ast.BinOp):
        parts = [expression.left, expression.right]
    elif isinstance(expression, ast.JoinedStr):
        parts = expression.values
    return any(_comes(part, ctx, seen) for part in parts)


def _is_field(field: ast.Attribute | ast.Subscript, ctx: Context, seen: set[ast.AST]) -> bool:
    name = calls.identifier(field)
    if _SESSION.search(name):
        return False
    if _AUTHORIZATION.search(name) and not protocols.asked_of_others(ctx, field):
        return True
    if name in _OF_SERVER and _REQUEST.search(calls.identifier(field.value)):
        return False
    if name in _OF_SCOPE and calls.identifier(field.value) == "scope":
        return True
    if _REQUEST.search(name):
        return not isinstance(field, ast.Attribute) or calls.identifier(field.value) not in _OTHER_OWNERS
    if isinstance(field.value, ast.Name) and field.value.id == "self" and isinstance(field, ast.Attribute):
        made = ctx.origin(field)
        return made is not field and _comes(made, ctx, seen)
    return _comes(field.value, ctx, seen)


def _is_made(call: ast.Call, ctx: Context, seen: set[ast.AST]) -> bool:
    """Whether a call takes something out of a request, by itself or as a function of this file."""
    name = calls.identifier(call.func)
    if _EXCHANGES.search(name):
        return False
    if _AUTHORIZATION.search(name) and not protocols.asked_of_others(ctx, call):
        return True
    function = call.func
    if (
        isinstance(function, ast.Attribute)
        and not _REQUEST.search(function.attr)
        and _comes(function.value, ctx, seen)
    ):
        return True
    made = ctx.once(shapes.functions_by_name).get(name)
    if made is not None:
        return any(_comes(value, ctx, seen) for value in _returned(made, ctx))
    if _TAKES.search(name) is None and ctx.name(function) not in _CONVERTS:
        return False
    return any(_comes(one, ctx, seen) for one in call.args)


def _returned(function: shapes.FunctionNode, ctx: Context) -> Iterator[ast.expr]:
    for node in ctx.walk(function, into_functions=False):
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value


def _is_bound(name: ast.Name, ctx: Context, seen: set[ast.AST]) -> bool:
    if _SESSION.search(name.id):
        return False
    if _REQUEST.search(name.id):
        known = ctx.name(name)  # of a library: `from flask import request`, not `import requests as _req`
        return known is None or (known.endswith(".request") and not known.startswith("urllib"))
    function = ctx.function(name)
    if function is None:
        return False
    parameter = next((one for one in shapes.parameters(function) if one.arg == name.id), None)
    if parameter is not None and _is_given(parameter, function, ctx, seen):
        return True
    return any(_comes(value, ctx, seen) for value in _values(name.id, function, ctx))


def _values(name: str, function: shapes.FunctionNode, ctx: Context) -> Iterator[ast.expr]:
    """What a local name is assigned, taken apart where several are assigned at once."""
    for node in shapes.bindings(name, function, ctx):
        parent = ctx.parent(node)
        if isinstance(parent, (ast.Tuple, ast.List)):
            parent = ctx.parent(parent)
        value = getattr(parent, "value", None)
        if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and isinstance(value, ast.expr):
            yield value


def _is_given(parameter: ast.arg, function: shapes.FunctionNode, ctx: Context, seen: set[ast.AST]) -> bool:
    """Whether a parameter's type or default says that it comes from a request, the function answers one, or a caller gives it one's field."""
    said = [parameter.annotation, *(value for one, value in shapes.defaults(function) if one is parameter)]
    if any(one is not None and _INJECTED.search(ctx.source(one)) for one in said):
        return True
    if any(_ROUTE.search(ctx.source(one)) for one in function.decorator_list):
        return True
    given = shapes.given_to(parameter.arg, function, ctx)
    return any(one is not None and _comes(one, ctx, seen) for one in given)
