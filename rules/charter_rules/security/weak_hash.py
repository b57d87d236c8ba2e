"""Finds MD5, SHA-1 and older digests that may serve security."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import Fix, Grade, Sensitivity, Severity, regex, rule, sensitivity
from charter_rules import calls, digests, passwords, protocols, secrecy, shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from charter.api import AnyEdit, Context, Finding

_WEAK: Final = {
    "md5": "MD5", "md4": "MD4", "md2": "MD2", "sha": "SHA-0", "sha1": "SHA-1", "md5-sha1": "MD5",
    "md5withrsa": "MD5", "sha1withrsa": "SHA-1",
}  # fmt: skip
_HASHLIB: Final = ("hashlib.md5", "hashlib.sha1", "hashlib.new")
_BY_NAME: Final[dict[str, tuple[int, str]]] = {
    "hashlib.new": (0, "name"), "hashlib.pbkdf2_hmac": (0, "hash_name"),
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
_HARMLESS: Final = regex(
    r"(?i)cache|etag|check_?sum|finger_?print|gravatar|dedup|bucket|shard|digest_auth|file_?name|color|colour|seed"
    r"|md5sum|sha1sum|git_|_git|unique|version|hash_?key|short_?(id|name)|torrent|websocket|content_?(hash|md5)"
    r"|[ug]uid|random_|e_?mail|thumb|sort|order|e_tag|install_?id|bytecode|change_?id|build_?id|slug|suffix|identifier|fetch|download|archive|pypi|package|wheel"
)
_SIGNATURE: Final = regex(r"(?i)(?<!as)(?<!de)sign(?!al|if|up|in|ed_)|mac(?:[^a-z]|$)|hmac")
"""Names of signatures and codes that authenticate a message: others make or check them too, and the algorithm is agreed on with them."""
_FORMER: Final = regex(r"(?i)#[^\n]*\b(?:compatib\w*|legacy|backwards?|former|previous(?:ly)?|old)\b")
"""What a comment says of digests that are still known from before."""
_KEY_ITSELF: Final = regex(r"(?i)(?:^|[_a-z])(?:key|secret|salt|token)$")
"""Names of what is hashed where something is signed with a key."""
_COMPARES: Final = regex(r"compare_digest|constant_time_compare")
_PROTECTED: Final = regex(r"(?i)token(?!i[sz])|credential|authenti|csrf|encrypt")
"""Names of functions and values for which a key is hashed."""
_SPOKEN_OF: Final = regex(r"(?i)passw|credential|sensitive")
"""Words in the code of a function that handles what must be protected."""
_COMMENTS: Final = regex(r"(?m)(?:^|\s)#.*$")
_KEEPS: Final = regex(r"\.(?:write(?:lines)?|execute|save|commit)\(")
"""Calls that keep what they are given."""
_COUNTS: Final = regex(r"(?i)check_?sum|cache|etag")
"""Words in the text of a function whose digests tell whether something has changed."""
_NAME_OF_FILE: Final = regex(r"(?i)(?:^|_)(?:path|dir|folder|file_?name|e_?tag|check_?sum)s?$|^id$")
"""Names of digests that say where something is kept or whether it has changed, whatever goes into them."""
_GATEWAYS: Final = regex(
    r"(?i)(?:^|[/_.])(?:pay|payments?|billing|merchants?|gateways?|(?:ali|wechat|we|weixin|union)_?pay|wechat|weixin|providers|integrations)(?:[/_.]|$)"
)
"""Names of what speaks to banks, shops and other services, which say how their requests are signed."""
_ISSUED: Final = regex(
    r"(?i)(?<![a-z])(?:client|app|application|api|consumer|merchant|partner|developer|corp|mch|shop|channel)_?(?:secret|password)(?!\w*_?key)|(?<![a-z])api_?key(?!\w)"
)
"""Secrets that a service gives to the programs that call it: it says how they sign."""
_DRAWN: Final = regex(
    r"(?i)\burandom\(|\buuid[14]?\(|\bsecrets\.|\btoken_(?:bytes|hex|urlsafe)\(|\brandom\b|\b(?:pbkdf2|scrypt|hkdf)\w*\("
)
"""What is drawn at random, or made so that it looks so: its digest says nothing, however weak."""
_STANDARD_USE: Final = regex(r"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")


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

    Only digests of secrets are reported, and keys of ciphers, in a file that answers requests, keeps or compares digests or encrypts
    with them; what a program only sends, those compare who have chosen the algorithm. Cache keys, ETags, checksums and identifiers
    are not, nor are signatures, on which two sides have agreed, the schemes and protocols of others, and HMAC, which is sound even
    with these digests. Of passwords that are kept tells `fast-password-hash`.

    ```python bad
    import hashlib
    import hmac

    def licence(owner, secret):
        return hashlib.md5(secret + owner).hexdigest()
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^ MD5 is broken and protects neither signatures nor passwords

    def is_licensed(owner, secret, shown):
        return hmac.compare_digest(licence(owner, secret), shown)
    ```
    ```python fixed
    import hashlib
    import hmac

    def licence(owner, secret):
        return hashlib.sha256(secret + owner).hexdigest()

    def is_licensed(owner, secret, shown):
        return hmac.compare_digest(licence(owner, secret), shown)
    ```
    ```python good
    import hashlib

    def licence(owner, secret):
        return hashlib.blake2b(owner, key=secret).hexdigest()

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
    if ctx.is_test:
        return
    if any(passwords.hashed(one, ctx)[0] for one in (call, *_later(call, ctx, "update"))):
        return  # `fast-password-hash` says more
    hashed = list(_hashed(call, ctx))
    if ctx.function(call) is not None and hashed and all(_is_said(part, ctx) for part in hashed):
        return  # everybody knows a constant: its digest is a name
    parts, becomes = list(_names(hashed)), list(_destinations(call, ctx))
    secret = any(sensitivity(word) for word in (*parts, *becomes)) or _is_given_a_secret(hashed, ctx)
    protects = secret or name == "hashlib.pbkdf2_hmac" or _protects(parts, becomes, call, ctx)
    if protects:
        if (
            digests.NAMED.search(ctx.symbol(call).rpartition(".")[2])
            or _is_lone_secret(hashed, ctx)
            or digests.is_of_a_scheme(ctx, call)
            or _says_where(call, ctx)
            or not _is_believed(call, ctx)
            or _is_signature(becomes, call, ctx)
            or any(
                _DRAWN.search(ctx.source(part)) or (name in _HASHLIB and _is_drawn(part, ctx))
                for part in hashed
            )
        ):
            return
    elif (
        _is_harmless(call, ctx)
        or _says_where(call, ctx)
        or not (_is_loose(call, ctx) or _is_kept_near_secrets(call, ctx))
    ):
        return
    if (
        protocols.dictated(ctx, call)
        or protocols.only_reads(ctx, call)
        or _prepares(call, ctx)
        or protocols.lays_out_bytes(ctx, call)
        or _answers_challenge(call, ctx)
        or _is_decided_elsewhere(call, ctx)
    ):
        return
    remedy = "" if protects else "; if this digest serves no security, say `usedforsecurity=False`"
    yield ctx.finding(
        call,
        f"{algorithm} is broken and protects neither signatures nor passwords{remedy}",
        fixes=_fixes(call, name, algorithm, ctx, protects=protects),
        severity=Severity.HIGH if secret else Severity.MEDIUM if protects else None,
    )


def _is_said(part: ast.expr, ctx: Context) -> bool:
    """Whether what is hashed is written in the code."""
    return all(isinstance(ctx.value(one), (str, bytes)) for one in (list(_whole(part)) or [part]))


def _is_drawn(part: ast.expr, ctx: Context) -> bool:
    """Whether something is drawn at random, here or where its name gets it."""
    return any(
        _DRAWN.search(ctx.source(one)) for one in (part, ctx.origin(part), *map(ctx.origin, _whole(part)))
    )


def _is_lone_secret(hashed: Iterable[ast.expr], ctx: Context) -> bool:
    """Whether nothing is hashed but a token or the key of a site, which nobody finds from its digest: nothing is signed."""
    named = {name for part in hashed for name in _leaves(part, ctx, 0)}
    name = named.pop() if len(named) == 1 else ""
    return name.upper() == "SECRET_KEY" or sensitivity(name) is Sensitivity.TOKEN


def _is_issued(part: ast.expr) -> bool:
    """Whether nothing is hashed but a secret that is given to programs that call: whoever does so keeps it or looks it up."""
    return any(
        isinstance(one, (ast.Name, ast.Attribute)) and _ISSUED.search(calls.identifier(one))
        for one in (part, *_whole(part))
    )


def _whole(part: ast.expr) -> Iterator[ast.expr]:
    """What is hashed as other bytes: `salt` of `salt.encode()`."""
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
        yield part.func.value


def _algorithm(call: ast.Call, name: str, ctx: Context) -> str | None:
    """The weak algorithm that a call uses, as people write it; None for a strong or unknown one."""
    if name in _ELSEWHERE:
        if name.endswith("hashes.SHA1") and _in_otp_or_signature_check(call, ctx):
            return None
        return _NAMES.get(_ELSEWHERE[name], _ELSEWHERE[name])
    if name in _BY_NAME:
        for choice in calls.choices(ctx, call, *_BY_NAME[name]):
            chosen = choice.value if isinstance(choice.value, str) else choice.name.removeprefix("hashlib.")
            # PBKDF2 is made of HMAC, which needs no collision resistance: with SHA-1 it is still sound.
            if chosen.lower() in _WEAK and (name == "hashlib.new" or "md" in chosen.lower()):
                return _WEAK[chosen.lower()]
        return None
    return {"hashlib.md5": "MD5", "hashlib.sha1": "SHA-1"}[name]


def _in_otp_or_signature_check(call: ast.Call, ctx: Context) -> bool:
    """Whether SHA-1 stands where it is sound, in one-time passwords (RFC 6238) and OAEP padding, or names a certificate."""
    for parent in ctx.ancestors(call):
        if isinstance(parent, ast.Call):
            last = calls.identifier(parent.func)
            if last in {"OAEP", "MGF1", "TOTP", "HOTP", "HMAC", "hmac_hash", "fingerprint"}:
                return True
        elif isinstance(parent, ast.stmt):
            return False
    return False


def _hashed(call: ast.Call, ctx: Context) -> Iterator[ast.expr]:
    """What is hashed: by the call itself, and by later `update` calls of the object that it makes."""
    yield from call.args
    yield from (argument for use in _later(call, ctx, "update") for argument in use.args)


def _later(call: ast.Call, ctx: Context, *methods: str) -> Iterator[ast.Call]:
    """The calls of a digest object's methods under the one name that it is given."""
    holder = ctx.parent(call)
    made = holder if isinstance(holder, ast.Call) and ctx.name(holder.func) == digests.HAZMAT else call
    for use in shapes.reads_of_result(made, ctx) or ():
        method = ctx.parent(use)
        user = ctx.parent(method) if isinstance(method, ast.Attribute) and method.attr in methods else None
        if isinstance(user, ast.Call) and user.func is method:
            yield user


