"""Finds functions that are hard to follow although they have few paths. How that is measured is the metrics' business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.metrics import FunctionMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_PATHS = 15
"""From here on `complex-function` speaks, which counts the same branches."""


@rule(
    FunctionMetrics,
    code="MNT041",
    principles=("bounded-complexity",),
    severity=Severity.LOW,
    options={"limit": 35},
)
def tangled_function(metrics: FunctionMetrics, ctx: Context) -> Iterator[Finding]:
    """A function has few paths, and still they are hard to follow, because they stand inside of each other.

    Cognitive complexity, as SonarSource defines it, counts each branch once and once more for every block around it,
    so that a condition in a loop in a condition weighs three. A function with fewer than 15 paths passes McCabe's
    measure, and from 35 on this one says that its reader has to keep too much in mind at once. The branches are listed
    with what each adds; the heaviest are the ones to move out.

    Functions of 15 paths and more are reported by `complex-function`. `limit` sets the number.

    ```python bad
    def match(orders, rules):
    #   ^^^^^ `match` has a cognitive complexity of 35, the limit is 34: the inner blocks weigh most, move them out
        found = []
        for order in orders:
            for rule in rules:
                if rule.active:
                    for line in order.lines:
                        if line.kind == rule.kind or rule.any:
                            if line.price > rule.limit:
                                found.append(line)
                                if rule.once and not rule.any:
                                    break
                        elif line.free:
                            found.append(order)
        if not found and orders:
            for order in orders:
                order.drop()
        return found
    ```
    ```python good
    def match(orders, rules):
        active = [rule for rule in rules if rule.active]
        return [line for order in orders for line in order.lines if any(fits(line, rule) for rule in active)]

    def fits(line, rule):
        if line.kind != rule.kind and not rule.any:
            return line.free
        return line.price > rule.limit
    ```
    """
    limit = ctx.option("limit", int)
    if metrics.cognitive < limit or metrics.cyclomatic >= _PATHS:
        return
    name = metrics.name.rpartition(".")[2]
    heaviest = sorted(metrics.sources().hurdles, key=lambda hurdle: -hurdle.weight)
    yield ctx.finding(
        metrics.location,
        f"`{name}` has a cognitive complexity of {metrics.cognitive}, the limit is {limit - 1}: "
        "the inner blocks weigh most, move them out",
        related=[ctx.related(hurdle.location, f"{hurdle.what} adds {hurdle.weight}") for hurdle in heaviest],
    )
