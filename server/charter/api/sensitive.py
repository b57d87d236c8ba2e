"""Which identifiers name data that must stay private, judged by their words. It knows no code, only names.

The words come from common practice in configuration and data models. What is about sensitive data without being it
(`password_hash`, `token_count`, `secret_name`, `password_field`) is not sensitive.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from charter.api.regex import regex


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS: Final = regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Sensitivity(Enum):
    """What kind of private data a name stands for."""

    PASSWORD = "password"  # noqa: S105 - the name of a kind
    """What a person or a program logs in with."""
    SECRET = "secret"  # noqa: S105
    """A key or shared secret of a program."""
    TOKEN = "token"  # noqa: S105
    """A bearer's proof of a login or a session."""
    PERSONAL = "personal"
    """Data about a person that laws protect: identity numbers, cards, health, precise location."""


_PASSWORDS: Final = frozenset(
    {"password", "passwd", "passphrase", "passwort", "pwd", "passcode", "passwords", "userpass"}
)
_SECRETS: Final = frozenset(
    {"secret", "secrets", "apikey", "secretkey", "privatekey", "privkey", "appsecret", "clientsecret"}
)
_TOKENS: Final = frozenset({"accesstoken", "authtoken", "refreshtoken", "bearer", "jwt", "sessiontoken"})
_PERSONAL: Final = frozenset(
    {"ssn", "cvv", "cvc", "iban", "dob", "birthdate", "birthday", "diagnosis", "medical"}
)
_PAIRS: Final[dict[tuple[str, str], Sensitivity]] = {
    ("api", "key"): Sensitivity.SECRET,
    ("access", "key"): Sensitivity.SECRET,
    ("account", "key"): Sensitivity.SECRET,
    ("auth", "key"): Sensitivity.SECRET,
    ("encryption", "key"): Sensitivity.SECRET,
    ("master", "key"): Sensitivity.SECRET,
    ("private", "key"): Sensitivity.SECRET,
    ("secret", "key"): Sensitivity.SECRET,
    ("signing", "key"): Sensitivity.SECRET,
    ("ssh", "key"): Sensitivity.SECRET,
    ("access", "token"): Sensitivity.TOKEN,
    ("api", "token"): Sensitivity.TOKEN,
    ("auth", "token"): Sensitivity.TOKEN,
    ("bearer", "token"): Sensitivity.TOKEN,
    ("id", "token"): Sensitivity.TOKEN,
    ("oauth", "token"): Sensitivity.TOKEN,
    ("refresh", "token"): Sensitivity.TOKEN,
    ("reset", "token"): Sensitivity.TOKEN,
    ("session", "token"): Sensitivity.TOKEN,
    ("user", "token"): Sensitivity.TOKEN,
    ("session", "key"): Sensitivity.TOKEN,
    ("card", "number"): Sensitivity.PERSONAL,
    ("card", "no"): Sensitivity.PERSONAL,
    ("credit", "card"): Sensitivity.PERSONAL,
    ("social", "security"): Sensitivity.PERSONAL,
    ("security", "number"): Sensitivity.PERSONAL,
    ("passport", "number"): Sensitivity.PERSONAL,
    ("bank", "account"): Sensitivity.PERSONAL,
    ("routing", "number"): Sensitivity.PERSONAL,
    ("health", "record"): Sensitivity.PERSONAL,
    ("birth", "date"): Sensitivity.PERSONAL,
    ("of", "birth"): Sensitivity.PERSONAL,
    ("tax", "id"): Sensitivity.PERSONAL,
    ("national", "id"): Sensitivity.PERSONAL,
    ("home", "address"): Sensitivity.PERSONAL,
}
_ABOUT: Final = _set(
    """
    age algorithm allowed arg argument args at attempt attempts attr attribute auth authentication
    backend bits bytes callback cache category change changed changes character characters chars claim claims class
    client cls code codes col column complexity config context cookie cookies count counts created date
    days decorator default dialog dict digest dir duration enabled encoded encrypted endpoint entity env
    error errors event exc exception exists exp expired expires expiration expiry factory failed field
    fields file filename files filter flag fmt form format forms func function func generator getter
    grant handler has hash hashed hasher hashers hashes header headers helper hint history href id identifier
    ids idx index info input invalid is item items iter iterations key keyword kind kwarg kwargs label
    len length lengths level lifetime limit limits link list lock logger manager map mapping mask masked
    match max mechanism message method middleware min minutes missing mixin mode model module msg
    mismatch name names needed num number obj object offset only operations option options page param
    parameter params parser part path paths pattern permission placeholder plugin policy pos position
    prefix present processor prompt proof property protected protocol provider query re redacted ref regex
    registry request requests required reset response result retries role rotated route rule rules salt
    sample schema scheme scope score screen seconds sent serializer service services set setter settings
    setup size source split stage start state status storage store strength string stub subject suffix
    table task template tester text thread time timeout timestamp title to ttl type types unset update
    updated updates uri url urls usable usage used user username uses util utils uuid valid validate
    validation validator validators value var variable verified verifier version view views warn warning
    widget with
    """
)
_SAFE_FIRST: Final = _set(
    """
    acquire ask change check clear count create delete disable enable encode encrypt forgot generate get handle
    has exclude hash hashed hide include is list make max min mask masked missing needs no non num orm parse public read
    redact redacted remove require reset rotate send set show skip split test update use validate verify
    with encrypted fake dummy invalid
    """
)


