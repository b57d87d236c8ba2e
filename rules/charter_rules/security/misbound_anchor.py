"""Reports alternatives of which only the first is bound to the start and only the last to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import (
    Severity,
    rule,
)
from charter.api.facts.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    Regex,
    code="SEC057",
    principles=("robust-comparisons",),
    severity=Severity.LOW,
    cwe=(20, 185),
    references=("https://docs.python.org/3/library/re.html#regular-expression-syntax",),
)
def misbound_anchor(regex: Regex, ctx: Context) -> Iterator[Finding]:
    r"""Put alternatives into a group between `^` and `$`.

    `^cat|dog$` means "starts with cat, or ends with dog": the anchors bind closer than `|`. As a check of a whole text it lets much more
    pass than the two words. Write `^(?:cat|dog)$`.

    ```python bad
    import re

    def is_pet(text):
        return bool(re.search(r"^cat|dog$", text))
    #                         ^^^^^^^^^^^^ `^` binds to the first alternative only, and `$` to the last
    ```
    ```python good
    import re

    def is_pet(text):
        return bool(re.search(r"^(?:cat|dog)$", text))

    def strip(text):
        return re.sub(r"^\s+|\s+$", "", text)
    ```
    """
    for problem in regex.problems:
        if problem.kind == "anchor" and not ctx.is_test:
            yield ctx.finding(regex.location, _message(problem.subject))


def _message(pattern: str) -> str:
    first, last = pattern.startswith("^"), pattern.endswith("$")
    if first and last:
        return "`^` binds to the first alternative only, and `$` to the last"
    return "`^` binds to the first alternative only" if first else "`$` binds to the last alternative only"
