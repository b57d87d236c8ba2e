"""One JSON object a line for each finding, of the same form as in the JSON document, for streaming tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from charter.report.escape import plain
from charter.report.json_document import finding_document

if TYPE_CHECKING:
    from charter.report.outcome import Outcome


def render(outcome: Outcome, out: TextIO) -> None:
    """Write a line for each finding."""
    out.writelines(
        plain(json.dumps(finding_document(outcome, finding), ensure_ascii=False)) + "\n"
        for finding in outcome.findings
    )