def _names(hashed: Iterable[ast.expr]) -> Iterator[str]:
    """The names in what is hashed."""
    for argument in hashed:
        for node in ast.walk(argument):
            if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
                yield calls.identifier(node)


def _is_given_a_secret(hashed: Iterable[ast.expr], ctx: Context) -> bool:
    """Whether calls elsewhere give something secret to be hashed, other than for questions to servers of others."""
    given = (
        told
        for argument in hashed
        for node in ast.walk(argument)
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))
        for told in ctx.passed(node)
    )
    return (
        any(sensitivity(told.identifier) for told in given)
        and not protocols.asks(ctx.text)
        and not passwords.hashes_slowly(ctx)
    )


def _destinations(call: ast.Call, ctx: Context) -> Iterator[str]:
    """The names that the digest gets or is compared with, at once or when it is read out."""
    for use in (call, *_later(call, ctx, "digest", "hexdigest")):
        yield from calls.destinations(ctx, use)
        for parent in ctx.ancestors(use):
            if isinstance(parent, ast.Compare) and isinstance(parent.ops[0], (ast.Eq, ast.NotEq)):
                yield from map(calls.identifier, (parent.left, *parent.comparators))
            elif isinstance(parent, ast.stmt):
                break


def _says_where(call: ast.Call, ctx: Context) -> bool:
    """Whether a digest says where something is kept, whose it is, or whether it has changed."""
    return any(map(_NAME_OF_FILE.search, (*_destinations(call, ctx), ctx.symbol(call))))


