"""The edit of a project's settings file that ignores one more rule. It keeps the file's other text as it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from charter.api import regex

if TYPE_CHECKING:
    from charter.engine.settings import Settings

_LIST = regex(r"^([ \t]*ignore[ \t]*=[ \t]*\[)([^\]]*)\]", re.MULTILINE)


def ignoring(settings: Settings, rule: str) -> dict[str, Any]:
    """The edit, by absolute path; a new `charter.toml` if the project has no settings yet."""
    name = json.dumps(rule)
    path = settings.path
    if path is None:
        return {
            "edits": {str(settings.root / "charter.toml"): [(0, 0, f"ignore = [{name}]\n")]},
            "create": True,
        }
    text = path.read_text("utf-8-sig")
    start, end = _section(text) if path.name == "pyproject.toml" else (0, _first_table(text))
    found = _LIST.search(text, start, end)
    if found:
        inside = found[2].rstrip()
        at = found.start(2) + len(inside)
        separator = "" if not inside.strip() else " " if inside.endswith(",") else ", "
        return {"edits": {str(path): [(at, at, f"{separator}{name}")]}}
    return {"edits": {str(path): [(start, start, f"ignore = [{name}]\n")]}}


def _section(text: str) -> tuple[int, int]:
    """Where the keys of `[tool.charter]` stand."""
    head = re.search(r"^[ \t]*\[tool\.charter\][^\n]*\n?", text, re.MULTILINE)
    if head is None:
        return len(text), len(text)
    following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, head.end())
    return head.end(), following.start() if following else len(text)


def _first_table(text: str) -> int:
    head = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    return head.start() if head else len(text)
