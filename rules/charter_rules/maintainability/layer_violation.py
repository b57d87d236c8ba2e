"""Finds imports that go against the layers that the settings declare. `analysis.imports` knows which do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.structure import LayerBreak

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    LayerBreak,
    code="MNT142",
    principles=("clean-imports",),
    severity=Severity.MEDIUM,
)
def layer_violation(broken: LayerBreak, ctx: Context) -> Iterator[Finding]:
    """A module imports one that stands above it in the project's layers.

    Layers say which part of a program may know which. The first import upwards ties the lower part to the upper one:
    neither can be tested, moved or understood alone any more, and the next import finds the door open.

    The project declares its layers in the settings, the highest first; without them this rule is silent. Names with
    `|` between them are of one height and may not import each other. Imports in functions count as well, those for
    type checkers do not; what goes through a module of no layer is seen where it enters one.

    ```toml
    [[layers]]
    name = "the shop"
    layers = ["shop.views", "shop.orders | shop.users", "shop.core"]
    ```

    ```python bad title="shop/core/prices.py" layers="shop.views, shop.orders | shop.users, shop.core"
    from shop.orders.basket import Basket
    #^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `shop.orders` is above `shop.core` in the layers, so `shop.core.prices` must not import `shop.orders.basket`

    def price(basket: Basket):
        return basket.total
    ```
    ```python good title="shop/orders/basket.py" layers="shop.views, shop.orders | shop.users, shop.core"
    from shop.core.money import Money

    class Basket:
        total = Money(0)
    ```
    ```python good title="shop/core/money.py"
    class Money(int):
        pass
    ```
    """
    if broken.beside:
        reason = f"`{broken.imported}` and `{broken.layer}` are of one height in {broken.contract}"
    else:
        reason = f"`{broken.imported}` is above `{broken.layer}` in {broken.contract}"
    yield ctx.finding(broken.location, f"{reason}, so `{broken.module}` must not import `{broken.imports}`")
