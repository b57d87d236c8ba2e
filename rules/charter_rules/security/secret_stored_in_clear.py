"""Finds passwords, keys and personal data that are written to files or cookies unencrypted."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Confidence,
    Sensitivity,
    Severity,
    regex,
    rule,
    sensitivity,
    words,
)
from charter_rules import building, calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_FOR_OWNER: Final = regex(
    r"chmod|umask|0o[0-7]00\b|opener\s*=|S_I[RW]USR|\b(?:mkstemp|mkdtemp|NamedTemporaryFile|TemporaryDirectory)\("
)
"""Ways to make files and folders that only their owner can read."""
_MAKES_KEYS: Final = regex(
    r"(?i)(?:gen(?:erate)?|create|make|new|write|save|export|dump)_?\w*(?:key|pem|cert)|key_?(?:pair|gen)"
)
"""Names of functions that are there to put a key into its file."""
_OF_REDIS: Final = ("set", "setex", "setnx", "hset", "hsetnx")
_OF_DOCUMENTS: Final = ("insert_one", "insert", "update_one", "put_item", "create")
_OF_ROWS: Final = ("execute",)
_OF_OBJECTS: Final = ("commit",)
"""What a session does to keep the objects that were added to it."""
_IN_DATABASES: Final = frozenset({*_OF_REDIS, *_OF_DOCUMENTS, *_OF_ROWS, *_OF_OBJECTS})
"""Methods of databases that keep what they are given."""
_PROTECTED: Final = regex(
    r"(?i)hash|crypt|argon|pbkdf|digest|hmac|cipher|fernet|seal|set_password|passlib|encod(?:er|ed)_?pass|\bkms\b|vault"
)
"""What code speaks of that keeps no password as it is."""
_KEEPS: Final = regex(r"(?is)^\s*(?:insert|replace|update)\b.*\b(?:password|passwd|pwd)\b")
"""A statement that puts a password into a row."""


@rule(
    ast.Call,
    code="SEC044",
    principles=("private-data-stays-private",),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(312, 313, 315, 256, 522),
    calls=(
        "*.write",
        "*.writelines",
        "*.write_text",
        "*.set_cookie",
        "json.dump",
        "yaml.dump",
        "yaml.safe_dump",
        *(f"*.{name}" for name in (*_OF_REDIS, *_OF_DOCUMENTS, *_OF_ROWS, *_OF_OBJECTS)),
    ),
    references=("https://cwe.mitre.org/data/definitions/312.html",),
)
def secret_stored_in_clear(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Store secrets encrypted, or passwords as slow hashes.

    What is in a file or a cookie as it is can be read by everybody who gets at the disk, the backup or the browser. Passwords need only be
    compared, so store their slow hash; keys belong in the system's key store.

    ```python bad
    def remember(path, password):
        with open(path, "w") as file:
            file.write(password)
    #                  ^^^^^^^^ `password` is kept in a file as it is
    ```
    ```python good
    import keyring

    def remember(user, password):
        keyring.set_password("shop", user, password)

    def save(path, encrypted_password):
        with open(path, "w") as file:
            file.write(encrypted_password)
    ```
    """
    function = calls.identifier(call.func)
    if function in _IN_DATABASES:
        yield from _in_database(call, function, ctx)
        return
    if function == "set_cookie":
        stored = ctx.argument(call, 1, "value")
        where = "a cookie"
    else:
        stored = ctx.argument(call, 0, "data")
        where = "a file"
    if stored is None or ctx.is_test:
        return
    if function in {"write", "writelines"} and not _is_file(call, ctx):
        ctx.not_an_opportunity()
        return
    found = _secret(stored, ctx)
    if found is not None and _is_key_in_its_file(found, call, ctx):
        return
    around = ctx.function(call) or ctx.tree
    text = ctx.text if isinstance(around, ast.Module) else ctx.source(around)
    if where == "a file" and _FOR_OWNER.search(text):
        return  # the file is for its owner only
    if found is not None and not (
        function == "set_cookie" and sensitivity(calls.identifier(found)) is Sensitivity.TOKEN
    ):
        yield ctx.finding(found, f"`{calls.short(ctx, found)}` is kept in {where} as it is")


def _in_database(call: ast.Call, function: str, ctx: Context) -> Iterator[Finding]:
    """Passwords that a database keeps, where nothing hashes or encrypts them."""
    found = None
    if not ctx.is_test and "passw" in ctx.text:
        kept = _kept_in_database(call, function, ctx)
        found = next((one for one in kept if _is_password(one, ctx)), None)
    if found is None:
        ctx.not_an_opportunity()
    else:
        yield ctx.finding(found, f"`{calls.short(ctx, found)}` is kept in a database as it is")


