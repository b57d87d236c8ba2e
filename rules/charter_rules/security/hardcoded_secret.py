"""Finds passwords, keys and tokens that are written into the source, known by the name they are given."""

from __future__ import annotations

import ast
import base64
import re
from typing import TYPE_CHECKING, Any, Final

from charter.api import UNKNOWN, AddImport, Fix, Grade, Sensitivity, Severity, regex, rule, sensitivity, words
from charter_rules import calls, credentials, places, protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding

_CONNECT: Final = regex(
    r"(?i)connect(?!_?args)|^login$|engine|client$|session$|^redis$|^strictredis$|mysql|postgres|^ftp|^smtp|auth$|credentials?$|database$|^pool$"
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
    "MySQLdb.connect": 2,
    "pymysql.connect": 2,
    "ftplib.FTP": 2,
    "ftplib.FTP_TLS": 2,
    "redis.Redis": 3,
    "ldap3.Connection": 2,
    "pika.PlainCredentials": 1,
    "pika.credentials.PlainCredentials": 1,
    "oracledb.connect": 1,
    "cx_Oracle.connect": 1,
    "influxdb.InfluxDBClient": 3,
    "twilio.rest.Client": 1,
    "github.Github": 0,
    "authlib.jose.jwt.encode": 2,
    "pyramid.session.SignedCookieSessionFactory": 0,
    "pyramid.authentication.AuthTktAuthenticationPolicy": 0,
}
_SECRET_METHODS: Final[dict[str, int]] = {"simple_bind_s": 1, "simple_bind": 1, "bind_s": 1}
"""Methods of connections to directories, and where they take the password."""
_ENVIRONMENT: Final = ("os.environ.get", "os.getenv", "os.environ.setdefault")
_PAIRS: Final = frozenset({"auth", "basic_auth", "http_auth"})
"""Keywords and attributes that take a user and a password."""
_SIGNING: Final[dict[str, str]] = {"secret_key": "SessionMiddleware", "cookie_secret": "Application"}
"""Keywords that take the key which signs sessions, and a word that the call has then."""
_DSN: Final = regex(r"(?:^|\s)password=([^\s'{}$%<>]{4,})")
_LOGIN: Final[dict[str, int]] = {
    "smtplib.SMTP": 1,
    "smtplib.SMTP_SSL": 1,
    "ftplib.FTP": 1,
    "imaplib.IMAP4_SSL": 1,
}
_SHOWN: Final = regex(r"(?i)(?:^|_)(?:example|sample|placeholder|demo)s?$")
"""Keys and names of what is shown as an example."""
_COUNTS_USE: Final = regex(
    r"(?i)posthog|mixpanel|amplitude|analytics|telemetry|usage_stat|segment_(?:write_)?key|rollbar|bugsnag"
)
"""Services that count what users do, with a key that can only add to the count and goes out with every copy."""
_ADDRESS: Final = regex(r"[\"']https?://(?!localhost|127\.)")
_BASE: Final = regex(r"(?m)^\w+(?:: *[\w.\[\]]+)? *= *[\"']https?://(?!localhost|127\.)")
"""An address that a module keeps for whoever asks there."""
_OWN: Final = regex(r"(?i)settings|config|(?:^|/)(?:app|main|wsgi|manage)\.py$")
"""Modules with what is the program's own."""
_OF_CLIENT: Final = regex(r"(?i)(?:client|app|consumer)_?secret")
_ID_OF_CLIENT: Final = regex(r"(?im)^\w*(?:client|app|consumer)_?(?:id|key)\b[^=\n]*= *[\"']")
"""The names of what an app shows to whoever lets its users log in: neither half is secret in what is handed out."""
_META: Final = regex(r"(?i)^your[-_ ]|^(?:foo|bar|baz|qux|dummy|fake|mock(?:ed)?|test(?:ing)?)$")
"""Words that stand for any other."""
_KINDS_OF_FIELD: Final = frozenset(
    {"email", "date", "datetime", "integer", "boolean", "byte", "binary", "uri", "url", "ipv4", "ipv6", "month",
     "number", "range", "color", "checkbox", "radio", "search", "tel", "text", "file", "hidden"}
)  # fmt: skip
"""Kinds of fields in forms and in descriptions of interfaces, among them `password`."""
_TRIES: Final = regex(
    r"(?i)(?:^|[._])_*(?:(?:self|live|smoke)_?test|(?:fake|mock|dummy)_)|(?:^|\.)test\w*\.test_"
)
"""Names of functions that try the program out, or stand in for others."""
_LABELLED: Final = regex(r"(?i)hkdf|\bsalt\b|\bseed\b|\b[BN]IP-?\d+")
"""What is said of constructions whose first key is a fixed label."""
_DEED: Final = regex(r"(?i)(?:^|_)(?:change|reset|forgot|recover|update)_?passw")
"""Names of what is done with a password: what stands under them says how it is asked for."""
_KINDS: Final = frozenset({Sensitivity.PASSWORD, Sensitivity.SECRET, Sensitivity.TOKEN})
_TELLING: Final = frozenset({ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.BoolOp})
"""What may give a name a value that is written down: a call may read it with a default."""


