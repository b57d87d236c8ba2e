"""Telling findings when comments cannot be posted: annotations by workflow commands and the job's summary page.

GitHub shows ten annotations of a kind from a step and cuts the rest silently, so ten are written and the rest is
counted. A file's name can hold anything; every value is escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.report.escape import command_property, command_value
from charter.review.escape import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from charter.review.document import Item

_SHOWN: Final = 10
_PAGE: Final = 1024 * 1024 - 4096
"""Bytes of a job summary: GitHub drops one of more than 1 MiB."""
_LEVELS: Final = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "notice",
    "info": "notice",
}


def workflow_commands(items: Sequence[Item]) -> Iterator[str]:
    """Workflow commands for the first ten items, and one that counts the rest.

    Args:
        items: the most severe first.
    """
    for item in items[:_SHOWN]:
        properties = {"file": item.path, "line": str(item.line), "title": f"{item.code} {item.rule}"}
        values = ",".join(f"{key}={command_property(value)}" for key, value in properties.items())
        yield f"::{_LEVELS[item.severity]} {values}::{command_value(plain(item.message))}"
    if len(items) > _SHOWN:
        more = len(items) - _SHOWN
        yield f"::notice title=Charter::{more} more findings are in the summary of this job"


def write_job_summary(path: Path, text: str) -> None:
    """Add text to a job's summary page, whole paragraphs as far as there is room."""
    room = _PAGE - (path.stat().st_size if path.exists() else 0)
    chosen: list[str] = []
    for part in text.split("\n\n---\n\n"):
        room -= len(part.encode("utf-8", "replace")) + 7
        if room < 0:
            chosen.append("The rest does not fit on this page.")
            break
        chosen.append(part)
    with path.open("a", encoding="utf-8", errors="replace") as file:
        file.write("\n\n---\n\n".join(chosen) + "\n")
