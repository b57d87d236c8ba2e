"""Finds pieces of SQL for Django's `extra` and `RawSQL` whose values are written into the text. Where they come from is not asked."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Confidence, Severity, regex, rule
from charter_rules import building, calls, sql, sql_fixes, sql_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_RAW: Final = ("django.db.models.expressions.RawSQL", "django.db.models.RawSQL")
_PARTS: Final = ("select", "where", "tables", "order_by")
"""The parameters of `extra` that take SQL."""
_TABLE: Final = regex(r"(?:(?:[\w$ -]+|\"[^\"]*\"|`[^`]*`)(?:\.|$))*")
"""A table's name, as it is or in the quotes of a database."""


@rule(
    ast.Call,
    code="SEC133",
    principles=("parameterized-queries", "sql-injection"),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(89,),
    calls=("*.extra", *_RAW),
    aliases=("B610", "B611", "S610", "S611"),
    references=(
        "https://docs.djangoproject.com/en/stable/ref/models/querysets/#extra",
        "https://docs.djangoproject.com/en/stable/ref/models/expressions/#raw-sql-expressions",
    ),
)
def built_sql_fragment(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Pass values to `extra` and `RawSQL` as parameters, never inside of the SQL text.

    Django puts the text of `select`, `where`, `tables` and `RawSQL` into the statement as it is. A value that is written into it
    can end the quotes or brackets around it and go on as SQL. `params` and `select_params` take values safely; most of what `extra`
    does, annotations and expressions do better. Names of tables and columns cannot be parameters; they are not reported here.

    ```python bad
    from django.contrib.auth.models import User

    def named(name):
        return User.objects.extra(where=[f"lower(username) = '{name}'"])
    #                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `name` becomes part of the SQL text instead of a parameter
    ```
    ```python fixed
    from django.contrib.auth.models import User

    def named(name):
        return User.objects.extra(where=["lower(username) = %s"], params=[name])
    ```
    ```python good
    from django.contrib.auth.models import User
    from django.db.models.expressions import RawSQL

    def named(name):
        return User.objects.extra(where=["lower(username) = %s"], params=[name])

    def with_age(users):
        return users.annotate(age=RawSQL("extract(year from age(birthday))", []))
    ```
    """
    fragments = list(_fragments(call, ctx))
    if not fragments:
        ctx.not_an_opportunity()
        return
    if ctx.is_test or sql.is_migration(ctx):
        return
    for part, given, fragment in fragments:
        written = ctx.origin(fragment)
        problem = _problem(part, written, ctx)
        if problem:
            at = fragment if any(parent is call for parent in ctx.ancestors(fragment)) else given
            related = [] if written is at else [ctx.related(written, "the text is put together here")]
            fix = sql_fixes.for_call(call, given, calls.identifier(call.func), ctx)
            yield ctx.finding(at, problem, fix=fix, related=related)


def _fragments(call: ast.Call, ctx: Context) -> Iterator[tuple[str, ast.expr, ast.expr]]:
    """The pieces of SQL that a call is given, with the parameter that takes them and the argument that holds them."""
    if ctx.name(call.func) in _RAW:
        text = ctx.argument(call, 0, "sql")
        if text is not None:
            yield "sql", text, text
        return
    positional = call.args[0] if call.args else None
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg in _PARTS}
    if positional is not None and _is_selection(ctx.origin(positional), ctx):
        given["select"] = positional
    for part, value in given.items():
        for fragment in _items(ctx.origin(value), ctx):
            yield part or "", value, fragment


def _is_selection(value: ast.expr, ctx: Context) -> bool:
    return isinstance(value, (ast.Dict, ast.DictComp)) or (
        isinstance(value, ast.Call) and ctx.name(value.func) == "builtins.dict"
    )


def _items(value: ast.expr, ctx: Context) -> Iterator[ast.expr]:
    """What a list or dictionary holds, as it is written."""
    if isinstance(value, ast.Dict):
        yield from value.values
    elif isinstance(value, ast.DictComp):
        yield value.value
    elif isinstance(value, (ast.List, ast.Tuple)):
        yield from value.elts
    elif _is_selection(value, ctx) and isinstance(value, ast.Call):
        yield from (keyword.value for keyword in value.keywords if keyword.arg)


def _problem(part: str, written: ast.expr, ctx: Context) -> str:
    """What is wrong with a piece of SQL; "" if nothing is."""
    parts = building.pieces(written, ctx)
    value = None if parts is None else sql_values.risky(parts, ctx) or _written_in(written)
    if value is not None:
        return f"`{calls.short(ctx, value)}` becomes part of the SQL text instead of a parameter"
    text = ctx.value(written)
    if isinstance(text, str) and (not _TABLE.fullmatch(text) if part == "tables" else _breaks_out(text)):
        return "the text closes what Django opens around it, and goes on as SQL of its own"
    return ""


def _written_in(built: ast.expr) -> ast.expr | None:
    """The literal that a format is filled with in place, since what is formatted so is meant to vary."""
    if isinstance(built, ast.BinOp) and isinstance(built.op, ast.Mod):
        given = built.right.elts if isinstance(built.right, ast.Tuple) else [built.right]
    elif isinstance(built, ast.Call):
        given = [*built.args, *(keyword.value for keyword in built.keywords)]
    else:
        given = []
    return next((one for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)), None)


def _breaks_out(text: str) -> bool:
    """Whether a text closes a bracket that it has not opened, leaves a quote open, or makes a comment of what follows."""
    depth = 0
    quote = ""
    in_comment = False
    for char, following in zip(text, text[1:] + " ", strict=True):
        if in_comment:
            in_comment = char + following != "*/"
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
        elif char == "-" == following:
            return True
        elif char + following == "/*":
            in_comment = True
        else:
            depth += (char == "(") - (char == ")")
            if depth < 0:
                return True
    return in_comment or bool(quote) or depth > 0
