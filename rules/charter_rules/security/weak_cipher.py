"""Finds ciphers that are broken or too small for today."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    rule,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_TITLES: Final = {
    "DES": "DES", "DES3": "Triple DES", "ARC2": "RC2", "ARC4": "RC4", "Blowfish": "Blowfish", "CAST": "CAST5", "XOR": "XOR",
}  # fmt: skip
_HAZMAT: Final = {
    "ARC4": "RC4", "Blowfish": "Blowfish", "CAST5": "CAST5", "IDEA": "IDEA", "SEED": "SEED", "TripleDES": "Triple DES", "RC2": "RC2",
}  # fmt: skip
_CIPHERS: Final = {
    **{
        f"{root}.Cipher.{name}.new": title
        for root in ("Crypto", "Cryptodome")
        for name, title in _TITLES.items()
    },
    **{
        f"cryptography.hazmat.{place}.algorithms.{name}": title
        for place in ("primitives.ciphers", "decrepit.ciphers")
        for name, title in _HAZMAT.items()
    },
    "pyDes.des": "DES",
    "pyDes.triple_des": "Triple DES",
}
"""Constructors of weak ciphers, with the name that people know."""


@rule(
    ast.Call,
    code="SEC011",
    principles=("sound-cryptography",),
    severity=Severity.HIGH,
    cwe=(327,),
    calls=tuple(_CIPHERS),
    aliases=("B304", "S304"),
    references=("https://csrc.nist.gov/pubs/sp/800/131/a/r2/final", "https://sweet32.info/"),
)
def weak_cipher(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Encrypt with AES or ChaCha20.

    DES keys fall to a day of searching, RC4 leaks its plaintext, and ciphers with blocks of 64 bits (Triple DES, Blowfish,
    CAST5, IDEA) leak after some gigabytes under one key (Sweet32). AES-GCM and ChaCha20-Poly1305 are as easy to call, faster
    on current processors, and also notice when someone changes the text.

    ```python bad
    from Crypto.Cipher import DES

    def encrypt(key, text):
        return DES.new(key, DES.MODE_CBC).encrypt(text)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^ DES is no longer safe; use AES-GCM or ChaCha20-Poly1305
    ```
    ```python good
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    def encrypt(key, nonce, text):
        return AESGCM(key).encrypt(nonce, text, None)
    ```
    """
    name = ctx.name(call.func) or ""
    if ctx.is_test:
        return
    yield ctx.finding(call, f"{_CIPHERS[name]} is no longer safe; use AES-GCM or ChaCha20-Poly1305")
