"""Finds passwords, keys and tokens that are written into the source, known by the name they are given."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import AddImport, Fix, Grade, Sensitivity, Severity, rule, sensitivity
from charter_rules import calls, credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding

_CONNECT: Final = re.compile(
    r"(?i)connect|^login$|engine|client$|session$|^redis$|^strictredis$|mysql|postgres|^ftp|^smtp|auth$|credentials?$|database$|^pool$"
    r"|^minio$|^elasticsearch$|driver$|server$"
)
_SECRET_CALLS: Final[dict[str, int]] = {
    "requests.auth.HTTPBasicAuth": 1,
    "requests.auth.HTTPDigestAuth": 1,
    "aiohttp.BasicAuth": 1,
    "httpx.BasicAuth": 1,
    "jwt.encode": 1,
    "jose.jwt.encode": 1,
    "jwt.decode": 1,
    "jose.jwt.decode": 1,
    "itsdangerous.URLSafeTimedSerializer": 0,
    "itsdangerous.URLSafeSerializer": 0,
    "itsdangerous.TimestampSigner": 0,
    "cryptography.fernet.Fernet": 0,
    "hmac.new": 0,
}
_LOGIN: Final[dict[str, int]] = {
    "smtplib.SMTP": 1,
    "smtplib.SMTP_SSL": 1,
    "ftplib.FTP": 1,
    "imaplib.IMAP4_SSL": 1,
}
_SAMPLES: Final = re.compile(
    r"(?i)(^|/)(tests?|examples?|samples?|demos?|fixtures?|mocks?|docs?)/|placeholder"
)
_KINDS: Final = frozenset({Sensitivity.PASSWORD, Sensitivity.SECRET, Sensitivity.TOKEN})


def _may_hold(node: ast.AST) -> bool:
    """Whether a node has the shape of a name with a value that is written down."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.keyword):
        return isinstance(node.value, (ast.Constant, ast.Tuple))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return bool(node.args.defaults or node.args.kw_defaults)
    return not isinstance(node, ast.Compare) or isinstance(node.comparators[0], ast.Constant)


@rule(
    ast.Assign,
    ast.AnnAssign,
    ast.Call,
    ast.keyword,
    ast.Dict,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Compare,
    code="SEC010",
    calls=(*_SECRET_CALLS, "*.login"),
    principles=("no-secrets-in-source",),
    severity=Severity.HIGH,
    when=_may_hold,
    cwe=(798, 259, 321),
    mentions=(
        "passw",
        "Passw",
        "PASSW",
        "passphrase",
        "_pass",
        "_PASS",
        "pwd",
        "PWD",
        "secret",
        "Secret",
        "SECRET",
        "token",
        "Token",
        "TOKEN",
        "_key",
        "_KEY",
        "apikey",
        "apiKey",
        "ApiKey",
        "APIKEY",
        "auth",
        "Fernet",
        "hmac",
        "jwt",
        "itsdangerous",
        "login",
        "-key",
        "-Key",
    ),
    aliases=("B105", "B106", "B107", "S105", "S106", "S107"),
    references=("https://cwe.mitre.org/data/definitions/798.html", "https://12factor.net/config"),
)
def hardcoded_secret(node: ast.AST, ctx: Context) -> Iterator[Finding]:
    """Read passwords and keys from the environment or a secret store.

    A password in the source is known to everybody who can read the source, cannot be changed without a release, and
    is the same in development and production. The name says that it is a secret; the value is reported only if it
    looks like one: placeholders, identifiers, hashes and templates are left alone.

    ```python bad
    DB_PASSWORD = "s3cr3t-Pa55"
    #             ^^^^^^^^^^^^^ `DB_PASSWORD` has its value in the source
    ```
    ```python fixed
    import os

    DB_PASSWORD = os.environ["DB_PASSWORD"]
    ```
    ```python good
    import os

    DB_PASSWORD = os.environ["DB_PASSWORD"]
    CONF_PASSWORD = "password"
    PASSWORD_HASH = "$2b$12$abcdefghijklmnopqrstuv"
    ```
    """
    found = False
    for name, value, connects in _named_values(node, ctx):
        text = value.value if isinstance(value, ast.Constant) else None
        if isinstance(text, bytes):
            text = text.decode("latin-1")
        if not isinstance(text, str) or ctx.is_test or _SAMPLES.search(ctx.path):
            continue
        found = True
        if _is_secret(name, text, connects=connects):
            yield ctx.finding(
                value, f"`{name}` has its value in the source", fix=_fix(name, value, node, ctx)
            )
    if not found:
        ctx.not_an_opportunity()


