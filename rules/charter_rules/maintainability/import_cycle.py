"""Finds modules that import each other. How imports are followed is `analysis.imports`' business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.structure import ImportCycle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ImportCycle,
    code="MNT140",
    principles=("clean-imports",),
    severity=Severity.LOW,
    aliases=("R0401",),
)
def import_cycle(cycle: ImportCycle, ctx: Context) -> Iterator[Finding]:
    """Modules import each other when they are imported.

    Which of them is complete when the other reads its names depends on which was imported first, so that an innocent
    new import elsewhere can end in "partially initialized module". And neither can be understood, tested or moved
    without the other.

    The shortest circle is shown, once for each set of modules that are tangled up with each other, at the import
    that is best cut: one whose names are used in functions only, so that it can move there. Imports in functions and
    under `TYPE_CHECKING` close no circle.

    ```python bad title="shop/orders.py"
    from shop.mail import send
    #^^^^^^^^^^^^^^^^^^^^^^^^^ `shop.orders` and `shop.mail` import each other; this import can move into the functions that use it

    class Order:
        def pay(self):
            send(self)
    ```
    ```python good title="shop/mail.py"
    from shop.orders import Order

    class Receipt(Order):
        pass

    def send(order):
        print(order)
    ```
    ```python good title="shop/orders.py"
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from shop.mail import Receipt

    def pay(order) -> "Receipt":
        from shop.mail import send

        return send(order)
    ```
    ```python good title="shop/mail.py"
    from shop.orders import pay

    class Receipt:
        pass

    def send(order):
        pay(order)
    ```
    """
    modules = [step.module for step in cycle.steps]
    if len(modules) == 2:
        message = f"`{modules[0]}` and `{modules[1]}` import each other"
    else:
        circle = " → ".join(f"`{name}`" for name in (*modules, modules[0]))
        message = f"imports go in a circle: {circle}"
    if cycle.size > len(modules):
        message += f" ({cycle.size} modules are tangled up this way)"
    if cycle.steps[0].lazy:
        message += "; this import can move into the functions that use it"
    yield ctx.finding(
        cycle.location,
        message,
        related=[ctx.related(step.location, f"imports `{step.imports}`") for step in cycle.steps[1:]],
    )
