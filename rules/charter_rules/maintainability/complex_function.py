"""Finds functions with too many branches. How branches are counted is the metrics analysis's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.metrics import FunctionMetrics
from charter_rules import extraction, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.api import Context, Finding, Fix
    from charter.api.facts.metrics import Branch


@rule(
    FunctionMetrics,
    code="MNT005",
    principles=("bounded-complexity",),
    severity=Severity.LOW,
    aliases=("C901", "R1260"),
    options={"limit": 15},
)
def complex_function(metrics: FunctionMetrics, ctx: Context) -> Iterator[Finding]:
    """A function has more paths than a reader can hold, or a test suite can cover.

    McCabe's number is the count of independent paths: one, and one more for each `if`, `elif`, loop, `except` and
    `case`. At 15 and above, hardly anyone can say what the function does in every case, and full branch coverage
    needs as many tests. The places that add up are listed with the finding; the longest run of them is usually a
    function of its own. Nested functions count on their own.

    Where a run of statements can be moved into a function without anyone noticing, that is suggested; its name is for
    you to choose.

    Ruff's C901 gives the same number without the places. `limit` sets the number from which a function is reported.

    ```python bad
    def price(kind, size, rush, gift, member):
    #   ^^^^^ `price` has 15 paths, the limit is 14: split it where it does separate things
        total = 0
        if kind == "book":
            total += 10
        elif kind == "film":
            total += 12
        elif kind == "game":
            total += 50
        elif kind == "toy":
            total += 20
        if size == "s":
            total += 1
        elif size == "m":
            total += 2
        elif size == "l":
            total += 3
        for option in (rush, gift):
            if option:
                total += 5
        while total > 100:
            total -= 10
        try:
            total -= member.discount
        except AttributeError:
            pass
        if total < 0:
            total = 0
        if gift and rush:
            total += 1
        if member:
            total -= 1
        return total
    ```
    ```python good
    PRICES = {"book": 10, "film": 12, "game": 50, "toy": 20}

    def price(kind, rush):
        total = PRICES.get(kind, 0)
        if rush:
            total += 5
        return total
    ```
    """
    limit = ctx.option("limit", int)
    if metrics.cyclomatic < limit:
        return
    name = metrics.name.rpartition(".")[2]
    branches = metrics.sources().branches
    yield ctx.finding(
        metrics.location,
        f"`{name}` has {metrics.cyclomatic} paths, the limit is {limit - 1}: split it where it does separate things",
        related=[ctx.related(branch.location, f"{branch.what} adds {branch.weight}") for branch in branches],
        fix=_extraction(metrics, branches, limit, ctx),
    )


def _extraction(metrics: FunctionMetrics, branches: Sequence[Branch], limit: int, ctx: Context) -> Fix | None:
    """Move as many branches out as bring both functions under the limit."""
    function = shapes.definition_at(metrics.location.span, ctx, *shapes.FUNCTIONS)
    if function is None:
        return None
    places = [branch.location.span for branch in branches]
    return extraction.extraction(function, places, metrics.cyclomatic - limit + 1, limit, ctx)
