"""Finds passwords that are hashed with a digest made to be fast."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Sensitivity,
    Severity,
    rule,
    sensitivity,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_DIGESTS: Final = tuple(
    f"hashlib.{name}"
    for name in (
        "md5",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "sha3_256",
        "sha3_512",
        "blake2b",
        "blake2s",
    )
)
_PROTOCOL: Final = re.compile(
    r"(?i)mysql|postgres|ntlm|scram|digest|hibp|pwned|breach|wpa|legacy|upgrade|sha1_then|fernet|derive"
)


@rule(
    ast.Call,
    code="SEC015",
    principles=("sound-cryptography",),
    severity=Severity.HIGH,
    cwe=(916, 327, 328, 759),
    calls=(*_DIGESTS, "hashlib.new", "*.update"),
    mentions=("hashlib", "Hash"),
    references=("https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html",),
)
def fast_password_hash(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Hash passwords with a function that is made slow: Argon2, scrypt, bcrypt or PBKDF2.

    A graphics card computes billions of SHA-256 digests a second, so it finds most passwords of a stolen table within hours,
    salt or no salt. Password hashes take a tenth of a second and much memory on purpose, and carry their salt and cost along.

    ```python bad
    import hashlib

    def store(user, password):
        user.password_hash = hashlib.sha256(password.encode()).hexdigest()
    #                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `password` is hashed by a function that is made to be fast; stolen digests are soon guessed
    ```
    ```python good
    import hashlib
    import os

    def store(user, password):
        salt = os.urandom(16)
        user.password_hash = salt + hashlib.scrypt(password.encode(), salt=salt, n=2**15, r=8, p=1)

    def checksum(chunk):
        return hashlib.sha256(chunk).hexdigest()
    ```
    """
    data = _data(call, ctx)
    if data is None:
        ctx.not_an_opportunity()
        return
    name = next((name for name in _names(data) if sensitivity(name) is Sensitivity.PASSWORD), None)
    if name is None or ctx.is_test or _PROTOCOL.search(ctx.symbol(call)) or _PROTOCOL.search(ctx.module):
        return
    yield ctx.finding(
        call, f"`{name}` is hashed by a function that is made to be fast; stolen digests are soon guessed"
    )


def _data(call: ast.Call, ctx: Context) -> ast.expr | None:
    """What a call hashes; None if it hashes nothing."""
    name = ctx.name(call.func)
    if name in _DIGESTS:
        return ctx.argument(call, 0, "string") or ctx.argument(call, None, "data")
    if name == "hashlib.new":
        return ctx.argument(call, 1, "data")
    if name is None and isinstance(call.func, ast.Attribute):
        made = ctx.origin(call.func.value)
        if isinstance(made, ast.Call) and ctx.name(made.func) in {*_DIGESTS, "hashlib.new"}:
            return ctx.argument(call, 0)
    return None


def _names(data: ast.expr) -> Iterator[str]:
    """The names of what is hashed; what other functions compute from them is another value."""
    if isinstance(data, ast.Call):
        function = calls.identifier(data.func)
        if function in {"encode", "bytes", "str", "bytearray", "format"} or function.startswith("to_bytes"):
            for part in (data.func, *data.args):
                yield from _names(part)
        return
    if isinstance(data, ast.Attribute) and data.attr in {"encode", "format"}:
        yield from _names(data.value)
    elif isinstance(data, (ast.Name, ast.Attribute, ast.Subscript)):
        yield calls.identifier(data)
    elif isinstance(data, ast.BinOp):
        yield from _names(data.left)
        yield from _names(data.right)
    elif isinstance(data, ast.JoinedStr):
        for part in data.values:
            if isinstance(part, ast.FormattedValue):
                yield from _names(part.value)
