"""Finds checks and settings that accept passwords of fewer than eight characters."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Sensitivity, Severity, regex, rule, sensitivity
from charter_rules import calls, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_LEAST: Final = 8
_EMPTY: Final = 2
"""What asks for no more than this sees to it that there is something, or parts of something else."""
_MINIMA: Final[dict[type[ast.cmpop], int]] = {ast.Lt: 0, ast.LtE: 1, ast.GtE: 0, ast.Gt: 1}
"""How many characters more than the number beside it a comparison asks for."""
_REFUSES: Final = regex(r"(?i)\braise\b|\breturn\b|error|flash|fail|abort|print|messages?\.")
"""What is done with a password that is too short."""
_CHECKS: Final = regex(r"(?i)valid|check|verif|strong|accept|is_|allow")
"""Names of functions that tell whether a password may be chosen."""
_NOT_CHOSEN: Final = regex(
    r"(?i)mask|hid(?:e|den)|redact|censor|display|score|level|entropy|log_?in|sign_?in|wifi|wpa|zip|archive|crack|guess|brute"
)
"""Names of functions and classes that show, rate or take a password that was chosen before."""
_CLIENT_OF_A_SPECIFICATION: Final = regex(
    r"(?i)openapi[- ]generator|swagger[- ]codegen|openapi-python-client"
)
"""Who writes clients out of a server's specification, with what the server asks for."""
_VALIDATORS: Final = "AUTH_PASSWORD_VALIDATORS"
_OPTIONS: Final = frozenset({"min_length", "min", "minlength"})


@rule(
    ast.Compare,
    ast.keyword,
    ast.Assign,
    code="SEC136",
    principles=("hardened-defaults",),
    severity=Severity.LOW,
    in_tests=False,
    cwe=(521,),
    mentions=("passw", "Passw", "PASSW", "pwd"),
    when=lambda node: (
        node.arg in _OPTIONS
        if isinstance(node, ast.keyword)
        else calls.identifier(node.targets[0]) == _VALIDATORS
        if isinstance(node, ast.Assign)
        else isinstance(node.left, ast.Call) and len(node.ops) == 1 and type(node.ops[0]) in _MINIMA
    ),
    references=("https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver",),
)
def short_password_allowed(node: ast.Compare | ast.keyword | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """Ask for passwords of eight characters or more.

    A password of six small letters is one of 300 million: a stolen digest, even a slow one, gives it away, and a list of the usual
    ones opens many accounts without any digest. NIST asks for eight characters where a second factor is there, and for fifteen
    where it is not. Checks that refuse nothing, such as those that only show how good a password is, are not reported.

    ```python bad
    def check_password(password):
        if len(password) < 6:
    #      ^^^^^^^^^^^^^^^^^ passwords of 6 characters are accepted; ask for 8 or more
            raise ValueError("too short")
    ```
    ```python good
    def check_password(password):
        if not password:
            raise ValueError("choose one")
        if len(password) < 12:
            raise ValueError("too short")
    ```
    """
    if isinstance(node, ast.Compare):
        minimum = _compared(node, ctx)
    elif isinstance(node, ast.keyword):
        minimum = _told(node, ctx)
    else:
        yield from _validators(node, ctx)
        return
    if minimum is None:
        ctx.not_an_opportunity()
    elif _EMPTY < minimum < _LEAST:
        yield ctx.finding(node, f"passwords of {minimum} characters are accepted; ask for 8 or more")


def _compared(node: ast.Compare, ctx: Context) -> int | None:
    """How many characters a comparison asks of a password, where a shorter one is refused."""
    length = node.left
    if not isinstance(length, ast.Call) or ctx.name(length.func) != "builtins.len" or len(length.args) != 1:
        return None
    number = ctx.value(node.comparators[0])
    if sensitivity(calls.identifier(length.args[0])) is not Sensitivity.PASSWORD or not isinstance(
        number, int
    ):
        return None
    refuses = _refuses(node, ctx) if isinstance(node.ops[0], (ast.Lt, ast.LtE)) else _accepts(node, ctx)
    return (
        number + _MINIMA[type(node.ops[0])] if refuses and not _NOT_CHOSEN.search(ctx.symbol(node)) else None
    )


def _refuses(node: ast.Compare, ctx: Context) -> bool:
    """Whether a comparison stands in a condition under which something is refused."""
    test: ast.AST = node
    while isinstance(parent := ctx.parent(test), ast.BoolOp):
        test = parent
    return (
        isinstance(parent, ast.If)
        and parent.test is test
        and any(_REFUSES.search(ctx.source(one)) for one in parent.body[:3])
    )


def _accepts(node: ast.Compare, ctx: Context) -> bool:
    """Whether a function that checks passwords returns what a comparison says."""
    around = ctx.function(node)
    return (
        around is not None
        and _CHECKS.search(around.name) is not None
        and isinstance(ctx.statement(node), ast.Return)
    )


def _told(item: ast.keyword, ctx: Context) -> int | None:
    """How many characters a field for a password asks for."""
    statement = ctx.statement(item)
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    number = ctx.value(item.value)
    names_password = sensitivity(calls.identifier(targets[0])) is Sensitivity.PASSWORD
    if not names_password or not isinstance(number, int) or _NOT_CHOSEN.search(ctx.symbol(item)):
        return None
    return None if _has_a_form(item, ctx) or ctx.says(_CLIENT_OF_A_SPECIFICATION) else number


def _has_a_form(item: ast.keyword, ctx: Context) -> bool:
    """Whether what a field takes has hardly a choice of lengths, as numbers and pictures that stand for a password."""
    field = ctx.parent(item)
    most = calls.keyword(field, "max_length") if isinstance(field, ast.Call) else None
    length = None if most is None else ctx.value(most.value)
    return isinstance(length, int) and length <= _LEAST


def _validators(node: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """Django's list of what is asked of a password."""
    if ctx.parent(node) is not ctx.tree or not places.is_deployed(ctx, node):
        ctx.not_an_opportunity()
        return
    if isinstance(node.value, (ast.List, ast.Tuple)) and not node.value.elts and not _is_extended(ctx):
        yield ctx.finding(node, "every password is accepted, however short and common")
    for options in ctx.nodes(ast.Dict, within=node):
        number = calls.entry(options, "min_length")
        if number is not None and isinstance(least := ctx.value(number), int) and least < _LEAST:
            yield ctx.finding(number, f"passwords of {least} characters are accepted; ask for 8 or more")


def _is_extended(ctx: Context) -> bool:
    """Whether the list is added to, or another one takes its place."""
    return len(ctx.binds.get(_VALIDATORS, ())) > 1 or bool(ctx.reads.get(_VALIDATORS))
