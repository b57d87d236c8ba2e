"""Finds public names without a docstring. What is public and what a docstring would begin with is `analysis.docs`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter.api.facts.docs import PublicSymbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    PublicSymbol,
    code="MNT004",
    principles=("documented-api",),
    severity=Severity.LOW,
    kinds=("missing",),
    aliases=("D101", "D102", "D103"),
    options={"habit": 0.6, "weight": 5, "large": 25},
)
def missing_docstring(symbol: PublicSymbol, ctx: Context) -> Iterator[Finding]:
    '''A public class, function or method says nothing about itself.

    Its users must read the body to learn what it takes, gives and raises, and whatever they find there becomes part
    of the contract, whether it was meant or not.

    Ruff's D rules ask for a docstring everywhere. This rule knows the public interface: `__all__`, underscores,
    overrides (which inherit), overloads, setters, tests and migrations. It reports where there is something to say
    (`weight`: lines of the body, and two for each parameter). In a package that has not the habit of documenting
    (`habit`: the share of its definitions that are), it reports only what is `large`, by the same measure. Set all
    three to 0 to have every missing one.

    The suggestion begins a docstring in the package's own convention, Google, NumPy or Sphinx, with the parameters,
    results and exceptions filled in.

    ```python bad title="shop/prices.py"
    def net(price, tax=0.19):
        """Take the tax out of a price.

        :param price: with tax.
        :param tax: the rate.
        :returns: the price without tax.
        """
        return price / (1 + tax)


    def discount(price: float, percent: float, minimum: float = 0.0) -> float:
    #   ^^^^^^^^ the public function `discount` has no docstring
        if not 0 <= percent <= 100:
            raise ValueError(percent)
        return max(price * (100 - percent) / 100, minimum)


    def gross(price, tax=0.19):
        """Add the tax to a price."""
        return price * (1 + tax)
    ```
    ```python fixed title="shop/prices.py"
    def net(price, tax=0.19):
        """Take the tax out of a price.

        :param price: with tax.
        :param tax: the rate.
        :returns: the price without tax.
        """
        return price / (1 + tax)


    def discount(price: float, percent: float, minimum: float = 0.0) -> float:
        """Discount.

        :param float price: …
        :param float percent: …
        :param float minimum: … Defaults to 0.0.
        :returns: …
        :rtype: float
        :raises ValueError: …
        """
        if not 0 <= percent <= 100:
            raise ValueError(percent)
        return max(price * (100 - percent) / 100, minimum)


    def gross(price, tax=0.19):
        """Add the tax to a price."""
        return price * (1 + tax)
    ```
    ```python good title="shop/rates.py"
    def rate(country):
        """The tax rate of a country."""
        return _rates()[country]


    def _rates():
        return {"DE": 0.19, "AT": 0.2}
    ```
    '''
    limit = "weight" if symbol.habit >= ctx.option("habit", float) else "large"
    if symbol.weight < ctx.option(limit, int):
        return
    yield ctx.finding(
        symbol.location,
        f"the public {symbol.sort} `{symbol.name}` has no docstring",
        fix=_fix(symbol, ctx),
    )


def _fix(symbol: PublicSymbol, ctx: Context) -> Fix | None:
    text = symbol.skeleton() if symbol.offset >= 0 else ""
    if not text:
        return None
    lines = [f"{symbol.indent}{line}" if line else "" for line in text.split("\n")]
    edit = ctx.insert(symbol.offset, "\n".join(lines) + "\n")
    return Fix("Begin a docstring", (edit,), Grade.SUGGESTION)
