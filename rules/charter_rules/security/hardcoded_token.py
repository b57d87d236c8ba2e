"""Finds credentials that are known by their format: keys of cloud services, tokens, private keys, URLs with passwords."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Constant,
    code="SEC008",
    principles=("no-secrets-in-source",),
    severity=Severity.HIGH,
    cwe=(798, 259, 321),
    references=("https://cwe.mitre.org/data/definitions/798.html",),
)
def hardcoded_token(constant: ast.Constant, ctx: Context) -> Iterator[Finding]:
    """Keep keys, tokens and passwords of services out of the source.

    Source is copied: to laptops, build servers, backups, forks. A key in it is a key that everybody who ever had a
    copy still has, and that stays in the history after it is deleted. Read it from the environment or a secret store,
    and revoke the one that was written down. Formats with a checksum are only reported if the checksum is right.

    ```python bad
    DATABASE = "postgresql://shop:h7Kq9zLw2m@db.internal.shop.net/orders"
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a password in a URL stands in the source
    ```
    ```python good
    import os

    DATABASE = os.environ["DATABASE_URL"]
    EXAMPLE = "postgresql://user:password@localhost/orders"
    ```
    """
    text = constant.value
    if not isinstance(text, str) or not 16 <= len(text) <= 20_000:
        ctx.not_an_opportunity()
        return
    kind = credentials.known_format(text)
    if kind is None:
        if "://" not in text or isinstance(
            ctx.parent(constant), (ast.Expr, ast.FormattedValue, ast.JoinedStr)
        ):
            ctx.not_an_opportunity()
            return
        if credentials.url_password(text) is None:
            return
        kind = "password in a URL"
    if ctx.is_test or isinstance(ctx.parent(constant), ast.Expr):
        return
    yield ctx.finding(
        constant,
        f"a {kind} stands in the source" if kind[0] not in "AEIOU" else f"an {kind} stands in the source",
    )
