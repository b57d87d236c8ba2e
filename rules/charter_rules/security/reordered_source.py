"""Finds characters that make an editor show code in another order than Python reads it. It knows no look-alike letters."""

from __future__ import annotations

import ast
import unicodedata
from typing import TYPE_CHECKING, Final

from charter.api import Fix, Grade, Severity, Span, regex, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.api import Context, Finding

_PLAIN_CLOSER: Final = "\u202c"
_ISOLATE_CLOSER: Final = "\u2069"
_PLAIN: Final = "\u202a\u202b\u202d\u202e"
"""Openers that `_PLAIN_CLOSER` closes: embeddings and overrides."""
_ISOLATES: Final = "\u2066\u2067\u2068"
"""Openers that `_ISOLATE_CLOSER` closes, with all that is open inside of them."""
_REVERSING: Final = "\u202e"
_OPENER: Final = regex(f"[{_PLAIN}{_ISOLATES}]")


@rule(
    ast.Module,
    code="SEC069",
    principles=("explicit-over-clever",),
    severity=Severity.HIGH,
    cwe=(1007, 838),
    aliases=("B613", "PLE2502"),
    references=(
        "https://trojansource.codes/",
        "https://nvd.nist.gov/vuln/detail/CVE-2021-42574",
        "https://www.unicode.org/reports/tr9/",
    ),
)
def reordered_source(_: ast.Module, ctx: Context) -> Iterator[Finding]:
    """Show code in the order in which it runs.

    Unicode has invisible characters that change the direction of the text behind them, up to the end of the line.
    Inside of a string or a comment they can move what an editor or a review shows: the end of a string seems to stand
    where it does not, a check seems to be code and is a part of a text ("Trojan Source", CVE-2021-42574). Write such a
    character as an escape, which does the same in the program and is seen.

    Reported are overrides that show text backwards, and openers that a string does not close itself, so that they reach
    its closing quote. Texts in Arabic, Hebrew or Persian need neither: direction marks (U+200E, U+200F), pairs that are
    closed in the same string, and what ends with a comment or with an inner line of a long string are left alone.

    ```python bad
    def is_allowed(role):
        return role != "guest\u202e \u2066"
    #                        ^ U+202E RIGHT-TO-LEFT OVERRIDE shows what follows in another order than Python reads it: write `\\u202e`
    #                          ^ U+2066 LEFT-TO-RIGHT ISOLATE shows what follows in another order than Python reads it: write `\\u2066`
    ```
    ```python fixed
    def is_allowed(role):
        return role != "guest\\u202e \\u2066"
    ```
    ```python good
    def is_allowed(role):
        return role != "guest"

    GREETING = "Name: \u2068Ada\u2069, \u202bשם\u202c"
    MARK = "\\u202e"
    ```
    """  # noqa: D301 (the example holds the characters themselves)
    if ctx.text.isascii():
        return
    openers = list(_OPENER.finditer(ctx.text))
    strings = sorted(ctx.span(node) for node in _texts(ctx)) if openers else []
    for match in openers:
        at = match.start()
        string = None if _around(at, ctx.comments) else _around(at, strings)
        if match[0] != _REVERSING and (string is None or at not in _still_open(string, ctx)):
            continue
        shown = f"U+{ord(match[0]):04X} {unicodedata.name(match[0])}"
        escape = f"\\u{ord(match[0]):04x}"
        todo = f"write `{escape}`" if string else "delete it"
        yield ctx.finding(
            Span(at, at + 1),
            f"{shown} shows what follows in another order than Python reads it: {todo}",
            fix=_fix(at, string, escape, ctx),
        )


def _texts(ctx: Context) -> Iterator[ast.expr]:
    """The literals of the file that are text, f-strings as a whole."""
    for _, node in ctx.strings:
        if not isinstance(ctx.parent(node), (ast.JoinedStr, ast.FormattedValue)):
            yield node
    yield from ctx.nodes(ast.JoinedStr)


def _around(offset: int, places: Sequence[Span]) -> Span | None:
    """The innermost of ordered places in which an offset lies."""
    return next((place for place in reversed(places) if place.start <= offset < place.end), None)


def _still_open(string: Span, ctx: Context) -> list[int]:
    """Where a string opens what is still open at its closing quote; the end of a line closes everything."""
    opened: list[int] = []
    for at in range(max(string.start, ctx.text.rfind("\n", 0, string.end) + 1), string.end):
        char = ctx.text[at]
        if char in _PLAIN or char in _ISOLATES:
            opened.append(at)
        elif char == _PLAIN_CLOSER and opened and ctx.text[opened[-1]] in _PLAIN:
            opened.pop()
        elif char == _ISOLATE_CLOSER:
            isolate = next((place for place in reversed(opened) if ctx.text[place] in _ISOLATES), at)
            opened = [place for place in opened if place < isolate]
    return opened


def _fix(at: int, string: Span | None, escape: str, ctx: Context) -> Fix | None:
    """The escape in place of the character, if the literal then means the same; in a comment, nothing in its place."""
    if string is None:
        return Fix("Delete the character", (ctx.replace(Span(at, at + 1), ""),), Grade.UNSAFE)
    before, after = ctx.text[string.start : at], ctx.text[at + 1 : string.end]
    if not _mean_same(ctx.text[string.start : string.end], f"{before}{escape}{after}"):
        return None
    return Fix("Write it as an escape", (ctx.replace(Span(at, at + 1), escape),), Grade.SAFE)


def _mean_same(one: str, other: str) -> bool:
    """Whether two texts are the same expression; a raw string reads an escape otherwise."""
    try:
        first, second = (ast.dump(ast.parse(f"({text}\n)", mode="eval")) for text in (one, other))
    except SyntaxError:
        return False
    return first == second
