"""Finds SQL whose values are written into the text instead of being passed as parameters. Where they come from is not asked."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Confidence, Severity, regex, rule, words
from charter_rules import building, calls, shapes, sql, sql_fixes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding
    from charter_rules.building import Piece

_METHODS: Final = (
    "execute",
    "executemany",
    "executescript",
    "fetch",
    "fetchrow",
    "fetchval",
    "raw",
    "exec_driver_sql",
    "read_sql",
)
_FUNCTIONS: Final = ("sqlalchemy.text", "sqlalchemy.sql.text", "sqlalchemy.sql.expression.text", "pandas.read_sql",
                     "pandas.read_sql_query", "django.db.models.expressions.RawSQL")  # fmt: skip
_QUOTERS: Final = regex(
    r"(?i)quote|escape|sanitiz|ident|placeholder|literal|mogrify|bind|join|compile|to_int"
)
_DATABASE: Final = regex(r"(?i)db|database|conn|connection|cursor|engine|dialect|ops")
"""Names of objects that know the SQL of a database: `db.cast("amount", "int")`."""
_ASKS: Final = regex(r"(?i)get|fetch|read|load|query|select|execute|find|scalar|one|first|value")
"""Beginnings of methods that bring what is stored."""
_SYNTAX: Final = frozenset(
    [
        "clause",
        "col",
        "cols",
        "column",
        "columns",
        "database",
        "db",
        "dialect",
        "field",
        "fields",
        "index",
        "schema",
        "sequence",
        "table",
        "tables",
        "where",
    ]
)
"""Words of names that stand for a piece of SQL."""
_LAST: Final = frozenset(
    [
        "batch",
        "condition",
        "conditions",
        "count",
        "expr",
        "expression",
        "filter",
        "filters",
        "int",
        "limit",
        "marks",
        "offset",
        "order",
        "params",
        "query",
        "select",
        "size",
        "sql",
        "statement",
        "stmt",
        "suffix",
        "prefix",
        "template",
    ]
)
"""Last words of such names."""
_NUMBERS: Final = frozenset(
    {
        "int",
        "float",
        "len",
        "round",
        "abs",
        "ord",
        "sum",
        "id",
        "uuid4",
        "uuid1",
        "now",
        "utcnow",
        "http_date",
        "time",
    }
)


@rule(
    ast.Call,
    code="SEC002",
    principles=("parameterized-queries", "sql-injection"),
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    cwe=(89,),
    calls=(*(f"*.{name}" for name in _METHODS), *_FUNCTIONS),
    aliases=("B608", "S608"),
    references=(
        "https://peps.python.org/pep-0249/#paramstyle",
        "https://cwe.mitre.org/data/definitions/89.html",
    ),
)
def sql_built_by_formatting(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Pass values to the database as parameters, never inside of the SQL text.

    A value that is written into the text can end the quotes around it and go on as SQL. Even where it is trusted
    today, the next caller may not know; quotes in names break the statement, and the database cannot reuse its plan.
    Parameters cost nothing. Table and column names cannot be parameters; they are not reported here.

    ```python bad
    import sqlite3

    def user(name):
        connection = sqlite3.connect("users.db")
        return connection.execute(f"SELECT * FROM users WHERE name = '{name}'").fetchone()
    #                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `name` becomes part of the SQL text instead of a parameter
    ```
    ```python fixed
    import sqlite3

    def user(name):
        connection = sqlite3.connect("users.db")
        return connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()
    ```
    ```python good
    import sqlite3

    def user(name):
        connection = sqlite3.connect("users.db")
        return connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()

    def count(connection, table):
        return connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
    ```
    """
    argument = ctx.argument(call, 0, "sql") or ctx.argument(call, None, "query")
    if argument is None:
        ctx.not_an_opportunity()
        return
    written = ctx.origin(argument)
    parts = building.pieces(written, ctx)
    if parts is None:
        return
    if not sql.looks_like_sql(parts):
        ctx.not_an_opportunity()
        return
    found = [parts[slot.index] for slot in sql.slots(parts) if slot.place != "name"]
    risky = [piece for piece in found if _may_carry_text(piece, ctx)]
    if not risky or ctx.is_test or "migrations" in ctx.path:
        return
    value = risky[0].value
    assert value is not None
    name = ctx.name(call.func) or getattr(call.func, "attr", "")
    fix = sql_fixes.for_call(call, argument, name, ctx) if written is argument else None
    related = [] if written is argument else [ctx.related(written, "the text is put together here")]
    text = " ".join(ctx.source(value).split())
    yield ctx.finding(
        argument, f"`{text}` becomes part of the SQL text instead of a parameter", fix=fix, related=related
    )


