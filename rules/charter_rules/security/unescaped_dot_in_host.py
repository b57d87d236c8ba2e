"""Reports host names in regular expressions whose dots match any character."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    rule,
)
from charter.api.facts.regex import Regex
from charter_rules import protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_PARTS: Final = frozenset({"group", "groups", "groupdict"})
"""Methods that give the parts of a match."""


@rule(
    Regex,
    code="SEC054",
    principles=("outbound-requests",),
    severity=Severity.LOW,
    cwe=(20, 625),
    references=("https://cwe.mitre.org/data/definitions/625.html",),
)
def unescaped_dot_in_host(regex: Regex, ctx: Context) -> Iterator[Finding]:
    r"""Escape the dots of host names in regular expressions.

    A dot matches any character: a check for `www.shop.net` also lets `wwwXshop.net` pass, which anybody can register. Write `\.`.

    ```python bad
    import re

    def is_ours(url):
        return re.match(r"^https://www.shop.net/", url)
    #                   ^^^^^^^^^^^^^^^^^^^^^^^^^ a dot in `www.shop.net` matches any character, so other hosts pass
    ```
    ```python good
    import re

    def is_ours(url):
        return re.match(r"^https://www\.shop\.net/", url)
    ```
    """
    for problem in regex.problems:
        if problem.kind == "host" and not (
            ctx.is_test or protocols.plays_a_site(ctx) or _lets_nobody_pass(regex, ctx)
        ):
            yield ctx.finding(
                regex.location, f"a dot in `{problem.subject}` matches any character, so other hosts pass"
            )


def _lets_nobody_pass(regex: Regex, ctx: Context) -> bool:
    """Whether a pattern cuts the host out of a text or takes a part of it, or stands in a table that tells which service is meant."""
    if regex.function in {"re.sub", "re.subn", "re.split"}:
        return True
    pattern = shapes.node_at(regex.location.span, ctx, ast.Constant, ast.Name)
    made = None if pattern is None else ctx.parent(pattern)
    taken = None if made is None else ctx.parent(made)
    if isinstance(taken, ast.Attribute) and taken.attr in _PARTS:
        return True
    reads = shapes.reads_of_result(made, ctx) if isinstance(made, ast.Call) else None
    if any(isinstance(use := ctx.parent(read), ast.Attribute) and use.attr in _PARTS for read in reads or ()):
        return True
    row = None if made is None else ctx.parent(made)
    return (
        isinstance(row, ast.Tuple)
        and row.elts[-1] is made
        and isinstance(ctx.parent(row), (ast.List, ast.Tuple))
    )