def _is_harmless(call: ast.Call, ctx: Context) -> bool:
    """Whether the surroundings say that the digest is an identifier or a checksum, or is asked for by its name."""
    if _is_short(call, ctx) or any(isinstance(ctx.value(item), bytes) for item in call.args[:1]):
        return True
    statement = ctx.statement(call)
    names = [*calls.destinations(ctx, call), ctx.symbol(call)]
    if any(digests.NAMED.search(name) for name in names):
        return True
    names.append(ctx.path)
    if not isinstance(
        statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With, ast.If, ast.For)
    ):
        names.append(ctx.source(statement))
    return any(_HARMLESS.search(name) for name in names) or ctx.says(_STANDARD_USE)


def _is_loose(call: ast.Call, ctx: Context) -> bool:
    """Whether nothing tells what a digest is for, since it is not used, or used in no function and kept under no name."""
    if ctx.name(call.func) == "hashlib.new" and call.args and not isinstance(call.args[0], ast.Constant):
        return False  # it asks whether the algorithm is there
    parent = ctx.parent(call)
    if isinstance(parent, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
        return False  # one of those that there are
    while isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Call) and not parent.args):
        parent = ctx.parent(parent)
    return isinstance(parent, ast.Expr) or (
        ctx.function(call) is None and not isinstance(parent, (ast.Assign, ast.AnnAssign, ast.Lambda))
    )


def _is_kept_near_secrets(call: ast.Call, ctx: Context) -> bool:
    """Whether the function around a digest handles passwords or other sensitive data, and writes something down that is no checksum."""
    function = ctx.function(call)
    text = _COMMENTS.sub("", ctx.source(function)) if function is not None else ""
    return (
        _SPOKEN_OF.search(text) is not None
        and _KEEPS.search(text) is not None
        and _COUNTS.search(text) is None
    )


