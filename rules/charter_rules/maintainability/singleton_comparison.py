"""Finds `==` with None, True or False where identity or truth is meant; query expressions are not its business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, Span, regex, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_QUERY_METHODS = frozenset(
    {
        "filter", "where", "having", "filter_by", "exclude", "and_", "or_", "not_", "join", "outerjoin", "case",
        "select", "select_from", "query", "when", "on", "ON", "assign", "mask", "loc", "update", "values",
        "order_by", "group_by", "any", "has", "label", "correlate", "exists", "delete", "literal",
    }
)  # fmt: skip
_OPTIONAL = regex(r"\bOptional\b|\bNone\b")
_ARRAYS = (
    "numpy",
    "pandas",
    "polars",
    "pyspark",
    "sqlalchemy",
    "peewee",
    "pony",
    "torch",
    "tensorflow",
    "ibis",
)


@rule(
    ast.Compare,
    code="MNT008",
    principles=("robust-comparisons",),
    severity=Severity.LOW,
    when=lambda node: len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)),
    aliases=("E711", "E712", "C0121"),
)
def singleton_comparison(compare: ast.Compare, ctx: Context) -> Iterator[Finding]:
    """`==` compares with None where `is` is meant.

    `==` asks the object: a class with its own `__eq__` may answer anything, and arrays answer with an array. There
    is one None, so identity says exactly what is meant. A comparison with True or False in a condition is the
    condition itself.

    Ruff's E711 and E712 report these also in SQLAlchemy and pandas expressions, where `column == None` builds a
    query and the "fix" breaks it; this rule leaves those alone, and `== False` where a third value is told apart:
    behind a branch that asked for the truth, of a parameter that may be None, or of what a call gives.

    ```python bad
    def label(user):
        if user.name == None:
    #      ^^^^^^^^^^^^^^^^^ `==` compares with `None`; identity is meant
            return "?"
        return user.name
    ```
    ```python fixed
    def label(user):
        if user.name is None:
            return "?"
        return user.name
    ```
    ```python good
    def label(user, session, User):
        if user is None:
            return session.query(User).filter(User.name == None)
        return user.name
    ```
    """
    left, right = compare.left, compare.comparators[0]
    if type(left) is ast.Constant and type(right) is not ast.Constant:
        constant, other = left, right
    elif type(right) is ast.Constant and type(left) is not ast.Constant:
        constant, other = right, left
    else:
        return
    value = constant.value
    if value is not None and value is not True and value is not False:
        return
    if _builds_expression(compare, ctx):
        return
    if value is None:
        yield ctx.finding(
            compare,
            f"`{_operator(compare)}` compares with `None`; identity is meant",
            fix=_identity(compare, left, right, ctx),
        )
    elif _is_branch(compare, ctx) and (
        type(other) is ast.Name or type(other) is ast.Attribute or type(other) is ast.Call
    ):
        yes = value is (type(compare.ops[0]) is ast.Eq)
        if _is_settled(compare, other, ctx) or (not yes and _tells_apart(compare, other, ctx)):
            return
        text = ctx.source(other) if yes else f"not {ctx.source(other)}"
        yield ctx.finding(
            compare,
            f"`{_operator(compare)} {value}` says nothing that the condition does not say by itself",
            fix=Fix(f"Test `{text}`", (ctx.replace(compare, text),), Grade.UNSAFE),
        )


def _operator(compare: ast.Compare) -> str:
    return "==" if isinstance(compare.ops[0], ast.Eq) else "!="


def _builds_expression(compare: ast.Compare, ctx: Context) -> bool:
    """Whether the comparison may be an operand of a query or an array, where `==` is overloaded on purpose."""
    for ancestor in ctx.ancestors(compare):
        if isinstance(ancestor, (ast.Subscript, ast.BinOp)):
            return True
        if isinstance(ancestor, ast.UnaryOp) and isinstance(ancestor.op, ast.Invert):
            return True
        if isinstance(ancestor, ast.Call):
            func = ancestor.func
            name = (
                func.attr
                if isinstance(func, ast.Attribute)
                else func.id
                if isinstance(func, ast.Name)
                else ""
            )
            if name in _QUERY_METHODS:
                return True
        if isinstance(ancestor, ast.stmt):
            # A comparison that is kept, not tested, may be an expression of a library in this file.
            return not _is_condition(compare, ctx) and _imports_arrays(ctx)
    return False


def _imports_arrays(ctx: Context) -> bool:
    modules = [alias.name for node in ctx.nodes(ast.Import) for alias in node.names]
    modules.extend(node.module or "" for node in ctx.nodes(ast.ImportFrom))
    return any(module.partition(".")[0] in _ARRAYS for module in modules)


def _is_condition(compare: ast.Compare, ctx: Context) -> bool:
    """Whether only the truth of the comparison is used."""
    child: ast.AST = compare
    for ancestor in ctx.ancestors(compare):
        if isinstance(ancestor, ast.BoolOp) or (
            isinstance(ancestor, ast.UnaryOp) and isinstance(ancestor.op, ast.Not)
        ):
            child = ancestor
            continue
        if isinstance(ancestor, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            return ancestor.test is child
        if isinstance(ancestor, ast.comprehension):
            return child in ancestor.ifs
        return False
    return False


def _is_branch(compare: ast.Compare, ctx: Context) -> bool:
    """Whether it decides a branch; in an assertion, `== True` may well be meant to the letter."""
    return _is_condition(compare, ctx) and not isinstance(ctx.statement(compare), ast.Assert)


def _is_settled(compare: ast.Compare, other: ast.expr, ctx: Context) -> bool:
    """Whether the truth has been asked for around the comparison, or the value itself is used where it is not True."""
    text = ctx.source(other)
    child: ast.AST = compare
    for ancestor in ctx.ancestors(compare):
        if isinstance(ancestor, ast.IfExp) and child is ancestor.test and _holds(ancestor, text, ctx):
            return True
        if isinstance(ancestor, ast.If) and child in ancestor.body and ctx.source(ancestor.test) == text:
            return True
        if isinstance(ancestor, shapes.FUNCTIONS):
            return False
        child = ancestor
    return False


def _holds(choice: ast.IfExp, text: str, ctx: Context) -> bool:
    return text in {ctx.source(choice.body), ctx.source(choice.orelse)}


def _tells_apart(compare: ast.Compare, other: ast.expr, ctx: Context) -> bool:
    """Whether there is a third value, so that False is not the same as not being true.

    A branch before has asked for the truth of it, it is a parameter that may be None, or a call gives it.
    """
    text = ctx.source(other)
    child: ast.AST = compare
    for ancestor in ctx.ancestors(compare):
        if isinstance(ancestor, ast.If) and child in ancestor.orelse and _asks(ancestor.test, text, ctx):
            return True
        if isinstance(ancestor, shapes.FUNCTIONS):
            break
        child = ancestor
    function = ctx.function(compare)
    if not isinstance(other, ast.Name) or function is None:
        return False
    defaults = {argument.arg: default for argument, default in shapes.defaults(function)}
    default = defaults.get(other.id)
    values = shapes.assigned_values(other.id, function, ctx) or ()
    if any(isinstance(value, (ast.Call, ast.Await)) for value in values):
        return True  # what a call gives may be None, too
    return (isinstance(default, ast.Constant) and default.value is None) or any(
        argument.arg == other.id and _OPTIONAL.search(ctx.source(argument.annotation))
        for argument in shapes.parameters(function)
        if argument.annotation is not None
    )


def _asks(test: ast.expr, text: str, ctx: Context) -> bool:
    """Whether a condition is the truth of an expression, or one of several of which that is one."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_asks(value, text, ctx) for value in test.values)
    return ctx.source(test) in {text, f"{text} is True", f"{text} == True"}


def _identity(compare: ast.Compare, left: ast.expr, right: ast.expr, ctx: Context) -> Fix | None:
    between = Span(ctx.span(left).end, ctx.span(right).start)
    text = ctx.text[between.start : between.end]
    sign = _operator(compare)
    if sign not in text or shapes.has_comment(text):
        return None
    word = "is" if sign == "==" else "is not"
    at = between.start + text.index(sign)
    before = "" if ctx.text[at - 1].isspace() else " "
    after = "" if ctx.text[at + 2].isspace() else " "
    edit = ctx.replace(Span(at, at + 2), f"{before}{word}{after}")
    return Fix(f"Compare with `{word}`", (edit,), Grade.UNSAFE)
