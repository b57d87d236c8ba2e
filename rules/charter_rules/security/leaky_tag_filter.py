"""Reports filters of HTML tags that miss spellings which browsers accept."""

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
    code="SEC056",
    principles=("output-escaping",),
    severity=Severity.MEDIUM,
    cwe=(116, 20, 185, 186),
    references=("https://cwe.mitre.org/data/definitions/116.html",),
)
def leaky_tag_filter(regex: Regex, ctx: Context) -> Iterator[Finding]:
    """Clean HTML with a parser that knows how browsers read it.

    Browsers accept `<SCRIPT>`, line breaks and spaces inside of tags, attributes in end tags, and comments that end in `--!>`. A pattern that
    misses one of them lets a script pass. Libraries such as nh3 parse the text as a browser does.

    ```python bad
    import re

    def clean(text):
        return re.sub(r"<script>.*?</script>", "", text)
    #                 ^^^^^^^^^^^^^^^^^^^^^^^ the filter misses `'<SCRIPT>x</SCRIPT>'`, which browsers accept
    ```
    ```python good
    import nh3

    def clean(text):
        return nh3.clean(text)
    ```
    """
    for problem in regex.problems:
        if problem.kind == "tag" and not ctx.is_test:
            yield ctx.finding(
                regex.location, f"the filter misses `{problem.detail!r}`, which browsers accept"
            )
