"""Reports regular expressions that take quadratic time on untrusted text that reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.api import Severity, rule
from charter.api.facts.taint import TaintFlow
from charter_rules import flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_SHORT: Final = ("headers", "cookie", "user_agent", "uri", "path", "host")
"""Parts of requests of which servers take a few kilobytes at most."""


@rule(
    TaintFlow,
    code="SEC052",
    principles=("bounded-resources",),
    severity=Severity.MEDIUM,
    cwe=(1333, 400, 730),
    kinds=("redos",),
    references=("https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS",),
)
def polynomial_regex(flow: TaintFlow, ctx: Context) -> Iterator[Finding]:
    r"""Bound what a pattern may read of a request.

    Two loops that can match the same characters, or a search that starts anew at each character, need time that grows with the square
    of the text: ten times the text, a hundred times the work. On text from a request, some kilobytes are enough to slow the server down.
    The text is followed through the project to the pattern; the message gives one that was seen to be slow. Cut the text to a length that
    is enough, or write the pattern so that its loops cannot meet.

    ```python bad
    import re
    from flask import request

    def comment():
        return re.sub(r"\s+$", "", request.form["comment"])
    #                              ^^^^^^^^^^^^^^^^^^^^^^^ `request.form["comment"]` is matched in quadratic time, for instance `'a' + '\t' * 20000 + '!'`
    ```
    ```python good
    import re
    from flask import request

    def comment():
        return request.form["comment"].rstrip()

    def short():
        return re.sub(r"\s+$", "", request.form["comment"][:200])

    def tidy(text):
        return re.sub(r"\s+$", "", text)
    ```
    """
    short = any(part in flow.source.lower() for part in _SHORT)
    severity = Severity.LOW if short else Severity.MEDIUM
    yield flows.finding(flow, ctx, f"is matched in quadratic time, for instance `{flow.detail}`", severity)
