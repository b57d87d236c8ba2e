"""Reports checks of a URL that let the host name go on."""

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
    code="SEC055",
    principles=("outbound-requests",),
    severity=Severity.MEDIUM,
    cwe=(20, 625, 601),
    references=("https://cwe.mitre.org/data/definitions/625.html",),
)
def open_ended_host_check(regex: Regex, ctx: Context) -> Iterator[Finding]:
    r"""Begin and end a check of a host where the host does.

    A pattern that is searched anywhere in a URL also finds the host in `https://evil.org/?shop.net`. One that stops after `shop.net` also matches `https://shop.net.evil.org` and `https://shop.net@evil.org`. Let `/`, `$` or a port
    follow, or better compare `urllib.parse.urlsplit(url).hostname`.

    ```python bad
    import re

    def redirect_target(url):
        if re.match(r"https://www\.shop\.net", url):
    #               ^^^^^^^^^^^^^^^^^^^^^^^^^ a URL that goes on after the host passes, such as `https://ours.com.evil.org`
            return url
    ```
    ```python good
    import re

    def redirect_target(url):
        if re.match(r"https://www\.shop\.net/", url):
            return url

    def is_host(host):
        return re.search(r"^shop\.net$", host) is not None
    ```
    """
    for problem in regex.problems:
        if problem.kind == "open-end" and not ctx.is_test:
            yield ctx.finding(
                regex.location,
                "a URL that goes on after the host passes, such as `https://ours.com.evil.org`",
            )
        elif problem.kind == "open-start" and not ctx.is_test:
            yield ctx.finding(
                regex.location,
                "a URL that holds the host anywhere passes, such as `https://evil.org/?ours.com`",
            )
