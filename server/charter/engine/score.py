"""The scores: how well code keeps each principle, from 0 to 100. The formula and its reasons; it finds nothing itself.

For one principle in one scope (a function, a file, a project, a diff)::

    score = 100 × (1 − violations / opportunities), then capped by the worst violation

*Opportunities* are the things that the principle's rules looked at: calls, functions, queries. Each counts with the
weight of its rule's severity, and a violated one with that of its finding, so that one `eval` of user input is not
outvoted by a hundred well-named temporary files. *Violations* are the weights of the findings. Since a violation is
always also an opportunity of the same weight, the score stays between 0 and 100 by itself, adding a violation (with
or without new code around it) can never raise it, and fixing or deleting one can never lower it.

*The cap*: a share hides a single bad case in a large project, and one SQL injection is enough to lose the database.
So a critical violation caps the score at 49 and a high one at 69 (both fail under the usual threshold of 80), a
medium one at 89 (it passes, but is never perfect). A finding of low confidence lowers the share and caps nothing: a
doubt alone must not fail a project.

*No opportunity, no score*: code without a single query says nothing about SQL; it is shown as "–", never as 100.

A pillar's score is the mean of its principles' scores by their weights; a pillar passes when all its principles do.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from charter.api import Confidence, Pillar, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from charter.api import AnyRule, Finding, Principle

WEIGHTS = {
    Severity.INFO: 1,
    Severity.LOW: 2,
    Severity.MEDIUM: 4,
    Severity.HIGH: 8,
    Severity.CRITICAL: 16,
}
"""How much an opportunity counts. Each step doubles: two medium violations weigh as much as a high one."""

CAPS = {Severity.CRITICAL: 49.0, Severity.HIGH: 69.0, Severity.MEDIUM: 89.0}
"""The best score that is left with a violation of this severity."""

DEFAULT_THRESHOLD = 80.0


class Term(Struct, frozen=True):
    """One rule's part in a score.

    Attributes:
        rule: its name.
        opportunities: how many things it looked at; at least the number of its findings.
        violations: how many findings it has, by severity.
        weight: what an opportunity that is not violated counts.
    """

    rule: str
    opportunities: int
    violations: Mapping[Severity, int]
    weight: int

    @property
    def lost(self) -> int:
        """The weight of its violations."""
        return sum(WEIGHTS[severity] * count for severity, count in self.violations.items())

    @property
    def total(self) -> int:
        """The weight of its opportunities, violated or not."""
        return self.lost + self.weight * (self.opportunities - sum(self.violations.values()))


class Score(Struct, frozen=True):
    """How well a scope keeps one principle.

    Attributes:
        principle: the principle's slug.
        terms: the parts, by rule name; only rules that looked at something.
        worst: the worst severity among findings that are more than a doubt; None if there is none.
    """

    principle: str
    terms: tuple[Term, ...]
    worst: Severity | None

    @property
    def share(self) -> float | None:
        """The score before the cap; None without opportunities."""
        total = sum(term.total for term in self.terms)
        return 100.0 * (1.0 - sum(term.lost for term in self.terms) / total) if total else None

    @property
    def cap(self) -> float:
        """The best score that the worst violation leaves."""
        return CAPS.get(self.worst, 100.0) if self.worst is not None else 100.0

    @property
    def value(self) -> float | None:
        """The score; None without opportunities."""
        share = self.share
        return None if share is None else min(share, self.cap)

    @property
    def violations(self) -> int:
        """The number of findings."""
        return sum(sum(term.violations.values()) for term in self.terms)

    @property
    def opportunities(self) -> int:
        """The number of things looked at."""
        return sum(term.opportunities for term in self.terms)


class Scores(Struct, frozen=True):
    """The scores of one scope.

    Attributes:
        principles: by slug, in order of rank; those without opportunities too, retired ones not.
        pillars: by pillar; None where no principle has a score.
        total: the mean over all principles by weight; None as above.
    """

    principles: Mapping[str, Score]
    pillars: Mapping[Pillar, float | None]
    total: float | None

    def failing(self, threshold: float = DEFAULT_THRESHOLD) -> tuple[Score, ...]:
        """The scores below a threshold, by rank."""
        return tuple(s for s in self.principles.values() if s.value is not None and s.value < threshold)


def scores(
    principles: Iterable[Principle],
    rules: Mapping[str, AnyRule],
    findings: Iterable[Finding],
    opportunities: Mapping[str, int],
) -> Scores:
    """The scores of one scope.

    Args:
        principles: by rank; retired ones (weight 0) get no score.
        rules: the rules by name; a finding of a rule that is not here counts by its own principles and severity.
        findings: what was found in the scope.
        opportunities: how many things each rule looked at in the scope, by name.
    """
    live = [principle for principle in principles if principle.weight > 0]
    by_rule: dict[str, list[Finding]] = {}
    serving: dict[str, set[str]] = {principle.slug: set() for principle in live}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
        for slug in finding.principles:
            serving.get(slug, set()).add(finding.rule)
    for name in opportunities:
        for slug in rules[name].principles if name in rules else ():
            serving.get(slug, set()).add(name)
    made: dict[str, Score] = {}
    for principle in live:
        names = sorted(serving[principle.slug])
        parts = [(name, _serving(principle.slug, by_rule.get(name, ()))) for name in names]
        terms = [_term(name, rules.get(name), found, opportunities.get(name, 0)) for name, found in parts]
        certain = [f.severity for _, found in parts for f in found if f.confidence > Confidence.LOW]
        made[principle.slug] = Score(
            principle.slug, tuple(term for term in terms if term.opportunities), max(certain, default=None)
        )
    pillars = {pillar: _mean([p for p in live if p.pillar is pillar], made) for pillar in Pillar}
    return Scores(made, pillars, _mean(live, made))


def shown(value: float | None) -> str:
    """A score as people read it: rounded down, so that 79.9 does not look like a pass and 99.99 not like perfection."""
    return "–" if value is None else str(int(value))


def _serving(slug: str, findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if slug in finding.principles]


def _term(name: str, rule: AnyRule | None, findings: list[Finding], looked_at: int) -> Term:
    violations = Counter(finding.severity for finding in findings)
    severity = rule.severity if rule is not None else max(violations)
    return Term(name, max(looked_at, len(findings)), violations, WEIGHTS[severity])


def _mean(principles: Iterable[Principle], made: Mapping[str, Score]) -> float | None:
    pairs = [(p.weight, value) for p in principles if (value := made[p.slug].value) is not None]
    weight = sum(share for share, _ in pairs)
    return sum(share * value for share, value in pairs) / weight if weight else None
