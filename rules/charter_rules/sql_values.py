"""Which values can carry text into an SQL text: not numbers, not what is quoted, not names of tables. It judges nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, regex, words
from charter_rules import building, calls, shapes, sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.api import Context
    from charter_rules.building import Piece

_QUOTERS: Final = regex(
    r"(?i)quote|escape|sanitiz|ident|placeholder|literal|mogrify|bind|join|compile|to_int"
)
_IDENTIFIERS: Final = regex(r"(?i)(?:^|_)(?:ident|identifier|literal)s?$")
"""Names of what may be one of SQL's own identifiers where those stand, and is a value between quotes."""
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
        "hex",
        "hexdigest",
        "uuid4",
        "uuid1",
        "now",
        "utcnow",
        "http_date",
        "time",
    }
)
_NUMERIC: Final = frozenset({"builtins.int", "builtins.float", "builtins.bool", "uuid.UUID"})
_OF_LETTERS: Final = ("isidentifier", "isalnum", "isalpha", "isdigit", "isdecimal", "isnumeric")
"""Methods that tell whether there is nothing in a text that SQL would read as its own."""
_MARKS: Final = regex(r"\?|%s|%\(\w+\)s|(?<!:):\w|\$\d|@\w")
"""Placeholders of parameters."""
_CONVERTED: Final = regex(r"<(?:int|float|uuid):(\w+)>")
"""Parts of routes that are no text."""
_DEEPEST: Final = 3
"""How often text that is put together is looked into for text that is put together before."""


def risky(parts: Sequence[Piece], ctx: Context, *, has_parameters: bool = False) -> ast.expr | None:
    """The first value in an SQL text that stands where a parameter could, and can carry text; None if there is none.

    Args:
        parts: the text, taken apart.
        ctx: the file.
        has_parameters: whether parameters are given beside the text, so that placeholders must be in it.
    """
    # Without placeholders in its constant parts, what is put in without quotes must be them.
    are_marks = has_parameters and not any(_MARKS.search(piece.text) for piece in parts)
    return next(
        (
            parts[slot.index].value
            for slot in sql.slots(parts)
            if slot.place != "name"
            and (slot.place == "quoted" or not are_marks)
            and _may_carry_text(parts[slot.index], ctx, place=slot.place)
            and (slot.place == "quoted" or _comes_as_text(parts[slot.index].value, ctx))
        ),
        None,
    )


def _may_carry_text(piece: Piece, ctx: Context, *, place: str, depth: int = 0) -> bool:
    """Whether a value can hold SQL: not numbers, not what is quoted, made of placeholders or put together of such."""
    value = _inside(piece.value)
    if value is None or piece.numeric:
        return False
    origin = ctx.origin(value)
    inner = building.pieces(origin, ctx) if depth < _DEEPEST else None
    if inner is not None:
        return any(_may_carry_text(part, ctx, place=place, depth=depth + 1) for part in inner)
    if any(isinstance(one, ast.Call) and _puts_nothing_in(one, ctx) for one in (value, origin)):
        return False
    if isinstance(value, ast.Name) and _is_quoted_somewhere(value, ctx):
        return False
    if (
        shapes.is_listed(value, ctx)
        or _is_only_given_numbers(value, ctx)
        or _is_escaped(origin)
        or ctx.made_by(value) == "re.sub"
    ):
        return False
    if any(_carries_none(node, ctx, place) for node in (value, origin)):
        return False
    if ctx.type_name(value) in _NUMERIC:
        return False
    if _is_number_by_route(value, ctx):
        return False
    return not (
        _is_constant_like(value) or _is_compared_with_number(value, ctx) or _is_checked_letters(value, ctx)
    )


