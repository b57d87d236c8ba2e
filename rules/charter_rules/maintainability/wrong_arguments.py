"""Finds calls whose arguments a function of the project cannot take. `analysis.contracts` compares the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import WrongCall
from charter_rules import attempts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    WrongCall,
    code="MNT200",
    principles=("robust-comparisons", "typed-interfaces"),
    severity=Severity.HIGH,
    kinds=("missing-argument", "surplus-argument", "unknown-argument"),
    aliases=("E1120", "E1121", "E1123", "E1125"),
    cwe=(628,),
)
def wrong_arguments(call: WrongCall, ctx: Context) -> Iterator[Finding]:
    """A call leaves out an argument, or passes one that the function does not take.

    It raises `TypeError` as soon as it is reached. Such calls survive where no test goes: in an error path, behind an
    option, after a parameter was added to a function that is called from many files.

    Functions, classes and methods of the project are known across files, with what they inherit. Whatever a decorator,
    a metaclass or a base from elsewhere may change is left alone, and so is code that is run to see it fail, the second way
    behind `except TypeError`, and what `# type: ignore[call-arg]` accepts.

    ```python bad title="shop/prices.py"
    def gross(price, rate):
        return price * (1 + rate)
    ```
    ```python bad title="shop/views.py"
    from shop.prices import gross

    def show(order):
        return gross(order.price)
    #          ^^^^^^^^^^^^^^^^^^ `gross` is called without its argument `rate`
    ```
    ```python good title="shop/orders.py"
    from shop.prices import gross

    def show(order, *rest):
        return gross(order.price, rate=0.19) + gross(*rest)
    ```
    """
    if ctx.is_test or call.name.endswith(".__new__") or attempts.expects_failure(call.location, ctx):
        return
    if call.problem == "missing-argument":
        message = f"`{call.name}` is called without its argument `{call.subject}`"
    elif call.problem == "unknown-argument":
        message = f"`{call.name}` takes no argument `{call.subject}`"
    else:
        given, taken = call.counts
        words = (
            f"{taken} argument{'' if taken == 1 else 's'} by position" if taken else "no argument by position"
        )
        message = f"`{call.name}` takes {words}, and is given {given}"
    related = [] if call.defined is None else [ctx.related(call.defined, "defined here")]
    yield ctx.finding(call.location, message, related=related)