_TELLING: Final = (
    _PASSWORDS | _SECRETS | _TOKENS | _PERSONAL | {"pass", "token"} | {second for _, second in _PAIRS}
)
"""The words without one of which a name stands for nothing private."""
_UNCERTAIN: Final = _set("not or by permit permits allow allows create")
"""Words before the last by which a name stands for something else, or for an action: `path_or_token`, `sorted_by_token`."""


@lru_cache(maxsize=8192)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier in snake case, camel case or with dashes."""
    return tuple(word.lower() for word in _WORDS.findall(name))


@lru_cache(maxsize=8192)
def sensitivity(name: str) -> Sensitivity | None:
    """What private data an identifier stands for; None if it stands for none, or for something about it.

    Args:
        name: an identifier, a dictionary's key or a header, such as `db_password` or `X-Api-Key`.
    """
    parts = words(name)
    if _TELLING.isdisjoint(parts):
        return None
    while parts and (
        parts[-1].isdigit() or parts[-1] in {"value", "str", "string", "raw", "plain", "plaintext"}
    ):
        parts = parts[:-1]
    if (
        not parts
        or _UNCERTAIN.intersection(parts[:-1])
        or (parts[0] in _SAFE_FIRST and parts[:2] not in _PAIRS)
    ):
        return None
    paired = False
    for first, second in pairwise(parts):
        found = _PAIRS.get((first, second))
        if found is not None:
            paired = True
            if not _ABOUT.intersection(parts[parts.index(second) + 1 :]):
                return found
    if paired:
        return None
    return _single(parts)


def _single(parts: tuple[str, ...]) -> Sensitivity | None:
    last = parts[-1]
    if last in _ABOUT:
        return None
    if last in _PASSWORDS or (
        last == "pass" and len(parts) > 1 and parts[0] not in {"first", "second", "by"}
    ):
        return Sensitivity.PASSWORD
    if _PASSWORDS.intersection(parts) and last in {
        "new",
        "old",
        "confirm",
        "confirmation",
        "again",
        "repeat",
    }:
        return Sensitivity.PASSWORD
    if last in _SECRETS:
        return Sensitivity.SECRET
    if last in _TOKENS or (last == "token" and len(parts) > 1 and parts[-2] not in _LEXER):
        return Sensitivity.TOKEN
    return Sensitivity.PERSONAL if last in _PERSONAL else None


_LEXER: Final = _set(
    """
    begin block bos cls comment current close delimiter end eof eos first in last lexer mask max min
    model name new next num op open pad page per prerelease prev previous prompt quote sep sequence special start
    string challenge starting verification text this type unk unknown value word now to since from batch sync stream invalidate cancel cancellation continuation fencing pagination idempotency
    """
)
"""Words before `token` that make it a piece of text or a cursor."""
