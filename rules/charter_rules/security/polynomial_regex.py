"""Reports regular expressions that take quadratic time on text of a web request."""

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
    code="SEC052",
    principles=("bounded-resources",),
    severity=Severity.MEDIUM,
    cwe=(1333, 400, 730),
    references=("https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS",),
)
def polynomial_regex(regex: Regex, ctx: Context) -> Iterator[Finding]:
    r"""Bound what a pattern may read of a request.

    Two loops that can match the same characters, or a search that starts anew at each character, need time that grows with the square
    of the text: ten times the text, a hundred times the work. On text from a request, some kilobytes are enough to slow the server down.
    Only patterns that the function applies to parts of a request are reported; the message gives a text that was seen to be slow.

    ```python bad
    import re
    from flask import request

    def comment():
        return re.sub(r"\s+$", "", request.form["comment"])
    #                 ^^^^^^^ matching takes quadratic time on a part of the request, for instance on `'a' + '\t' * 20000 + '!'`
    ```
    ```python good
    import re
    from flask import request

    def comment():
        return request.form["comment"].rstrip()

    def tidy(text):
        return re.sub(r"\s+$", "", text)
    ```
    """
    for problem in regex.problems:
        if problem.kind == "polynomial" and not ctx.is_test:
            yield ctx.finding(
                regex.location,
                f"matching takes quadratic time on a part of the request, for instance on `{problem.detail}`",
            )
