"""Finds logins through PAM that never ask whether the account may log in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import (
    Severity,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="SEC050",
    principles=("authentication-first",),
    severity=Severity.HIGH,
    cwe=(285, 287),
    mentions=("pam_authenticate", "PAM_AUTHENTICATE"),
    references=("https://linux.die.net/man/3/pam_acct_mgmt",),
)
def pam_without_account_check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Ask PAM for the account after the password.

    `pam_authenticate` only says that the password is right. Whether the account is expired, locked or restricted to certain hours is the answer of
    `pam_acct_mgmt`; without it, people who left can still log in.

    ```python bad
    from ctypes import CDLL

    libpam = CDLL("libpam.so.0")

    def may_log_in(handle):
        return libpam.pam_authenticate(handle, 0) == 0
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing asks `pam_acct_mgmt` whether the account may log in
    ```
    ```python good
    from ctypes import CDLL

    libpam = CDLL("libpam.so.0")

    def may_log_in(handle):
        result = libpam.pam_authenticate(handle, 0)
        if result == 0:
            result = libpam.pam_acct_mgmt(handle, 0)
        return result == 0
    ```
    """
    if calls.identifier(call.func).lower() != "pam_authenticate" or not _is_libpams(call):
        ctx.not_an_opportunity()
        return
    if not ctx.is_test and not _asks_for_account(call, ctx):
        yield ctx.finding(call, "nothing asks `pam_acct_mgmt` whether the account may log in")


def _is_libpams(call: ast.Call) -> bool:
    """Whether a call gives what libpam asks for, a handle and flags, and not a name and a password as its wrappers do."""
    return len(call.args) == 2 and not call.keywords


def _asks_for_account(call: ast.Call, ctx: Context) -> bool:
    """Whether the function that checks the password asks for the account, or another one does as a step of its own."""
    around = ctx.function(call) or ctx.tree
    if "pam_acct_mgmt(" in ctx.source(around).lower():
        return True
    others = (ctx.source(node).lower() for node in ctx.nodes(ast.FunctionDef) if node is not around)
    return any("pam_acct_mgmt(" in text and "pam_authenticate(" not in text for text in others)
