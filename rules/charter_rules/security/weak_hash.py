"""Finds MD5, SHA-1 and older digests that may serve security."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import Fix, Grade, Severity, rule, sensitivity
from charter_rules import calls, protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding

_WEAK: Final = {
    "md5": "MD5", "md4": "MD4", "md2": "MD2", "sha": "SHA-0", "sha1": "SHA-1", "md5-sha1": "MD5",
    "md5withrsa": "MD5", "sha1withrsa": "SHA-1",
}  # fmt: skip
_HASHLIB: Final = ("hashlib.md5", "hashlib.sha1", "hashlib.new")
_BY_NAME: Final[dict[str, tuple[int, str]]] = {
    "hashlib.new": (0, "name"), "hmac.new": (2, "digestmod"), "hmac.HMAC": (2, "digestmod"), "hmac.digest": (2, "digest"),
    "hashlib.pbkdf2_hmac": (0, "hash_name"),
}  # fmt: skip
"""Functions that take the algorithm as an argument."""
_ELSEWHERE: Final = {
    **{
        f"{root}.Hash.{name}.new": name
        for root in ("Crypto", "Cryptodome")
        for name in ("MD2", "MD4", "MD5", "SHA", "SHA1")
    },
    "cryptography.hazmat.primitives.hashes.MD5": "MD5",
    "cryptography.hazmat.primitives.hashes.SHA1": "SHA-1",
    "md5.new": "MD5",
    "md5.md5": "MD5",
    "sha.new": "SHA-1",
}
_NAMES: Final = {"SHA": "SHA-1", "SHA1": "SHA-1"}
_HARMLESS: Final = re.compile(
    r"(?i)cache|etag|check_?sum|finger_?print|gravatar|dedup|bucket|shard|digest_auth|file_?name|color|colour|seed"
    r"|md5sum|sha1sum|git_|_git|unique|version|hash_?key|short_?(id|name)|torrent|websocket|content_?(hash|md5)"
    r"|uuid|random_|e_?mail|thumb|sort|order|e_tag|install_?id|bytecode|change_?id|build_?id|slug|suffix|identifier|fetch|download|archive|pypi|package|wheel"
)
_SECURITY: Final = re.compile(
    r"(?i)sign(?!al)|hmac|(^|[^a-z])mac([^a-z]|$)|passw|secret|token(?!i[sz])|credential|authenti|encrypt|csrf|nonce|session"
)
_NAMED_FOR_IT: Final = re.compile(r"(?i)md[245]|sha_?1")
"""Names that say the algorithm: whoever uses them has chosen it."""
_STANDARD_USE: Final = re.compile(r"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")


@rule(
    ast.Call,
    code="SEC004",
    principles=("sound-cryptography",),
    severity=Severity.LOW,
    cwe=(327, 328),
    calls=(*_HASHLIB, *_BY_NAME, *_ELSEWHERE),
    aliases=("B303", "B324", "S303", "S324"),
    references=(
        "https://docs.python.org/3/library/hashlib.html",
        "https://csrc.nist.gov/projects/hash-functions",
    ),
)
def weak_hash(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Hash with SHA-2 or SHA-3, or say that the digest serves no security.

    MD5 and SHA-1 are broken: two documents with the same digest can be made on a laptop, so a signature, a token
    or an integrity check built on them can be forged. Where a digest is only a cache key or a checksum,
    `usedforsecurity=False` says so to readers, to reviewers and to FIPS builds of Python.

    Digests whose name or destination says that they are cache keys, ETags or checksums are not reported.

    ```python bad
    import hashlib

    def sign(message, key):
        return hashlib.md5(key + message).hexdigest()
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^ MD5 is broken and protects neither signatures nor passwords
    ```
    ```python fixed
    import hashlib

    def sign(message, key):
        return hashlib.sha256(key + message).hexdigest()
    ```
    ```python good
    import hashlib

    def sign(message, key):
        return hashlib.blake2b(message, key=key).hexdigest()

    def etag(page):
        return hashlib.md5(page, usedforsecurity=False).hexdigest()
    ```
    """
    name = ctx.name(call.func) or ""
    algorithm = _algorithm(call, name, ctx)
    if algorithm is None:
        return
    if name in _HASHLIB and calls.value(ctx, call, None, "usedforsecurity", default=True) is not True:
        return
    secret = any(sensitivity(word) for word in _hashed_names(call, ctx))
    protects = secret or name in _BY_NAME.keys() - {"hashlib.new"} or _protects(call, ctx)
    if ctx.is_test or (not protects and _is_harmless(call, ctx)):
        return
    if protocols.dictated(ctx, call) or protocols.asked_of_others(ctx, call) or _answers_challenge(call, ctx):
        return
    remedy = "" if protects else "; if this digest serves no security, say `usedforsecurity=False`"
    yield ctx.finding(
        call,
        f"{algorithm} is broken and protects neither signatures nor passwords{remedy}",
        fixes=_fixes(call, name, algorithm, ctx, protects=protects),
        severity=Severity.HIGH if secret else Severity.MEDIUM if protects else None,
    )


