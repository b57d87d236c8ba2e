"""Finds lists of texts in which two stand next to each other without a comma."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.List,
    ast.Tuple,
    ast.Set,
    code="MNT226",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    when=lambda collection: len(collection.elts) > 2 and collection.lineno != collection.end_lineno,
    aliases=("ISC004", "W1404"),
)
def missing_comma(collection: ast.List | ast.Tuple | ast.Set, ctx: Context) -> Iterator[Finding]:
    """In a list of texts, one a line, two lines have no comma between them and become one text.

    `"beta" "gamma"` is `"betagamma"`: Python joins texts that stand next to each other. Neither of the two is in the list.

    Only lists of three or more texts are looked at, most of them single words, where texts in parentheses, long ones that
    are broken at a space, and ones that go on in the next line by habit are left alone.

    ```python bad
    NAMES = [
        "alpha",
        "beta"
    #   ^^^^^^ a comma is missing here: this and the next line make one text, `betagamma`
        "gamma",
        "delta",
    ]
    ```
    ```python fixed
    NAMES = [
        "alpha",
        "beta",
        "gamma",
        "delta",
    ]
    ```
    ```python good
    NAMES = [
        "alpha",
        ("be" "ta"),
        "gamma is the third letter "
        "of the alphabet",
    ]
    ```
    """
    elements = collection.elts
    suspects = [
        item
        for item in elements
        if type(item) is ast.Constant and isinstance(item.value, str) and item.end_lineno != item.lineno
    ]
    if not suspects or len(suspects) * 3 > len(elements):
        return  # where many are joined, it is meant
    if any(type(item) is not ast.Constant for item in elements) or len(
        {item.lineno for item in elements}
    ) < len(elements):
        return
    for item in suspects:
        text = ctx.source(item)
        lines = [line.strip() for line in text.splitlines()]
        if len(lines) != 2 or any(_quoted(line) is None for line in lines) or _is_wrapped(item, ctx):
            continue
        first, second = _quoted(lines[0]) or "", _quoted(lines[1]) or ""
        if not _is_word(first) or not _is_word(second):
            continue
        start = ctx.span(item).start
        at = start + len(text.splitlines()[0].rstrip())
        fix = Fix("Put a comma", (ctx.insert(at, ","),), Grade.UNSAFE)
        location = ctx.span(item)
        yield ctx.finding(
            type(location)(start, at),
            f"a comma is missing here: this and the next line make one text, `{first}{second}`",
            fix=fix,
        )


def _quoted(line: str) -> str | None:
    """The inside of a line that is one quoted text."""
    quote = line[:1]
    if quote in {'"', "'"} and len(line) >= 2 and line.endswith(quote) and quote not in line[1:-1]:
        return line[1:-1]
    return None


def _is_word(text: str) -> bool:
    """Whether a text looks like an entry of its own, and neither like the end nor the beginning of a sentence."""
    is_plain = text.replace("_", "a")[:1].isalnum() and text[-1:].isalnum()
    return is_plain and " " not in text and "\\" not in text and len(text) < 60


def _is_wrapped(item: ast.expr, ctx: Context) -> bool:
    """Whether parentheses of its own stand around an element."""
    before = ctx.text[: ctx.span(item).start].rstrip()
    after = ctx.text[ctx.span(item).end :].lstrip()
    return before.endswith("(") and after.startswith(")")
