"""Finds exceptions that are made and dropped. `analysis.contracts` knows which classes are exceptions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter.api.facts.contracts import WrongCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    WrongCall,
    code="MNT203",
    principles=("deliberate-errors", "robust-comparisons"),
    severity=Severity.HIGH,
    kinds=("not-raised",),
    aliases=("PLW0133", "W0133"),
)
def exception_not_raised(call: WrongCall, ctx: Context) -> Iterator[Finding]:
    """An exception is made as a statement, and never raised.

    The line looks like a check and does nothing: the `raise` was forgotten.

    Ruff's PLW0133 knows the built-in exceptions; this rule also knows those that the project defines, in any file.

    ```python bad
    class EmptyOrder(ValueError):
        pass

    def ship(order):
        if not order.items:
            EmptyOrder(order)
    #       ^^^^^^^^^^^^^^^^^ the exception `EmptyOrder` is made and not raised
        order.send()
    ```
    ```python fixed
    class EmptyOrder(ValueError):
        pass

    def ship(order):
        if not order.items:
            raise EmptyOrder(order)
        order.send()
    ```
    ```python good
    class EmptyOrder(ValueError):
        pass

    def ship(order):
        if not order.items:
            raise EmptyOrder(order)
        return EmptyOrder
    ```
    """
    fix = Fix("Raise it", (ctx.insert(call.location.span.start, "raise "),), Grade.UNSAFE)
    parents = [
        node
        for node in ctx.nodes(ast.With)
        if ctx.is_test and ctx.span(node).start < call.location.span.start
    ]
    if parents:
        return  # a test of the constructor
    yield ctx.finding(call.location, f"the exception `{call.name}` is made and not raised", fix=fix)