def _named_values(node: ast.AST, ctx: Context) -> Iterator[tuple[str, ast.expr, bool]]:
    """Names that say that a value is secret, the value, and whether it is surely used to log in or to sign."""
    if isinstance(node, ast.Assign):
        if isinstance(node.value, ast.Constant):
            for target in node.targets:
                name = calls.identifier(target)
                if sensitivity(name) in _KINDS:
                    yield name, node.value, _is_flask_key(target, name, ctx)
    elif isinstance(node, ast.AnnAssign):
        name = calls.identifier(node.target)
        if isinstance(node.value, ast.Constant) and sensitivity(name) in _KINDS:
            yield name, node.value, False
    elif isinstance(node, ast.keyword):
        yield from _of_keyword(node, ctx)
    elif isinstance(node, ast.Call):
        yield from _of_call(node, ctx)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                name = calls.identifier_of_key(key)
                if sensitivity(name) in _KINDS:
                    yield name, value, False
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from _of_defaults(node)
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
        name = calls.identifier(node.left)
        if isinstance(node.comparators[0], ast.Constant) and sensitivity(name) in _KINDS:
            yield name, node.comparators[0], False


def _of_defaults(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr, bool]]:
    positional = [*node.args.posonlyargs, *node.args.args]
    defaults = node.args.defaults
    pairs = [*zip(positional[len(positional) - len(defaults) :], defaults, strict=True)]
    pairs += [
        (arg, value) for arg, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if value
    ]
    for argument, value in pairs:
        if isinstance(value, ast.Constant) and sensitivity(argument.arg) in _KINDS:
            yield argument.arg, value, False


def _of_keyword(item: ast.keyword, ctx: Context) -> Iterator[tuple[str, ast.expr, bool]]:
    value = item.value
    if item.arg == "auth" and isinstance(value, ast.Tuple) and len(value.elts) == 2:
        yield "auth", value.elts[1], True
    elif (
        item.arg
        and isinstance(value, ast.Constant)
        and isinstance(value.value, str)
        and sensitivity(item.arg) in _KINDS
    ):
        call = ctx.parent(item)
        function = calls.identifier(call.func) if isinstance(call, ast.Call) else ""
        yield item.arg, value, bool(_CONNECT.search(function))


def _of_call(call: ast.Call, ctx: Context) -> Iterator[tuple[str, ast.expr, bool]]:
    function = calls.identifier(call.func)
    name = ctx.name(call.func)
    position = _SECRET_CALLS.get(name or "")
    if position is None and function == "login" and isinstance(call.func, ast.Attribute):
        position = _LOGIN.get(ctx.type_name(call.func.value) or "")
    if position is not None and position < len(call.args):
        value = ctx.origin(call.args[position])
        if isinstance(value, ast.Constant) and value.value:
            yield name or function, value, True


def _is_flask_key(target: ast.expr, name: str, ctx: Context) -> bool:
    """Whether an assignment sets the key that signs an application's sessions."""
    if isinstance(target, ast.Attribute) and name == "secret_key":
        return (ctx.type_name(target.value) or "flask.").startswith(("flask.", "quart."))
    return isinstance(target, ast.Subscript) and name in {"SECRET_KEY", "JWT_SECRET_KEY"}


def _is_secret(name: str, text: str, *, connects: bool) -> bool:
    if credentials.known_format(text) is not None:
        return False  # reported by its format
    if connects:
        return (
            len(text) >= 3
            and not re.search(r"[<>{}]|\$\{|%s|^\*+$|\s", text)
            and text.lower() != name.lower()
        )
    if credentials.looks_random(text):
        return True
    kind = sensitivity(name)
    if name in {"SECRET_KEY", "secret_key"}:
        return len(text) >= 20 and credentials.entropy(text) > 3.5 and not re.search(r"\s{2}|<|\{", text)
    return kind is Sensitivity.PASSWORD and credentials.looks_chosen(text)


def _fix(name: str, value: ast.expr, node: ast.AST, ctx: Context) -> Fix | None:
    """Read a module's constant from the environment."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not name.isupper():
        return None
    if isinstance(value, ast.Constant) and isinstance(value.value, bytes):
        return None
    edits: tuple[AnyEdit, ...] = (ctx.replace(value, f'os.environ["{name}"]'), AddImport("os"))
    return Fix(f"Read it from the environment variable `{name}`", edits, Grade.UNSAFE)
