"""A `# charter: ignore[…]` comment that silences nothing."""

from __future__ import annotations

from collections.abc import Iterator

from charter.api import Context, Edit, Finding, Fix, Grade, Severity, rule
from charter.api.facts.suppression import UselessSuppression


@rule(
    UselessSuppression,
    code="MNT099",
    principles=("no-dead-code",),
    severity=Severity.LOW,
    aliases=("RUF100",),
)
def unused_suppression(fact: UselessSuppression, ctx: Context) -> Iterator[Finding]:
    """Remove suppressions that silence nothing.

    A suppression says that a finding was looked at and accepted. Once the code has changed and the finding is gone,
    the comment still promises a problem that is not there, and it would hide the next one on its line. A name that
    no rule has never did anything: it is most often a slip of the pen.

    ```python bad
    total = sum(prices)  # charter: ignore[unsafe-yaml-laod] -- the file is ours
    #                                      ^^^^^^^^^^^^^^^^ `unsafe-yaml-laod` is no rule, so nothing is silenced
    ```
    ```python fixed
    total = sum(prices)
    ```
    ```python good
    total = sum(prices)  # the file is ours
    ```
    """
    if fact.known:
        message = f"`{fact.name}` finds nothing to silence here"
    else:
        message = f"`{fact.name}` is no rule, so nothing is silenced"
    fix = Fix("Remove the suppression", (Edit(fact.removal, ""),), Grade.UNSAFE)
    yield ctx.finding(fact.location, message, fix=fix, tags=("unnecessary",))