def _kept_in_database(call: ast.Call, function: str, ctx: Context) -> Iterator[ast.expr]:
    """The values that a call has a database keep where a password belongs."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if function in _OF_REDIS:
        if (
            owner is not None
            and "redis" in ctx.text
            and ctx.made_by(owner).startswith(("redis.", "aioredis."))
        ):
            yield from call.args[1:]
    elif function in _OF_ROWS:
        statement = ctx.value(call.args[0]) if len(call.args) > 1 else None
        given = ctx.origin(call.args[1]) if isinstance(statement, str) and _KEEPS.search(statement) else None
        yield from given.elts if isinstance(given, (ast.Tuple, ast.List)) else ()
    elif function in _OF_OBJECTS:
        yield from _of_added(call, ctx)
    elif function == "create":
        told = calls.keyword(call, "password")
        if told is not None and calls.identifier(owner) == "objects":
            yield told.value
    else:
        for item in (*call.args, *(keyword.value for keyword in call.keywords)):
            for part in (item, *ctx.nodes(ast.Dict, within=item)):
                value = calls.entry(ctx.origin(part), "password")
                if value is not None:
                    yield value


def _of_added(commit: ast.Call, ctx: Context) -> Iterator[ast.expr]:
    """The passwords that objects were made with which a session keeps, where their class is seen to leave them as they are."""
    around = ctx.function(commit)
    if around is None or ctx.says(_PROTECTED):
        return
    classes = {one.name for one in ctx.nodes(ast.ClassDef) if one.bases}
    for call in ctx.nodes(ast.Call, within=around):
        made = ctx.origin(call.args[0]) if calls.identifier(call.func) == "add" and call.args else None
        if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id in classes:
            told = calls.keyword(made, "password")
            if told is not None:
                yield told.value


def _is_password(kept: ast.expr, ctx: Context) -> bool:
    """Whether a value is a password, as a client or a caller gave it."""
    if sensitivity(calls.identifier(kept)) is not Sensitivity.PASSWORD:
        return False
    made, around = ctx.origin(kept), ctx.function(kept)
    if around is None or _PROTECTED.search(ctx.source(around)):
        return False
    # What a caller gives may be a hash already, where the file knows how to make one.
    return calls.is_asked_of_client(made) or (isinstance(made, ast.Name) and not ctx.says(_PROTECTED))


def _is_key_in_its_file(found: ast.expr, call: ast.Call, ctx: Context) -> bool:
    """Whether a private key is written by code that is there to make one, which others then keep safe."""
    around = f"{ctx.path.rpartition('/')[2]} {ctx.symbol(call)}"
    return words(calls.identifier(found))[:2] == ("private", "key") and _MAKES_KEYS.search(around) is not None


def _is_file(call: ast.Call, ctx: Context) -> bool:
    """Whether `x.write` writes to a file on disk."""
    if not isinstance(call.func, ast.Attribute):
        return False
    return ctx.type_name(call.func.value) == "io.IOBase"


def _is_manifest(made: ast.expr) -> bool:
    """Whether a value describes a secret for Kubernetes."""
    return isinstance(made, ast.Dict) and calls.entry(made, "apiVersion") is not None


def _secret(expression: ast.expr, ctx: Context) -> ast.expr | None:
    """The private value that is stored, alone or inside of built text."""
    if isinstance(expression, (ast.Name, ast.Attribute)) or calls.is_asked_of_client(expression):
        kind = sensitivity(calls.identifier(expression))
        made = ctx.origin(expression)
        if kind is None or isinstance(made, (ast.Constant, ast.Compare)) or _is_manifest(made):
            return None
        if isinstance(made, ast.Call) and re.search(
            r"(?i)encrypt|hash|crypt|seal|sign|public|private_bytes", ctx.source(made.func)
        ):
            return None
        return expression
    if isinstance(expression, ast.Call) and calls.identifier(expression.func) in {"encode", "str", "dumps"}:
        owner = expression.func.value if isinstance(expression.func, ast.Attribute) else None
        return next(
            (
                found
                for part in (owner, *expression.args)
                if part is not None and (found := _secret(part, ctx))
            ),
            None,
        )
    if isinstance(expression, ast.Call) and building.asks_for_secret(calls.identifier(expression.func)):
        return expression
    parts = building.pieces(expression, ctx)
    for piece in parts or ():
        if piece.value is not None:
            found = _secret(piece.value, ctx)
            if found is not None:
                return found
    if isinstance(expression, (ast.List, ast.Tuple)):
        return next((found for value in expression.elts if (found := _secret(value, ctx))), None)
    if isinstance(expression, ast.Dict):
        return next((found for value in expression.values if (found := _secret(value, ctx))), None)
    return None
