"""Finds functions with more parameters than a caller can keep apart."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, Span, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT045",
    principles=("bounded-complexity",),
    severity=Severity.LOW,
    default=False,
    aliases=("PLR0913", "PLR0917", "R0913", "R0917"),
    options={"limit": 7},
)
def many_parameters(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A function takes so many positional parameters that its callers cannot keep them apart.

    `draw(3, 4, 10, 2, True, None, 0)` reads the same with two of the numbers swapped, and no error tells. Values that
    travel together are an object that is not written yet; the others can be made keyword-only with a `*`, so that each
    call names them.

    Counted are the parameters that a caller may give by position; `self`, keyword-only ones and those with a default
    are left out. Off by default: constructors of records and mathematical functions have as many as they have. `limit`
    sets the number from which a function is reported. Ruff's PLR0917 counts those with a default, too.

    ```python bad
    def draw(x, y, width, height, color, border, radius):
    #        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `draw` takes 7 values by position, the limit is 6: pass what belongs together as one, or ask for keywords
        ...
    ```
    ```python good
    def draw(box, *, color, border, radius):
        ...

    def plot(x, y, width=1, height=1, color="red", border=0, radius=0):
        ...
    ```
    """
    limit = ctx.option("limit", int)
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    method = isinstance(ctx.parent(function), ast.ClassDef)
    if method and not any(shapes.is_name(item, "staticmethod") for item in function.decorator_list):
        positional = positional[1:]
    required = positional[: max(len(positional) - len(arguments.defaults), 0)]
    if len(required) < limit or ctx.is_test:
        return
    span = Span(ctx.span(required[0]).start, ctx.span(required[-1]).end)
    yield ctx.finding(
        span,
        f"`{function.name}` takes {len(required)} values by position, the limit is {limit - 1}: "
        "pass what belongs together as one, or ask for keywords",
        related=[
            ctx.related(argument, f"{number} of {len(required)}")
            for number, argument in enumerate(required, 1)
        ],
    )
