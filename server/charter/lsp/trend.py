"""How a project's scores went over time: a line of JSON for each hour in which they were asked for. It computes none."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from charter.lsp.rpc import fields

if TYPE_CHECKING:
    from pathlib import Path

_HOUR = 3600
_KEPT = 500


def follow(folder: Path, scores: dict[str, Any]) -> list[dict[str, Any]]:
    """Add today's scores, and give all that are known, the oldest first.

    Args:
        folder: the project's cache; without one that can be written, only today's are given.
        scores: `total` and `pillars`, as `insights.score_data` gives them.
    """
    file = folder / "scores.jsonl"
    known = _read(file)
    if scores["total"] is None:
        return known
    now = {"time": int(time.time()), "total": scores["total"], "pillars": scores["pillars"]}
    if known and now["time"] - known[-1]["time"] < _HOUR:
        known.pop()
    known = [*known, now][-_KEPT:]
    if folder.is_dir():
        try:
            file.write_text("".join(json.dumps(one) + "\n" for one in known), "utf-8")
        except OSError:
            return known
    return known


def _read(file: Path) -> list[dict[str, Any]]:
    """The lines that make sense; a damaged file costs only what is damaged."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found: list[dict[str, Any]] = []
    for line in lines:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if {"time", "total", "pillars"} <= fields(one).keys():
            found.append(fields(one))
    return found
