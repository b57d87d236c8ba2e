"""Finds passwords, keys and personal data that are written to logs or to the terminal."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
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
from charter_rules import building, calls, protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.api import Context, Finding

_LEVELS: Final = (
    "debug",
    "info",
    "warning",
    "warn",
    "error",
    "critical",
    "exception",
    "log",
    "trace",
    "success",
    "fatal",
)
_LOGGERS: Final = regex(r"(?i)^_*(?:\w*log|\w*logger|logging|structlog|audit)_*$")
_QUIET: Final = frozenset(
    {"exc_info", "stack_info", "stacklevel", "file", "end", "sep", "flush", "level", "extra"}
)
_SHELL: Final = regex(r"def (?:do_)?(?:cd|ls|pwd|chdir)\b")
_REJECTED: Final = regex(
    r"(?i)\b(?:invalid|incorrect|wrong|unknown|malformed|unsupported|unrecogni[sz]ed|expired|revoked|(?:previously|already) used|(?:does not|doesn't|do not|did not) exist|no such)\b"
)
"""What messages say about a key or token that opens nothing."""
_TO_BEGIN: Final = regex(
    r"(?i)\b(?:initial|one[- ]time|temporary)\s+(?:\w+\s+)?(?:password|token|code)\b|\bset-?up token\b"
)
"""What messages call a secret that somebody is to read there and to replace."""
_HERE: Final = regex(r"https?://(?:localhost|127\.0\.0\.1)\b")
"""What a server shows to the person who has just started it on their own machine."""
_STANDS_IN: Final = regex(
    r"(?:(?:^|[._])(?:[Mm]ock|[Ff]ake|[Dd]ummy|[Ss]tub)|(?<=[a-z0-9])(?:Mock|Fake|Dummy|Stub))(?=[A-Z_.]|$)"
)
"""Names of what stands in for the real thing."""
_OF_PEOPLE: Final = regex(
    r"(?i)social_?sec|social sec|\bperson|people|customer|patient|employee|citizen|\btax|birth|client_name|first_?name|last_?name|user\.ssn"
)
"""What code speaks of whose social security numbers are people's."""
_ASKED_FOR: Final = regex(
    r"(?i)\.dump_?\w+|(?:show|reveal|log|print)_?(?:secret|password|credential|sensitive)"
)
"""Options by which the user asks for secrets."""
_OF_LOGIN: Final = regex(
    r"(?i)auth|bearer|jwt|log_?in|sign_?in|secret|passw|credential|verif|csrf|(?:access|account|api|private|refresh|reset|session|user)_?(?:key|token)"
)
"""What code says that tokens open something for."""
_LOGIN: Final = regex(r"(?i)passw|log(?:ged|s)?[ -]?in\b")
_ON_FILES: Final = regex(
    r"^(?:(?:safe_)?open|symlink|readlink|exists|is_?file|unlink|remove|stat|chmod|rename|Path|from_(?:\w+_)?file|load_cert_chain)$"
)
"""Functions that take the name of a file."""
_STORED: Final = regex(r"(?i)\b(?:writ|wrot|sav|read|load|stor)\w*\b[^,;:=%{]*\b(?:to|from|in|at)\s+['\"]?$")
"""What messages say right before the name of a file."""
_PLACEHOLDER: Final = regex(r"%[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]|\{[^{}]*\}")
_COMMAND_LINE: Final = regex(
    r"\b(?:import|from) (?:argparse|optparse|docopt|click|typer)\b|\bcmd\.Cmd\b|\bclass \w+\([^)\n]*Commands?(?:Base)?\b"
)
"""Modules that talk to the person who started them."""
_SHOWN: Final = frozenset({"print", "pprint", "write"})
"""Functions that such modules show things with."""
_OUTPUT: Final = regex(r"(?i)^(?:info|dump|export|reveal)|_(?:info|dump)$")
"""Functions that are there to show what they print."""
_HALVES: Final[dict[tuple[str, ...], re.Pattern[str]]] = {
    ("access", "key"): regex(r"(?i)secret_?(?:access_?)?key|\bec2\b"),
    ("api", "key"): regex(r"(?i)api_?secret"),
}
"""The ends of names of what is the public half of a pair in code that speaks of the secret one."""
_INTO_FILE: Final = regex(r"(?i)\bout_?(?:put_?)?(?:file|path)")
_ORDERS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_MASKS: Final = regex(
    r"(?i)mask|redact|hash|hide|obfus|censor|len|bool|type|digest|encrypt|sanitiz|scrub|anonym|fingerprint|isinstance|id$|count|getattr|hasattr|strength|ident$"
)


