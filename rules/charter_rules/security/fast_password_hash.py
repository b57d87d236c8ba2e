"""Finds passwords that are hashed with a digest made to be fast."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, cast

from charter.api import Severity, regex, rule
from charter_rules import calls, digests, lines, passwords, places, protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SCHEMES: Final = frozenset(
    {
        "md5_crypt", "des_crypt", "bsdi_crypt", "bigcrypt", "crypt16", "apr_md5_crypt", "sha1_crypt", "lmhash", "nthash",
        "hex_md5", "hex_sha1", "hex_sha256", "hex_sha512", "ldap_md5", "ldap_sha1", "ldap_salted_md5",
        "ldap_salted_sha1", "mysql323", "mysql41", "plaintext", "ldap_plaintext",
    }
)  # fmt: skip
"""Passlib's schemes that are fast, or no hash at all."""
_MANY: Final = 3
"""How many schemes nobody keeps passwords by."""
_METHODS: Final = frozenset(f"crypt.METHOD_{name}" for name in ("MD5", "CRYPT"))
_FOR_TESTS: Final = regex(r"(?i)#.*\btest")
"""What a comment says where the passwords are those of tests."""
_CHOSEN: Final[dict[str, tuple[int, str]]] = {
    "werkzeug.security.generate_password_hash": (1, "method"),
    "django.contrib.auth.hashers.make_password": (2, "hasher"),
}
"""Functions that make passwords ready to be kept, and where they are told by which scheme."""
_FAST: Final = regex(r"(?:unsalted_|salted_)?(?:md5|sha1|sha224|sha256|sha384|sha512)|plain|crypt")
"""Fast schemes, as those functions call them."""
_HASHERS: Final = regex(r"\.(?:Unsalted)?(?:MD5|SHA1|Crypt)PasswordHasher$")


@rule(
    ast.Call,
    ast.Assign,
    code="SEC015",
    principles=("sound-cryptography",),
    severity=Severity.HIGH,
    cwe=(916, 327, 328, 759),
    calls=(
        *digests.CALLS,
        "hashlib.new",
        "*.update",
        "crypt.crypt",
        "crypt.mksalt",
        "passlib.context.CryptContext",
        *_CHOSEN,
        *(f"passlib.hash.{name}.{verb}" for name in sorted(_SCHEMES) for verb in ("hash", "encrypt")),
    ),
    mentions=("hashlib", "Hash", "crypt", "passlib", "password"),
    references=("https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html",),
)
def fast_password_hash(call: ast.Call | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """Hash passwords with a function that is made slow: Argon2, scrypt, bcrypt or PBKDF2.

    A graphics card computes billions of SHA-256 digests a second, so it finds most passwords of a stolen table within hours,
    salt or no salt. Password hashes take a tenth of a second and much memory on purpose, and carry their salt and cost along. Schemes that
    others read (`{SSHA}`, `$1$`) and digests that are said not to be stored, or are seen to be neither kept nor compared, are
    left alone.

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
    chosen = _hasher(call, ctx) if isinstance(call, ast.Assign) else _scheme(call, ctx)
    if chosen and not (
        ctx.is_test
        or passwords.PROTOCOL.search(ctx.symbol(call))
        or _is_of_a_scheme(call, chosen, ctx)
        or ctx.once(_tries_many)
        or protocols.dictated(ctx, call)
    ):
        yield ctx.finding(call, f"`{chosen}` is made to be fast; stolen digests are soon guessed")
        return
    if isinstance(call, ast.Assign) or passwords.data(call, ctx) is None:
        ctx.not_an_opportunity()
        return
    name, related = passwords.hashed(call, ctx)
    if not name:
        return
    message = f"`{name}` is hashed by a function that is made to be fast; stolen digests are soon guessed"
    yield ctx.finding(call, message, related=related)


def _scheme(call: ast.Call, ctx: Context) -> str:
    """The fast scheme that a call hashes new passwords with; "" if it chooses none."""
    name = ctx.name(call.func) or ""
    if name in _CHOSEN:
        method = calls.value(ctx, call, *_CHOSEN[name])
        return method if isinstance(method, str) and _FAST.fullmatch(method) else ""
    if name.startswith("passlib.hash."):
        return name.split(".")[2]
    if name == "passlib.context.CryptContext":
        first = calls.value(ctx, call, None, "default", default=None)
        if first is None:
            first = _first(calls.value(ctx, call, 0, "schemes"))
        return first if isinstance(first, str) and first in _SCHEMES else ""
    if name in {"crypt.crypt", "crypt.mksalt"}:
        method = calls.qualified(ctx, calls.given(ctx, call, int(name == "crypt.crypt"), "method"))
        return method if method in _METHODS else ""
    return ""


def _is_of_a_scheme(call: ast.AST, chosen: str, ctx: Context) -> bool:
    """Whether a directory asks for a scheme, or the class around is named for it, so that users choose it by name."""
    if chosen.startswith("ldap_") and re.search(r"(?i)ldap", f"{ctx.path} {ctx.symbol(call)}"):
        return True
    return digests.is_of_a_scheme(ctx, call)


def _tries_many(ctx: Context) -> bool:
    """Whether a file hashes by many schemes of `passlib`, so that those who call it choose."""
    named = {ctx.name(call.func) or "" for call in ctx.nodes(ast.Call)}
    return len({name.split(".")[2] for name in named if name.startswith("passlib.hash.")}) >= _MANY


def _hasher(node: ast.Assign, ctx: Context) -> str:
    """The fast hasher that Django's settings put first; "" if there is none."""
    if type(node.targets[0]) is not ast.Name or node.targets[0].id != "PASSWORD_HASHERS":
        return ""
    first = _first(ctx.value(node.value))
    if not isinstance(first, str) or not _HASHERS.search(first) or not places.is_deployed(ctx):
        return ""
    return "" if _FOR_TESTS.search(lines.around(ctx.span(node), ctx, above=1)) else first.rpartition(".")[2]


def _first(value: object) -> object:
    """The first item of a list; None if there is none."""
    items = cast("list[object] | tuple[object, ...]", value) if isinstance(value, (list, tuple)) else ()
    return items[0] if items else None
