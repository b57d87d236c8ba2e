"""Finds security checks whose failure changes nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, Span, regex, rule
from charter_rules import calls, lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CHECKS: Final = regex(
    r"(?i)_*(?:(?:check|verify|validate|require|assert)_\w*(?:permission|access|auth|token|signature|sign|owner|role|admin|password|login|certificate|csrf|jwt|credential)\w*"
    r"|(?:check|verify|validate)_?(?:signature|token|password)|authori[sz]e|check_object_permissions|check_permissions)"
)
"""Names of functions that say by an exception that something is not allowed."""
_OF_KEYS: Final = regex(r"(?i)key|signer|verifier|hasher|^ph$|mac")
"""What has a method `verify` that raises where a signature, a digest or a password is wrong."""
_DECODERS: Final = frozenset({"jwt.decode", "jose.jwt.decode", "jose.jws.verify"})
_STAND_IN: Final = regex(r"(?i)dummy|timing|fake")
"""Names of what is checked where there is nobody, so that it takes as long."""
_REFUSALS: Final = regex(
    r"(?i)\b(?:base)?exception\b|permission|auth|signature|token|jwt|denied|forbidden|mismatch|invalid|expired|httpexception|valueerror"
)
"""Names of exceptions that say that something is not allowed."""
_GOES_ON: Final = (ast.Pass, ast.Continue)
_LOGS: Final = regex(r"(?i)^(?:log\w*|_?logger|logging|warnings|print|sys\.std|console|traceback)\b")
_TRIES: Final = regex(r"(?i)clean|teardown|close|shutdown|optional|best_?effort|probe|test|^try_|warn|audit")
"""Names of functions that need no answer."""
_JUDGES: Final = regex(r"(?i)^_*(?:(?:is|has|can|may|should)_|check|verify|validate|allow|auth)")
"""Names of functions whose `True` says that all is well."""


@rule(
    ast.Try,
    code="SEC139",
    principles=("authentication-first", "deliberate-errors"),
    severity=Severity.HIGH,
    in_tests=False,
    when=lambda node: len(node.body) == len(node.handlers) == 1 and isinstance(node.body[0], ast.Expr),
    cwe=(703, 755, 390, 391),
    references=("https://cwe.mitre.org/data/definitions/755.html",),
)
def ignored_check(node: ast.Try, ctx: Context) -> Iterator[Finding]:
    """Let a failed check stop what it guards.

    A function that verifies a signature, a token or a permission raises if something is wrong. Where the exception is caught and
    only noted, the code behind it runs as if all were well. Return, or raise what the caller understands. Checks whose result is
    used, and those that are one of several tries, are not reported.

    ```python bad
    def delete_order(user, order):
        try:
            check_permission(user, "delete")
        except PermissionError:
    #   ^^^^^^^^^^^^^^^^^^^^^^^ `check_permission` may fail and what follows runs all the same
            pass
        order.delete()
    ```
    ```python good
    def delete_order(user, order):
        try:
            check_permission(user, "delete")
        except PermissionError:
            return False
        order.delete()
        return True
    ```
    """
    check = _check(node, ctx)
    if not check or node.orelse or not _is_followed(node, ctx):
        ctx.not_an_opportunity()
        return
    handler = node.handlers[0]
    if _is_refusal(handler, ctx) and all(_goes_on(one, ctx) for one in handler.body):
        yield ctx.finding(_head(handler, ctx), f"`{check}` may fail and what follows runs all the same")


def _check(node: ast.Try, ctx: Context) -> str:
    """The check that is all that a block tries, for nothing but its exception; "" for any other block."""
    statement = node.body[0]
    if not isinstance(statement, ast.Expr):
        return ""
    call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    if not isinstance(call, ast.Call):
        return ""
    name = calls.identifier(call.func)
    around = ctx.function(node)
    if around is None or _TRIES.search(around.name) or _STAND_IN.search(ctx.source(call)):
        return ""
    owner = calls.identifier(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if _CHECKS.fullmatch(name) or ctx.name(call.func) in _DECODERS:
        return name
    return name if name == "verify" and _OF_KEYS.search(owner) and call.args else ""


def _is_refusal(handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether what is caught may say that something is not allowed, and not only that something else is missing."""
    return handler.type is None or _REFUSALS.search(ctx.source(handler.type)) is not None


def _is_followed(node: ast.Try, ctx: Context) -> bool:
    """Whether something comes behind a block that a failed check should have stopped."""
    parent = ctx.parent(node)
    return (
        isinstance(parent, (*shapes.FUNCTIONS, ast.With, ast.AsyncWith, ast.If))
        and parent.body[-1] is not node
        and node in parent.body
    )


def _goes_on(statement: ast.stmt, ctx: Context) -> bool:
    """Whether a statement lets the code go on: it does nothing, notes something, or says that all is well."""
    if isinstance(statement, _GOES_ON):
        return True
    if isinstance(statement, ast.Return):
        around = ctx.function(statement)
        says_well = around is not None and _JUDGES.search(around.name) is not None
        return says_well and statement.value is not None and ctx.value(statement.value) is True
    return isinstance(statement, ast.Expr) and (
        isinstance(statement.value, ast.Constant) or _LOGS.search(ctx.source(statement.value)) is not None
    )


def _head(handler: ast.ExceptHandler, ctx: Context) -> Span:
    """The line that begins a handler."""
    start = ctx.span(handler).start
    return Span(start, lines.end(start, ctx))
