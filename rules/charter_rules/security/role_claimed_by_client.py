"""Finds decisions about who may do what that rest on what the client says of itself."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Confidence,
    Severity,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FLAG: Final = re.compile(
    r"(?i)^(?:x-)?(?:is_?)?(?:admin|staff|superuser|root|authenticated|logged_?in|privileged)$"
)
_ROLE: Final = re.compile(
    r"(?i)^(?:x-)?(?:user_?|account_?)?(?:role|roles|type|level|group|privilege|is_?admin|admin|authenticated|logged_?in|is_?staff)$"
)
_POWER: Final = re.compile(r"(?i)admin|root|superuser|staff|manager|owner|\btrue\b|\byes\b|^1$|on$")
_PARTS: Final = frozenset(
    {"args", "form", "values", "cookies", "headers", "GET", "POST", "COOKIES", "META", "query_params", "json"}
)


@rule(
    ast.Compare,
    ast.If,
    ast.IfExp,
    code="SEC049",
    principles=("authentication-first",),
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    cwe=(302, 285, 565, 807),
    mentions=("request",),
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
    tested = [node.left] if isinstance(node, ast.Compare) else [node.test]
    for part in tested:
        claim = _claim(part, ctx)
        if claim is None:
            continue
        if isinstance(node, ast.Compare):
            value = ctx.value(node.comparators[0])
            if not isinstance(node.ops[0], (ast.Eq, ast.In)) or not (
                value is True or _POWER.search(str(value))
            ):
                continue
        elif not _FLAG.search(claim):
            continue
        if not ctx.is_test:
            yield ctx.finding(part, f"the client decides whether it is `{claim}`")
            return
    ctx.not_an_opportunity()


def _claim(expression: ast.expr, ctx: Context) -> str | None:
    """The name of the parameter, cookie or header by which a client claims a role."""
    if isinstance(expression, ast.Name) and not (_ROLE.match(expression.id) or _FLAG.match(expression.id)):
        return None
    if not isinstance(expression, (ast.Name, ast.Call, ast.Subscript)):
        return None
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
    holder: ast.expr | None = None
    if isinstance(made, ast.Subscript):
        holder = made.value
    elif isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
        holder = made.func.value
    if not isinstance(holder, ast.Attribute) or holder.attr not in _PARTS:
        return None
    return name if calls.identifier(holder.value) in {"request", "req"} else None
