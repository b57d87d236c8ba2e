"""Finds secrets of a request that are compared with `==`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    AddImport,
    Confidence,
    Fix,
    Grade,
    Sensitivity,
    Severity,
    regex,
    rule,
    sensitivity,
)
from charter_rules import arrivals, calls, protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SENT: Final = regex(r"(?i)(?:authorization|signature|token|api-?key)(?:[-_]\d+)?$")
"""Names of what shows who a client is."""
_KEPT: Final = regex(r"(?i)^(?:expected|secret|valid)_|_?(?:token|secret|key|signature|password)$")

_CHOSEN: Final = regex(r"(?i)(?:^|_)new(?:_|$|password)|confirm|repeat")
"""Names of what the client chooses, which opens nothing yet."""
_KINDS: Final = regex(r"(?i)(?:^|_)types?(?:_|$)|^_*(?:stale|old|last|previous|cached|next)_")
"""Names of kinds of tokens, which are no secret, and of those that a program remembers as its own or has just made."""
_SESSION: Final = regex(r"(?i)^session$")
_FORGERY: Final = regex(r"(?i)[cx]srf")
"""Names of tokens that a client brings twice, by a cookie besides, so that others have nothing to measure."""
_CHECKS: Final = regex(r"_*(?:validate|verify|introspect)_")
"""Beginnings of names of functions that check what they are given."""
_STEPS: Final = 8
"""How deep in a session a value may stand."""
_QUERIES: Final = frozenset({"filter", "where", "and_", "or_", "not_", "having"})
"""Functions that make a part of a query of comparisons."""


@rule(
    ast.Compare,
    code="SEC066",
    principles=("sound-cryptography",),
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
    in_tests=False,
    when=lambda node: len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)),
    cwe=(208, 203),
    mentions=("request",),
    references=("https://docs.python.org/3/library/secrets.html#secrets.compare_digest",),
)
def token_compared_by_equality(compare: ast.Compare, ctx: Context) -> Iterator[Finding]:
    """Compare tokens and keys in constant time.

    `==` stops at the first character that differs; measured often enough, the time of the answer tells how much of a guessed key is right.
    `hmac.compare_digest` takes the same time wherever the difference is.

    ```python bad
    from flask import abort, request

    def check(settings):
        if request.headers["X-Api-Key"] != settings.api_key:
    #      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ how long `==` takes tells how much of a guessed secret is right
            abort(401)
    ```
    ```python good
    import hmac
    from flask import abort, request

    def check(settings):
        if not hmac.compare_digest(request.headers["X-Api-Key"], settings.api_key):
            abort(401)

    def confirmed(form):
        return form["password"] == form["password2"]
    ```
    """
    left, right = compare.left, compare.comparators[0]
    pairs = ((left, right), (right, left))
    if (
        not any(_is_kept(other, ctx) and _is_sent(one, ctx) for one, other in pairs)
        or protocols.plays_a_site(ctx)
        or calls.is_of_tests(ctx)
        or _FORGERY.search(f"{ctx.symbol(compare)} {ctx.source(compare)}")
    ):
        ctx.not_an_opportunity()
        return
    if _is_sent(left, ctx) and _is_sent(right, ctx):
        return  # what the client has typed twice
    if any(_CHOSEN.search(calls.identifier(side)) for side in (left, right)):
        return
    if _is_looked_up(compare, ctx) or any(_KINDS.search(calls.identifier(side)) for side in (left, right)):
        return
    around = ctx.parent(compare)
    if isinstance(around, ast.Call) and calls.identifier(around.func) in _QUERIES:
        return  # the database compares
    negation = "not " if isinstance(compare.ops[0], ast.NotEq) else ""
    text = f"{negation}hmac.compare_digest({ctx.source(left)}, {ctx.source(right)})"
    fix = Fix("Compare in constant time", (ctx.replace(compare, text), AddImport("hmac")), Grade.SUGGESTION)
    yield ctx.finding(compare, "how long `==` takes tells how much of a guessed secret is right", fix=fix)


def _is_looked_up(compare: ast.Compare, ctx: Context) -> bool:
    """Whether one of many rows is looked for that has what the client names: `any(row.token == token for row in rows)`."""
    sides = (compare.left, compare.comparators[0])
    for parent in ctx.ancestors(compare):
        if isinstance(parent, shapes.DEFINITIONS):
            return False
        if isinstance(parent, shapes.COMPREHENSIONS):
            rows = set[str]().union(*(shapes.names_in(each.target) for each in parent.generators))
            return not rows.isdisjoint(shapes.names_in(compare))
        if isinstance(parent, (ast.For, ast.AsyncFor)) and any(
            _is_of_row(side, shapes.names_in(parent.target), ctx) for side in sides
        ):
            return True
    return False


def _is_of_row(side: ast.expr, row: set[str], ctx: Context) -> bool:
    """Whether a value is what a row says of itself; one of many keys, each tried in turn, is none."""
    made = ctx.origin(side)
    return not isinstance(made, ast.Name) and not row.isdisjoint(shapes.names_in(made))


def _is_sent(side: ast.expr, ctx: Context) -> bool:
    """Whether a value comes from a request, as a secret."""
    if isinstance(side, ast.Name) and not (_is_named_for_secret(side.id) or _KEPT.search(side.id)):
        return False
    made = ctx.origin(side)
    name = calls.identifier(made)
    if not _is_named_for_secret(name) and not _SENT.search(name):
        name = calls.identifier(side) if isinstance(side, ast.Name) else ""
    return (_is_named_for_secret(name) or _SENT.search(name) is not None) and arrivals.is_of_client(side, ctx)


def _is_named_for_secret(name: str) -> bool:
    """Whether a name stands for what opens something, and not for data about a person, which open nothing."""
    return sensitivity(name) not in {None, Sensitivity.PERSONAL}


def _is_kept(side: ast.expr, ctx: Context) -> bool:
    """Whether a value is the secret that the program keeps: a setting, an attribute, something looked up."""
    if not isinstance(side, (ast.Name, ast.Attribute, ast.Subscript)):
        return False
    name = calls.identifier(side)
    if not _is_named_for_secret(name) and not _KEPT.search(name):
        return False
    if _is_of_session(side, ctx) or _is_to_be_checked(side, ctx):
        return False
    return "request" not in ctx.source(side) and not isinstance(ctx.value(side), (int, type(None)))


def _is_to_be_checked(side: ast.expr, ctx: Context) -> bool:
    """Whether a value is what a function is there to check: `token` of `def validate_bearer_token(token)`."""
    function = ctx.function(side)
    return (
        function is not None
        and isinstance(side, ast.Name)
        and _CHECKS.match(function.name) is not None
        and side.id in function.name
        and any(argument.arg == side.id for argument in shapes.parameters(function))
    )


def _is_of_session(side: ast.expr, ctx: Context) -> bool:
    """Whether a value stands in the session of the client that is asked: nobody else can try and measure."""
    made: ast.expr = ctx.origin(side)
    for _ in range(_STEPS):
        if isinstance(made, (ast.Name, ast.Attribute)) and _SESSION.search(calls.identifier(made)):
            return True
        if isinstance(made, ast.Call):
            made = made.func
        elif isinstance(made, (ast.Attribute, ast.Subscript)):
            made = ctx.origin(made.value)
        else:
            return False
    return False