def _may_carry_text(piece: Piece, ctx: Context) -> bool:
    """Whether a value can hold SQL: not numbers, not what is quoted or made of placeholders."""
    value = piece.value
    if value is None or piece.numeric:
        return False
    origin = ctx.origin(value)
    if isinstance(value, ast.Call) and _puts_nothing_in(value, ctx):
        return False
    if isinstance(value, ast.Name) and _is_quoted_somewhere(value, ctx):
        return False
    for node in (value, origin):
        if isinstance(node, ast.BinOp) and any(
            type(ctx.value(side)) in {int, float} for side in (node.left, node.right)
        ):
            return False
        if isinstance(node, ast.IfExp) and all(
            ctx.value(side) is not UNKNOWN for side in (node.body, node.orelse)
        ):
            return False
        if isinstance(node, ast.Call):
            name = calls.identifier(node.func)
            if name in _NUMBERS or _QUOTERS.search(f"{name} {calls.identifier(ctx.origin(node.func))}"):
                return False
        name = calls.identifier(node)
        if isinstance(node, ast.Attribute) and (
            name == "pk" or (name == "name" and _SYNTAX.intersection(words(calls.identifier(node.value))))
        ):
            return False
        parts = words(name) or ("",)
        if _QUOTERS.search(name) or parts[-1] in _LAST or _SYNTAX.intersection(parts):
            return False
    if ctx.type_name(value) in {"builtins.int", "builtins.float", "builtins.bool", "uuid.UUID"}:
        return False
    return not _is_constant_like(value)


def _puts_nothing_in(call: ast.Call, ctx: Context) -> bool:
    """Whether a call fills in a whole dictionary that is not seen, or asks the database how it writes something constant."""
    if building.is_built(call):
        return True
    if not isinstance(call.func, ast.Attribute) or _ASKS.match(call.func.attr):
        return False
    given = (*call.args, *(item.value for item in call.keywords))
    return (
        _DATABASE.fullmatch(calls.identifier(call.func.value)) is not None
        and bool(given)
        and all(ctx.value(one) is not UNKNOWN for one in given)
    )


def _is_quoted_somewhere(name: ast.Name, ctx: Context) -> bool:
    """Whether a name of several values begins as a quoted one, around which SQL is then put."""
    function = ctx.function(name)
    return function is not None and any(
        isinstance(node.value, ast.Call)
        and shapes.is_name(node.targets[0], name.id)
        and _QUOTERS.search(calls.identifier(node.value.func))
        for node in ctx.nodes(ast.Assign, within=function)
    )


def _is_constant_like(value: ast.expr) -> bool:
    """Whether a name is written as constants and members of enumerations are: `LIMIT`, `State.OPEN`, `Kind.Open`."""
    if isinstance(value, ast.Attribute):
        owner = value.value
        last = (
            owner.attr
            if isinstance(owner, ast.Attribute)
            else owner.id
            if isinstance(owner, ast.Name)
            else ""
        )
        return (
            value.attr.isupper() or (last[:1].isupper() and value.attr[:1].isupper()) or value.attr == "value"
        )
    return isinstance(value, ast.Name) and value.id.isupper()
