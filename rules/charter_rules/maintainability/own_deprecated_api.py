"""Finds uses of what the project itself has deprecated. What that is, `analysis.deprecation` knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.deprecation import DeprecatedUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    DeprecatedUse,
    code="MNT100",
    principles=("no-deprecated-apis",),
    severity=Severity.LOW,
)
def own_deprecated_api(use: DeprecatedUse, ctx: Context) -> Iterator[Finding]:
    """The project uses what it has deprecated itself.

    Whoever deprecates a function wants it gone. As long as the project's own code calls it, it cannot go, and users
    are warned of calls that they did not make.

    What a decorator called `deprecated` marks, or what warns with a `DeprecationWarning` whenever it is called, is
    followed through the whole project: imports, re-exports, methods called on `self`. The first use in each file is
    reported. Tests, what is deprecated itself, and functions that speak of a deprecation may go on using it. Type checkers report the decorated ones
    (PEP 702); this rule also knows those that only warn.

    ```python bad title="shop/orders.py"
    from shop.prices import gross_price

    def total(order):
        return sum(gross_price(item) for item in order.items)
    #              ^^^^^^^^^^^ `gross_price` is deprecated by this project: use `Price.gross`
    ```
    ```python good title="shop/prices.py"
    import warnings

    def gross_price(item):
        warnings.warn("use `Price.gross`", DeprecationWarning, stacklevel=2)
        return item.price * 1.19
    ```
    ```python good title="shop/users.py"
    from shop.prices import price

    def cheapest(items):
        return min(price(item) for item in items)
    ```
    """
    name = use.name.rpartition(".")[2]
    reason = f": {use.reason}" if use.reason else ""
    if len(reason) > 120:
        reason = f"{reason[:119]}…"
    yield ctx.finding(
        use.location,
        f"`{name}` is deprecated by this project{reason}",
        related=[ctx.related(use.defined, "deprecated here")],
        tags=("deprecated",),
    )
