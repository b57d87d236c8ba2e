"""Finds secrets made from the time of day."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter_rules import calls, secrecy, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CLOCKS: Final = (
    "time.time", "time.time_ns", "time.ctime", "time.asctime", "datetime.datetime.now", "datetime.datetime.utcnow",
    "datetime.datetime.today",
)  # fmt: skip
_TEXTS: Final = frozenset(
    {
        "builtins.str",
        "builtins.repr",
        "builtins.hex",
        "builtins.format",
        "base64.b64encode",
        "base64.urlsafe_b64encode",
    }
)
"""Functions that make a text of what they are given."""
_METHODS: Final = frozenset(
    {
        "encode",
        "decode",
        "hexdigest",
        "digest",
        "isoformat",
        "strftime",
        "timestamp",
        "format",
        "join",
        "replace",
    }
)
"""Methods that hand on what their object or argument is made of."""
_UNKNOWN_TO_OTHERS: Final = regex(
    r"(?i)secret|salt|urandom|random|uuid4|key|hmac|passw|pepper|nonce|token_(?:hex|bytes|urlsafe)|(?:sign|_hash|hash_|_mac)\w*\("
)
"""What a text may hold besides the time that others do not know, or is signed with it by a function of the program's own."""
_NEW_ENOUGH: Final = regex(
    r"(?i)nonce|salt|idempoten|(?:^|_)(?:iv|state)$|(?:^|_)(?:lock|request|run|job|trace|exp\w*|time\w*|date|at|stamp|created|ttl|valid\w*|age|since|until|issued)(?:_|$)"
)
"""Names of what only has to be new, and of times themselves."""
_SESSION: Final = regex(r"(?i)session_?(?:id|key)")
"""What also conversations and runs have, for which nobody hides the time in a digest."""
_OPENS: Final = regex(
    r"(?i)(?:reset|activat\w*|verif\w*|confirm\w*|invit\w*|access|auth|api|log_?in|csrf|xsrf|one_?time|refresh)_?(?:token|key|code|id|link)s?$"
    r"|(?:^|_)(?:otp|passwords?|passwd|passphrase|pwd|secret|pin_?code)$"
)
"""Names of what opens something for whoever has it; other tokens may be pieces of text or of a query."""
_KEEPS: Final = regex(
    r"(?i)^_*(?:insert|save|store|add|set|put|find|check|resolve|parse|load|read|log|print)_"
)
"""Names of functions that give something else than what they are called by."""
_NAMING: Final = (ast.Assign, ast.AnnAssign, ast.Return, ast.keyword, ast.Dict)
"""What says of a value what it is."""
_TIME_OF_DAY: Final = regex(r"%[-#]?[HIMSfspcTXR]")
"""What a format holds that gives more than the day: a day is no secret to anybody, and is asked for as a word of caution."""
_STEPS: Final = 3
"""Through how many names a text is followed."""


@rule(
    ast.Call,
    code="SEC135",
    principles=("secure-randomness",),
    severity=Severity.MEDIUM,
    cwe=(330, 338, 340, 341),
    calls=_CLOCKS,
    references=(
        "https://cwe.mitre.org/data/definitions/341.html",
        "https://docs.python.org/3/library/secrets.html",
    ),
)
def token_from_clock(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Draw tokens and keys at random, not from the time.

    Whoever asks for a token knows to the second when it was made, and can try what is left within a minute. A digest of the time,
    or of the time and a user's name, hides it from the eye but not from a program that computes the same. Values that only have
    to be new, such as nonces and numbers of requests, are not reported, nor what is made of something secret as well.

    ```python bad
    import hashlib
    import time

    def new_reset_token(user):
        return hashlib.sha256(f"{user.email}{time.time()}".encode()).hexdigest()
    #                                        ^^^^^^^^^^^ `new_reset_token` can be computed by others: it is made of the time
    ```
    ```python good
    import secrets
    import time

    def new_reset_token():
        return secrets.token_urlsafe(32)

    def request_id():
        return str(time.time_ns())
    ```
    """
    purpose = "" if ctx.is_test else _purpose(call, ctx, _STEPS)
    if purpose and not secrecy.is_nobodys(purpose, call, ctx):
        yield ctx.finding(call, f"`{purpose}` can be computed by others: it is made of the time")


def _purpose(value: ast.expr, ctx: Context, steps: int, *, written: bool = False) -> str:
    """The name of the secret that a text made of a value is; "" if it is none, or is made of something secret too."""
    text = value
    while (outer := _made_of(text, ctx)) is not None:
        written = written or not isinstance(outer, (ast.BinOp, ast.Attribute))
        text = outer
    found = ""
    if written and isinstance(ctx.parent(text), _NAMING):
        name = next(calls.destinations(ctx, text), "")
        if _must_be_secret(name) and ("hash" in ctx.source(text) or _opens(name)):
            found = name
    if not found and steps and ctx.parent(text) is ctx.statement(text):
        reads = shapes.reads_of_statement(text, ctx)
        found = next(filter(None, (_purpose(read, ctx, steps - 1, written=written) for read in reads)), "")
    return "" if found and _holds_unknown(text, ctx) else found


def _holds_unknown(text: ast.expr, ctx: Context) -> bool:
    """Whether a text is also made of what others do not know, here or where a name in it comes from."""
    made = (ctx.origin(name) for name in ctx.nodes(ast.Name, within=text))
    return any(_UNKNOWN_TO_OTHERS.search(ctx.source(one)) for one in (text, *made))


def _must_be_secret(name: str) -> bool:
    return secrecy.is_secret(name) and not _NEW_ENOUGH.search(secrecy.snake(name))


def _opens(name: str) -> bool:
    return _OPENS.search(name) is not None and not _SESSION.search(name) and not _KEEPS.search(name)


def _made_of(part: ast.expr, ctx: Context) -> ast.expr | None:
    """The text, digest or number that is made of a value where it stands; None if it is used otherwise."""
    outer = ctx.parent(part)
    if isinstance(outer, (ast.BinOp, ast.JoinedStr, ast.FormattedValue)):
        return outer
    if isinstance(outer, ast.Attribute):
        return outer if outer.attr in _METHODS else None
    if not isinstance(outer, ast.Call):
        return None
    if calls.identifier(outer.func) == "strftime" and not _tells_time(outer, ctx):
        return None
    name = ctx.name(outer.func) or ""
    is_made = name in _TEXTS or name == "builtins.int" or name.startswith("hashlib.")
    return outer if is_made or calls.identifier(outer.func) in _METHODS else None


def _tells_time(call: ast.Call, ctx: Context) -> bool:
    """Whether a format, as far as it is known, gives the time of the day."""
    written = next((ctx.value(one) for one in call.args if isinstance(ctx.value(one), str)), "%c")
    return _TIME_OF_DAY.search(str(written)) is not None