def _may_hold(node: Any) -> bool:
    """Whether a node gives something that is named like a secret a value that is written down."""
    kind = node.__class__
    if kind is ast.keyword:
        given = node.value.__class__
        return (
            given is ast.Constant and (node.arg == "default" or sensitivity(node.arg or "") in _KINDS)
        ) or (given is ast.Tuple and node.arg in _PAIRS)
    if kind is ast.Assign:
        if node.value.__class__ is ast.Tuple:
            return getattr(node.targets[0], "attr", "") in _PAIRS
        return node.value.__class__ in _TELLING and any(
            sensitivity(calls.identifier(target)) in _KINDS for target in node.targets
        )
    if kind is ast.AnnAssign:
        return node.value.__class__ is ast.Constant and sensitivity(calls.identifier(node.target)) in _KINDS
    if kind is ast.Compare:
        left, right = node.left, node.comparators[0]
        if left.__class__ is ast.Constant:
            left, right = right, left
        return right.__class__ is ast.Constant and sensitivity(calls.identifier(left)) in _KINDS
    if kind is ast.Dict:
        return any(True for _ in _of_items(node))
    if kind is ast.Call:
        return True
    return bool(node.args.defaults or node.args.kw_defaults) and any(True for _ in _of_defaults(node))


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
    calls=(
        *_SECRET_CALLS,
        *_ENVIRONMENT,
        "*.login",
        *(f"*.{name}" for name in _SECRET_METHODS),
        "psycopg2.connect",
        "psycopg.connect",
    ),
    principles=("no-secrets-in-source",),
    severity=Severity.HIGH,
    in_tests=False,
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
        "ftplib",
        "MySQLdb",
        "redis",
        "ldap",
        "Authorization",
        "hmac",
        "jwt",
        "itsdangerous",
        "login",
        "bind",
        "connect",
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
    looks like one: placeholders, identifiers, hashes and templates are left alone, and so is what everybody may know: examples, labels of
    key derivations, and the keys that a site hands to every visitor's browser, in a downloader's plugin for that site. A key with which
    every copy of a client asks the servers of others is of low severity: nobody can keep it, but it can be used up and taken back.

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
        text = value.value if isinstance(value, ast.Constant) else ctx.value(value) if connects else None
        if isinstance(text, bytes):
            text = text.decode("latin-1")
        if not isinstance(text, str) or places.is_sample(ctx):
            continue
        found = True
        if _is_secret(name, text, connects=connects) and not _is_of_others(name, value, ctx):
            yield ctx.finding(
                value,
                f"`{name}` has its value in the source",
                severity=Severity.LOW if _is_of_copies(name, value, ctx) else Severity.HIGH,
                fix=_fix(name, value, node, ctx),
            )
    if not found:
        ctx.not_an_opportunity()


