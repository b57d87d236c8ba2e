"""Finds users of SNMP 3 whose packets are encrypted with DES. Logins without encryption are for `unprotected-snmp`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import AddImport, Fix, Grade, Severity, rule
from charter_rules import calls, snmp
from charter_rules.snmp import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_AES: Final = "usmAesCfb128Protocol"


@rule(
    ast.Call,
    code="SEC073",
    principles=("sound-cryptography",),
    severity=Severity.MEDIUM,
    cwe=(326, 327),
    mentions=snmp.LIBRARIES,
    when=snmp.may_log_in,
    in_tests=False,
    references=(
        "https://www.rfc-editor.org/rfc/rfc3826",
        "https://docs.lextudio.com/pysnmp/",
    ),
)
def snmp_with_des(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Encrypt SNMP with AES.

    The first protocol for privacy of SNMP 3 is DES. All of its keys can be tried out in a day, and then everything that was
    recorded can be read. pysnmp still takes it where a privacy key is given and no protocol is named. Name AES, here and
    on the device.

    ```python bad
    from pysnmp.hlapi import UsmUserData

    def login(name, key, privacy_key):
        return UsmUserData(name, key, privacy_key)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ SNMP 3 encrypts with DES here, all keys of which can be tried out: choose AES
    ```
    ```python fixed
    from pysnmp.hlapi import usmAesCfb128Protocol, UsmUserData

    def login(name, key, privacy_key):
        return UsmUserData(name, key, privacy_key, privProtocol=usmAesCfb128Protocol)
    ```
    ```python good
    from pysnmp.hlapi import UsmUserData, usmAesCfb128Protocol

    def login(name, key, privacy_key):
        return UsmUserData(name, key, privacy_key, privProtocol=usmAesCfb128Protocol)
    ```
    """
    level = snmp.level_of(call, ctx)
    if level is not Level.DES and level is not Level.FULL:
        ctx.not_an_opportunity()
    elif level is Level.DES and not snmp.is_chosen(call, level, ctx):
        message = "SNMP 3 encrypts with DES here, all keys of which can be tried out: choose AES"
        yield ctx.finding(call, message, fix=_fix(call, ctx))


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