def _answers_challenge(call: ast.Call, ctx: Context) -> bool:
    """Whether a digest shows another side that a password is known, in a form that both have agreed on."""
    around = ctx.class_(call) or ctx.function(call)
    return around is not None and re.search(r"(?i)challenge|realm|\bcnonce\b", ctx.source(around)) is not None


def _prepares(call: ast.Call, ctx: Context) -> bool:
    """Whether a digest goes into a key that is made slowly, or is of what was kept before."""
    function = ctx.function(call)
    text = "" if function is None else ctx.source(function)
    return passwords.calls_slow_hash(text) or _FORMER.search(text) is not None


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


def _is_decided_elsewhere(call: ast.Call, ctx: Context) -> bool:
    """Whether others decide on the algorithm: callers that choose by name, a server, or who has given out the key."""
    if digests.are_offered(ctx) or digests.is_asked_for(ctx, call) or protocols.is_of_client(ctx, call):
        return True
    function = ctx.function(call)
    text = "" if function is None else ctx.source(function)
    return _GATEWAYS.search(f"{ctx.path} {ctx.symbol(call)}") is not None or (
        _ISSUED.search(text) is not None and not any(map(_is_issued, _hashed(call, ctx)))
    )


def _leaves(expression: ast.AST, ctx: Context, depth: int) -> Iterator[str]:
    """The names of the values that an expression is made of, not those of what only forms them."""
    if isinstance(expression, (ast.Name, ast.Attribute, ast.Subscript)):
        made = ctx.origin(expression) if depth < 4 else expression
        if made is expression or isinstance(made, ast.Constant):
            yield calls.identifier(expression)
        else:
            yield from _leaves(made, ctx, depth + 1)
    elif isinstance(expression, ast.Call):
        owner = expression.func.value if isinstance(expression.func, ast.Attribute) else None
        given = [*expression.args, *([] if owner is None else [owner])]
        found = [name for part in given for name in _leaves(part, ctx, depth + 1)]
        yield from found or (calls.identifier(expression.func),)
    else:
        for part in ast.iter_child_nodes(expression):
            yield from _leaves(part, ctx, depth + 1)


def _protects(parts: Iterable[str], becomes: Iterable[str], call: ast.Call, ctx: Context) -> bool:
    """Whether a key is hashed where something is encrypted, made a key of, or proves who somebody is."""
    names = [ctx.symbol(call).rpartition(".")[2], *becomes]
    if not any(map(_KEY_ITSELF.search, parts)) or any(map(_HARMLESS.search, names)):
        return False
    return any(map(_PROTECTED.search, names)) or secrecy.is_key(call, ctx)


def _is_believed(call: ast.Call, ctx: Context) -> bool:
    """Whether this program relies on a digest: it answers requests, keeps or compares digests or encrypts with them.

    What it only sends to others, they compare, and it is they who have chosen the algorithm.
    """
    function = ctx.function(call)
    return (
        protocols.serves(ctx)
        or (function is not None and _KEEPS.search(ctx.source(function)) is not None)
        or secrecy.is_key(call, ctx)
        or _is_compared(call, ctx)
    )


def _is_signature(becomes: Iterable[str], call: ast.Call, ctx: Context) -> bool:
    """Whether a digest is a signature, on which two sides have agreed."""
    return any(map(_SIGNATURE.search, (*becomes, ctx.symbol(call).rpartition(".")[2])))


def _is_compared(call: ast.Call, ctx: Context) -> bool:
    """Whether a file compares digests, or what the function around one returns."""
    return ctx.once(_compares_digests) or _is_compared_by_users(call, ctx)


def _is_compared_by_users(call: ast.Call, ctx: Context) -> bool:
    """Whether those who call the function around a digest compare what it returns."""
    function = ctx.function(call)
    asked = () if function is None else shapes.calls_of(function, ctx)
    return any(_is_side(one, ctx) for use in asked for one in (use, *shapes.reads_of_statement(use, ctx)))


def _compares_digests(ctx: Context) -> bool:
    return any(
        _is_side(use, ctx)
        for name in ("digest", "hexdigest")
        for read in ctx.gets.get(name, ())
        if isinstance(made := ctx.parent(read), ast.Call)
        for use in (made, *shapes.reads_of_statement(made, ctx))
    )


def _is_side(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is one side of a comparison."""
    for parent in ctx.ancestors(value):
        if isinstance(parent, ast.stmt):
            return False
        if isinstance(parent, ast.Compare):
            return isinstance(parent.ops[0], (ast.Eq, ast.NotEq))
        if isinstance(parent, ast.Call) and _COMPARES.search(calls.identifier(parent.func)):
            return True
    return False


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
