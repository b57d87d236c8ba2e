"""Finds key pairs that are generated too small."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Fix,
    Grade,
    Severity,
    rule,
)
from charter_rules import calls, protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_LEAST: Final = 2048
_ANY_KIND: Final = "jwcrypto.jwk.JWK.generate"
"""Makes keys of all kinds, of which symmetric ones are long with 256 bits."""
_SIZES: Final[dict[str, tuple[int | None, str]]] = {
    "cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key": (1, "key_size"),
    "cryptography.hazmat.primitives.asymmetric.dsa.generate_private_key": (0, "key_size"),
    "cryptography.hazmat.primitives.asymmetric.dh.generate_parameters": (1, "key_size"),
    "OpenSSL.crypto.PKey.generate_key": (1, "bits"),
    "rsa.newkeys": (0, "nbits"),
    "paramiko.RSAKey.generate": (0, "bits"),
    _ANY_KIND: (None, "size"),
    "authlib.jose.RSAKey.generate_key": (0, "key_size"),
    **{
        f"{root}.PublicKey.{kind}.generate": (0, "bits")
        for root in ("Crypto", "Cryptodome")
        for kind in ("RSA", "DSA", "ElGamal")
    },
}
_CURVES: Final = tuple(
    f"cryptography.hazmat.primitives.asymmetric.ec.{name}" for name in ("SECP192R1", "SECT163K1", "SECT163R2")
)
_NAMED: Final = ("Crypto.PublicKey.ECC.generate", "Cryptodome.PublicKey.ECC.generate")
_SMALL: Final = frozenset({"p192", "p-192", "nist p-192", "prime192v1", "secp192r1"})
_MANY: Final = 6
"""So many curves are more than a program chooses from."""


@rule(
    ast.Call,
    code="SEC014",
    principles=("sound-cryptography",),
    severity=Severity.HIGH,
    cwe=(326,),
    calls=(
        *_SIZES,
        "*.generate_key",
        *_CURVES,
        *_NAMED,
        "cryptography.hazmat.primitives.asymmetric.ec.generate_private_key",
    ),
    aliases=("B505", "S505"),
    references=("https://www.keylength.com/en/4/",),
)
def small_key(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Generate RSA and DSA keys of 2048 bits or more, and elliptic keys of 224 bits or more.

    The security of a key pair grows with its size, and so does what attackers can afford. RSA keys of 1024 bits are within
    reach of states and large companies; NIST withdrew them in 2013. 3072 bits, or an elliptic curve such as P-256 or Ed25519,
    last.

    ```python bad
    from cryptography.hazmat.primitives.asymmetric import rsa

    def new_key():
        return rsa.generate_private_key(public_exponent=65537, key_size=1024)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a key of 1024 bits can be broken
    ```
    ```python fixed
    from cryptography.hazmat.primitives.asymmetric import rsa

    def new_key():
        return rsa.generate_private_key(public_exponent=65537, key_size=3072)
    ```
    ```python good
    from cryptography.hazmat.primitives.asymmetric import rsa

    def new_key():
        return rsa.generate_private_key(public_exponent=65537, key_size=3072)
    ```
    """
    name = ctx.name(call.func) or ""
    if name.endswith("ec.generate_private_key"):
        name = calls.qualified(ctx, calls.given(ctx, call, 0, "curve"))
        if name not in _CURVES:
            return
    if name in _NAMED:
        curve = calls.value(ctx, call, None, "curve")
        name = f"ec.{curve}" if isinstance(curve, str) and curve.lower() in _SMALL else ""
        if not name:
            return
    if name in _CURVES or name.startswith("ec."):
        if not (
            ctx.is_test
            or protocols.dictated(ctx, call)
            or _is_named_by_another(call, name, ctx)
            or _is_one_of_many(call, ctx)
        ):
            yield ctx.finding(call, f"the curve {name.rpartition('.')[2]} is too small; use P-256 or Ed25519")
        return
    name = name if name in _SIZES else calls.called(ctx, call)
    if name not in _SIZES or (name == _ANY_KIND and calls.value(ctx, call, None, "kty") != "RSA"):
        ctx.not_an_opportunity()
        return
    position, keyword = _SIZES[name]
    argument = calls.given(ctx, call, position, keyword)
    small = next(
        (choice for choice in calls.choices(ctx, call, position, keyword) if _is_small(choice.value)), None
    )
    if small is None or ctx.is_test or protocols.dictated(ctx, call) or calls.tries_out(ctx, call):
        return
    size = small.value
    fix = None
    if argument is not None and ctx.parent(argument) in {call, *call.keywords}:
        fix = Fix("Generate 3072 bits", (ctx.replace(argument, "3072"),), Grade.UNSAFE)
    yield ctx.finding(call, f"a key of {size} bits can be broken", fix=fix, related=calls.chosen(small, ctx))


def _is_named_by_another(call: ast.Call, name: str, ctx: Context) -> bool:
    """Whether a curve is made where the other side's name for it is read: under a condition that holds its size."""
    size = re.search(r"\d{3}", name)
    return size is not None and any(
        isinstance(parent, ast.If)
        and isinstance(parent.test, ast.Compare)
        and size[0] in ctx.source(parent.test)
        for parent in ctx.ancestors(call)
    )


def _is_one_of_many(call: ast.Call, ctx: Context) -> bool:
    """Whether a curve stands in a table of all that there are, from which it is looked up or told by its name."""
    return any(isinstance(parent, ast.Dict) and len(parent.keys) >= _MANY for parent in ctx.ancestors(call))


def _is_small(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and 0 < size < _LEAST
