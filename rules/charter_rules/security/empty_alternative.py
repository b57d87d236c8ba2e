"""Finds empty alternatives in regular expressions, which match anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    Regex,
    code="SEC130",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    cwe=(185, 20),
    references=("https://docs.python.org/3/library/re.html#regular-expression-syntax",),
)
def empty_alternative(regex: Regex, ctx: Context) -> Iterator[Finding]:
    r"""Leave no bar of a regular expression without an alternative on both sides.

    `cat|dog|` also matches the empty text, and so matches everywhere: a check with it always passes. Mostly a bar was left behind when a list was
    edited. Where "or nothing" is meant, `(?:cat|dog)?` says so.

    ```python bad
    import re

    def is_pet(text):
        return bool(re.match(r"cat|dog|", text))
    #                        ^^^^^^^^^^^ an alternative is empty, so the pattern matches any text
    ```
    ```python good
    import re

    def is_pet(text):
        return bool(re.match(r"cat|dog", text))

    def plural(word):
        return re.match(r"(?:cat|dog)(?:s|)$", word)
    ```
    """
    for problem in regex.problems:
        if problem.kind == "empty" and not ctx.is_test:
            yield ctx.finding(regex.location, "an alternative is empty, so the pattern matches any text")
