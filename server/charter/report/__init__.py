"""Findings as text and as files for other tools, one format a module. It decides nothing.

A format is a module with `render(outcome, out)`; it is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, TextIO, cast

if TYPE_CHECKING:
    from charter.report.outcome import Outcome

FORMATS = {
    "full": "full",
    "concise": "concise",
    "grouped": "grouped",
    "json": "json_document",
    "jsonl": "json_lines",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "gitlab-sast": "gitlab_sast",
    "junit": "junit",
    "rdjson": "rdjson",
    "checkstyle": "checkstyle",
    "azure": "azure",
    "markdown": "markdown",
    "pylint": "pylint",
    "html": "html_page",
}
"""The name of every output format, and its module in this package."""

WITH_ALL_FIXES = frozenset({"json", "jsonl", "sarif", "rdjson"})
"""Formats for tools that apply fixes: all of them have to be proved first."""

WITH_SOME_FIXES = frozenset({"full", "markdown", "html"})
"""Formats for people, who read the first ones."""


FOR_PEOPLE = frozenset({"full", "concise", "grouped"})
"""Formats to which a person may get more lines; other tools could not read those."""


class Reporter(Protocol):
    """A module that renders one format."""

    def render(self, outcome: Outcome, out: TextIO, /) -> None:
        """Write a run's outcome.

        Args:
            outcome: what the run came to.
            out: where to; a terminal may get colours.
        """
        ...


def reporter(name: str) -> Reporter:
    """The module that renders a format.

    Args:
        name: one of `FORMATS`.
    """
    module = importlib.import_module(f"charter.report.{FORMATS[name]}")
    return cast("Reporter", cast("object", module))