def _is_number_by_route(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is the parameter of a view that its route has made a number of: `<int:number>`."""
    function = ctx.function(value) if isinstance(value, ast.Name) else None
    return function is not None and any(
        match[1] == calls.identifier(value)
        for decorator in function.decorator_list
        for match in _CONVERTED.finditer(ctx.source(decorator))
    )


def _is_only_given_numbers(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is the parameter of a function of the file's own, all whose calls give numbers or constants."""
    function = ctx.function(value)
    if function is None or not isinstance(value, ast.Name):
        return False
    if not function.name.startswith("_") and ctx.function(function) is None:
        return False
    if value.id not in {argument.arg for argument in shapes.parameters(function)}:
        return False
    given = shapes.given_to(value.id, function, ctx)
    return bool(given) and all(one is not None and _is_number(one, ctx) for one in given)


def _is_number(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is a number or a constant, as is all that its name is given."""
    if ctx.value(value) is not UNKNOWN or ctx.type_name(value) in _NUMERIC:
        return True
    if isinstance(value, ast.Call):
        return calls.identifier(value.func) in _NUMBERS
    function = ctx.function(value)
    if function is None or not isinstance(value, ast.Name):
        return False
    values = shapes.assigned_values(value.id, function, ctx)
    return bool(values) and all(not isinstance(one, ast.Name) and _is_number(one, ctx) for one in values)


def _is_escaped(made: ast.expr) -> bool:
    """Whether a text has had its quotes doubled, among other things that were replaced."""
    while isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
        if (
            made.func.attr == "replace"
            and made.args
            and isinstance(made.args[0], ast.Constant)
            and made.args[0].value in {"'", '"'}
        ):
            return True
        made = made.func.value
    return False


def _comes_as_text(value: ast.expr | None, ctx: Context) -> bool:
    """Whether something says that a value without quotes around it is text: mostly it is a number, or the SQL would not run.

    It is added to text, it is an item of something, typed in, taken apart, or whatever a caller gives.
    """
    if value is None or ctx.type_name(_inside(value) or value) == "builtins.str":
        return value is not None
    parent = ctx.parent(value)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add) and value is _inside(value):
        return True
    inner = _inside(value)
    if inner is not value and isinstance(inner, ast.Name):
        return False  # nobody makes text of a text: `"... LIMIT " + str(start)`
    made = inner if inner is None else ctx.origin(inner)
    if isinstance(made, ast.Call):
        return (
            calls.identifier(made.func) == "input"
            or hasattr(str, getattr(made.func, "attr", ""))
            or (
                isinstance(made.func, ast.Attribute)
                and _ASKS.match(made.func.attr) is not None
                and bool(made.args)
            )
        )
    if isinstance(made, (ast.Subscript, ast.JoinedStr, ast.BinOp)):
        return True
    function = ctx.function(value)
    return (
        isinstance(made, ast.Name)
        and function is not None
        and any(argument.arg == made.id for argument in shapes.parameters(function))
    )


def _is_compared_with_number(value: ast.expr, ctx: Context) -> bool:
    """Whether a value is asked whether it is more or less than a number, which no text is."""
    function = ctx.function(value)
    text = ctx.source(value)
    return function is not None and any(
        isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
        and type(ctx.value(node.comparators[0])) in {int, float}
        and ctx.source(node.left) == text
        for node in ctx.nodes(ast.Compare, within=function)
    )


def _is_checked_letters(value: ast.expr, ctx: Context) -> bool:
    """Whether a function asks of a value whether it is made of letters and digits alone."""
    function = ctx.function(value)
    text = ctx.source(value)
    return any(
        ctx.function(asked) is function and ctx.source(asked.value) == text
        for name in _OF_LETTERS
        for asked in ctx.gets.get(name, ())
    )


def _carries_none(node: ast.expr, ctx: Context, place: str) -> bool:
    """Whether an expression shows by itself, or by what it is called, that it is no text of anybody's."""
    if isinstance(node, ast.BinOp):
        if not isinstance(node.op, (ast.Add, ast.Mod)):
            return True
        return any(type(ctx.value(side)) in {int, float} for side in (node.left, node.right))
    if isinstance(node, ast.IfExp):
        sides = (node.body, node.orelse)
        return all(ctx.value(side) is not UNKNOWN for side in sides) or (
            place != "quoted" and not any(isinstance(side, ast.Subscript) for side in sides)
        )
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return _carries_none(ctx.origin(node.value), ctx, place)
    if isinstance(node, ast.Call):
        name = calls.identifier(node.func)
        if isinstance(node.func, ast.Attribute) and name in {"strip", "lstrip", "rstrip"}:
            return _carries_none(node.func.value, ctx, place)
        if shapes.is_name(node.func, name) and not node.args and not node.keywords and name != "input":
            return True  # who is told nothing gives what the program has
        if name in _NUMBERS or _QUOTERS.search(f"{name} {calls.identifier(ctx.origin(node.func))}"):
            return True
    return _is_of_syntax(node, place)


def _is_of_syntax(node: ast.expr, place: str) -> bool:
    """Whether the name of a value says that it is a piece of SQL, or that it is quoted already."""
    name = calls.identifier(node)
    if name == "oid":
        return True  # PostgreSQL's number of an object
    if isinstance(node, ast.Attribute) and (
        name == "pk"
        or (name == "id" and place != "quoted")
        or (name == "name" and _SYNTAX.intersection(words(calls.identifier(node.value))))
    ):
        return True
    if place == "quoted" and _IDENTIFIERS.search(name):
        return False
    parts = words(name) or ("",)
    if place != "quoted" and parts[-1] in {"values", "vals"}:
        return True  # several, with what stands between them
    return bool(_QUOTERS.search(name) or parts[-1] in _LAST or _SYNTAX.intersection(parts))


def _inside(value: ast.expr | None) -> ast.expr | None:
    """What `str` is given, since it adds nothing; else the value itself."""
    if isinstance(value, ast.Call) and shapes.is_name(value.func, "str") and len(value.args) == 1:
        return value.args[0]
    return value


def _puts_nothing_in(call: ast.Call, ctx: Context) -> bool:
    """Whether a call fills in a whole dictionary that is not seen, or asks the database how it writes something constant."""
    if building.is_built(call):
        return True
    if calls.identifier(call.func) == "format" and all(
        ctx.value(one) is not UNKNOWN for one in (*call.args, *(item.value for item in call.keywords))
    ):
        return True  # a template of the program's own, filled with constants
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
