"""Finds logins over SNMP that are sent in the clear, or encrypted with DES. What is asked of the device does not matter."""

from __future__ import annotations

import ast
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from charter.api import UNKNOWN, AddImport, Fix, Grade, Severity, rule
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


class _Level(IntEnum):
    """How far a login is protected, the worst first."""

    COMMUNITY = 0
    NO_KEY = 1
    NO_PRIVACY = 2
    DES = 3
    FULL = 4


class _User(Struct, frozen=True):
    """Where a login of SNMP 3 takes its keys and protocols: 0-based positions and keywords.

    Attributes:
        key: the key that authenticates.
        privacy: the key that encrypts.
        key_protocol: what the first is used with; None if that is part of the key.
        privacy_protocol: what the second is used with, likewise.
        usual: how a user is protected who has both keys and for whom no protocol is named.
    """

    key: tuple[int, str]
    privacy: tuple[int, str]
    key_protocol: tuple[int, str] | None = None
    privacy_protocol: tuple[int, str] | None = None
    usual: _Level = _Level.FULL


_COMMUNITIES: Final = {
    "CommunityData": "pysnmp",
    "addV1System": "pysnmp",
    "add_v1_system": "pysnmp",
    "V1": "puresnmp",
    "V2C": "puresnmp",
    "Snmp": "aiosnmp",
}
"""What logs in with a community, and the library that it belongs to."""
_OF_ENGINE: Final = _User(
    (3, "authKey"), (5, "privKey"), (2, "authProtocol"), (4, "privProtocol"), _Level.NO_KEY
)
_USERS: Final = {
    "UsmUserData": (
        "pysnmp",
        _User((1, "authKey"), (2, "privKey"), (3, "authProtocol"), (4, "privProtocol"), _Level.DES),
    ),
    "addV3User": ("pysnmp", _OF_ENGINE),
    "add_v3_user": ("pysnmp", _OF_ENGINE),
    "V3": ("puresnmp", _User((1, "auth"), (2, "priv"))),
}
"""What logs in as a user of SNMP 3, the library, and where the keys are."""
_SESSIONS: Final = frozenset({"easysnmp", "ezsnmp"})
"""Libraries with a `Session` for all versions."""
_LEVELS: Final = {
    "noauthnopriv": _Level.NO_KEY,
    "no_auth_or_privacy": _Level.NO_KEY,
    "authnopriv": _Level.NO_PRIVACY,
    "auth_without_privacy": _Level.NO_PRIVACY,
}
_NO_KEY: Final = frozenset({"usmNoAuthProtocol", "USM_AUTH_NONE"})
_NO_PRIVACY: Final = frozenset({"usmNoPrivProtocol", "USM_PRIV_NONE"})
_DES: Final = frozenset({"usmDESPrivProtocol", "USM_PRIV_CBC56_DES"})
_AES: Final = "usmAesCfb128Protocol"
_MESSAGES: Final = {
    _Level.COMMUNITY: "SNMP 1 and 2c send the community, their only password, in the clear: log in as a user of SNMP 3",
    _Level.NO_KEY: "this user of SNMP 3 has no key, so anybody can answer and ask in the other's place: give both keys",
    _Level.NO_PRIVACY: "this user of SNMP 3 has no key for encryption, so everything is sent in the clear: give both keys",
    _Level.DES: "SNMP 3 encrypts with DES here, all keys of which can be tried out: choose AES",
}


def _may_log_in(call: ast.Call) -> bool:
    name = calls.identifier(call.func)
    return name in _COMMUNITIES or name in _USERS or name == "Session"


