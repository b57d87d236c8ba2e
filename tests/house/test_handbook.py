"""The generated pages beside the rules are those that the rules and the charter make now."""

from __future__ import annotations

import re
from pathlib import Path

from charter.engine import constitution, registry
from charter.report.handbook import files

RULES = Path(__file__).parents[2] / "rules"
REMEDY = "run `charter rules --pages rules`"


def test_the_handbook_is_fresh() -> None:
    rules = registry.load()
    made = files(rules, constitution.load(rules))
    there = {path.relative_to(RULES).as_posix() for path in (RULES / "pages").glob("*.md")} | {"README.md"}
    assert there == set(made), REMEDY
    assert [name for name, text in made.items() if (RULES / name).read_text("utf-8") != text] == [], REMEDY


def test_every_rule_serves_principles_of_the_charter() -> None:
    rules = registry.load()
    known = constitution.load(rules).by_slug
    assert [(rule.name, slug) for rule in rules.rules for slug in rule.principles if slug not in known] == []


def test_what_is_said_of_linters_names_rules_that_exist() -> None:
    rules = registry.load()
    known = {rule.name for rule in rules.rules}
    said = " ".join(
        sentence for principle in constitution.load(rules).principles for sentence in principle.linters
    )
    assert set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", said)) <= known