def _algorithm(call: ast.Call, name: str, ctx: Context) -> str | None:
    """The weak algorithm that a call uses, as people write it; None for a strong or unknown one."""
    if name in _ELSEWHERE:
        if name.endswith("hashes.SHA1") and _in_otp_or_signature_check(call, ctx):
            return None
        return _NAMES.get(_ELSEWHERE[name], _ELSEWHERE[name])
    if name in _BY_NAME:
        for choice in calls.choices(ctx, call, *_BY_NAME[name]):
            chosen = choice.value if isinstance(choice.value, str) else choice.name.removeprefix("hashlib.")
            # HMAC needs no collision resistance: with SHA-1 it is still sound, with MD5 it is on its way out.
            if chosen.lower() in _WEAK and (name == "hashlib.new" or "md" in chosen.lower()):
                return _WEAK[chosen.lower()]
        return None
    return {"hashlib.md5": "MD5", "hashlib.sha1": "SHA-1"}[name]


def _in_otp_or_signature_check(call: ast.Call, ctx: Context) -> bool:
    """Whether SHA-1 stands where it is sound: in one-time passwords (RFC 6238) and OAEP padding."""
    for parent in ctx.ancestors(call):
        if isinstance(parent, ast.Call):
            last = calls.identifier(parent.func)
            if last in {"OAEP", "MGF1", "TOTP", "HOTP", "HMAC", "hmac_hash"}:
                return True
        elif isinstance(parent, ast.stmt):
            return False
    return False


def _hashed_names(call: ast.Call, ctx: Context) -> Iterator[str]:
    """The names of what is hashed, and the names that the digest gets."""
    for argument in call.args:
        for node in ast.walk(argument):
            if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
                yield calls.identifier(node)
                yield from (told.identifier for told in ctx.passed(node))
    yield from calls.destinations(ctx, call)


def _is_harmless(call: ast.Call, ctx: Context) -> bool:
    """Whether the surroundings say that the digest is an identifier or a checksum, or is asked for by its name."""
    if _is_short(call, ctx) or any(isinstance(ctx.value(item), bytes) for item in call.args[:1]):
        return True
    statement = ctx.statement(call)
    names = [*calls.destinations(ctx, call), ctx.symbol(call)]
    if any(_NAMED_FOR_IT.search(name) for name in names):
        return True
    names.append(ctx.path)
    if not isinstance(
        statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With, ast.If, ast.For)
    ):
        names.append(ctx.source(statement))
    return any(_HARMLESS.search(name) for name in names) or bool(_STANDARD_USE.search(ctx.text))


def _answers_challenge(call: ast.Call, ctx: Context) -> bool:
    """Whether a digest shows another side that a password is known, in a form that both have agreed on."""
    around = ctx.class_(call) or ctx.function(call)
    return around is not None and re.search(r"(?i)challenge|realm", ctx.source(around)) is not None


def _is_short(call: ast.Call, ctx: Context) -> bool:
    """Whether only a piece of the digest is kept, or it is taken for a number, as identifiers and shares are."""
    for parent in ctx.ancestors(call):
        if isinstance(parent, ast.Subscript) or (
            isinstance(parent, ast.Call) and ctx.name(parent.func) == "builtins.int"
        ):
            return True
        if isinstance(parent, ast.stmt):
            return False
    return False


def _protects(call: ast.Call, ctx: Context) -> bool:
    """Whether the surroundings say that the digest protects something."""
    named = ctx.symbol(call).rpartition(".")[2]
    return any(_SECURITY.search(name) for name in (named, *calls.destinations(ctx, call)))


def _fixes(call: ast.Call, name: str, algorithm: str, ctx: Context, *, protects: bool) -> Iterator[Fix]:
    """A stronger digest where something is protected; else the statement that nothing is, which keeps every digest."""
    if name not in _HASHLIB:
        return
    strong: AnyEdit | None = None
    if name == "hashlib.new" and call.args and isinstance(call.args[0], ast.Constant):
        strong = ctx.replace(call.args[0], '"sha256"')
    elif isinstance(call.func, ast.Attribute) and name != "hashlib.new":
        strong = ctx.replace(ctx.name_span(call.func), "sha256")
    if not protects:
        yield Fix(
            f"Say that this {algorithm} serves no security",
            (ctx.set_keyword(call, "usedforsecurity", "False"),),
            Grade.UNSAFE,
        )
    if strong is not None:
        yield Fix("Hash with SHA-256", (strong,), Grade.UNSAFE if protects else Grade.SUGGESTION)
