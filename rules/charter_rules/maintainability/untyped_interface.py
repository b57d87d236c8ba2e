"""Finds public functions without annotations in modules that annotate all others, and infers what is certain."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Edit, Finding

_ENOUGH = 5


@rule(
    ast.Module,
    code="MNT242",
    principles=("typed-interfaces",),
    severity=Severity.LOW,
    in_tests=False,
    aliases=("ANN001", "ANN201"),
    options={"habit": 0.8},
)
def untyped_interface(module: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A public function has no annotation in a module that annotates its functions.

    Type checkers do not look into a function that has none, so that a hole is left in the middle of checked code, and callers
    are told nothing.

    Ruff's ANN rules ask for annotations everywhere. This rule asks where it is the module's own habit (`habit`: the share of
    its public functions that have annotations, of five or more; 0 to ask everywhere). The fix writes what is certain: types
    of defaults, `None` for what returns nothing, `bool`, `str` and numbers where every `return` says so.

    ```python bad
    def net(price: float) -> float:
        return price / 1.19

    def gross(price: float) -> float:
        return price * 1.19

    def tax(price: float) -> float:
        return price * 0.19

    def label(price: float) -> str:
        return f"{price} €"

    def is_free(price: float) -> bool:
        return price == 0

    def show(price, currency="EUR", short=False):
    #   ^^^^ the public function `show` has no annotations; 5 of 6 in this module have
        print(price, currency, short)
    ```
    ```python fixed
    def net(price: float) -> float:
        return price / 1.19

    def gross(price: float) -> float:
        return price * 1.19

    def tax(price: float) -> float:
        return price * 0.19

    def label(price: float) -> str:
        return f"{price} €"

    def is_free(price: float) -> bool:
        return price == 0

    def show(price, currency: str = "EUR", short: bool = False) -> None:
        print(price, currency, short)
    ```
    ```python good
    def net(price):
        return price / 1.19

    def gross(price):
        return price * 1.19
    ```
    """
    ctx.not_an_opportunity()
    habit = ctx.option("habit", float)
    functions = list(_public(module.body))
    if habit and len(functions) < _ENOUGH:
        return
    bare: list[shapes.FunctionNode] = []
    for function in functions:
        if not _is_annotated(function):
            bare.append(function)
            if (len(functions) - len(bare)) / len(functions) < habit:
                return  # as the first functions of most modules tell
    for function in bare:
        what = "method" if isinstance(ctx.parent(function), ast.ClassDef) else "function"
        yield ctx.finding(
            ctx.name_span(function),
            f"the public {what} `{function.name}` has no annotations; {len(functions) - len(bare)} of {len(functions)}"
            " in this module have",
            fix=_annotate(function, ctx),
        )


def _public(body: list[ast.stmt]) -> Iterator[shapes.FunctionNode]:
    """The public functions of a module and methods of its public classes that have something to annotate."""
    for item in body:
        if type(item) is ast.ClassDef and not item.name.startswith("_"):
            yield from _public(item.body)
        elif isinstance(item, shapes.FUNCTIONS) and not item.name.startswith("_"):
            decorators = item.decorator_list
            if not decorators or all(type(d) is ast.Name and d.id in _PLAIN for d in decorators):
                yield item


_PLAIN = frozenset({"staticmethod", "classmethod", "property"})


def _is_annotated(function: shapes.FunctionNode) -> bool:
    return function.returns is not None or any(a.annotation is not None for a in shapes.parameters(function))


def _annotate(function: shapes.FunctionNode, ctx: Context) -> Fix | None:
    """Write the annotations that are certain."""
    edits: list[Edit] = []
    for argument, default in shapes.defaults(function):
        kind = _kind(default)
        between = ctx.text[ctx.span(argument).end : ctx.span(default).start]
        if kind and between.strip() == "=":
            span = type(ctx.span(argument))(ctx.span(argument).end, ctx.span(default).start)
            edits.append(ctx.replace(span, f": {kind} = "))
    returned = _returned(function, ctx)
    last = ctx.text.rfind(")", 0, ctx.span(function.body[0]).start)
    if returned and ctx.text[last + 1 : ctx.span(function.body[0]).start].lstrip().startswith(":"):
        edits.append(ctx.insert(last + 1, f" -> {returned}"))
    return Fix("Annotate what is certain", tuple(edits), Grade.UNSAFE) if edits else None


def _kind(value: ast.expr) -> str:
    """The type of a literal; "" for `None` and for what may be of several types."""
    if isinstance(value, ast.Constant) and type(value.value) in {bool, str, bytes, float}:
        return type(value.value).__name__
    return "str" if isinstance(value, ast.JoinedStr) else ""


def _returned(function: shapes.FunctionNode, ctx: Context) -> str:
    """The type that every `return` certainly gives, `None` for a procedure; "" if it is not certain."""
    values: list[ast.expr | None] = []
    for node in ctx.walk(function, into_functions=False):
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return ""
        if isinstance(node, ast.Return):
            values.append(node.value)
    if all(value is None for value in values):
        body = shapes.without_docstring(function.body)
        return "" if shapes.is_trivial(body) or isinstance(function.body[-1], ast.Raise) else "None"
    if not isinstance(function.body[-1], ast.Return):
        return ""
    kinds = {_kind(value) or ("bool" if _is_question(value) else "") for value in values if value is not None}
    return kinds.pop() if len(kinds) == 1 and None not in values else ""


def _is_question(value: ast.expr) -> bool:
    """Whether an expression is certainly a bool: `not x`, `is`, `in`."""
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.Not)
    return isinstance(value, ast.Compare) and isinstance(
        value.ops[-1], (ast.Is, ast.IsNot, ast.In, ast.NotIn)
    )
