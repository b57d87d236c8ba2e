"""Finds functions that return tuples of different lengths."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Return,
    code="MNT229",
    principles=("robust-comparisons", "typed-interfaces"),
    severity=Severity.LOW,
    default=False,
)
def uneven_returns(statement: ast.Return, ctx: Context) -> Iterator[Finding]:
    """A function returns tuples of different lengths, so that callers cannot unpack what they get.

    Whoever writes `name, value = parse(line)` finds out in the one case that returns three. A function whose callers
    unpack what they get returns the same number of values each time.

    Only functions that return nothing but such tuples are looked at; a data class with names says more than a tuple.

    Off by default: versions, keys and coordinates are tuples of several lengths by design.

    ```python bad
    def parse(line):
        if "=" not in line:
            return line, None
        name, _, value = line.partition("=")
        return name, value, line
    #          ^^^^^^^^^^^^^^^^^ this returns 3 values, line 3 returns 2
    ```
    ```python good
    def parse(line):
        if "=" not in line:
            return line, None, line
        name, _, value = line.partition("=")
        return name, value, line
    ```
    """
    value = statement.value
    if not isinstance(value, ast.Tuple) or not value.elts:
        ctx.not_an_opportunity()
        return
    function = ctx.function(statement)
    if function is None or _is_starred(value):
        return
    others = [node for node in ctx.nodes(ast.Return, within=function) if ctx.function(node) is function]
    if len(others) < 2 or ctx.is_test:
        return
    first: ast.Tuple | None = None
    for other in others:
        if not isinstance(other.value, ast.Tuple) or _is_starred(other.value):
            return  # it may be of any length
        if other is statement:
            break
        if first is None:
            first = other.value
        elif len(first.elts) != len(other.value.elts):
            return  # reported there
    if any(not isinstance(o.value, ast.Tuple) or _is_starred(o.value) for o in others) or _says_so(
        function, ctx
    ):
        return
    if first is not None and len(first.elts) != len(value.elts):
        yield ctx.finding(
            value,
            f"this returns {_values(value)}, line {first.lineno} returns {len(first.elts)}",
            related=[ctx.related(first, "of another length")],
        )


def _values(value: ast.Tuple) -> str:
    return "1 value" if len(value.elts) == 1 else f"{len(value.elts)} values"


def _is_starred(value: ast.Tuple) -> bool:
    return any(isinstance(element, ast.Starred) for element in value.elts)


def _says_so(function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether the function is declared to return tuples of any length, or several kinds of them."""
    if function.returns is None:
        return function.name in {"__reduce__", "__reduce_ex__", "__getnewargs__", "__getstate__"}
    text = ctx.source(function.returns)
    return "..." in text or "|" in text or "Union" in text
