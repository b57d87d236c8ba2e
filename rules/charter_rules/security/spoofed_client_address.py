"""Finds decisions that rest on an address which the client writes itself."""

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

_HEADER: Final = regex(
    r"(?i)^(?:HTTP_)?(?:X[-_])?(?:Forwarded[-_]For|Real[-_]IP|Client[-_]IP|Originating[-_]IP|Cluster[-_]Client[-_]IP)$"
)

_HEADERS: Final = regex(r"headers|META|environ")
"""Where frameworks keep the headers of a request."""


@rule(
    ast.Compare,
    ast.Call,
    code="SEC064",
    principles=("authentication-first",),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(348, 290),
    calls=("*.startswith",),
    mentions=("orwarded", "ORWARDED", "eal-I", "EAL_I", "lient-I", "CLIENT_IP"),
    references=(
        "https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For#security_and_privacy_concerns",
    ),
)
def spoofed_client_address(compare: ast.Compare | ast.Call, ctx: Context) -> Iterator[Finding]:
    """Decide by the address of the connection, not by one in a header.

    `X-Forwarded-For` and its kin are headers like any other: the client may write `127.0.0.1` there. Only a proxy of your own can be believed, and
    then through middleware that knows how many proxies there are (`ProxyFix`, `ProxyHeadersMiddleware`).

    ```python bad
    from flask import abort, request

    def only_local():
        address = request.headers.get("X-Forwarded-For")
        if address != "127.0.0.1":
    #      ^^^^^^^^^^^^^^^^^^^^^^ the client writes `X-Forwarded-For` itself, and so chooses what is compared
            abort(403)
    ```
    ```python good
    from flask import abort, request

    def only_local():
        if request.remote_addr != "127.0.0.1":
            abort(403)
    ```
    """
    if isinstance(compare, ast.Call):
        sides = [compare.func.value] if isinstance(compare.func, ast.Attribute) else []
    else:
        sides = [compare.left, *compare.comparators]
    headers = [name for side in sides if (name := _header(side, ctx))]
    if (
        len(headers) != 1  # two tell whether a header holds more than one address
        or ctx.is_test
        or any(isinstance(side, ast.Constant) and side.value in {None, ""} for side in sides)
    ):
        ctx.not_an_opportunity()
        return
    if (
        isinstance(compare, ast.Compare)
        and isinstance(compare.ops[0], (ast.In, ast.NotIn))
        and isinstance(compare.left, ast.Constant)
    ):
        return  # asks what the header looks like
    if _finds_address(compare, ctx):
        return
    yield ctx.finding(compare, f"the client writes `{headers[0]}` itself, and so chooses what is compared")


def _finds_address(compare: ast.Compare | ast.Call, ctx: Context) -> bool:
    """Whether all that a comparison decides is which address, or which other header, is taken for the client's."""
    statement = ctx.statement(compare)
    return isinstance(statement, ast.If) and all(
        (
            isinstance(each, ast.Return)
            and isinstance(each.value, ast.Name)
            and each.value.id in shapes.names_in(compare)
        )
        or (isinstance(each, ast.Assign) and _HEADERS.search(ctx.source(each.value)))
        for each in statement.body
    )


def _header(side: ast.expr, ctx: Context) -> str | None:
    """The header that a value was read from."""
    made = ctx.origin(side)
    for _ in range(4):
        if isinstance(made, ast.Subscript) and not isinstance(made.slice, ast.Constant):
            return None
        if (
            isinstance(made, ast.Subscript)
            and isinstance(made.slice, ast.Constant)
            and isinstance(made.slice.value, int)
        ):
            made = ctx.origin(made.value)
        elif (
            isinstance(made, ast.Call)
            and isinstance(made.func, ast.Attribute)
            and made.func.attr in {"split", "strip", "lower"}
        ):
            made = ctx.origin(made.func.value)
        else:
            break
    name = calls.identifier(made)
    return name if isinstance(made, (ast.Call, ast.Subscript)) and _HEADER.match(name) else None
