"""Finds functions whose name promises a result that they never give."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_NOT_BOOL = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.JoinedStr, ast.Tuple)

_PREDICATES = ("is_", "has_", "can_", "should_")
_PROMISES = (*_PREDICATES, "get_")


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT071",
    principles=("honest-names",),
    severity=Severity.LOW,
    when=lambda node: node.name.lstrip("_").startswith(_PROMISES),
)
def misleading_name(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A function's name promises what it does not return.

    `is_…`, `has_…` and `can_…` promise yes or no; `get_…` without a parameter promises something got. A caller writes `if is_valid(form)`
    on the strength of the name. If the function returns a list of errors, the condition is the wrong way round; if
    it returns nothing, it is never true.

    Overrides, stubs, decorated functions and generators are left alone, and so is what an annotation says plainly.

    ```python bad
    def is_valid(form):
    #   ^^^^^^^^ `is_valid` promises yes or no, but returns no boolean on line 3
        if form.broken:
            return ["the form is broken"]
        return []

    def get_total():
    #   ^^^^^^^^^ `get_total` promises a result, but never returns one
        print(sum(ROWS))
    ```
    ```python good
    def is_valid(form):
        return not form.broken

    def get_total(rows):
        return sum(rows)

    def get(self):
        self.render()
    ```
    """
    name = function.name.lstrip("_")
    predicate = name.startswith(_PREDICATES)
    if function.decorator_list or ctx.is_test or shapes.is_trivial(shapes.without_docstring(function.body)):
        return
    if shapes.own_nodes(function, ctx, ast.Yield, ast.YieldFrom):
        return
    results = [node.value for node in shapes.own_nodes(function, ctx, ast.Return) if node.value is not None]
    if predicate:
        if function.returns is not None and ctx.source(function.returns) != "bool":
            return
        wrong = [value for value in results if isinstance(value, _NOT_BOOL)]
        if wrong and len(wrong) == len(results):
            yield ctx.finding(
                ctx.name_span(function),
                f"`{function.name}` promises yes or no, but returns no boolean on line {wrong[0].lineno}",
            )
    elif not results and not name.startswith(("get_and_", "get_or_")) and not _has_other_way(function, ctx):
        yield ctx.finding(
            ctx.name_span(function), f"`{function.name}` promises a result, but never returns one"
        )


def _has_other_way(function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether a function may hand over what it gets without returning it, or owes its name to someone else."""
    parent = ctx.parent(function)
    if isinstance(parent, ast.ClassDef) and parent.bases:
        return True
    if not isinstance(parent, (ast.ClassDef, ast.Module)) or isinstance(function, ast.AsyncFunctionDef):
        return True  # a nested function may fill what stands around it
    given = {a.arg for a in shapes.parameters(function)} - {"self", "cls"}
    stores = any(
        isinstance(node.ctx, ast.Store)
        for kind in (ast.Attribute, ast.Subscript)
        for node in ctx.nodes(kind, within=function)
    )
    changes = ctx.nodes(ast.Global, within=function) or ctx.nodes(ast.Raise, within=function)
    return bool(given or stores or changes) or isinstance(function.body[-1], ast.Assert)
