"""Reports filters of HTML tags that miss spellings which browsers accept."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import (
    Severity,
    rule,
)
from charter.api.facts.regex import Regex
from charter_rules import calls, protocols, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_ANY_TAG: Final = re.compile(r"<(?:\[\^[<>]+\][+*]\??|\.[+*]\?)>")
"""A pattern for all tags, as it stands in code: `<[^>]+>`, `<.*?>`."""

_SEARCHES: Final = frozenset({"search", "match", "fullmatch", "findall", "finditer"})
_KEEPS: Final = re.compile(r"<\w|\\[1g]")
"""What a replacement has that writes tags or what was found."""


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
        if (
            problem.kind == "tag"
            and not ctx.is_test
            and not protocols.plays_a_site(ctx)
            and not _drops_all_tags(regex, ctx)
            and not ("\n" in problem.detail and _reads_a_line(regex, ctx))
        ):
            yield ctx.finding(
                regex.location, f"the filter misses `{problem.detail!r}`, which browsers accept"
            )


def _drops_all_tags(regex: Regex, ctx: Context) -> bool:
    """Whether the function also takes all tags out, so that what slips through is text, puts them in again, or shows nothing of it."""
    pattern = shapes.node_at(regex.location.span, ctx, ast.Constant)
    call = None if pattern is None else ctx.parent(pattern)
    if isinstance(call, ast.Call) and len(call.args) > 1 and _KEEPS.search(str(ctx.value(call.args[1]))):
        return True
    if isinstance(call, ast.Call) and _is_only_searched(call, ctx):
        return True
    users = _users(pattern, ctx)
    return bool(users) and all(_takes_all_tags_out(user, ctx) for user in users)


def _users(pattern: ast.Constant | None, ctx: Context) -> list[shapes.FunctionNode]:
    """The functions that match a pattern: the one in which it stands, or those that use what it is compiled to beside them."""
    function = None if pattern is None else ctx.function(pattern)
    if pattern is None or function is not None:
        return [] if function is None else [function]
    compiled = ctx.statement(pattern)
    target = compiled.targets[0] if isinstance(compiled, ast.Assign) else None
    reads = ctx.reads.get(target.id, ()) if isinstance(target, ast.Name) else ()
    return [user for read in reads if (user := ctx.function(read)) is not None]


def _takes_all_tags_out(function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether a function takes all tags out, by itself, by a pattern that stands elsewhere, or by another function of the file."""
    if _ANY_TAG.search(ctx.source(function)):
        return True
    names = ctx.nodes(ast.Name, within=function)
    used = {name.id for name in names}
    return any(
        isinstance(made := ctx.origin(name), ast.Call) and _ANY_TAG.search(ctx.source(made)) for name in names
    ) or any(one.name in used and _ANY_TAG.search(ctx.source(one)) for one in ctx.nodes(ast.FunctionDef))


def _reads_a_line(regex: Regex, ctx: Context) -> bool:
    """Whether a text is one line, as its name says, so that no line break can hide in it."""
    pattern = shapes.node_at(regex.location.span, ctx, ast.Constant)
    call = None if pattern is None else ctx.parent(pattern)
    return isinstance(call, ast.Call) and any(calls.identifier(one) == "line" for one in call.args)


def _is_only_searched(call: ast.Call, ctx: Context) -> bool:
    """Whether the text without the tags is only searched for something, and shown to nobody."""
    parent = ctx.parent(call)
    if isinstance(parent, ast.Call):
        return call in parent.args and calls.identifier(parent.func) in _SEARCHES
    target = parent.targets[0] if isinstance(parent, ast.Assign) else None
    function = ctx.function(call)
    if not isinstance(target, ast.Name) or function is None:
        return False
    later = [ctx.parent(use) for use in shapes.reads_in(target.id, function, ctx) if use.lineno > call.lineno]
    return bool(later) and all(
        isinstance(use, ast.Call) and calls.identifier(use.func) in _SEARCHES for use in later
    )
