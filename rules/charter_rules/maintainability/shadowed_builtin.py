"""Finds local names that hide a built-in function which the same function then calls."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CALLABLE = frozenset(
    name
    for name in dir(builtins)
    if name.islower() and not name.startswith("_") and callable(getattr(builtins, name))
)
_DATA = (
    ast.Constant,
    ast.List,
    ast.Dict,
    ast.Set,
    ast.Tuple,
    ast.ListComp,
    ast.DictComp,
    ast.SetComp,
    ast.JoinedStr,
    ast.BinOp,
)


@rule(
    ast.Assign,
    code="MNT070",
    principles=("honest-names", "robust-comparisons"),
    severity=Severity.MEDIUM,
    when=lambda node: type(node.targets[0]) is ast.Name and node.targets[0].id in _CALLABLE,
    aliases=("A001", "A002", "W0622"),
)
def shadowed_builtin(assignment: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """A local variable hides a built-in function, and the function is called by that name.

    Naming a variable `list` or `id` is legal and mostly harmless. It stops being harmless when the same function
    calls `list(…)`: it gets the variable, and fails, often in a branch that is seldom taken.

    Ruff's A001 and A002 report every hidden built-in; this rule those that are called while they are hidden.

    ```python bad
    def parse(text):
        list = text.split(",")
    #   ^^^^ `list` hides the built-in that line 4 calls
        if not list:
            return list()
        return list
    ```
    ```python good
    def parse(text, id, type=None):
        filter = text.strip()
        return [id, filter, type]

    def convert(text, int=int):
        return int(text)
    ```
    """
    target, value = assignment.targets[0], assignment.value
    function = ctx.function(assignment)
    if (
        not isinstance(target, ast.Name)
        or function is None
        or not (isinstance(value, _DATA) or _is_text_method(value))
    ):
        return
    bound = shapes.bindings(target.id, function, ctx)
    if bound[0] is not target or not all(isinstance(ctx.parent(node), ast.Assign) for node in bound):
        return  # a parameter, a loop variable or an import may be a function of its own
    call = next(
        (
            call
            for call in ctx.walk(function, into_functions=False)
            if isinstance(call, ast.Call) and shapes.is_name(call.func, target.id)
        ),
        None,
    )
    if call is not None:
        yield ctx.finding(
            target,
            f"`{target.id}` hides the built-in that line {call.lineno} calls",
            related=[ctx.related(call, f"calls `{target.id}`")],
        )


def _is_text_method(value: ast.expr | None) -> bool:
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr
        in {"split", "strip", "join", "format", "lower", "upper", "replace", "splitlines", "items", "keys"}
    )
