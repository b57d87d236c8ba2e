"""Finds password hashes and key derivations with too few rounds or a fixed salt."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from charter.api import (
    UNKNOWN,
    Severity,
    rule,
)
from charter_rules import calls, protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


class _Cost(NamedTuple):
    """Where a function takes its cost, and the least that is sound."""

    position: int | None
    keyword: str
    least: int


_Salt = tuple[int | None, str]
_HAZMAT: Final = "cryptography.hazmat.primitives.kdf"
_FUNCTIONS: Final[dict[str, tuple[_Cost | None, _Salt | None]]] = {
    "hashlib.pbkdf2_hmac": (_Cost(3, "iterations", 100_000), (2, "salt")),
    "hashlib.scrypt": (_Cost(None, "n", 2**14), (None, "salt")),
    f"{_HAZMAT}.pbkdf2.PBKDF2HMAC": (_Cost(3, "iterations", 100_000), (2, "salt")),
    f"{_HAZMAT}.scrypt.Scrypt": (_Cost(2, "n", 2**14), (0, "salt")),
    "Crypto.Protocol.KDF.PBKDF2": (_Cost(3, "count", 100_000), (1, "salt")),
    "Cryptodome.Protocol.KDF.PBKDF2": (_Cost(3, "count", 100_000), (1, "salt")),
    "Crypto.Protocol.KDF.scrypt": (_Cost(3, "N", 2**14), (1, "salt")),
    "bcrypt.gensalt": (_Cost(0, "rounds", 10), None),
    "bcrypt.kdf": (_Cost(3, "rounds", 50), (1, "salt")),
    "bcrypt.hashpw": (None, (1, "salt")),
    "crypt.crypt": (None, (1, "salt")),
    "passlib.hash.pbkdf2_sha256.using": (_Cost(None, "rounds", 29_000), (None, "salt")),
    "passlib.hash.bcrypt.using": (_Cost(None, "rounds", 10), (None, "salt")),
}
_GENERATED: Final = re.compile(r"(?i)api_?key|token|random|entropy|seed")
"""Names of secrets that a generator made, which nobody guesses however fast."""
_PROTOCOL: Final = re.compile(r"(?i)scram|wpa|bip39|mnemonic|keychain|postgres|mongo|chrome|cookie")


@rule(
    ast.Call,
    code="SEC016",
    principles=("sound-cryptography",),
    severity=Severity.MEDIUM,
    cwe=(916, 760),
    calls=tuple(_FUNCTIONS),
    references=("https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html",),
)
def cheap_key_derivation(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Make guessing expensive: enough rounds, and a salt of its own for each password.

    The rounds decide how many passwords a second an attacker can try: OWASP asks for 600,000 rounds of PBKDF2 with SHA-256,
    a cost of 2**14 or more for scrypt, and 10 or more for bcrypt. A salt that is the same for everybody lets one table of
    digests serve for all users.

    ```python bad
    import hashlib
    import os

    def store(password):
        salt = os.urandom(16)
        return salt + hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1000)
    #                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ 1000 rounds are too few: at least 100,000 keep guessing expensive
    ```
    ```python good
    import hashlib
    import os

    def store(password):
        salt = os.urandom(16)
        return salt + hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 600_000)
    ```
    """
    name = ctx.name(call.func) or ""
    if ctx.is_test or _PROTOCOL.search(f"{ctx.module} {ctx.symbol(call)}"):
        return
    if protocols.dictated(ctx, call) or _GENERATED.search(_password(call)):
        return
    cost, salt = _FUNCTIONS[name]
    if cost is not None:
        number = calls.value(ctx, call, cost.position, cost.keyword)
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < cost.least:
            yield ctx.finding(
                call, f"{number} rounds are too few: at least {cost.least:,} keep guessing expensive"
            )
    if salt is not None:
        argument = calls.given(ctx, call, *salt)
        value = UNKNOWN if argument is None else ctx.value(argument)
        if isinstance(value, (bytes, str)) and argument is not None:
            yield ctx.finding(call, f"the salt `{calls.short(ctx, argument)}` is the same for every password")


def _password(call: ast.Call) -> str:
    """The name of what the key is derived from."""
    return " ".join(calls.identifier(argument) for argument in call.args)
