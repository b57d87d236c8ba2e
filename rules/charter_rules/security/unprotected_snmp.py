"""Finds logins over SNMP that anybody on the way can read or use. What is asked of the device does not matter."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, rule
from charter_rules import snmp
from charter_rules.snmp import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_MESSAGES: Final = {
    Level.COMMUNITY: "SNMP 1 and 2c send the community, their only password, in the clear: log in as a user of SNMP 3",
    Level.NO_KEY: "this user of SNMP 3 has no key, so anybody can answer and ask in the other's place: give both keys",
    Level.NO_PRIVACY: "this user of SNMP 3 has no key for encryption, so everything is sent in the clear: give both keys",
}


@rule(
    ast.Call,
    code="SEC071",
    principles=("verified-transport",),
    severity=Severity.MEDIUM,
    cwe=(319, 522),
    mentions=snmp.LIBRARIES,
    when=snmp.may_log_in,
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
    clear.

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
    level = snmp.level_of(call, ctx)
    if level is None:
        ctx.not_an_opportunity()
    elif level in _MESSAGES and not snmp.is_chosen(call, level, ctx):
        yield ctx.finding(call, _MESSAGES[level])
