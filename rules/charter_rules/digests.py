"""The digests that `hashlib` has, and which code writes a scheme of stored passwords. It does not say what is safe for what."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import regex

if TYPE_CHECKING:
    from charter.api import Context

DIGESTS: Final = (
    "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s",
)  # fmt: skip
HAZMAT: Final = "cryptography.hazmat.primitives.hashes.Hash"
CALLS: Final = (
    *(f"hashlib.{name}" for name in DIGESTS),
    *(
        f"{root}.Hash.{name}.new"
        for root in ("Crypto", "Cryptodome")
        for name in ("MD5", "SHA", "SHA1", "SHA256", "SHA384", "SHA512")
    ),
)
"""The functions that begin a digest, by their qualified names."""

NAMED: Final = regex(r"(?i)md[245]|sha_?1")
"""Names that say a weak algorithm: whoever uses them has chosen it."""
_SCHEME_CLASS: Final = regex(r"(?i)md[245]|sha_?1|ssha|crypt|sha_?digest|digest_?scheme")
_SCHEME_FUNCTION: Final = regex(r"(?i)(?:^|_)ssha")
_MARK: Final = regex(r"\{S?SHA\d*\}|\{S?MD5\}|\$(?:1|apr1|md5|P|H)\$")
"""Marks of stored passwords in a scheme that others read."""


_ALGORITHM: Final = regex(r"(?i)md[245]|sha_?(?:1|224|256|384|512)|sha_?3|blake2|ripemd|crypt|crc_?32|pbkdf2")
_CHOICE: Final = regex(rf"{_ALGORITHM.pattern}|^(?i:sha)$")
_MANY: Final = 3


def are_offered(ctx: Context) -> bool:
    """Whether a file has functions or classes for many algorithms, named for them: those who call them choose."""
    return ctx.once(_offers_many)


def _offers_many(ctx: Context) -> bool:
    named = (
        _ALGORITHM.search(one.name) for kind in (ast.FunctionDef, ast.ClassDef) for one in ctx.nodes(kind)
    )
    return len({match[0].lower().replace("_", "") for match in named if match}) >= _MANY


def is_of_a_scheme(ctx: Context, node: ast.AST) -> bool:
    """Whether the code around a node writes or reads a scheme of stored passwords that is chosen by its name.

    The class is named for the scheme, or the class or function has its mark, such as `{SSHA}` or `$1$`; or the node
    stands in a dictionary with a key that is named for it, such as `passwordMd5`, or in a text that names it.
    """
    if _is_in_text_that_names_it(ctx, node):
        return True
    if any(
        isinstance(parent, ast.Dict)
        and any(isinstance(key, ast.Constant) and NAMED.search(str(key.value)) for key in parent.keys)
        for parent in ctx.ancestors(node)
    ):
        return True
    if _SCHEME_FUNCTION.search(ctx.symbol(node).rpartition(".")[2]):
        return True
    class_ = ctx.class_(node)
    around = class_ or ctx.function(node)
    return (class_ is not None and _SCHEME_CLASS.search(class_.name) is not None) or (
        around is not None and _MARK.search(ctx.source(around)) is not None
    )


def is_asked_for(ctx: Context, node: ast.AST) -> bool:
    """Whether a caller or a setting chooses the algorithm by its name: `if algorithm == "md5"`, `if kind == Kind.MD5`."""
    return any(
        isinstance(parent, (ast.If, ast.IfExp)) and _names_one(parent.test) for parent in ctx.ancestors(node)
    )


def _names_one(condition: ast.expr) -> bool:
    """Whether a condition compares something with the name of an algorithm."""
    compared = [one for one in ast.walk(condition) if isinstance(one, ast.Compare)]
    members = [one.attr for each in compared for one in each.comparators if isinstance(one, ast.Attribute)]
    texts = [str(one.value) for each in compared for one in ast.walk(each) if isinstance(one, ast.Constant)]
    return any(map(_CHOICE.search, (*members, *texts)))


def _is_in_text_that_names_it(ctx: Context, node: ast.AST) -> bool:
    """Whether a text into which a digest is put says by which algorithm it is made: `"md5-" + digest`."""
    for parent in ctx.ancestors(node):
        if isinstance(parent, ast.stmt):
            return False
        parts = (
            (parent.left,)
            if isinstance(parent, ast.BinOp)
            else parent.values
            if isinstance(parent, ast.JoinedStr)
            else ()
        )
        if any(isinstance(part, ast.Constant) and NAMED.search(str(part.value)) for part in parts):
            return True
    return False
