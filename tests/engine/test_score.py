"""The score: what a project may rely on when it makes a threshold of it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from charter.api import (
    AnyRule,
    Confidence,
    Context,
    Finding,
    Location,
    Pillar,
    Principle,
    Rule,
    Severity,
    Span,
)
from charter.engine.score import CAPS, Scores, scores, shown


def make_rule(name: str, severity: Severity, *principles: str) -> AnyRule:
    def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
        yield ctx.finding(node, "found")

    check.__name__ = name
    return Rule(check=check, subscribes=(ast.Call,), code="SEC001", principles=principles, severity=severity)


PRINCIPLES = [
    Principle("S01", "one", "One", Pillar.SECURITY, 1, "why"),
    Principle("S02", "two", "Two", Pillar.SECURITY, 2, "why", weight=3.0),
    Principle("M01", "three", "Three", Pillar.MAINTAINABILITY, 3, "why"),
    Principle("M02", "retired", "Retired", Pillar.MAINTAINABILITY, 4, "why", weight=0),
]
RULES = {
    rule.name: rule
    for rule in (
        make_rule("low", Severity.LOW, "one"),
        make_rule("medium", Severity.MEDIUM, "one", "two"),
        make_rule("critical", Severity.CRITICAL, "two"),
        make_rule("other", Severity.HIGH, "three", "retired"),
    )
}
PLACE = Location("a.py", Span(0, 1), 1, 0, 1, 1)


def finding(rule: str, severity: Severity | None = None, confidence: Confidence = Confidence.HIGH) -> Finding:
    made = RULES[rule]
    severity = made.severity if severity is None else severity
    return Finding(rule, "SEC001", PLACE, "", severity, confidence, made.principles)


def score(findings: Sequence[Finding], opportunities: Mapping[str, int]) -> Scores:
    return scores(PRINCIPLES, RULES, findings, opportunities)


findings = st.builds(
    finding,
    st.sampled_from(sorted(RULES)),
    st.none() | st.sampled_from(Severity),
    st.sampled_from(Confidence),
)
some_findings = st.lists(findings, max_size=12)
some_opportunities = st.dictionaries(st.sampled_from(sorted(RULES)), st.integers(1, 40))


def covering(found: Sequence[Finding], opportunities: Mapping[str, int]) -> dict[str, int]:
    """Opportunities as the engine counts them: what a rule found, it has looked at."""
    counts = Counter(f.rule for f in found)
    return {name: max(opportunities.get(name, 0), counts[name]) for name in {*opportunities, *counts}}


def values(made: Scores) -> dict[str, float | None]:
    return {
        **{slug: one.value for slug, one in made.principles.items()},
        **{pillar.name: value for pillar, value in made.pillars.items()},
        "total": made.total,
    }


def never_better(after: Scores, before: Scores) -> None:
    """Each score of a principle sank or stayed; what had none may have got one."""
    for slug, one in after.principles.items():
        old = before.principles[slug].value
        assert old is None or (one.value is not None and one.value <= old + 1e-9)


@given(some_findings, some_opportunities, findings)
def test_violating_an_opportunity_never_raises_a_score(
    found: list[Finding], looked_at: dict[str, int], extra: Finding
) -> None:
    counts = covering([*found, extra], looked_at)
    before, after = score(found, counts), score([*found, extra], counts)
    never_better(after, before)
    for name, old in values(before).items():
        new = values(after)[name]
        assert old is None or (new is not None and new <= old + 1e-9)


@given(some_findings, some_opportunities, findings)
def test_adding_code_that_violates_never_raises_a_score(
    found: list[Finding], looked_at: dict[str, int], extra: Finding
) -> None:
    before = covering(found, looked_at)
    after = {**before, extra.rule: before.get(extra.rule, 0) + 1}
    never_better(score([*found, extra], after), score(found, before))


@given(some_findings.filter(bool), some_opportunities, st.data())
def test_fixing_a_violation_never_lowers_a_score(
    found: list[Finding], looked_at: dict[str, int], data: st.DataObject
) -> None:
    counts = covering(found, looked_at)
    gone = data.draw(st.integers(0, len(found) - 1))
    never_better(score(found, counts), score(found[:gone] + found[gone + 1 :], counts))


@given(some_findings.filter(bool), some_opportunities, st.data())
def test_a_milder_violation_never_lowers_a_score(
    found: list[Finding], looked_at: dict[str, int], data: st.DataObject
) -> None:
    counts = covering(found, looked_at)
    at = data.draw(st.integers(0, len(found) - 1))
    milder = data.draw(st.sampled_from([s for s in Severity if s <= found[at].severity]))
    mild = [*found[:at], replace(found[at], severity=milder), *found[at + 1 :]]
    never_better(score(found, counts), score(mild, counts))


@given(some_findings, some_opportunities)
def test_scores_stay_on_their_scale_and_do_not_depend_on_order(
    found: list[Finding], looked_at: dict[str, int]
) -> None:
    made = score(found, covering(found, looked_at))
    assert all(value is None or 0 <= value <= 100 for value in values(made).values())
    assert values(score(found[::-1], covering(found, looked_at))) == values(made)


@given(some_findings, some_opportunities)
def test_a_certain_violation_caps(found: list[Finding], looked_at: dict[str, int]) -> None:
    made = score(found, covering(found, looked_at))
    for f in found:
        if f.confidence > Confidence.LOW:
            for slug in f.principles:
                value = made.principles[slug].value if slug in made.principles else None
                assert value is None or value <= CAPS.get(f.severity, 100)


def test_one_critical_finding_fails_a_project_of_any_size() -> None:
    made = score([finding("critical")], {"critical": 1_000_000})
    assert made.principles["two"].value == 49
    assert [one.principle for one in made.failing()] == ["two"]


def test_one_low_finding_in_a_thousand_does_not_fail() -> None:
    made = score([finding("low")], {"low": 1000})
    assert made.principles["one"].value == pytest.approx(99.9)
    assert made.failing() == ()


def test_a_doubt_alone_caps_nothing() -> None:
    made = score([finding("critical", confidence=Confidence.LOW)], {"critical": 100})
    assert made.principles["two"].value == 99


def test_without_opportunities_there_is_no_score() -> None:
    made = score([], {"low": 5})
    assert made.principles["one"].value == 100
    assert made.principles["two"].value is None
    assert shown(made.principles["two"].value) == "–"
    assert made.pillars[Pillar.PERFORMANCE] is None
    assert made.total == 100


def test_a_pillar_is_the_mean_by_weight() -> None:
    made = score([finding("low"), finding("critical")], {"low": 4, "critical": 1})
    assert made.pillars[Pillar.SECURITY] == pytest.approx((75 * 1 + 0 * 3) / 4)


def test_a_retired_principle_has_no_score() -> None:
    assert "retired" not in score([finding("other")], {"other": 1}).principles


def test_rounding_never_flatters() -> None:
    assert shown(79.99) == "79"
    assert shown(99.999) == "99"
    assert shown(100.0) == "100"
