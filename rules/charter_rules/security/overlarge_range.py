"""Reports character ranges in regular expressions that cover more than was meant."""

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
    code="SEC053",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    cwe=(20, 185),
    references=("https://docs.python.org/3/library/re.html#regular-expression-syntax",),
)
def overlarge_range(regex: Regex, ctx: Context) -> Iterator[Finding]:
    r"""Write character ranges whose both ends are of one kind.

    Ranges follow the order of character codes. Between `Z` and `a` stand `[`, a backslash, `]`, `^`, `_` and the backquote, so `[A-z]` lets them pass;
    `[+-9]` was meant to be three characters and is fifteen. In a check of input, that is a hole.

    ```python bad
    import re

    def is_word(text):
        return re.fullmatch(r"[A-z]+", text)
    #                       ^^^^^^^^^ `A-z` also matches `[\]^_``
    ```
    ```python good
    import re

    def is_word(text):
        return re.fullmatch(r"[A-Za-z]+", text)

    def is_printable(text):
        return re.fullmatch(r"[ -~]*", text)
    ```
    """
    for problem in regex.problems:
        if problem.kind == "range" and not ctx.is_test:
            yield ctx.finding(regex.location, f"`{problem.subject}` also matches `{problem.detail}`")
