"""What a run came to, as every format needs it: findings, scores, proved fixes, texts for snippets. It renders nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.api import Grade, Severity, regex
from charter.syntax.positions import Positions

if TYPE_CHECKING:
    from charter.api import AnyRule, Finding, Location, Principle
    from charter.engine.project import Report
    from charter.engine.score import Scores
    from charter.mend.offer import Offer

_INSIDE = regex(r"[^\s'\"]+")
"""What of a literal is masked: all but quotes and line ends."""


class Outcome(Struct, frozen=True, dict=True):
    """The outcome of one run.

    Attributes:
        report: what was found.
        scores: of the files that were checked.
        offers: the proved fixes of findings, by fingerprint, the best first.
        unproved: how many further findings have a fix that nobody tried.
        threshold: the score below which a principle fails.
        known: how many findings the baseline keeps quiet.
        prefix: what leads from the working directory to the project's root, for instance `backend/`; for a root
            that lies above the working directory, see `strip`.
        strip: what leads from the root to the working directory, for instance `src/`; people get paths without it.
    """

    report: Report
    scores: Scores
    offers: Mapping[str, tuple[Offer, ...]] = field(default_factory=dict[str, "tuple[Offer, ...]"])
    unproved: int = 0
    threshold: float = 80.0
    known: int = 0
    prefix: str = ""
    strip: str = ""

    @property
    def findings(self) -> list[Finding]:
        """What counts, in order of path and place."""
        return self.report.findings

    @cached_property
    def principles(self) -> Mapping[str, Principle]:
        """The charter by slug."""
        return {principle.slug: principle for principle in self.report.principles}

    def rule(self, finding: Finding) -> AnyRule | None:
        """The rule that made a finding."""
        return self.report.rules.get(finding.rule)

    def principle(self, finding: Finding) -> Principle | None:
        """The main principle that a finding violates."""
        return next((self.principles[slug] for slug in finding.principles if slug in self.principles), None)

    def offer(self, finding: Finding) -> Offer | None:
        """The best proved fix of a finding."""
        offers = self.offers.get(finding.fingerprint, ())
        return offers[0] if offers else None

    def shown(self, path: str) -> str:
        """A path for people: relative to the working directory where the file lies below it."""
        if self.strip and path.startswith(self.strip):
            return path[len(self.strip) :]
        return self.prefix + path

    def machine(self, path: str) -> str:
        """A path for other tools: relative to the working directory if the project lies below it, else to the root."""
        return self.prefix + path

    def lines(self, path: str) -> Positions | None:
        """The lines of a file's text; None if it cannot be read any more."""
        if path not in self._texts:
            text = self.report.text_of(path)
            self._texts[path] = None if text is None else Positions(self._masked(path, text))
        return self._texts[path]

    def _masked(self, path: str, text: str) -> str:
        """A text without the secrets that were found in it, place for place, so that no output spreads them."""
        for finding in self.findings:
            if finding.path == path and finding.principles[:1] == ("no-secrets-in-source",):
                start, end = finding.location.span
                text = (
                    text[:start]
                    + _INSIDE.sub(lambda match: "*" * len(match[0]), text[start:end])
                    + text[end:]
                )
        return text

    def snippet(self, location: Location) -> str:
        """The text at a place; "" if the file cannot be read any more."""
        lines = self.lines(location.path)
        return lines.text[location.span.start : location.span.end] if lines else ""

    def by_severity(self) -> dict[Severity, int]:
        """How many findings there are of each severity, the worst first; those without are left out."""
        counts = Counter(finding.severity for finding in self.findings)
        return {severity: counts[severity] for severity in sorted(Severity, reverse=True) if counts[severity]}

    def fixable(self) -> tuple[int, int]:
        """How many findings have a safe fix, and how many only an unsafe one; all of them proved."""
        best = [offers[0].fix.grade for offers in self.offers.values() if offers]
        return best.count(Grade.SAFE), best.count(Grade.UNSAFE)

    @cached_property
    def _texts(self) -> dict[str, Positions | None]:
        return {}