def _named_values(node: ast.AST, ctx: Context) -> Iterator[tuple[str, ast.expr, bool]]:
    """Names that say that a value is secret, the value, and whether it is surely used to log in or to sign."""
    if isinstance(node, ast.Assign):
        yield from _of_signing_key(node, ctx)
        if isinstance(node.value, ast.Tuple) and isinstance(node.targets[0], ast.Attribute):
            yield from _of_pair(node.value, ctx)
        value = _written(node.value)
        if isinstance(value, ast.Constant):
            for target in node.targets:
                name = calls.identifier(target)
                if sensitivity(name) in _KINDS and not _is_flask_key(target, name, ctx):
                    yield name, value, False
    elif isinstance(node, ast.AnnAssign):
        name = calls.identifier(node.target)
        if isinstance(node.value, ast.Constant) and sensitivity(name) in _KINDS:
            yield name, node.value, False
    elif isinstance(node, ast.keyword):
        yield from _of_keyword(node, ctx)
    elif isinstance(node, ast.Call):
        yield from _of_call(node, ctx)
    elif isinstance(node, ast.Dict):
        yield from _of_items(node)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from _of_defaults(node)
    elif isinstance(node, ast.Compare):
        yield from _of_comparison(node)


def _written(value: ast.expr) -> ast.expr:
    """What stands in for a value that is not there: the text in `read() or "text"`; else the value."""
    return value.values[-1] if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) else value


def _of_comparison(node: ast.Compare) -> Iterator[tuple[str, ast.expr, bool]]:
    """What a password or key is compared with, on either side."""
    sides = (node.left, node.comparators[0])
    for named, value in (sides, sides[::-1]) if isinstance(node.ops[0], ast.Eq) else ():
        name = calls.identifier(named)
        if isinstance(value, ast.Constant) and sensitivity(name) in _KINDS:
            yield name, value, False


def _of_items(node: ast.Dict) -> Iterator[tuple[str, ast.expr, bool]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if type(value) is ast.Constant and isinstance(value.value, str):
            name = calls.identifier_of_key(key)
            if name.lower() == "authorization" and _is_login(value.value):
                yield name, value, False
            if sensitivity(name) in _KINDS:
                yield name, value, False


def _of_signing_key(node: ast.Assign, ctx: Context) -> Iterator[tuple[str, ast.expr, bool]]:
    """The key that signs an application's sessions, also one that only stands in for a variable of the environment."""
    for target in node.targets:
        name = calls.identifier(target)
        if not _is_flask_key(target, name, ctx):
            continue
        value = _written(node.value)
        if isinstance(value, ast.Call) and ctx.name(value.func) in _ENVIRONMENT:
            default = ctx.argument(value, 1, "default")
            text = None if default is None else ctx.value(default)
            if (
                isinstance(text, str)
                and not credentials.is_placeholder(text)
                and len(text) >= 8
                and default is not None
            ):
                yield name, default, True
        elif isinstance(value, (ast.Constant, ast.Name, ast.Attribute)):
            yield name, value, True


def _of_defaults(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr, bool]]:
    for argument, value in shapes.defaults(node):
        if type(value) is ast.Constant and sensitivity(argument.arg) in _KINDS:
            yield argument.arg, value, False


def _repeats_name(password: str, item: ast.keyword, call: ast.Call) -> bool:
    """Whether a password is the same word as the user or the database beside it, as those of samples are."""
    return any(
        other is not item
        and isinstance(other.value, ast.Constant)
        and isinstance(other.value.value, str)
        and other.value.value.lower() == password.lower()
        for other in call.keywords
    )