@rule(
    ast.Call,
    code="SEC043",
    principles=("private-data-stays-private",),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(532, 312, 359),
    calls=(
        *(f"*.{level}" for level in _LEVELS),
        *(f"logging.{level}" for level in _LEVELS),
        "builtins.print",
        "pprint.pprint",
        "*.write",
    ),
    mentions=(
        "passw",
        "Passw",
        "PASSW",
        "secret",
        "Secret",
        "token",
        "Token",
        "pwd",
        "api_key",
        "apikey",
        "apiKey",
        "private_key",
        "access_key",
        "ssn",
        "credit",
        "card",
        "jwt",
        "bearer",
        "birth",
        "iban",
        "cvv",
        "dob",
        "passphrase",
        "diagnosis",
        "getpass",
        "passport",
        "Authorization",
    ),
    references=(
        "https://cwe.mitre.org/data/definitions/532.html",
        "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html",
    ),
)
def secret_logged(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Keep passwords, keys and personal data out of logs.

    Logs are kept long, copied to other systems and read by people who need no passwords. A secret in them is a secret that many have. Log that
    something was set, whose it is, or its last characters, not the thing itself.

    Not reported are keys and tokens that the message calls invalid, names of files and whole objects, and what a program on the command
    line shows to the person who started it.

    ```python bad
    import logging

    log = logging.getLogger(__name__)

    def login(user, password):
        log.info("login of %s with %s", user, password)
    #                                         ^^^^^^^^ `password` is written to a log
    ```
    ```python good
    import logging

    log = logging.getLogger(__name__)

    def login(user, password):
        log.info("login of %s, password of %d characters", user, len(password))
        log.debug("token expires at %s", user.token_expiry)
    ```
    """
    function = calls.identifier(call.func)
    arguments = (*call.args, *(item.value for item in call.keywords if item.arg not in _QUIET))
    secret = next((found for argument in arguments for found in _secrets(argument, ctx, 0)), None)
    if not _is_log(call, function, ctx):
        ctx.not_an_opportunity()
        return
    if secret is None or ctx.is_test or _is_the_output(call, function, secret, ctx):
        return
    held = next(_secrets(ctx.origin(secret), ctx, 0), secret)
    if _is_rejected(call, arguments, secret, held, ctx) or protocols.plays_a_site(ctx):
        return
    if function in _SHOWN:
        if sensitivity(calls.identifier(secret)) is Sensitivity.PERSONAL:
            return
        where = "the terminal"
    else:
        where = "a log"
    if held is secret or ctx.location(held).path != ctx.path:
        yield ctx.finding(secret, f"`{calls.short(ctx, secret)}` is written to {where}")
        return
    yield ctx.finding(
        secret,
        f"`{calls.short(ctx, held)}` is written to {where} in `{calls.short(ctx, secret)}`",
        related=[ctx.related(held, "put in here")],
    )


def _is_log(call: ast.Call, function: str, ctx: Context) -> bool:
    """Whether a call writes to a logger, a standard stream or the terminal."""
    name = ctx.name(call.func)
    if name is not None:
        return (
            name.startswith(("logging.", "loguru."))
            or name in {"builtins.print", "pprint.pprint", "sys.stdout.write", "sys.stderr.write"}
            or _is_own_logger(name)
        )
    if not isinstance(call.func, ast.Attribute):
        return False
    receiver = calls.identifier(call.func.value)
    if function == "write":
        return receiver in {"stdout", "stderr"}
    return bool(_LOGGERS.match(receiver)) or (ctx.type_name(call.func.value) or "").endswith("Logger")


def _is_the_output(call: ast.Call, function: str, secret: ast.expr, ctx: Context) -> bool:
    """Whether a program shows what it is there to show: to the person who started it, or what it has just drawn."""
    if function not in _SHOWN:
        return False
    if ctx.says(_COMMAND_LINE) or re.search(r"(?:^|/)(?:scripts|bin|examples?|demos?)/", ctx.path):
        return True
    if (
        function == "write"
        and call.args[:1] == [secret]
        and not (ctx.name(call.func) or "").startswith("sys.")
    ):
        return True  # a management command's answer
    around = ctx.function(call)
    if around is not None and _INTO_FILE.search(ctx.source(around)):
        return True  # what goes into a file if one is named
    if around is not None and any(
        ctx.name(one.func) == "builtins.input" for one in ctx.nodes(ast.Call, within=around)
    ):
        return True  # a conversation
    if "askpass" in ctx.path or _OUTPUT.search(ctx.symbol(call).rpartition(".")[2]):
        return True
    if shapes.is_in_program(call, ctx):
        return True
    made = ctx.origin(secret)
    return (
        made is not secret and re.search(r"(?i)random|generat|secrets\.|token_", ctx.source(made)) is not None
    )


def _is_rejected(
    call: ast.Call, arguments: Sequence[ast.expr], secret: ast.expr, held: ast.expr, ctx: Context
) -> bool:
    """Whether a log tells of a key that is not accepted, of a file, of what an option asks for, or of a secret that is made up."""
    wording = " ".join(
        node.value
        for argument in arguments
        for node in ast.walk(ctx.origin(argument))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    # A wrong password is often the right one of another account, or nearly right.
    is_of_login = sensitivity(calls.identifier(held)) is Sensitivity.PASSWORD and _LOGIN.search(wording)
    if _REJECTED.search(wording) and not is_of_login:
        return True
    if _TO_BEGIN.search(wording) or (calls.identifier(call.func) in _SHOWN and _HERE.search(wording)):
        return True
    if _STANDS_IN.search(ctx.symbol(call)):
        return True
    if _follows_a_place(call, secret, ctx) or _is_written_as_number(call, secret, ctx):
        return True
    named = ctx.source(held)
    missing = (f"not {named}", f"{named} is None")
    tests = (ctx.source(branch.test) for branch in shapes.conditions(call, ctx))
    return any(test in missing or _ASKED_FOR.search(test) for test in tests)


def _follows_a_place(call: ast.Call, secret: ast.expr, ctx: Context) -> bool:
    """Whether the message says that something is written to or read from what it names."""
    if not call.args:
        return False
    text = ctx.value(call.args[0])
    if isinstance(text, str):
        before = _PLACEHOLDER.split(text)
        at = call.args.index(secret) - 1 if secret in call.args else -1
        return 0 <= at < len(before) - 1 and _STORED.search(before[at]) is not None
    parts = building.pieces(call.args[0], ctx) or ()
    return any(part.value is secret and _STORED.search(before.text) for before, part in pairwise(parts))


def _is_written_as_number(call: ast.Call, secret: ast.expr, ctx: Context) -> bool:
    """Whether the message has a number where the value goes: `"api key %d"`, the number of a function of a protocol."""
    text = ctx.value(call.args[0]) if call.args else None
    if not isinstance(text, str) or secret not in call.args[1:]:
        return False
    places = _PLACEHOLDER.findall(text)
    at = call.args.index(secret) - 1
    return at < len(places) and places[at][0] == "%" and places[at][-1] in "dioxXeEfFgG"


def _is_own_logger(name: str) -> bool:
    """Whether a qualified name is a method of a logger that some module defines."""
    return bool(_LOGGERS.match(name.split(".")[-2] if "." in name else ""))


def _secrets(expression: ast.expr, ctx: Context, depth: int) -> Iterator[ast.expr]:
    """The parts of an expression that are private data and go into its text."""
    if depth > 6:
        return
    if isinstance(expression, (ast.Name, ast.Attribute, ast.Subscript)):
        if _holds_secret(expression, ctx, depth):
            yield expression
    elif isinstance(expression, ast.Call):
        yield from _secrets_of_call(expression, ctx, depth)
    elif isinstance(
        expression, (ast.JoinedStr, ast.FormattedValue, ast.BinOp, ast.Tuple, ast.List, ast.Dict)
    ):
        for child in ast.iter_child_nodes(expression):
            if isinstance(child, ast.expr):
                yield from _secrets(child, ctx, depth + 1)


def _holds_secret(expression: ast.Name | ast.Attribute | ast.Subscript, ctx: Context, depth: int) -> bool:
    """Whether what is stored under a name is private data, by where it comes from or by the name."""
    name = calls.identifier(expression)
    if name == "Authorization" and isinstance(expression, ast.Subscript):
        return True
    made = ctx.origin(expression)
    if isinstance(made, ast.Call) and ctx.name(made.func) == "getpass.getpass":
        return True
    if calls.is_asked_of_client(made) and sensitivity(calls.identifier(made)) is not None:
        return True
    if isinstance(made, (ast.JoinedStr, ast.BinOp)):
        return next(_secrets(made, ctx, depth + 1), None) is not None
    if isinstance(made, ast.Dict):
        # A dictionary that is logged under a name shows what it holds.
        return any(
            sensitivity(calls.identifier_of_key(key)) is not None
            and next(_secrets(value, ctx, depth + 2), None) is not None
            for key, value in zip(made.keys, made.values, strict=True)
        )
    if name == "pwd" and ctx.says(_SHELL):
        return False  # the folder that a shell is in
    if "ssn" in words(name) and not ctx.says(_OF_PEOPLE):
        return False  # the number of something else
    half = _HALVES.get(words(name)[-2:])
    if (
        half is not None
        and "secret" not in words(name)
        and half.search(ctx.source(ctx.class_(expression) or ctx.function(expression) or ctx.tree))
    ):
        return False  # the public half of a pair, which says whose the other is
    if words(name)[-1:] == ("token",) and not _opens_something(expression, name, ctx):
        return False
    return (
        sensitivity(name) is not None
        and not name.isupper()
        and not _is_harmless(expression, ctx)
        and not _names_something(expression, name, ctx)
        and not _is_documented_as_name(expression, name, ctx)
    )


def _opens_something(expression: ast.expr, name: str, ctx: Context) -> bool:
    """Whether a token is a key, as its name or the code around says, and not a mark by which something is found again."""
    return (
        _OF_LOGIN.search(name) is not None
        or _OF_LOGIN.search(ctx.source(ctx.function(expression) or ctx.tree)) is not None
    )


def _secrets_of_call(call: ast.Call, ctx: Context, depth: int) -> Iterator[ast.expr]:
    """The private data that a call puts into a text or gives."""
    function = calls.identifier(call.func)
    if _MASKS.search(function):
        return
    if function in {"format", "join", "str", "repr", "decode", "encode", "strip", "dumps"}:
        owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        for part in (*owner, *call.args, *(item.value for item in call.keywords)):
            yield from _secrets(part, ctx, depth + 1)
        return
    asked = calls.identifier(call)
    reads = function in {"get", "getenv", "get_secret_value"}
    if (reads and (sensitivity(asked) is not None or asked == "Authorization")) or (
        building.asks_for_secret(function) and not any("hash" in ctx.source(part) for part in call.args)
    ):
        yield call


def _names_something(expression: ast.expr, name: str, ctx: Context) -> bool:
    """Whether a value is a number, the name of a session, of a file or of an entry, or a whole object, rather than a secret."""
    if words(name)[-2:] == ("session", "key"):
        return re.search(r"(?i)request|cookie", ctx.source(expression)) is None
    text = ctx.source(expression)
    for node in ctx.walk(ctx.function(expression) or ctx.tree):
        if node.__class__ is not expression.__class__ or node is expression or ctx.source(node) != text:
            continue
        parent = ctx.parent(node)
        if isinstance(parent, ast.keyword):
            parent = ctx.parent(parent)
        if isinstance(parent, ast.Compare) and isinstance(parent.ops[0], _ORDERS):
            return True
        if isinstance(parent, ast.Subscript) and node is parent.slice:
            return True
        if isinstance(parent, ast.Call) and parent.args[:1] == [node] and _looks_up(parent):
            return True
        if isinstance(parent, ast.Call) and parent.args[:1] == [node] and _fills_in(parent):
            return True
        if (
            isinstance(parent, ast.Call)
            and node is not parent.func
            and _ON_FILES.search(calls.identifier(parent.func))
        ):
            return True
        if (
            isinstance(parent, ast.Attribute)
            and not hasattr(bytes, parent.attr)
            and not hasattr(str, parent.attr)
        ):
            return True
    return False


def _is_documented_as_name(expression: ast.expr, name: str, ctx: Context) -> bool:
    """Whether the docstring says that a parameter is the name of something: `secret: the name of an entry`."""
    function = ctx.function(expression)
    said = None if function is None else ast.get_docstring(function)
    if not said or not isinstance(expression, ast.Name):
        return False
    parameter = (
        rf"^([ \t]*)(?::param[ \t]+(?:\w+[ \t]+)?)?{re.escape(name)}\b[^\n:]*:(?:[^\n]*\n\1[ \t]+|[ \t]*)"
    )
    return re.search(rf"(?im){parameter}(?:the[ \t]+)?(?:name|identifier|path) (?:of|to)\b", said) is not None


def _fills_in(call: ast.Call) -> bool:
    """Whether a call puts something into a text in the place of a word, which so is one for whoever writes such texts."""
    return isinstance(call.func, ast.Attribute) and call.func.attr == "replace" and len(call.args) > 1


def _looks_up(call: ast.Call) -> bool:
    """Whether a call asks a dictionary for an entry, and says what it gives if there is none."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in {"get", "setdefault", "pop"}
        and len(call.args) == 2
    )


def _is_harmless(expression: ast.expr, ctx: Context) -> bool:
    """Whether the value is known not to be the secret: a constant, a flag, a masked copy, a slice."""
    if isinstance(expression, ast.Subscript) and isinstance(expression.slice, ast.Slice):
        return True
    made = ctx.origin(expression)
    if isinstance(made, (ast.Constant, ast.Compare, ast.BoolOp, ast.JoinedStr)):
        return True
    if isinstance(made, ast.IfExp) and "*" in ctx.source(made.body) + ctx.source(made.orelse):
        return True  # masked, as asterisks show
    if isinstance(made, ast.Call) and (
        _MASKS.search(calls.identifier(made.func)) or "public" in ctx.source(made)
    ):
        return True
    chosen = made.body if isinstance(made, ast.IfExp) else made
    if isinstance(chosen, ast.Call) and (ctx.name(chosen.func) or "").startswith("os.path."):
        return True  # the name of a file
    if isinstance(made, ast.Call) and ctx.name(made.func) == "builtins.sum":
        return True  # how many there are
    return ctx.type_name(expression) in {
        "builtins.bool",
        "builtins.int",
        "pydantic.SecretStr",
        "pydantic.types.SecretStr",
    }
