"""Finds docstrings that say nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.docs import PublicSymbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    PublicSymbol,
    code="MNT015",
    principles=("documented-api",),
    severity=Severity.LOW,
    kinds=("placeholder",),
)
def placeholder_docstring(symbol: PublicSymbol, ctx: Context) -> Iterator[Finding]:  # noqa: D417 (an example's section)
    """A public name has a docstring that was never filled in.

    `TODO`, `_summary_`, an ellipsis or nothing at all: editors insert them, and linters that only ask whether a
    docstring exists are content. A reader is not.

    ```python bad
    def ship(order, address):
    #   ^^^^ the docstring of `ship` is a placeholder
        '''_summary_

    Args:
            order: _description_
            address: _description_
        '''
        order.send(address)
    ```
    ```python good
    def ship(order, address):
        '''Send an order to an address.'''
        order.send(address)
    ```
    """
    yield ctx.finding(symbol.location, f"the docstring of `{symbol.name}` is a placeholder")