@rule(
    ast.Call,
    code="SEC071",
    principles=("verified-transport",),
    severity=Severity.MEDIUM,
    cwe=(319, 522),
    mentions=("pysnmp", "puresnmp", "aiosnmp", *_SESSIONS),
    when=_may_log_in,
    in_tests=False,
    aliases=("B508", "B509", "S508", "S509"),
    references=(
        "https://www.rfc-editor.org/rfc/rfc3414",
        "https://www.rfc-editor.org/rfc/rfc3826",
        "https://docs.lextudio.com/pysnmp/",
    ),
)
def unprotected_snmp(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Speak SNMP only with keys for authentication and encryption.

    SNMP 1 and 2c have a community for a password and send it with every packet, for everybody on the way to read and to
    use; where it may write, they can then change the device. Version 3 protects nothing by itself either: a user without
    an authentication key is believed by name, and without a privacy key all that is asked and answered is sent in the
    clear. DES, which pysnmp takes unless another protocol is named, has keys of 56 bits.

    A module that also logs in with more protection leaves the choice to those who configure it, and is left alone.

    ```python bad
    from pysnmp.hlapi.v3arch.asyncio import CommunityData, UsmUserData

    COMMUNITY = CommunityData("ops-r7")
    #           ^^^^^^^^^^^^^^^^^^^^^^^ SNMP 1 and 2c send the community, their only password, in the clear: log in as a user of SNMP 3
    ```
    ```python good
    from pysnmp.hlapi.v3arch.asyncio import USM_AUTH_HMAC192_SHA256, USM_PRIV_CFB128_AES, UsmUserData

    def login(name, key, privacy_key):
        return UsmUserData(
            name,
            authKey=key,
            privKey=privacy_key,
            authProtocol=USM_AUTH_HMAC192_SHA256,
            privProtocol=USM_PRIV_CFB128_AES,
        )
    ```
    """
    level = _level(call, ctx)
    if level is None:
        ctx.not_an_opportunity()
        return
    others = (_level(other, ctx) for other in ctx.nodes(ast.Call) if _may_log_in(other))
    if level is _Level.FULL or any(other is not None and other > level for other in others):
        return
    fix = _fix(call, ctx) if level is _Level.DES else None
    severity = Severity.LOW if level is _Level.DES else None
    yield ctx.finding(call, _MESSAGES[level], severity=severity, fix=fix)


def _level(call: ast.Call, ctx: Context) -> _Level | None:
    """How far a login is protected, as far as it can be seen; None if a call is none."""
    name = calls.identifier(call.func)
    library = _library(call.func, ctx)
    if not library:
        return None
    if _COMMUNITIES.get(name) == library:
        return _Level.COMMUNITY
    if calls.has_unpacking(call):
        return _Level.FULL
    if name in _USERS and _USERS[name][0] == library:
        return _of_user(call, _USERS[name][1], ctx)
    if name == "Session" and library in _SESSIONS:
        return _of_session(call, ctx)
    return None


def _library(function: ast.expr, ctx: Context) -> str:
    """The library that a function comes from; "" if that is none of those that speak SNMP."""
    name = ctx.name(function)
    if name is None and isinstance(function, ast.Name):
        stars = [node.module or "" for node in ctx.nodes(ast.ImportFrom) if node.names[0].name == "*"]
        name = next((module for module in stars if module.startswith("pysnmp.")), None)
    return (name or "").partition(".")[0]


def _of_user(call: ast.Call, user: _User, ctx: Context) -> _Level:
    protocol, privacy_protocol = (
        calls.identifier(ctx.argument(call, *place)) if place else ""
        for place in (user.key_protocol, user.privacy_protocol)
    )
    if _is_missing(call, user.key, ctx) or protocol in _NO_KEY:
        return _Level.NO_KEY
    if _is_missing(call, user.privacy, ctx) or privacy_protocol in _NO_PRIVACY:
        return _Level.NO_PRIVACY
    if privacy_protocol in _DES:
        return _Level.DES
    return (
        user.usual if user.privacy_protocol and _is_missing(call, user.privacy_protocol, ctx) else _Level.FULL
    )


def _of_session(call: ast.Call, ctx: Context) -> _Level | None:
    version = calls.value(ctx, call, None, "version")
    if version is UNKNOWN or str(version).lstrip("v")[:1] not in "123":
        return None
    if str(version).lstrip("v") != "3":
        return _Level.COMMUNITY
    level = calls.value(ctx, call, None, "security_level", default="noAuthNoPriv")
    if calls.value(ctx, call, None, "privacy_protocol") == "DES":
        return _Level.DES
    return _LEVELS.get(str(level).lower(), _Level.FULL)


def _is_missing(call: ast.Call, place: tuple[int, str], ctx: Context) -> bool:
    argument = ctx.argument(call, *place)
    return argument is None or ctx.value(argument) in (None, "", b"")  # a tuple: not every value has a hash


def _fix(call: ast.Call, ctx: Context) -> Fix | None:
    """Another protocol, which the device must then be told too."""
    if calls.identifier(call.func) != "UsmUserData" or len(call.args) > 4:
        return None
    module, _, _ = (ctx.name(call.func) or "").rpartition(".")
    if isinstance(call.func, ast.Attribute):
        edits = (ctx.set_keyword(call, "privProtocol", f"{ctx.source(call.func.value)}.{_AES}"),)
    elif module and not module.endswith(".auth"):
        edits = (ctx.set_keyword(call, "privProtocol", _AES), AddImport(module, _AES))
    else:
        return None
    return Fix("Encrypt with AES, on the device as well", edits, Grade.SUGGESTION)
