"""Finds `assert` that guards who may do something."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    regex,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_GUARD: Final = regex(
    r"is_(?:admin|staff|superuser|authorized|owner|logged_in|allowed)|has_perms?|has_permission|check_permissions?|check_password"
    r"|user_can|can_(?:edit|delete|view|access|write)|is_valid_(?:token|signature)|verify_(?:token|signature|password)|compare_digest"
)


@rule(
    ast.Assert,
    code="SEC046",
    principles=("authentication-first", "deliberate-errors"),
    severity=Severity.MEDIUM,
    cwe=(617, 703, 285),
    references=("https://docs.python.org/3/using/cmdline.html#cmdoption-O",),
)
def assert_as_guard(check: ast.Assert, ctx: Context) -> Iterator[Finding]:
    """Guard with `if` and an exception, not with `assert`.

    `python -O` and `PYTHONOPTIMIZE` remove every `assert`: the check is then gone and everybody may pass. An `assert` states what the programmer
    knows to be true; what a user may do is a question for `if`.

    ```python bad
    def delete_order(request, order):
        assert request.user.is_staff, "staff only"
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `python -O` removes this check of `is_staff`
        order.delete()
    ```
    ```python good
    from django.core.exceptions import PermissionDenied

    def delete_order(request, order):
        if not request.user.is_staff:
            raise PermissionDenied("staff only")
        order.delete()

    def total(order):
        assert order.lines is not None
        return sum(line.price for line in order.lines)
    ```
    """
    if ctx.is_test or not _GUARD.search(ctx.source(check.test)) or calls.tries_out(ctx, check):
        ctx.not_an_opportunity()
        return
    for node in (check.test, *ctx.walk(check.test)):
        name = calls.identifier(node)
        if _GUARD.fullmatch(name):
            yield ctx.finding(check, f"`python -O` removes this check of `{name}`")
            return
