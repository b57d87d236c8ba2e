"""The generated pages beside the rules are those that the rules and the charter make now."""

from __future__ import annotations

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
