"""Finds password hashes and key derivations with too few rounds or a fixed salt."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, NamedTuple

from charter.api import (
    Severity,
    regex,
    rule,
)
from charter_rules import calls, digests, protocols, secrecy, shapes

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
    "werkzeug.security.generate_password_hash": (_Cost(1, "method", 100_000), None),
    "argon2.PasswordHasher": (_Cost(1, "memory_cost", 7168), None),
    "argon2.low_level.hash_secret": (_Cost(3, "memory_cost", 7168), (1, "salt")),
    "argon2.low_level.hash_secret_raw": (_Cost(3, "memory_cost", 7168), (1, "salt")),
    f"{_HAZMAT}.argon2.Argon2id": (_Cost(None, "memory_cost", 7168), (None, "salt")),
}
_DEFAULTS: Final = {"Crypto.Protocol.KDF.PBKDF2": 1000, "Cryptodome.Protocol.KDF.PBKDF2": 1000}
_GENERATED: Final = regex(r"(?i)api_?key|token|random|entropy|seed")
"""Names of secrets that a generator made, which nobody guesses however fast."""
_NO_PASSWORD: Final = regex(r"(?i)(?:md4|nt_?hash|key|secret|hash)\d?$")
"""Names of what nobody chose: keys, and digests that a format makes of passwords."""
_MAY_BE_GUESSED: Final = regex(r"(?i)pass|pwd|phrase|(?:^|_)pin|secret|credential|master|key")
"""Names of what somebody may have chosen, so that it can be guessed."""
_PROTOCOL: Final = regex(
    r"(?i)scram|wpa|ssid|bip39|mnemonic|keychain|postgres|mongo|chrome|cookie|s?crypt(?:or)?(?:$|\.)|expand|derive_?keys"
)
"""Names of code that follows a format or builds on the function, as scrypt does with a single round."""


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
    cost, salt = _FUNCTIONS[name]
    salted = None if salt is None else calls.given(ctx, call, *salt)
    if ctx.is_test or _PROTOCOL.search(f"{calls.identifier(salted)} {ctx.module} {ctx.symbol(call)}"):
        return
    if isinstance(ctx.parent(call), ast.Expr) and isinstance(ctx.parent(ctx.statement(call)), ast.Try):
        return  # tries out what the function accepts
    if digests.are_offered(ctx) or protocols.dictated(ctx, call) or _GENERATED.search(_password(call, ctx)):
        return
    data = calls.given(ctx, call, int(name == "hashlib.pbkdf2_hmac"), "password")
    if _NO_PASSWORD.search(calls.identifier(data)) or protocols.asked_of_others(ctx, call):
        return
    if cost is not None:
        low = next((one for one in _costs(call, name, cost, ctx) if _is_low(one.value, cost)), None)
        if low is not None:
            yield ctx.finding(
                call,
                f"{_rounds(low.value)} rounds are too few: at least {cost.least:,} keep guessing expensive",
                related=calls.chosen(low, ctx),
            )
    if salted is not None and not _derives_no_password(call, ctx):
        yield from _of_salt(call, salted, ctx)


def _costs(call: ast.Call, name: str, cost: _Cost, ctx: Context) -> Iterator[calls.Choice]:
    """What the cost may be; PyCryptodome's own default is a thousand rounds."""
    if (
        name in _DEFAULTS
        and not calls.has_unpacking(call)
        and calls.given(ctx, call, cost.position, cost.keyword) is None
    ):
        yield calls.Choice(_DEFAULTS[name], "")
    yield from calls.choices(ctx, call, cost.position, cost.keyword)


def _is_low(number: object, cost: _Cost) -> bool:
    rounds = _rounds(number)
    return rounds is not None and 0 < rounds < cost.least


def _rounds(value: object) -> int | None:
    """How many rounds a value asks for, as a number or, as Werkzeug is told it, `pbkdf2:sha256:1000`."""
    if isinstance(value, str):
        last = value.rpartition(":")[2] if value.startswith("pbkdf2:") else ""
        return int(last) if last.isdigit() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _derives_no_password(call: ast.Call, ctx: Context) -> bool:
    """Whether all that a function is then asked to derive keys from is named for something else than a secret."""
    names = [
        calls.identifier(part)
        for use in (call, *(shapes.reads_of_result(call, ctx) or ()))
        if isinstance(ask := ctx.parent(ctx.parent(use) or use), ast.Call)
        and calls.identifier(ask.func) == "derive"
        for part in ast.walk(ctx.origin(ask.args[0]) if ask.args else ask)
        if isinstance(part, (ast.Name, ast.Attribute))
    ]
    return bool(names) and not any(_MAY_BE_GUESSED.search(name) for name in names)


def _of_salt(call: ast.Call, argument: ast.expr, ctx: Context) -> Iterator[Finding]:
    """A salt that is always the same, or drawn too short."""
    for choice in calls.values_of(ctx, argument):
        if isinstance(choice.value, (bytes, str)):
            message = f"the salt `{calls.short(ctx, argument)}` is the same for every password"
            yield ctx.finding(call, message, related=calls.chosen(choice, ctx))
            return
    made = ctx.origin(argument)
    if isinstance(made, ast.Call) and ctx.name(made.func) in secrecy.DRAWN:
        size = calls.value(ctx, made, 0, "nbytes")
        if isinstance(size, int) and 0 < size < 8:
            yield ctx.finding(call, f"a salt of {size} bytes is soon used twice; draw 16")


def _password(call: ast.Call, ctx: Context) -> str:
    """The names of what the key is derived from; a salt that is drawn in the call is not one."""
    return " ".join(
        calls.identifier(argument)
        for argument in call.args
        if not (isinstance(argument, ast.Call) and ctx.name(argument.func) in secrecy.DRAWN)
    )
