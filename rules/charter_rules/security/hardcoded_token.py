"""Finds credentials that are known by their format: keys of cloud services, tokens, private keys, URLs with passwords."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter_rules import credentials, lines, places, protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_NOTHING: Final = regex(r"(?i)\b(?:sandbox|test(?:ing)?|fake|dummy|not (?:a )?real)\b")
"""What comments say of keys that open nothing."""


@rule(
    ast.Module,
    code="SEC008",
    principles=("no-secrets-in-source",),
    severity=Severity.HIGH,
    cwe=(798, 259, 321),
    references=("https://cwe.mitre.org/data/definitions/798.html",),
)
def hardcoded_token(_module: ast.Module, ctx: Context) -> Iterator[Finding]:
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
    if ctx.is_test:
        return
    written = [
        (text, constant)
        for text, constant in ctx.strings
        if 16 <= len(text) <= 20_000 and ctx.parent(constant).__class__ is not ast.Expr
    ]
    # One look at all texts together is enough for most files.
    if not credentials.may_hold_credential("\n".join([text for text, _ in written])) or places.is_sample(ctx):
        return
    for text, constant in written:
        kind = credentials.known_format(text)
        if kind is None and not isinstance(ctx.parent(constant), (ast.FormattedValue, ast.JoinedStr)):
            kind = _kind_of_password(text)
        if kind is not None and not (protocols.plays_a_site(ctx) or _is_said_to_be_none(constant, ctx)):
            article = "an" if kind[0] in "AEIOU" else "a"
            yield ctx.finding(constant, f"{article} {kind} stands in the source")


def _kind_of_password(text: str) -> str | None:
    """What a text that says how to connect holds a password in; None if it holds none."""
    if credentials.url_password(text) is not None:
        return "password in a URL"
    return "password in a connection string" if credentials.settings_password(text) is not None else None


def _is_said_to_be_none(constant: ast.Constant, ctx: Context) -> bool:
    """Whether a comment behind a text says that it opens nothing of worth."""
    end = ctx.span(constant).end
    return _NOTHING.search(ctx.text[end : lines.end(end, ctx)].partition("#")[2]) is not None
