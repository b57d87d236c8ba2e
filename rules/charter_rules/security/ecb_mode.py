"""Finds block ciphers that encrypt each block alone."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    regex,
    rule,
)
from charter_rules import calls, protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_NEW: Final = tuple(
    f"{root}.Cipher.{name}.new"
    for root in ("Crypto", "Cryptodome")
    for name in ("AES", "DES", "DES3", "Blowfish", "CAST", "ARC2")
)
_MODES: Final = ("cryptography.hazmat.primitives.ciphers.modes.ECB",)
_ONE_BLOCK: Final = regex(
    r"(?i)(?:^|_)(?:key|kek|cek|counter|ctr|nonce|iv|block|mask|zero\w*|challenge|tweak|salt|digest|hash|random|seed|kcv)\d*$"
)
"""Names of values that are a single block, or drawn at random."""
_GIVES_BLOCK: Final = regex(
    r"(?i)(?!\w*(?:licen[cs]e|serial|product|activation))_*(?:get|make|derive|compute|calc\w*|create|generate|new)_(?:\w+_)?(?:key|kek|cek|iv|mask|digest|hash|kcv)s?$"
)
"""Names of functions that give such a value, and no key that is sold: what they encrypt are parts of it."""


@rule(
    ast.Call,
    code="SEC012",
    principles=("sound-cryptography",),
    severity=Severity.HIGH,
    cwe=(327,),
    calls=(*_NEW, *_MODES),
    aliases=("B305", "S305"),
    references=("https://en.wikipedia.org/wiki/Block_cipher_mode_of_operation#Electronic_codebook_(ECB)",),
)
def ecb_mode(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Encrypt with a mode that hides repetition and detects change, such as GCM.

    In ECB mode, equal blocks of text become equal blocks of cipher text: the outline of a picture or the repetition of a
    record stays visible, and blocks can be swapped unnoticed. Old PyCrypto uses ECB if no mode is named.

    ```python bad
    from Crypto.Cipher import AES

    def encrypt(key, text):
        return AES.new(key, AES.MODE_ECB).encrypt(text)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^ ECB mode shows which blocks of the text are equal
    ```
    ```python good
    from Crypto.Cipher import AES

    def encrypt(key, text):
        cipher = AES.new(key, AES.MODE_GCM)
        return cipher.nonce, *cipher.encrypt_and_digest(text)
    ```
    """
    chosen = None
    if ctx.name(call.func) in _NEW:
        chosen = next(
            (
                one
                for one in calls.choices(ctx, call, 1, "mode")
                if one.name.endswith(".MODE_ECB") or one.value == 1
            ),
            None,
        )
        if chosen is None:
            return
    if (
        ctx.is_test
        or _is_building_block(call, ctx)
        or _encrypts_one_block(call, ctx)
        or protocols.dictated(ctx, call)
    ):
        return
    if protocols.only_reads(ctx, call) or protocols.is_of_client(ctx, call):
        return
    related = () if chosen is None else calls.chosen(chosen, ctx)
    yield ctx.finding(call, "ECB mode shows which blocks of the text are equal", related=related)


def _encrypts_one_block(call: ast.Call, ctx: Context) -> bool:
    """Whether all that is encrypted is a key, a counter, a hash or a constant: one block, or none that repeats."""
    around = ctx.function(call)
    if around is None:
        return False
    if _GIVES_BLOCK.match(around.name):
        return True
    texts = _encrypted(call, around, ctx)
    return bool(texts) and all(
        isinstance(ctx.value(text), bytes)
        or _ONE_BLOCK.search(calls.identifier(text))
        or calls.identifier(text) in {"bytes", "bytes_le", "bytearray", "urandom"}
        for text in texts
    )


def _encrypted(call: ast.Call, around: ast.AST, ctx: Context) -> list[ast.expr]:
    """What a cipher encrypts: by its one call, `AES.new(…).encrypt(text)`, or what anything does in the function around."""
    used = ctx.parent(call)
    alone = ctx.parent(used) if isinstance(used, ast.Attribute) else None
    return [
        node.args[0]
        for node in ([alone] if isinstance(alone, ast.Call) else ctx.nodes(ast.Call, within=around))
        if calls.identifier(node.func) in {"encrypt", "update"} and len(node.args) == 1
    ]


def _is_building_block(call: ast.Call, ctx: Context) -> bool:
    """Whether the surroundings say that single blocks are encrypted on purpose: key wrapping, CTR by hand, header masks, ECB."""
    return bool(
        re.search(
            r"(?i)decrypt|ecb|wrap|ctr|cmac|header_protection|hp_|block_encrypt|_block$|keystream|ntlm|mifare",
            ctx.symbol(call),
        )
    )
