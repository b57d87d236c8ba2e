"""Finds encryption keys that are written into the source."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    regex,
    rule,
)
from charter_rules import calls, digests, lines, protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CIPHERS: Final = (
    "AES",
    "DES",
    "DES3",
    "Blowfish",
    "CAST",
    "ARC2",
    "ARC4",
    "ChaCha20",
    "Salsa20",
    "ChaCha20_Poly1305",
)
_FERNET: Final = "cryptography.fernet.Fernet"
"""Takes its key written out; one that stands there as it is, is the business of `hardcoded-secret`."""
_KEYS: Final[dict[str, tuple[int, str]]] = {
    **{f"{root}.Cipher.{name}.new": (0, "key") for root in ("Crypto", "Cryptodome") for name in _CIPHERS},
    **{
        f"cryptography.hazmat.primitives.ciphers.algorithms.{name}": (0, "key")
        for name in (
            "AES",
            "AES128",
            "AES256",
            "TripleDES",
            "ChaCha20",
            "Camellia",
            "SM4",
            "ARC4",
            "Blowfish",
        )
    },
    **{
        f"cryptography.hazmat.primitives.ciphers.aead.{name}": (0, "key")
        for name in ("AESGCM", "AESCCM", "ChaCha20Poly1305", "AESSIV", "AESGCMSIV")
    },
    "nacl.secret.SecretBox": (0, "key"),
    "aiohttp_session.cookie_storage.EncryptedCookieStorage": (0, "secret_key"),
    _FERNET: (0, "key"),
}
_FORMS: Final = frozenset(
    {
        "base64.b64encode",
        "base64.urlsafe_b64encode",
        "base64.b64decode",
        "base64.urlsafe_b64decode",
        "binascii.unhexlify",
        "builtins.bytes.fromhex",
        *(f"hashlib.{name}" for name in digests.DIGESTS),
    }
)
"""What makes the same key of the same text in every program."""
_MOST_FORMS: Final = 8
"""How many of them are looked behind."""
_DIGESTED: Final = frozenset({"digest", "hexdigest"})
_ENCRYPTS: Final = frozenset({"encrypt", "encrypt_and_digest", "encryptor"})
_SHORTEST: Final = 8
_KNOWN: Final = regex(r"(?i)test_?vector|default_key|known_key|well[- _]known|publish|publicly|obfuscat|ntlm")


@rule(
    ast.Call,
    code="SEC021",
    principles=("no-secrets-in-source", "sound-cryptography"),
    severity=Severity.HIGH,
    cwe=(321, 798),
    calls=tuple(_KEYS),
    references=("https://cwe.mitre.org/data/definitions/321.html",),
)
def hardcoded_encryption_key(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Keep encryption keys out of the source.

    What is encrypted with a key from the source can be read by everybody who can read the source, and the key cannot be changed
    without losing what it protects. Read it from a key store or the environment.

    ```python bad
    from Crypto.Cipher import AES

    def decrypt(nonce, text):
        return AES.new(b"Th1s-1s-the-k3y!", AES.MODE_GCM, nonce=nonce).decrypt(text)
    #                  ^^^^^^^^^^^^^^^^^^^ the key of `AES.new` stands in the source
    ```
    ```python good
    import os
    from Crypto.Cipher import AES

    def decrypt(nonce, text):
        return AES.new(os.environb[b"SHOP_KEY"], AES.MODE_GCM, nonce=nonce).decrypt(text)
    ```
    """
    name = ctx.name(call.func) or ""
    argument = calls.given(ctx, call, *_KEYS[name])
    if argument is None or ctx.is_test:
        return
    key = _behind(argument, ctx)
    if key is argument and name == _FERNET:
        return
    if key is not argument and _ENCRYPTS.isdisjoint(ctx.gets):
        return  # what only decrypts by such a key reads somebody else's format
    chosen = next((one for one in calls.values_of(ctx, key) if _is_key(one.value)), None)
    if chosen is None or protocols.dictated(ctx, call):
        return
    comment = lines.comment_above(ctx.span(ctx.statement(ctx.origin(key))), ctx)
    if not _KNOWN.search(f"{ctx.module} {ctx.symbol(call)} {comment}"):
        yield ctx.finding(
            argument,
            f"the key of `{calls.short(ctx, call.func)}` stands in the source",
            related=calls.chosen(chosen, ctx),
        )


def _behind(key: ast.expr, ctx: Context) -> ast.expr:
    """What a key is another form or the digest of; itself if it is neither."""
    for _ in range(_MOST_FORMS):  # a name may stand for another form of what it stood for before
        made = ctx.origin(key)
        if isinstance(made, ast.Call) and calls.identifier(made.func) in _DIGESTED:
            made = made.func.value if isinstance(made.func, ast.Attribute) else made
        if not isinstance(made, ast.Call) or ctx.name(made.func) not in _FORMS or not made.args:
            break
        key = made.args[0]
    return key


def _is_key(value: object) -> bool:
    """Whether a value may be the key of a cipher, and not a placeholder of one letter."""
    return isinstance(value, (bytes, str)) and len(value) >= _SHORTEST and len(set(value)) > 1
