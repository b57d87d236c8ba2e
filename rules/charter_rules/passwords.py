"""Which digests are made of passwords that are kept, so that they must be slow. It does not say what a slow one is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Sensitivity, regex, sensitivity
from charter_rules import building, calls, digests, protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Related

PROTOCOL: Final = regex(
    r"(?i)mysql|postgres|ntlm|scram|digest_?auth|http_?digest|auth_?digest|ha[12]$|hibp|pwned|breach|wpa|legacy|upgrade|sha1_then|fernet|deriv|apop|pop3|sasl|jabber|challenge|transport|cache|extractor|client|device|handshake|session_key|md5password|(?:^|[._ /])srp"
)
_NOT_KEPT: Final = regex(
    r"(?i)\bnot\b[^.\n]{0,20}\b(?:persisted|stored|storage)\b|challenge|\brealm\b|nonce|verification_token|\bhmac\.(?:new|digest)\("
)
"""What a function says about a digest that is compared in memory, or proves to another side that the password is known."""
_SLOW_HASHES: Final = "(?:bcrypt|argon2|scrypt|pbkdf2)"
_SLOW: Final = regex(rf"\b{_SLOW_HASHES}\w*[.(]|_{_SLOW_HASHES}\w*\(")
"""What is called where old digests are still known, and new ones are made slow."""
_WINDOWS: Final = regex(r"(?i)utf[-_]?16")
"""How Windows writes a password before it hashes it, by its own formats."""
_CHECKS: Final = regex(r"(?i)valid|verif|check|compare")
"""Names of functions that are given a password and what was kept of it."""
_SLOW_ONE: Final = regex(rf"(?i)\b{_SLOW_HASHES}")
_MADE: Final = regex(r"(?i)^_*(?:stretched|derived|hashed|encrypted|crypted)")
"""Names of what has been made of a password already."""
_STOLEN: Final = regex(r"(?i)pwned|\bhibp\b")
"""Whom programs ask whether a password has been stolen, by the beginning of its digest."""
_KEEPS: Final = regex(
    r"(?i)(?:hash|crypt|digest|encode|make|set|check|verify|valid|compare|change|update|store|save)\w*(?:passw|pwd|passphrase)"
    r"|(?:passw|pwd|passphrase)\w*(?:hash|crypt|digest|check|verif|valid|match)"
)
"""Names of functions that make of passwords what is kept, or compare them with it."""
_KEPT: Final = regex(r"(?i)passw|pwd|passphrase|pass_?(?:hash|digest)|hash_?pass")
"""Names of what is kept of a password."""
_FIELD: Final = regex(r"(?i)hash|digest")
"""Names of fields that hold a digest."""
_OLD: Final = regex(r"(?i)(?:^|_)(?:legacy|old|former|previous)")
"""Names of digests that are compared with what was kept before."""
_OF_KEYS: Final = regex(r"(?i)api_?key|token")
"""Classes that hash what has been drawn at random, which nobody guesses however fast it is hashed."""
_BEGUN: Final = frozenset({*digests.CALLS, "hashlib.new", digests.HAZMAT})
_ANY_DATA: Final = regex(r"(?i)check_?sum|finger_?print|cache|etag|_id$|key$|token|sign")
"""Functions whose digests are no stored passwords, whatever they are given."""


def hashed(call: ast.Call, ctx: Context) -> tuple[str, tuple[Related, ...]]:
    """The name of the password that a call of `hashlib` or of a digest's `update` hashes, and where it is given.

    Returns:
        "" if it hashes none, or if a protocol, a scheme or a slow hash beside it decides.
    """
    given = data(call, ctx)
    if given is None or ctx.is_test:
        return "", ()
    names = [(name, ()) for name in _names(given)] + _given_names(given, ctx)
    class_ = ctx.class_(call)
    if class_ is not None and _OF_KEYS.search(class_.name):
        return "", ()
    name, related = next((one for one in names if sensitivity(one[0]) is Sensitivity.PASSWORD), ("", ()))
    if not name or _MADE.search(name) or asks_for_stolen(ctx):
        return "", ()
    if PROTOCOL.search(f"{ctx.symbol(call)} {ctx.module} {ctx.path}"):
        return "", ()
    if _is_stretched(call, ctx):
        return "", ()
    if ctx.says(_SLOW) and any(map(_OLD.search, calls.destinations(ctx, call))):
        return "", ()
    around = ctx.function(call)
    if around is not None and digests.NAMED.search(around.name) and not _is_kept(around, ctx):
        return "", ()  # whoever calls it has chosen the algorithm, and knows what for
    if around is not None and _is_checked_otherwise(call, given, around, ctx):
        return "", ()
    if not _is_stored(call, ctx):
        return "", ()
    if around is not None and (
        _NOT_KEPT.search(ctx.source(around))
        or _WINDOWS.search(ctx.source(around))
        or _SLOW.search(ctx.source(ctx.class_(call) or around))
    ):
        return "", ()
    if (
        digests.is_of_a_scheme(ctx, call)
        or digests.are_offered(ctx)
        or digests.is_asked_for(ctx, call)
        or protocols.dictated(ctx, call)
        or protocols.is_of_client(ctx, call)
        or protocols.is_sent(ctx, call)
    ):
        return "", ()
    return name, related


def _is_checked_otherwise(call: ast.Call, given: ast.expr, around: ast.AST, ctx: Context) -> bool:
    """Whether the function has the same password checked by another one, so that the digest is of what was kept before."""
    named = shapes.names_in(given)
    named |= {
        calls.identifier(each.targets[0])
        for each in ctx.nodes(ast.Assign, within=around)
        if not named.isdisjoint(shapes.names_in(each.value))
    }
    return any(
        other is not call
        and _CHECKS.search(calls.identifier(other.func)) is not None
        and len(other.args) > 1
        and any(isinstance(one, ast.Name) and one.id in named for one in other.args)
        for other in ctx.nodes(ast.Call, within=around)
    )


def _is_stored(call: ast.Call, ctx: Context) -> bool:
    """Whether a digest is kept under the name of a password, compared, or made by a function that is named for it."""
    function = ctx.function(call)
    if function is not None and _KEEPS.search(function.name):
        return True
    held = call.func.value if isinstance(call.func, ast.Attribute) and ctx.name(call.func) is None else None
    made: list[ast.expr] = [call]
    if isinstance(held, ast.Name):
        made = [use for use in shapes.reads_in(held.id, function or ctx.tree, ctx) if not _updates(use, ctx)]
    made += [use for one in made for use in shapes.reads_of_statement(one, ctx)]
    if any(_is_put_away(one, ctx) for one in made):
        return True
    if function is None or not any(isinstance(ctx.statement(one), ast.Return) for one in made):
        return False
    asked = shapes.calls_of(function, ctx)
    return not asked or any(
        _is_put_away(use, ctx) for one in asked for use in (one, *shapes.reads_of_statement(one, ctx))
    )


def _is_put_away(digest: ast.expr, ctx: Context) -> bool:
    """Whether a digest gets the name of a password or becomes a field, or is compared."""
    if _is_compared(digest, ctx) or any(map(_KEPT.search, calls.destinations(ctx, digest))):
        return True
    statement = ctx.statement(digest)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    return (
        isinstance(target, (ast.Attribute, ast.Subscript))
        and _FIELD.search(calls.identifier(target)) is not None
    )


def _updates(use: ast.expr, ctx: Context) -> bool:
    parent = ctx.parent(use)
    return isinstance(parent, ast.Attribute) and parent.attr == "update"


def _is_compared(digest: ast.expr, ctx: Context) -> bool:
    for parent in ctx.ancestors(digest):
        if isinstance(parent, ast.Compare):
            return isinstance(parent.ops[0], (ast.Eq, ast.NotEq))
        if isinstance(parent, ast.stmt):
            return False
    return False


def _is_kept(function: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> bool:
    """Whether a function does more than to return a digest, or this file gives its results the name of a password."""
    if len(shapes.without_docstring(function.body)) > 1:
        return True
    return any(
        sensitivity(name) is Sensitivity.PASSWORD
        for use in shapes.calls_of(function, ctx)
        for name in calls.destinations(ctx, use)
    )


def calls_slow_hash(text: str) -> bool:
    """Whether a text of code calls a slow hash."""
    return _SLOW.search(text) is not None


def hashes_slowly(ctx: Context) -> bool:
    """Whether a file calls a slow hash, so that its digests are of other things, or only prepare passwords for it."""
    return ctx.says(_SLOW)


def asks_for_stolen(ctx: Context) -> bool:
    """Whether a file asks which passwords have been stolen."""
    return ctx.says(_STOLEN)


def _is_stretched(call: ast.Call, ctx: Context) -> bool:
    """Whether the function around hashes again and again, or says for which slow hash it only prepares the password."""
    function = ctx.function(call)
    if function is None:
        return False
    if _SLOW_ONE.search(ast.get_docstring(function) or ""):
        return True
    return any(
        ctx.name(again.func) in digests.CALLS
        for loop in ctx.nodes(ast.For, within=function)
        if isinstance(loop.iter, ast.Call) and ctx.name(loop.iter.func) == "builtins.range"
        for again in ctx.nodes(ast.Call, within=loop)
    )


def data(call: ast.Call, ctx: Context) -> ast.expr | None:
    """What a call hashes; None if it hashes nothing."""
    name = ctx.name(call.func)
    if name in digests.CALLS:
        return ctx.argument(call, 0, "string") or ctx.argument(call, None, "data")
    if name == "hashlib.new":
        return ctx.argument(call, 1, "data")
    if name is None and isinstance(call.func, ast.Attribute):
        made = ctx.origin(call.func.value)
        if isinstance(made, ast.Call) and ctx.name(made.func) in _BEGUN:
            return ctx.argument(call, 0)
    return None


def _given_names(data: ast.expr, ctx: Context) -> list[tuple[str, tuple[Related, ...]]]:
    """What calls elsewhere name what they give to be hashed, where that is sensitive."""
    function = ctx.function(data)
    if function is None or _ANY_DATA.search(function.name) or hashes_slowly(ctx):
        return []
    return [
        (told.identifier, (ctx.related(told.location, "this is where it is given"),))
        for node in (data, *ctx.walk(data))
        if isinstance(node, ast.Name)
        for told in ctx.passed(node)
        if told.identifier
    ]


def _names(data: ast.expr) -> Iterator[str]:
    """The names of what is hashed; what other functions compute from them is another value."""
    if isinstance(data, ast.Call):
        function = calls.identifier(data.func)
        if building.asks_for_secret(function):
            yield function.partition("_")[2]
        if function in {"encode", "bytes", "str", "bytearray", "format"} or function.startswith("to_bytes"):
            for part in (data.func, *data.args):
                yield from _names(part)
        return
    if isinstance(data, ast.Attribute) and data.attr in {"encode", "format"}:
        yield from _names(data.value)
    elif isinstance(data, (ast.Name, ast.Attribute, ast.Subscript)):
        yield calls.identifier(data)
    elif isinstance(data, ast.BinOp):
        yield from _names(data.left)
        yield from _names(data.right)
    elif isinstance(data, ast.JoinedStr):
        for part in data.values:
            if isinstance(part, ast.FormattedValue):
                yield from _names(part.value)
