"""Reports regular expressions that take exponential time on some texts; the regex engine has proved each on `re` itself."""

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
    code="SEC051",
    principles=("bounded-resources",),
    severity=Severity.HIGH,
    cwe=(1333, 400, 730),
    references=("https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS",),
)
def exponential_regex(regex: Regex, ctx: Context) -> Iterator[Finding]:
    r"""Write loops that can match a text in one way only.

    Python tries every way in which a pattern can match before it says no. A loop inside of a loop, such as `(a+)+`, can split thirty
    characters in a billion ways: one request with such a text keeps a processor busy for minutes. The message gives a text on which
    `re` was seen to be that slow. Make the parts of the loop exclude each other, or, since Python 3.11, use `(?>…)` or `++`.

    ```python bad
    import re

    def is_name(text):
        return re.match(r"^(\w+\s?)*$", text)
    #                   ^^^^^^^^^^^^^^ matching takes exponential time, for instance on `'a' + 'a' * 60 + '!'`
    ```
    ```python good
    import re

    def is_name(text):
        return re.match(r"^\w+(\s\w+)*\s?$", text)

    def is_csv(text):
        return re.match(r"^[^,]*(,[^,]*)*$", text)
    ```
    """
    for problem in regex.problems:
        if problem.kind == "exponential" and not ctx.is_test:
            yield ctx.finding(
                regex.location, f"matching takes exponential time, for instance on `{problem.detail}`"
            )
