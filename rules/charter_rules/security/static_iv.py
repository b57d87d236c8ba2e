"""Finds initialization vectors and nonces that are always the same."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    regex,
    rule,
)
from charter_rules import calls, protocols, secrecy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_NEW: Final = tuple(
    f"{root}.Cipher.{name}.new"
    for root in ("Crypto", "Cryptodome")
    for name in ("AES", "DES", "DES3", "Blowfish", "CAST", "ARC2", "ChaCha20", "Salsa20", "ChaCha20_Poly1305")
)
_MODES: Final = ("CBC", "CTR", "GCM", "CFB", "CFB8", "OFB")
_ARGUMENTS: Final[dict[str, tuple[tuple[int | None, str], ...]]] = {
    **dict.fromkeys(_NEW, ((2, "iv"), (None, "IV"), (None, "nonce"))),
    **{
        f"cryptography.hazmat.primitives.ciphers.modes.{mode}": (
            (0, "nonce" if mode == "CTR" else "initialization_vector"),
        )
        for mode in _MODES
    },
    "cryptography.hazmat.primitives.ciphers.algorithms.ChaCha20": ((1, "nonce"),),
    "nacl.secret.SecretBox.encrypt": ((1, "nonce"),),
    "nacl.public.Box.encrypt": ((1, "nonce"),),
}
_FRESH: Final = regex(
    r"(?i)^(urandom|token_bytes|get_random_bytes|randbytes|generate_key|exchange|hkdf\w*|derive_?key|derive)$"
)
"""Functions that make a key for one message or one exchange."""
_WRITTEN: Final = frozenset({"encode", "hex", "digest"})
"""Methods that write a key in another way."""
_AEAD: Final = frozenset(
    f"cryptography.hazmat.primitives.ciphers.aead.{name}"
    for name in ("AESGCM", "AESCCM", "ChaCha20Poly1305", "AESGCMSIV", "AESOCB3")
)


@rule(
    ast.Call,
    code="SEC013",
    principles=("sound-cryptography",),
    severity=Severity.HIGH,
    cwe=(329, 1204),
    calls=(*_ARGUMENTS, "*.encrypt"),
    mentions=("modes", "Cipher", "AESGCM", "ChaCha20", "AESCCM", "nacl"),
    references=("https://cwe.mitre.org/data/definitions/329.html",),
)
def static_iv(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Draw a fresh initialization vector or nonce for each message.

    Under one key, two messages with the same nonce in CTR or GCM mode give away the difference of their texts, and in GCM
    also the key of the authentication. In CBC mode, equal beginnings become visible. Take `os.urandom` and send the value
    along with the message; it is no secret.

    ```python bad
    from Crypto.Cipher import AES

    def encrypt(key, text):
        return AES.new(key, AES.MODE_CBC, b"0123456789abcdef").encrypt(text)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `b"0123456789abcdef"` is the same for every message; draw it with `os.urandom`
    ```
    ```python good
    import os
    from Crypto.Cipher import AES

    def encrypt(key, text):
        iv = os.urandom(16)
        return iv + AES.new(key, AES.MODE_CBC, iv).encrypt(text)
    ```
    """
    name = calls.called(ctx, call)
    places = ((0, "nonce"),) if name.removesuffix(".encrypt") in _AEAD else _ARGUMENTS.get(name, ())
    if not places:
        ctx.not_an_opportunity()
        return
    if ctx.is_test or "decrypt" in ctx.symbol(call).lower() or protocols.dictated(ctx, call):
        return
    if _has_key_of_its_own(call, ctx):
        return
    for position, keyword in places:
        argument = calls.given(ctx, call, position, keyword)
        if argument is None:
            continue
        fixed = next((one for one in calls.values_of(ctx, argument) if _is_fixed(one.value)), None)
        shown = calls.short(ctx, argument)
        if fixed is not None or _is_drawn_once(argument, ctx):
            message = f"`{shown}` is the same for every message; draw it with `os.urandom`"
            yield ctx.finding(call, message, related=() if fixed is None else calls.chosen(fixed, ctx))
            return
        if (
            name in _NEW
            and isinstance(argument, ast.Name)
            and ctx.source(call.args[0] if call.args else call) == shown
        ):
            yield ctx.finding(
                call, f"the key `{shown}` is the same for every message; draw the vector with `os.urandom`"
            )
            return


def _is_fixed(value: object) -> bool:
    """Whether a value is a vector that is written in the source: a constant, `bytes(16)`, or a constant that is encoded."""
    return isinstance(value, (bytes, str)) and len(value) >= 8


def _is_drawn_once(argument: ast.expr, ctx: Context) -> bool:
    """Whether a vector is drawn when the module is imported, and then taken by a function for message after message."""
    made = ctx.origin(argument)
    return (
        made is not argument
        and isinstance(made, ast.Call)
        and ctx.name(made.func) in secrecy.DRAWN
        and ctx.function(made) is None
        and ctx.function(argument) is not None
    )


def _has_key_of_its_own(call: ast.Call, ctx: Context) -> bool:
    """Whether the key is made for this one message, so that no other is ever encrypted with the same vector."""
    around = ctx.function(call)
    if around is None:
        return False
    keys = [
        argument
        for node in ctx.nodes(ast.Call, within=around)
        if (calls.called(ctx, node).rpartition(".")[0]).endswith(
            (".aead", ".algorithms", ".Cipher.AES", ".Cipher.ChaCha20", "nacl.secret")
        )
        and (argument := calls.given(ctx, node, 0, "key")) is not None
    ]
    return bool(keys) and all(_is_fresh(key, ctx) for key in keys)


def _is_fresh(key: ast.expr, ctx: Context) -> bool:
    made = ctx.origin(key)
    while isinstance(made, ast.Call) and calls.identifier(made.func) in _WRITTEN:
        made = made.func.value if isinstance(made.func, ast.Attribute) else None
    if not isinstance(made, ast.Call) or ctx.function(made) is not ctx.function(key):
        return False
    makers = (calls.identifier(made.func), *ctx.made_by(made).replace("()", "").split("."))
    return any(_FRESH.search(name) for name in makers)
