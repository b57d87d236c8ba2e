"""Which names are of secrets that nobody may guess, where the vague ones among them are, and what draws and takes them. It judges no code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Sensitivity, regex, sensitivity
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from charter.api import Context

DRAWN: Final = frozenset(
    {
        "os.urandom",
        "secrets.token_bytes",
        "Crypto.Random.get_random_bytes",
        "Cryptodome.Random.get_random_bytes",
    }
)
"""Functions that draw bytes which nobody can foretell."""
_SECRET: Final = regex(
    r"(?i)(^|_)(nonce|salt|otp|pin_?code|(?:verification|sms|login)_?pin|csrf|xsrf|session_?id|sess(ion)?_?key|captcha|verification_?(?:code|id)|auth_?code|oauth_?state"
    r"|reset_?(?:key|code|id|link)|activation_?(?:key|code|id|link)|activation$|invit(?:e|ation)_?(?:key|code|id|link)|confirm(ation)?_?code"
    r"|one_?time|passcode|token|secret|api_?key|password|passwd|pwd|passphrase|iv|remember_?me|(?:auth|encryption|secret|aes|cipher|hmac|signing)_?key"
    r"|private_?key)(s|$|_)"
)
_NOT_SECRET: Final = regex(
    r"(?i)client_?token$|token_?(ids?|count|index|type|len|sequence)|num_|count|mask|lexer|special_token|n_tokens|tokens$|test|fake|mock|sample_"
    r"|example|dummy|prompt|max_|position"
)
_VAGUE: Final = regex(r"(?i)^_?(?:session_?(?:id|key)|token|nonce|state)$|mutation")
_PEOPLE: Final = regex(
    r"(?i)user|account|log_?in|auth|e_?mail|password|cookie|reset|secret|csrf|link|url|request|save"
)
"""What the code around a vague name speaks of where it is a secret."""
_CIPHER: Final = regex(r"\.Cipher\.\w+\.new$|\.ciphers\.|Fernet$|\.secret\.SecretBox$|^hmac\.new$")
"""What takes a key first."""
_WORD: Final = regex(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret(name: str) -> bool:
    """Whether an identifier is that of something that nobody may guess: a token, a password, a salt, a code that is mailed."""
    return _NOT_SECRET.search(name) is None and (
        _SECRET.search(snake(name)) is not None or sensitivity(name) not in {None, Sensitivity.PERSONAL}
    )


def is_nobodys(name: str, node: ast.AST, ctx: Context) -> bool:
    """Whether a name that locks, runs and messages have as well as logins stands in a function that speaks of no people.

    Args:
        name: the identifier.
        node: where it stands.
        ctx: the file.
    """
    function = ctx.function(node)
    return (
        function is not None
        and _VAGUE.search(name) is not None
        and _PEOPLE.search(ctx.source(function).replace(name, "")) is None
    )


def is_key(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is given to a cipher as its key, at once or by the name that its statement gives it."""
    return any(
        isinstance(user := ctx.parent(read), ast.Call)
        and user.args[:1] == [read]
        and _CIPHER.search(ctx.name(user.func) or calls.identifier(user.func)) is not None
        for read in (value, *shapes.reads_of_statement(value, ctx))
    )


def snake(name: str) -> str:
    """A name in camel case with an underline before each word."""
    return _WORD.sub("_", name)
