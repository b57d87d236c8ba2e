"""Tells real credentials from what only looks like them, by format, checksum, entropy and habit. It knows no syntax tree.

Formats are those that the issuers document; GitHub's and npm's tokens end in a CRC-32 in base 62.
"""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections import Counter
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMATS: Final[tuple[tuple[str, str, re.Pattern[str]], ...]] = tuple(
    (title, hint, regex(pattern))
    for title, hint, pattern in (
        ("AWS access key id", "A", r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])"),
        ("GitHub token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
        ("GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
        ("GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),
        ("Slack token", "xox", r"\bxox[abposr]-(?:\d+-)+[A-Za-z0-9]{10,}"),
        ("Slack webhook", "hooks.slack", r"hooks\.slack\.com/(?:services|workflows)/T[A-Z0-9]{7,}/[A-Z0-9]{7,}/[A-Za-z0-9]{20,}"),
        ("Stripe key", "_live_", r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
        ("Google API key", "AIza", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
        ("Google OAuth secret", "GOCSPX-", r"\bGOCSPX-[A-Za-z0-9_-]{28}"),
        ("SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
        ("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("PyPI token", "pypi-", r"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
        ("OpenAI key", "sk-", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}"),
        ("Anthropic key", "sk-ant-", r"\bsk-ant-(?:api|admin)\d\d-[A-Za-z0-9_-]{80,}"),
        ("Hugging Face token", "hf_", r"\bhf_[A-Za-z]{34}\b"),
        ("Telegram bot token", ":AA", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b"),
        ("Azure storage key", "AccountKey=", r"AccountKey=[A-Za-z0-9+/]{86}=="),
        ("DigitalOcean token", "do", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
        ("Shopify token", "shp", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
        ("Mailgun key", "key-", r"\bkey-[0-9a-f]{32}\b"),
        ("Databricks token", "dapi", r"\bdapi[a-f0-9]{32}\b"),
        ("Twilio key", "SK", r"\bSK[0-9a-f]{32}\b"),
        ("Square token", "sq0", r"\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,}"),
        ("Discord webhook", "discord", r"discord(?:app)?\.com/api/webhooks/\d{17,}/[A-Za-z0-9_-]{60,}"),
        ("Vault token", "hvs.", r"\bhvs\.[A-Za-z0-9_-]{24,}"),
        ("private key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----\s+(?:[A-Za-z-]+:.*\s+)*[A-Za-z0-9+/=\s]{60,}"),
    )
)  # fmt: skip
_URL: Final = regex(r"\b([a-z][a-z0-9+.-]{1,20})://([^\s:/@'\"<>{}$]*):([^\s:/@'\"<>{}$]{3,})@([^\s/'\"?#]+)")
_ANY_URL: Final = regex(r"://[^\s:/@'\"]*:[^\s:/@'\"]{3,}@")
_SETTINGS: Final = regex(
    r"(?i)(?:^|;)\s*(?:server|data source|driver|host|uid|user id|username)\s*=[^;]*;(?:.*;)?\s*(?:pwd|password)\s*=\s*([^;{}$%<>\s'\"]{4,})(?:;|$)"
)
"""A connection string as ODBC and ADO.NET write it, with its password."""
_ANY_SETTINGS: Final = regex(r"(?i);\s*(?:pwd|password)\s*=")
_HINTS: Final = tuple({hint for _, hint, _ in _FORMATS if len(hint) > 3} - {"key-"})
_SHORT_HINTS: Final = tuple(
    (literal, regex(pattern))
    for literal, pattern in (
        ("AKIA", "AKIA[A-Z2-7]{16}"), ("ASIA", "ASIA[A-Z2-7]{16}"), ("ABIA", "ABIA[A-Z2-7]{16}"),
        ("ACCA", "ACCA[A-Z2-7]{16}"), ("ghp_", r"ghp_\w{30}"), ("gho_", r"gho_\w{30}"), ("ghu_", r"ghu_\w{30}"),
        ("ghs_", r"ghs_\w{30}"), ("ghr_", r"ghr_\w{30}"), ("SK", "SK[0-9a-f]{32}"), ("_v1_", "do[opr]_v1_"),
        ("sk-", r"sk-\w{20}"), ("hf_", r"hf_\w{30}"), (":AA", r":AA\w{20}"), ("SG.", r"SG\.\w{20}"),
        ("key-", "key-[0-9a-f]{32}"), ("xox", "xox[abposr]-"), ("sq0", "sq0[ac]"), ("shp", "shp(?:at|ca|pa|ss)_"),
    )
)  # fmt: skip
"""Beginnings that are too short to be looked for as they are: what must be there, and what must follow it."""
_NOWHERE: Final = frozenset(
    {"localhost", "127.0.0.1", "host", "hostname", "server", "db", "database", "proxy"}
)
_PRIVATE: Final = regex(r"10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.")
"""Addresses of private networks, as documentation uses them."""
_CHECKED: Final = ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_")
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_PLACEHOLDER: Final = regex(
    r"(?i)example|change[-_ ]?(me|this|it)|replace|place[-_]?holder|dummy|fake|sample|insert|your[-_ ]|^your|\btodo\b|fixme"
    r"|x{4,}|\*{3,}|\.{3}|…|redacted|masked|hidden|not[-_ ]?(a[-_ ]?)?(real|secret|used|set)|unused|1234567|abcdef|deadbeef|0{6,}"
    r"|^<.*>$|^\[.*\]$|^__.*__$|\$\{|\{\{|%\(|%s|^\{.*\}$|lorem|foobar|^none$|^null$|^undefined$|^(un)?known$|in[-_]?secure"
    r"|^test|mock|build[-_]time|^random|^my[-_]?(secret|password|token|key)|^(secret|password|passwd|token|key|admin|default|empty|string)$"
)
_IDENTIFIER: Final = regex(r"[A-Za-z_][A-Za-z_.:-]*\d?")
_DOTTED: Final = regex(r"(?:[A-Za-z_]\w{0,20}\.)+[A-Za-z_]\w{0,30}")
"""A qualified name, such as that of a class."""
_WITH_NUMBER: Final = regex(r"[a-z]{3,}\d{1,4}[a-z]{3,}|[a-z]{3,}\d{2,4}")
_NAMING: Final = regex(
    r"pass|pwd|auth|key|token|secret|hash|type|field|user|input|http|sha\d|md\d|base\d|utf\d"
)
"""Parts of names of fields, kinds and algorithms."""
_PROSE: Final = regex(
    r"\s|^[/.~]|^https?://|^[a-z]+://|\\[dws]|[()|]|^\^|\[\^|\$$|(?:^|[^\w$])\$[A-Za-z_.{]|^--?\w|^@|^#|&\w+[;=]|;$"
)
"""Sentences, paths, addresses, patterns, templates and markup; a password may hold a `$` or a `^` in its middle."""
_OF_EMULATOR: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The key of Azure's storage emulator, which its documentation gives to everybody."""
_UUID: Final = regex(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HASH: Final = regex(
    r"\$(?:2[aby]|argon2\w*|pbkdf2\S*|[156y])\$|^(?:pbkdf2_sha\d+|bcrypt\w*|argon2|scrypt|sha\d+|md5)[$:]|^\{SSHA\}"
)


def may_hold_credential(text: str) -> bool:
    """Whether the texts of a file may hold a credential of a known format: a quick test that most files fail."""
    return (
        ("://" in text and _ANY_URL.search(text) is not None)
        or _ANY_SETTINGS.search(text) is not None
        or any(hint in text for hint in _HINTS)
        or any(literal in text and pattern.search(text) for literal, pattern in _SHORT_HINTS)
    )


@lru_cache(maxsize=4096)
def known_format(text: str) -> str | None:
    """The kind of credential that a text holds by its format, such as `GitHub token`; None if it holds none."""
    if len(text) < 16:
        return None
    for title, hint, pattern in _FORMATS:
        if hint in text:
            match = pattern.search(text)
            if match and _is_genuine(match[0]):
                return title
    return None


def _is_genuine(token: str) -> bool:
    """Whether a token's checksum is right, and it is no example from documentation."""
    if token.startswith(_CHECKED):
        return _base62(zlib.crc32(token[4:-6].encode())) == token[-6:]
    body = token[-32:]
    return (
        "EXAMPLE" not in token.upper()
        and _OF_EMULATOR not in token
        and len(set(body)) > 6
        and not re.search(r"(?i)x{5,}|12345678|your|0{8,}", token)
    )


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _ALPHABET[rest] + digits
    return digits.rjust(6, "0")


def url_password(text: str) -> str | None:
    """The password in a URL such as `postgres://user:password@host`; None if it has none worth hiding."""
    if "://" not in text or "@" not in text or len(text.split()) != 1:
        return None
    match = _URL.match(text.strip())
    if match is None:
        return None
    _scheme, user, password, host = match.groups()
    local = host.partition(":")[0] in _NOWHERE or _PRIVATE.match(host) is not None
    if local or "example" in host or ".test." in host or is_placeholder(password) or password == user:
        return None
    if re.fullmatch(r"(?i)(pass\w*|pwd|user\w*|secret|token|guest|root|postgres|port|pw)", password):
        return None
    return password


def settings_password(text: str) -> str | None:
    """The password in a connection string such as `Server=db;Uid=shop;Pwd=…`; None if it has none worth hiding."""
    match = _SETTINGS.search(text) if ";" in text and "=" in text else None
    return match[1] if match is not None and looks_chosen(match[1]) else None


def entropy(text: str) -> float:
    """Shannon's entropy of a text's characters, in bits per character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values()) if size else 0.0


@lru_cache(maxsize=4096)
def is_placeholder(text: str) -> bool:
    """Whether a text stands for a credential without being one: an example, a template, a hash, an identifier."""
    return bool(
        len(text) < 4
        or len(set(text)) < 4
        or text == _OF_EMULATOR
        or any(map(_PLACEHOLDER.search, (text, *_written_otherwise(text))))
        or _PROSE.search(text)
        or _UUID.fullmatch(text)
        or _HASH.search(text)
        or _DOTTED.fullmatch(text)
    )


def _written_otherwise(text: str) -> Iterator[str]:
    """The characters that a text stands for in base 32 and base 64, where all of them can be typed."""
    for decode in (base64.b32decode, partial(base64.b64decode, validate=True)):
        with suppress(ValueError):
            yield decode(text).decode("ascii")


@lru_cache(maxsize=4096)
def looks_random(text: str) -> bool:
    """Whether a text looks drawn at random, as keys and tokens are: long, mixed, without words."""
    if len(text) < 16 or is_placeholder(text) or not re.fullmatch(r"[A-Za-z0-9+/=_.~-]+|[!-~]+", text):
        return False
    kinds = sum(bool(re.search(kind, text)) for kind in (r"[a-z]", r"[A-Z]", r"\d"))
    if kinds < 2 or not re.search(r"\d", text):
        return False
    hexadecimal = re.fullmatch(r"[0-9a-fA-F]+", text) is not None
    return entropy(text) > (3.0 if hexadecimal else 3.5) and not _is_words(text)


@lru_cache(maxsize=4096)
def looks_chosen(text: str) -> bool:
    """Whether a text looks like a password that a person chose: letters with digits or symbols, no identifier."""
    if is_placeholder(text) or len(text) > 80 or (_is_words(text) and not _is_word_with_number(text)):
        return False
    return _IDENTIFIER.fullmatch(text) is None and bool(re.search(r"[A-Za-z]", text)) and len(text) >= 6


def _is_word_with_number(text: str) -> bool:
    """Whether a text is small letters around a number or before one, as people choose passwords, and names no field or algorithm."""
    return _WITH_NUMBER.fullmatch(text) is not None and _NAMING.search(text) is None


def _is_words(text: str) -> bool:
    """Whether a text is words joined by dots, dashes, underscores or capitals, such as a name or a version."""
    parts = re.split(r"[-_.:/ ]", text)
    spelled = sum(map(len, re.findall(r"[A-Z]?[a-z]{3,}", text)))
    if spelled * 4 >= len(text) * 3:
        return True
    return len(parts) > 1 and all(
        re.fullmatch(r"[A-Za-z]{2,}\d{0,2}|[A-Z]\d?|\d{1,4}|v?\d+(\.\d+)*", part) or not part
        for part in parts
    )
