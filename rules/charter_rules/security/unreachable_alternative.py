"""Finds alternatives of regular expressions that can never be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    Regex,
    code="SEC129",
    principles=("robust-comparisons",),
    severity=Severity.LOW,
    cwe=(561, 185),
    references=("https://docs.python.org/3/library/re.html#regular-expression-syntax",),
)
def unreachable_alternative(regex: Regex, ctx: Context) -> Iterator[Finding]:
    r"""Put the longer of two alternatives first.

    `re` takes the first alternative that matches, not the longest. In `jpe?g|png|pngx` at the end of a pattern, `pngx` is never chosen: `png` has
    already matched. An alternative that stands there twice is a slip too, often for another word.

    ```python bad
    import re

    def units(text):
        return re.findall(r"\d+ (?:k|kg|g)", text)
    #                     ^^^^^^^^^^^^^^^^^ `kg` is never chosen, because `k` comes before it
    ```
    ```python good
    import re

    def units(text):
        return re.findall(r"\d+ (?:kg|k|g)", text)

    def whole_unit(text):
        return re.fullmatch(r"\d+ (?:k|kg|g)", text)
    ```
    """
    hidden: dict[str, list[str]] = {}
    for problem in regex.problems:
        if problem.kind == "unreachable" and not ctx.is_test:
            hidden.setdefault(problem.detail, []).append(problem.subject)
    for winner, losers in hidden.items():
        if winner in losers:
            yield ctx.finding(regex.location, f"the alternative `{winner}` stands there twice")
        later = [f"`{loser}`" for loser in losers if loser != winner]
        if len(later) == 1:
            message = f"{later[0]} is never chosen, because `{winner}` comes before it"
            yield ctx.finding(regex.location, message)
        elif later:
            named = f"{', '.join(later[:-1])} and {later[-1]}"
            yield ctx.finding(
                regex.location, f"{named} are never chosen, because `{winner}` comes before them"
            )
