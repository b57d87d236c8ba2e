"""How far logins over SNMP are protected, by the calls that make them. Whether that is too little is for rules to say."""

from __future__ import annotations

import ast
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from charter.api import UNKNOWN
from charter_rules import calls

if TYPE_CHECKING:
    from charter.api import Context


class Level(IntEnum):
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
    usual: Level = Level.FULL


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
    (3, "authKey"), (5, "privKey"), (2, "authProtocol"), (4, "privProtocol"), Level.NO_KEY
)
_USERS: Final = {
    "UsmUserData": (
        "pysnmp",
        _User((1, "authKey"), (2, "privKey"), (3, "authProtocol"), (4, "privProtocol"), Level.DES),
    ),
    "addV3User": ("pysnmp", _OF_ENGINE),
    "add_v3_user": ("pysnmp", _OF_ENGINE),
    "V3": ("puresnmp", _User((1, "auth"), (2, "priv"))),
}
"""What logs in as a user of SNMP 3, the library, and where the keys are."""
_SESSIONS: Final = frozenset({"easysnmp", "ezsnmp"})
"""Libraries with a `Session` for all versions."""
LIBRARIES: Final = ("pysnmp", "puresnmp", "aiosnmp", *_SESSIONS)
"""All that are known here."""
_LEVELS: Final = {
    "noauthnopriv": Level.NO_KEY,
    "no_auth_or_privacy": Level.NO_KEY,
    "authnopriv": Level.NO_PRIVACY,
    "auth_without_privacy": Level.NO_PRIVACY,
}
_NO_KEY: Final = frozenset({"usmNoAuthProtocol", "USM_AUTH_NONE"})
_NO_PRIVACY: Final = frozenset({"usmNoPrivProtocol", "USM_PRIV_NONE"})
_DES: Final = frozenset({"usmDESPrivProtocol", "USM_PRIV_CBC56_DES"})


def may_log_in(call: ast.Call) -> bool:
    """Whether a call may be a login, by its name alone."""
    name = calls.identifier(call.func)
    return name in _COMMUNITIES or name in _USERS or name == "Session"


def is_chosen(call: ast.Call, level: Level, ctx: Context) -> bool:
    """Whether the file also logs in with more protection, and not right beside: then it is left to who configures it."""
    return any(
        _block(other, ctx) != _block(call, ctx)
        and (found := level_of(other, ctx)) is not None
        and found > level
        for other in ctx.nodes(ast.Call)
        if may_log_in(other)
    )


def _block(call: ast.Call, ctx: Context) -> tuple[ast.AST | None, bool]:
    """Of what a call is run with: the statement or conditional expression around, and whether of its first part."""
    child: ast.AST = call
    for parent in ctx.ancestors(call):
        if isinstance(parent, ast.IfExp):
            return parent, child is parent.body
        if isinstance(child, ast.stmt):
            return parent, child in getattr(parent, "body", ())
        child = parent
    return None, True


def level_of(call: ast.Call, ctx: Context) -> Level | None:
    """How far a login is protected, as far as it can be seen; None if a call is none."""
    name = calls.identifier(call.func)
    library = _library(call.func, ctx)
    if not library:
        return None
    if _COMMUNITIES.get(name) == library:
        return Level.COMMUNITY
    if calls.has_unpacking(call):
        return Level.FULL
    if name in _USERS and _USERS[name][0] == library:
        return _of_user(call, _USERS[name][1], ctx)
    if name == "Session" and library in _SESSIONS:
        return _of_session(call, ctx)
    return None


def _library(function: ast.expr, ctx: Context) -> str:
    """The library that a function comes from; "" if that is not known, or the file is of the library itself."""
    name = ctx.name(function)
    if name is None and isinstance(function, ast.Name):
        stars = [node.module or "" for node in ctx.nodes(ast.ImportFrom) if node.names[0].name == "*"]
        name = next((module for module in stars if module.startswith("pysnmp.")), None)
    library = (name or "").partition(".")[0]
    return "" if library in ctx.path.split("/") else library


def _of_user(call: ast.Call, user: _User, ctx: Context) -> Level:
    protocol, privacy_protocol = (
        calls.identifier(ctx.argument(call, *place)) if place else ""
        for place in (user.key_protocol, user.privacy_protocol)
    )
    if _is_missing(call, user.key, ctx) or protocol in _NO_KEY:
        return Level.NO_KEY
    if _is_missing(call, user.privacy, ctx) or privacy_protocol in _NO_PRIVACY:
        return Level.NO_PRIVACY
    if privacy_protocol in _DES:
        return Level.DES
    return (
        user.usual if user.privacy_protocol and _is_missing(call, user.privacy_protocol, ctx) else Level.FULL
    )


def _of_session(call: ast.Call, ctx: Context) -> Level | None:
    version = calls.value(ctx, call, None, "version")
    if version is UNKNOWN or str(version).lstrip("v")[:1] not in "123":
        return None
    if str(version).lstrip("v") != "3":
        return Level.COMMUNITY
    level = calls.value(ctx, call, None, "security_level", default="noAuthNoPriv")
    if calls.value(ctx, call, None, "privacy_protocol") == "DES":
        return Level.DES
    return _LEVELS.get(str(level).lower(), Level.FULL)


def _is_missing(call: ast.Call, place: tuple[int, str], ctx: Context) -> bool:
    argument = ctx.argument(call, *place)
    return argument is None or ctx.value(argument) in (None, "", b"")  # a tuple: not every value has a hash