def _of_keyword(item: ast.keyword, ctx: Context) -> Iterator[tuple[str, ast.expr, bool]]:
    value = item.value
    call = ctx.parent(item)
    function = calls.identifier(call.func) if isinstance(call, ast.Call) else ""
    if item.arg in _SIGNING and isinstance(call, ast.Call) and _SIGNING[item.arg] in ctx.source(call):
        yield item.arg, value, True
    elif item.arg in {"SECRET_KEY", "JWT_SECRET_KEY"} and function in {"update", "from_mapping"}:
        yield item.arg, value, len(str(ctx.value(value))) >= 8
    elif item.arg in _PAIRS and isinstance(value, ast.Tuple):
        yield from _of_pair(value, ctx)
    elif item.arg == "default" and isinstance(call, ast.Call):
        yield from _of_option(call, value)
    elif (
        item.arg
        and isinstance(value, ast.Constant)
        and isinstance(value.value, str)
        and sensitivity(item.arg) in _KINDS
    ):
        is_default = (
            function[:1].isupper() and isinstance(call, ast.Call) and _repeats_name(value.value, item, call)
        )
        is_shown = is_default or _SHOWN.search(value.value) is not None
        yield item.arg, value, bool(_CONNECT.search(function)) and not is_shown


def _of_pair(pair: ast.Tuple, ctx: Context) -> Iterator[tuple[str, ast.expr, bool]]:
    """The password of a user and a password that a request logs in with."""
    if len(pair.elts) == 2:
        user = ctx.value(pair.elts[0])
        if user != ctx.value(pair.elts[1]) or user in {UNKNOWN, "admin", "root"}:
            yield "auth", pair.elts[1], True


def _of_option(call: ast.Call, default: ast.expr) -> Iterator[tuple[str, ast.expr, bool]]:
    """What stands in for an option or a variable that is named for a secret, where nobody sets it."""
    for named in call.args:
        name = calls.identifier_of_key(named).lstrip("-")
        if sensitivity(name) in _KINDS:
            yield name, default, False
            return


def _of_call(call: ast.Call, ctx: Context) -> Iterator[tuple[str, ast.expr, bool]]:
    function = calls.identifier(call.func)
    name = ctx.name(call.func)
    if name in _ENVIRONMENT:
        if len(call.args) == 2 and not _signs_sessions(ctx.parent(call), ctx):
            yield from _of_option(call, call.args[1])
        return
    position = _SECRET_CALLS.get(name or "")
    if position is None and function == "login" and isinstance(call.func, ast.Attribute):
        position = _LOGIN.get(ctx.type_name(call.func.value) or "")
    if position is None and isinstance(call.func, ast.Attribute):
        position = _SECRET_METHODS.get(function)
    if position is not None and position < len(call.args):
        value = ctx.origin(call.args[position])
        if (isinstance(value, ast.Constant) and value.value) or (
            isinstance(value, (ast.Name, ast.Attribute)) and sensitivity(calls.identifier(value)) is None
        ):
            yield name or function, value, True
    elif name in {"psycopg2.connect", "psycopg.connect"} and call.args:
        text = ctx.value(call.args[0])
        match = _DSN.search(text) if isinstance(text, str) else None
        if match is not None and not credentials.is_placeholder(match[1]):
            yield name, call.args[0], True


def _signs_sessions(statement: ast.AST | None, ctx: Context) -> bool:
    """Whether a statement sets the key of an application's sessions, of which `_of_signing_key` tells."""
    return isinstance(statement, ast.Assign) and any(
        _is_flask_key(target, calls.identifier(target), ctx) for target in statement.targets
    )


def _is_flask_key(target: ast.expr, name: str, ctx: Context) -> bool:
    """Whether an assignment sets the key that signs an application's sessions."""
    if isinstance(target, ast.Attribute) and name == "secret_key":
        return (ctx.type_name(target.value) or "flask.").startswith(("flask.", "quart.")) and re.search(
            r"(?i)flask|quart", ctx.text
        ) is not None
    return isinstance(target, ast.Subscript) and name in {"SECRET_KEY", "JWT_SECRET_KEY"}


