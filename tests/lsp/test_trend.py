from __future__ import annotations

import json
from pathlib import Path

from charter.lsp.trend import follow


def test_scores_are_kept_by_the_hour_and_damage_costs_only_a_line(tmp_path: Path) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_text('{"time": 100, "total": 50, "pillars": {}}\nnonsense\n["x"]\n')
    first = follow(tmp_path, {"total": 80.0, "pillars": {}})
    assert [one["total"] for one in first] == [50, 80.0]
    again = follow(tmp_path, {"total": 90.0, "pillars": {}})
    assert [one["total"] for one in again] == [50, 90.0]
    assert [json.loads(line)["total"] for line in file.read_text().splitlines()] == [50, 90.0]
    assert [one["total"] for one in follow(tmp_path / "none", {"total": 1.0, "pillars": {}})] == [1.0]
    assert follow(tmp_path, {"total": None, "pillars": {}}) == again
