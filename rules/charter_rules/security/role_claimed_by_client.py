"""Finds decisions about who may do what that rest on what the client says of itself."""

from __future__ import annotations

import ast
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

_FLAG: Final = regex(
    r"(?i)^(?:x[-_])?(?:is_?)?(?:admin|staff|superuser|root|authenticated|logged_?in|privileged)$"
)
_ROLE: Final = regex(
    r"(?i)^(?:x[-_])?(?:user_?|account_?)?(?:role|roles|type|level|group|privilege|is_?admin|admin|authenticated|logged_?in|is_?staff)$"
)
_POWER: Final = regex(r"(?i)admin|root|superuser|staff|manager|owner|\btrue\b|\byes\b|^1$|^on$")
_SENT: Final = frozenset(f"fastapi.{part}" for part in ("Header", "Cookie", "Query"))
"""What a parameter of a handler is filled from by the client."""
_PARTS: Final = frozenset(
    {
        "args",
        "form",
        "values",
        "cookies",
        "headers",
        "GET",
        "POST",
        "COOKIES",
        "META",
        "query_params",
        "json",
        "get_json",
    }
)
_GUARDS: Final = regex(r"(?i)admin|staff|superuser|roles?_|permission|owner")
"""Names of decorators that let only those pass who may give others a role."""


def _may_claim(node: ast.Compare | ast.If | ast.IfExp) -> bool:
    """Whether what a node asks of is a call, an item, or a name that says a role."""
    asked = node.left if isinstance(node, ast.Compare) else node.test
    if isinstance(asked, ast.Name):
        return bool(_ROLE.match(asked.id) or _FLAG.match(asked.id))
    return isinstance(asked, (ast.Call, ast.Subscript))


@rule(
    ast.Compare,
    ast.If,
    ast.IfExp,
    code="SEC049",
    principles=("authentication-first",),
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    in_tests=False,
    when=_may_claim,
    cwe=(302, 285, 565, 807),
    mentions=("request", "fastapi"),
    references=("https://cwe.mitre.org/data/definitions/302.html",),
)
def role_claimed_by_client(node: ast.Compare | ast.If | ast.IfExp, ctx: Context) -> Iterator[Finding]:
    """Take roles from the session of an authenticated user, never from the request.

    Parameters, cookies and headers are written by the client: whoever sends `role=admin` is admin. Look the role up under the identity that was
    authenticated, on the server.

    ```python bad
    from flask import request

    def delete_order(order):
        if request.cookies.get("role") == "admin":
    #      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the client decides whether it is `role`
            order.delete()
    ```
    ```python good
    from flask import request
    from flask_login import current_user

    def delete_order(order):
        if current_user.is_authenticated and current_user.role == "admin":
            order.delete()

    def filtered(orders):
        if request.args.get("role") == "buyer":
    #      ^^^^^^^^^^^^^^^^^^^^^^^^ the client decides whether it is `role`
            return [order for order in orders if order.role == "buyer"]
        return orders
    ```
    """
    part = node.left if isinstance(node, ast.Compare) else node.test
    claim = _claim(part, ctx)
    if claim is not None and _asks_for_power(node, claim, ctx) and not _is_guarded(node, ctx):
        yield ctx.finding(part, f"the client decides whether it is `{claim}`")
    else:
        ctx.not_an_opportunity()


def _is_guarded(node: ast.AST, ctx: Context) -> bool:
    """Whether a decorator lets only those call the function who may have, and give, more than others."""
    function = ctx.function(node)
    return function is not None and any(
        _GUARDS.search(calls.identifier(calls.decorating(each))) for each in function.decorator_list
    )


def _body(made: ast.expr) -> ast.expr:
    """What a request was asked for its body by: `request.json` of `await request.json()`."""
    asked = made.value if isinstance(made, ast.Await) else made
    return asked.func if isinstance(asked, ast.Call) else asked


def _is_sent(name: ast.Name, ctx: Context) -> bool:
    """Whether a name is a parameter that FastAPI fills from a header, a cookie or the query."""
    function = ctx.function(name)
    if function is None:
        return False
    for argument, default in shapes.defaults(function):
        if argument.arg == name.id:
            return isinstance(default, ast.Call) and ctx.name(default.func) in _SENT
    annotation = next((each.annotation for each in shapes.parameters(function) if each.arg == name.id), None)
    return annotation is not None and any(
        isinstance(part, ast.Call) and ctx.name(part.func) in _SENT for part in ctx.walk(annotation)
    )


def _asks_for_power(node: ast.Compare | ast.If | ast.IfExp, claim: str, ctx: Context) -> bool:
    """Whether a claim that is true, or equal to what it is compared with, is one to more than any user may do."""
    if not isinstance(node, ast.Compare):
        return _FLAG.search(claim) is not None
    value = ctx.value(node.comparators[0])
    lets_pass = isinstance(node.ops[0], (ast.Eq, ast.In)) or (
        isinstance(node.ops[0], (ast.NotEq, ast.NotIn)) and _refuses(ctx.parent(node))
    )
    return lets_pass and (value is True or _POWER.search(str(value)) is not None)


def _refuses(user: ast.AST | None) -> bool:
    """Whether a condition lets nobody else pass: `if role != "admin": raise Forbidden`."""
    if not isinstance(user, ast.If):
        return False
    does = user.body[-1]
    aborts = isinstance(does, ast.Expr) and calls.identifier(does.value) == "abort"
    return aborts or isinstance(does, ast.Raise)


def _claim(expression: ast.expr, ctx: Context) -> str | None:
    """The name of the parameter, cookie or header by which a client claims a role."""
    made = ctx.origin(expression)
    if (
        isinstance(made, ast.Call)
        and isinstance(made.func, ast.Attribute)
        and made.func.attr in {"lower", "strip", "upper"}
    ):
        made = made.func.value
    name = calls.identifier(made)
    if not name or not (_ROLE.match(name) or _FLAG.match(name)):
        return None
    if isinstance(made, ast.Name):
        return name if _is_sent(made, ctx) else None
    holder: ast.expr | None = None
    if isinstance(made, ast.Subscript):
        holder = made.value
    elif isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
        holder = made.func.value
    if isinstance(holder, ast.Name):
        holder = _body(ctx.origin(holder))
    if not isinstance(holder, ast.Attribute) or holder.attr not in _PARTS:
        return None
    return name if calls.identifier(holder.value) in {"request", "req"} else None
