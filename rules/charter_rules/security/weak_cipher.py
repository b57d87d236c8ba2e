"""Finds ciphers that are broken or too small for today."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter_rules import calls, protocols, shapes

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
_PADDED: Final = tuple(f"{root}.Cipher.PKCS1_v1_5.new" for root in ("Crypto", "Cryptodome"))
_PADDING: Final = "cryptography.hazmat.primitives.asymmetric.padding.PKCS1v15"
"""Fine for signatures, and only for these."""
_NAMED: Final = regex(
    r"(?i:rc[24]|rsa_?1_?5|arc4|blowfish|cast_?5|3des|des_?3|triple_?des)|(?:^|_)(?:DES|BF|IDEA|SEED)(?:_|$)|^DES[A-Z]"
)
"""Names of classes that say a weak cipher."""
_ENCRYPTED: Final = regex(r"(?i)(?:^|_)encrypted|cipher_?text|crypted(?:_|$)")
"""Names of what is encrypted."""
_SUPPORT: Final = regex(r"(?i)(?:^|_)(?:is_)?support")
"""Names of functions that tell what a library can do."""
_WEAK_SUITE: Final = regex(
    r"(?i)(?:^|[:, +])(?:a?null|enull|exp(?:ort)?\d*|low|rc4|des(?:-cbc)?|adh|aecdh)(?=[:, +]|-(?!cbc3)|$)|seclevel=0"
)
"""Names of OpenSSL's cipher strings that stand for suites without encryption, without authentication, or broken ones."""


@rule(
    ast.Call,
    code="SEC011",
    principles=("sound-cryptography",),
    severity=Severity.HIGH,
    cwe=(327,),
    calls=(
        *_CIPHERS,
        *_PADDED,
        _PADDING,
        "*.set_ciphers",
        "*.set_cipher_list",
        "urllib3.util.ssl_.create_urllib3_context",
    ),
    aliases=("B304", "S304"),
    references=("https://csrc.nist.gov/pubs/sp/800/131/a/r2/final", "https://sweet32.info/"),
)
def weak_cipher(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Encrypt with AES or ChaCha20.

    DES keys fall to a day of searching, RC4 leaks its plaintext, and ciphers with blocks of 64 bits (Triple DES, Blowfish,
    CAST5, IDEA) leak after some gigabytes under one key (Sweet32). AES-GCM and ChaCha20-Poly1305 are as easy to call, faster
    on current processors, and also notice when someone changes the text. Code that only
    decrypts what others have written, or is named for the cipher or for the protocol that sets it, is left alone.

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
    name = calls.called(ctx, call)
    if name in _CIPHERS:
        message = f"{_CIPHERS[name]} is no longer safe; use AES-GCM or ChaCha20-Poly1305"
    elif "decrypt" in ctx.gets and (name in _PADDED or (name == _PADDING and _pads_a_secret(call, ctx))):
        message = "PKCS #1 v1.5 padding tells its errors apart, which decrypts; use OAEP"
    elif _offers_weak_suites(call, ctx):
        message = "the list of ciphers allows suites that those on the way can read"
    else:
        ctx.not_an_opportunity()
        return
    if not (
        ctx.is_test
        or _asks_what_is_supported(call, ctx)
        or _is_named_for_it(call, ctx)
        or calls.is_chosen(ctx, call)
        or protocols.dictated(ctx, call)
        or protocols.only_reads(ctx, call)
        or _undoes(call, ctx)
    ):
        yield ctx.finding(call, message)


def _pads_a_secret(call: ast.Call, ctx: Context) -> bool:
    """Whether a padding is given to a key that encrypts, and not to one that signs."""
    uses = [call, *(shapes.reads_of_result(call, ctx) or ())]
    return any(
        isinstance(parent := ctx.parent(use), ast.Call) and calls.identifier(parent.func) == "encrypt"
        for use in uses
    )


def _undoes(call: ast.Call, ctx: Context) -> bool:
    """Whether all that a stream cipher is given is encrypted already, so that the same step decrypts it."""
    given = [
        calls.identifier(user.args[0])
        for use in (call, *(shapes.reads_of_result(call, ctx) or ()))
        if isinstance(user := ctx.parent(ctx.parent(use) or use), ast.Call) and user.args
    ]
    return bool(given) and all(map(_ENCRYPTED.search, given))


def _is_named_for_it(call: ast.Call, ctx: Context) -> bool:
    """Whether the class around stands for the one cipher, which users choose by its name."""
    class_ = ctx.class_(call)
    return class_ is not None and _NAMED.search(class_.name) is not None


def _asks_what_is_supported(call: ast.Call, ctx: Context) -> bool:
    """Whether a function makes a context, or is given a cipher, only to see what the library can do."""
    asked = [ctx.symbol(call).rpartition(".")[2]]
    for parent in ctx.ancestors(call):
        if isinstance(parent, ast.stmt):
            break
        if isinstance(parent, ast.Call):
            asked.append(calls.identifier(parent.func))
    return any(_SUPPORT.search(name) for name in asked)


def _offers_weak_suites(call: ast.Call, ctx: Context) -> bool:
    last = calls.identifier(call.func)
    if last not in {"set_ciphers", "set_cipher_list", "create_urllib3_context"}:
        return False
    suites = calls.value(ctx, call, None if last == "create_urllib3_context" else 0, "ciphers")
    text = suites.decode("latin-1") if isinstance(suites, bytes) else suites
    return isinstance(text, str) and _WEAK_SUITE.search(text) is not None
