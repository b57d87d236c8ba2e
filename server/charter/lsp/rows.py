"""What the server's processes say to each other about findings and rules, as plain tuples. It knows neither protocol nor engine."""

from __future__ import annotations

from typing import Any, NamedTuple

Place = tuple[str, int, int, int, int, str]
"""A related place: project file (absolute), 1-based line, column and end in code points, and what is there."""


class Row(NamedTuple):
    """A finding without its place.

    Attributes:
        key: names the finding as long as its document is open.
        rule: the rule's name.
        code: its short handle.
        message: what is wrong.
        severity: 0 (info) to 4 (critical).
        confidence: 1 (low) to 3 (high).
        principles: slugs, the main one first.
        tags: `unnecessary` or `deprecated`.
        related: other places.
        flow: the stations from source to sink.
        fixes: title and grade of each way to mend it.
        at: where it is with its message, if that is a template and not the code that shows it.
    """

    key: int
    rule: str
    code: str
    message: str
    severity: int = 2
    confidence: int = 3
    principles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    related: tuple[Place, ...] = ()
    flow: tuple[Place, ...] = ()
    fixes: tuple[tuple[str, str], ...] = ()
    at: Place | None = None


class RulePage(NamedTuple):
    """What the server shows of a rule.

    Attributes:
        name: its identity.
        code: its short handle.
        title: one line.
        severity: label of its default severity.
        principles: slugs.
        page: its documentation in Markdown, with a heading.
        body: the same without the heading.
        link: address of its page.
    """

    name: str
    code: str
    title: str
    severity: str
    principles: tuple[str, ...]
    page: str
    body: str = ""
    link: str = ""


FIX_NOTES = {"safe": "", "unsafe": " (please review)", "suggestion": " (suggestion)"}
"""What is said of a fix beside its title, by its grade."""

SYNTAX_RULE = "syntax-error"
"""The name under which code that does not parse is reported."""

Frame = tuple[Any, ...]
