"""The charter as data: read loudly, and amended by a team."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from charter.api import Pillar, Principle
from charter.engine import constitution, registry
from charter.engine.settings import SettingsError, load

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = constitution.load(registry.load())

ONE = """
[[principles]]
id = "T01"
slug = "our-own"
title = "Ours"
pillar = "security"
rank = 5
rationale = "Because."
"""


def amended(folder: Path, text: str) -> constitution.Constitution:
    (folder / "charter.toml").write_text(text)
    return constitution.amend(SHIPPED, load(folder))


def test_the_charter_has_47_principles_in_three_pillars() -> None:
    assert [len(SHIPPED.of(pillar)) for pillar in Pillar] == [20, 15, 12]
    assert [p.rank for p in SHIPPED.principles] == list(range(1, 48))


@pytest.mark.parametrize("principle", SHIPPED.principles, ids=lambda p: p.id)
def test_each_principle_says_why_and_where_to_read_on(principle: Principle) -> None:
    sentences = re.findall(r"[.?](?=\s|$)", principle.rationale)
    assert 2 <= len(sentences) <= 4
    assert len(principle.looks_for) >= 3
    assert principle.references
    assert all(address.startswith("https://") for address in principle.references)


def test_principles_are_found_by_id_and_slug() -> None:
    for text in ("S01", "s01", "sql-injection", "SQL_Injection"):
        found = SHIPPED.find(text)
        assert found is not None
        assert found.id == "S01"
    assert SHIPPED.find("S99") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.replace('"T01"', '"t1"'), "pattern|matching"),
        (ONE.replace("rationale", "rational"), "rational"),
        (ONE.replace("security", "safety"), "safety"),
        (ONE + ONE, "already taken"),
        ("[[principles", "not valid TOML"),
    ],
)
def test_a_wrong_pack_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(constitution.ConstitutionError, match=said) as caught:
        constitution.read({"pack/constitution.toml": text})
    assert "pack/constitution.toml" in str(caught.value)


def test_a_team_reweights_and_retires(tmp_path: Path) -> None:
    made = amended(tmp_path, "[principles.sql-injection]\nweight = 3\n[principles.M02]\nretire = true\n")
    assert made.by_slug["sql-injection"].weight == 3
    assert "documented-api" not in {p.slug for p in made.of(Pillar.MAINTAINABILITY)}


def test_a_team_adds_its_own(tmp_path: Path) -> None:
    text = "[principles.no-print]\nid='T01'\ntitle='Log'\npillar='maintainability'\nrationale='Why.'\n"
    added = amended(tmp_path, text).find("T01")
    assert added is not None
    assert (added.slug, added.rank, added.weight) == ("no-print", 48, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "[principles.ours]\nid = 'S01'\ntitle = 'T'\npillar = 'security'\nrationale = 'R'\n",
        "[principles.documented-api]\nid = 'S01'\n",
    ],
)
def test_no_amendment_takes_the_id_of_another_principle(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"S01 of `[a-z-]+` is taken by `sql-injection`") as caught:
        amended(tmp_path, text)
    assert caught.value.line == 2


def test_an_amendment_that_meets_nothing_is_an_error_with_a_guess(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        amended(tmp_path, "\n[principles.sql-injecton]\nweight = 3\n")
    assert caught.value.line == 2
    assert caught.value.hint == "did you mean `sql-injection`?"
