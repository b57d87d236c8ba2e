"""Finds code that the project holds more than once. How copies are recognised is `analysis.clones`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, Span, rule
from charter.api.facts.structure import Clone
from charter_rules import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    Clone,
    code="MNT090",
    principles=("no-duplication",),
    severity=Severity.LOW,
    aliases=("R0801",),
    options={"statements": 10},
)
def duplicated_code(clone: Clone, ctx: Context) -> Iterator[Finding]:
    """The same code stands in several places.

    A bug that is fixed in one copy lives on in the others, and a reader must compare them to learn whether they
    differ on purpose. A function that both places call says it once.

    Copies are found across files and when variables and literals are renamed; what is called, which attributes are
    used and in which order must agree. A run counts from `statements` statements on. Tests, migrations and generated
    code are left out. Each family is reported once, at its first place, with all the others.

    Pylint's R0801 compares lines of text. On Flask, httpx, rich, Scrapy, Poetry and aiohttp it finds 251 pairs: 243 are
    generated tables, three documentation, signatures or imports, and five real copies, of which this rule finds one (the
    others are runs of short methods, each below the limit). This rule finds four families, three of them renamed copies
    that Pylint does not see, in a quarter of the time. The time grows with the lines: some 70,000 a second, from 10,000
    to a million.

    ```python bad title="shop/orders.py"
    def save_order(session, order, log):
        record = session.lookup(order.key)
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ 11 statements are repeated in shop/refunds.py, line 2; say them once, in a function that both call
        if record is None:
            record = session.create(order.key)
            log.info("created %s", order.key)
        record.total = sum(item.price for item in order.items)
        record.tax = record.total * order.country.tax
        record.customer = order.customer.name.strip()
        record.state = "open"
        session.store(record)
        log.info("stored %s", record.key)
        return record
    ```
    ```python good title="shop/refunds.py"
    def save_refund(db, refund, logger):
        row = db.lookup(refund.key)
        if row is None:
            row = db.create(refund.key)
            logger.info("new %s", refund.key)
        row.total = sum(item.price for item in refund.items)
        row.tax = row.total * refund.country.tax
        row.customer = refund.customer.name.strip()
        row.state = "refund"
        db.store(row)
        logger.info("saved %s", row.key)
        return row
    ```
    ```python good
    def area(width, height):
        return width * height

    def volume(width, height, depth):
        return area(width, height) * depth
    ```
    """
    if clone.statements < ctx.option("statements", int):
        return
    places = [f"{other.path}, line {other.line}" for other in clone.others]
    shown = "; ".join(places[:2]) + (f" and {len(places) - 2} more places" if len(places) > 2 else "")
    start = clone.location.span.start
    anchor = Span(start, lines.end(start, ctx))
    word = "both" if len(places) == 1 else "all"
    yield ctx.finding(
        anchor,
        f"{clone.statements} statements are repeated in {shown}; say them once, in a function that {word} call",
        related=[ctx.related(other, "the same statements") for other in clone.others],
    )