def _is_login(header: str) -> bool:
    """Whether an `Authorization` header logs in: with a name and a password, or with a token drawn at random."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.looks_random(rest)
    if scheme.lower() != "basic":
        return False
    try:
        user, colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except ValueError:
        return False
    return bool(user and colon) and not credentials.is_placeholder(password)


def _is_secret(name: str, text: str, *, connects: bool) -> bool:
    if credentials.known_format(text) is not None:
        return False  # reported by its format
    if words(text) == words(name):
        return False  # a table of names, however they are spelled
    if name.lower() == "authorization":
        return _is_login(text)
    if connects and _DSN.search(text):
        return True
    if connects:
        return len(text) >= 3 and not re.search(r"[<>{}]|\$\{|%s|^\*+$|\s", text) and not _META.search(text)
    if credentials.looks_random(text):
        return True
    kind = sensitivity(name)
    if name in {"SECRET_KEY", "secret_key"}:
        return (
            len(text) >= 20
            and credentials.entropy(text) > 3.5
            and not re.search(
                r"(?i)\s{2}|<|\{|change[-_ ]?(?:me|this|it)|generated|(?<![a-z])tests?(?![a-z])", text
            )
        )
    return kind is Sensitivity.PASSWORD and credentials.looks_chosen(text)


def _is_of_others(name: str, value: ast.expr, ctx: Context) -> bool:
    """Whether a value is known to all on purpose: a site's own key, one that only counts, an example, a label."""
    if (
        "legacy" in words(name)
        or _DEED.search(name)
        or protocols.plays_a_site(ctx)
        or _TRIES.search(ctx.symbol(value))
    ):
        return True
    if sensitivity(name) is not Sensitivity.PASSWORD and _COUNTS_USE.search(
        f"{ctx.path} {ctx.symbol(value)} {name}"
    ):
        return True
    if name == "hmac.new":
        function = ctx.function(value)
        return (
            function is not None and _LABELLED.search(ctx.source(function)) is not None
        ) or protocols.is_of_client(ctx, value)
    child: ast.AST = value
    for parent in ctx.ancestors(value):
        if isinstance(parent, ast.Dict) and child in parent.values:
            key = parent.keys[parent.values.index(child)]  # pyright: ignore[reportArgumentType]
            if _SHOWN.search(calls.identifier_of_key(key)):
                return True
            if len(_KINDS_OF_FIELD.intersection(map(calls.identifier_of_key, parent.keys))) >= 3:
                return True  # what fields of each kind are filled with
        elif isinstance(parent, ast.Call) and "test" in words(calls.identifier(parent.func)):
            return True  # what tests are given: `TestCredentials(secret_key=…)`
        elif isinstance(parent, ast.stmt):
            held = calls.identifier(parent.targets[0]) if isinstance(parent, ast.Assign) else ""
            return any(map(_SHOWN.search, (held, *calls.destinations(ctx, value))))
        child = parent
    return False


def _is_of_copies(name: str, value: ast.expr, ctx: Context) -> bool:
    """Whether a key is one that every copy of a client shows to the servers of others, who have given it to all of them."""
    if sensitivity(name) is Sensitivity.PASSWORD or name in {"SECRET_KEY", "secret_key"}:
        return False
    around = ctx.class_(value) or ctx.function(value)
    if around is not None:
        text = ctx.source(around)
        return protocols.asks(text) or _ADDRESS.search(text) is not None
    if _OF_CLIENT.search(name) is not None and ctx.says(_ID_OF_CLIENT):
        return True
    return ctx.says(_BASE) and _OWN.search(ctx.path) is None


def _fix(name: str, value: ast.expr, node: ast.AST, ctx: Context) -> Fix | None:
    """Read a module's constant from the environment."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not name.isupper():
        return None
    if isinstance(value, ast.Constant) and isinstance(value.value, bytes):
        return None
    edits: tuple[AnyEdit, ...] = (ctx.replace(value, f'os.environ["{name}"]'), AddImport("os"))
    return Fix(f"Read it from the environment variable `{name}`", edits, Grade.UNSAFE)
