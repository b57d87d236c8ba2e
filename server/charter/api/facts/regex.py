"""Regular expressions in the code and what is wrong with them. It knows no engine."""

from __future__ import annotations

from msgspec import Struct

from charter.api.facts import Fact

REGEX_PROBLEMS: dict[str, str] = {
    "exponential": "backtracking takes exponential time; the detail is a proved witness",
    "range": "a range of characters that covers more than was meant; the detail is what it also matches",
    "host": "a dot in a host's name that stands for any character",
    "open-end": "a check of a host that lets the name go on",
    "open-start": "a search for a host that may begin anywhere",
    "empty": "an empty alternative beside others; the subject is the alternatives",
    "unreachable": "an alternative that an earlier one, the detail, always wins over",
    "tag": "a filter of HTML tags that misses some; the detail is a text that passes",
    "anchor": "`^` or `$` that binds to one alternative only",
}
"""Every kind of problem, with its meaning."""


class RegexProblem(Struct, frozen=True):
    """One thing that is wrong with a regular expression.

    Attributes:
        kind: a key of `REGEX_PROBLEMS`.
        subject: the part of the pattern, or "" for the whole.
        detail: see `REGEX_PROBLEMS`.
    """

    kind: str
    subject: str = ""
    detail: str = ""


class Regex(Fact, frozen=True):
    """A regular expression that the code uses. Its location is the argument that holds the pattern.

    Attributes:
        pattern: the pattern; bytes are decoded as Latin-1.
        function: qualified name of the function that takes it, such as `re.match`.
        problems: what is wrong with it.
    """

    pattern: str = ""
    function: str = ""
    problems: tuple[RegexProblem, ...] = ()
