"""From an analysed change to the review as data: which findings to tell, where each can stand, and with which fix."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from charter import __version__
from charter.api import Confidence, Grade, Severity
from charter.mend.compile import apply_edits
from charter.review.document import Item, Patch, Place, Review, Suggestion
from charter.review.escape import plain
from charter.review.secrets import Redactor
from charter.review.suggest import anchor, patch, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from charter.api import Edit, Finding, Location, Span
    from charter.mend.offer import Offer
    from charter.review.analyse import Analysis
    from charter.review.diff import FileChange
    from charter.review.document import Anchor, ConfidenceName, Move, SeverityName
    from charter.review.identity import Known

    Scores = tuple[float | None, float | None, tuple[Move, ...]]

_TALL: Final = 10
"""Lines of the tallest comment; a finding that is taller is shown at its first line."""
_ITEMS: Final = 1000
_SEVERITIES: Final[Mapping[Severity, SeverityName]] = {
    Severity.INFO: "info",
    Severity.LOW: "low",
    Severity.MEDIUM: "medium",
    Severity.HIGH: "high",
    Severity.CRITICAL: "critical",
}
_CONFIDENCES: Final[Mapping[Confidence, ConfidenceName]] = {
    Confidence.LOW: "low",
    Confidence.MEDIUM: "medium",
    Confidence.HIGH: "high",
}
_TEXT: Final = 2000


class Builder:
    """Makes the review of one analysed change.

    Args:
        analysis: the change.
        least: the smallest severity that is told.
        proofs: how many findings have their fixes proved, the most important first; each proof checks anew.
    """

    def __init__(self, analysis: Analysis, least: Severity = Severity.INFO, proofs: int = 20) -> None:
        self._analysis: Analysis = analysis
        self._least: Severity = least
        self._proofs: int = proofs
        self._told: _Told = _Told()
        self._redact: Redactor = Redactor(analysis.head.report.findings, analysis.head.text)
        self._offers: Mapping[str, tuple[Offer, ...]] = {}

    def review(self, base: str, head: str, scores: Scores | None = None) -> Review:
        """The whole review.

        Args:
            base: the commit compared with.
            head: the commit reviewed.
            scores: overall scores of base and head and what moved, if scores were made.
        """
        analysis = self._analysis
        told = sorted(
            (k for k in analysis.comparison.new if k.finding.severity >= self._least), key=_importance
        )
        self._told = _Told(told)
        shown = self._told.shown
        self._offers = self._analysis.offers([k.finding for k in shown if self._stands(k)][: self._proofs])
        before, after, moves = scores or (None, None, ())
        return Review(
            charter_review=1,
            tool=__version__,
            base=base,
            head=head,
            files=sum(path.endswith((".py", ".pyi", ".ipynb")) for path in analysis.diff.files),
            items=tuple(self._item(known) for known in shown[:_ITEMS]),
            repeats=self._told.left_out,
            old=tuple(
                k.fingerprint for k in analysis.comparison.old if k.finding.path in analysis.diff.files
            ),
            old_count=len(analysis.comparison.old),
            fixed_count=len(analysis.comparison.fixed),
            hidden=len(analysis.comparison.new) - len(told),
            unread=tuple(map(self._full, analysis.unread())),
            before=before,
            after=after,
            moves=moves,
            notes=tuple(self._notes(len(shown))),
        )

    def _stands(self, known: Known) -> bool:
        return bool(known.finding.fixes) and self._place(known) is not None

    def _place(self, known: Known) -> Anchor | None:
        return _place_of(known, self._analysis.diff.files.get(known.finding.path))

    def _notes(self, told: int) -> Iterable[str]:
        silenced = self._analysis.silenced()
        if silenced > 0:
            yield f"{silenced} more findings than in the base are silenced by comments in the code."
        if told > _ITEMS:
            yield f"{told - _ITEMS} further new findings are not listed."

    def _item(self, known: Known) -> Item:
        finding = known.finding
        change = self._analysis.diff.files.get(finding.path)
        place = self._place(known)
        suggestion, repair = None, None
        if place and change:
            place, suggestion, repair = self._fixed(finding, place, change)
        return Item(
            fingerprint=known.fingerprint,
            kin=known.kin,
            rule=finding.rule,
            also=tuple(self._told.also.get(known.fingerprint, ())),
            code=finding.code,
            principles=finding.principles,
            severity=_SEVERITIES[finding.severity],
            confidence=_CONFIDENCES[finding.confidence],
            message=self._say(finding.message + _more(self._told.repeats[known.fingerprint])),
            path=self._full(finding.path),
            line=known.start,
            column=finding.location.column + 1,
            symbol=self._say(finding.symbol),
            anchor=place,
            cause=None if place else self._cause(known),
            suggestion=suggestion,
            patch=repair,
            related=self._places((one.location, one.message) for one in finding.related[:20]),
            flow=self._places((one.location, one.message) for one in finding.flow if one.essential)[:30],
        )

    def _full(self, path: str) -> str:
        return self._analysis.diff.home.full(path)

    def _say(self, text: str) -> str:
        return plain(self._redact.mask(text))[:_TEXT]

    def _places(self, places: Iterable[tuple[Location, str]]) -> tuple[Place, ...]:
        return tuple(
            Place(path=self._full(location.path), line=location.line, message=self._say(message))
            for location, message in places
        )

    def _cause(self, known: Known) -> Place | None:
        """The changed line that explains a finding elsewhere: on its way, beside it, or in the same function."""
        finding, files = known.finding, self._analysis.diff.files
        around = [step.location for step in finding.flow] + [one.location for one in finding.related]
        for location in around:
            change = files.get(location.path)
            line = change.added_in(location.line, location.end_line) if change else None
            if change and line:
                return Place(path=change.path, line=line)
        for location in [*around, finding.location]:
            change = files.get(location.path)
            added = [line for hunk in (change.hunks if change else ()) for line in hunk.added]
            if change and added:
                return Place(path=change.path, line=min(added, key=lambda n: (abs(n - location.line), n)))
        return None

    def _fixed(
        self, finding: Finding, place: Anchor, change: FileChange
    ) -> tuple[Anchor, Suggestion | None, Patch | None]:
        """Where the comment stands and the first fix that is proved: as a diff, and as a suggestion if one can say it."""
        for offer in self._offers.get(finding.fingerprint, ()):
            texts = {path: self._applied(path, edits) for path, edits in offer.edits.items()}
            title, grade = self._say(offer.fix.title), offer.fix.grade
            doubt = offer.fix.doubt or ("read it before you apply it" if grade is Grade.SUGGESTION else "")
            shown = patch(title, doubt, {self._full(path): pair for path, pair in texts.items()})
            if shown and self._redact.has_secret(shown.diff):
                shown = None
            if grade is not Grade.SUGGESTION and texts.keys() == {finding.path}:
                found = suggest(title, *texts[finding.path], change)
                if found and not self._redact.has_secret("\n".join(found[1].lines)):
                    return *found, shown
            if shown:
                return place, None, shown
        return place, None, None

    def _applied(self, path: str, edits: Sequence[Edit]) -> tuple[str, str]:
        text = self._analysis.head.text(path)
        return text, apply_edits(text, edits)


class _Told:
    """What is told of findings, the most important first: one rule once a line, and one thing by one rule.

    Two rules say one thing where they mean the same code and the lesser one's principle is also the other's.

    Attributes:
        shown: the findings that stand for all.
        repeats: how many of the same rule are told with one, by its fingerprint.
        also: other rules that are told with one, by its fingerprint.
        left_out: the fingerprints of those that are told with another.
    """

    def __init__(self, told: Iterable[Known] = ()) -> None:
        self.shown: list[Known] = []
        self.repeats: Counter[str] = Counter()
        self.also: dict[str, list[str]] = {}
        left_out: list[str] = []
        lines: dict[tuple[str, str, int], Known] = {}
        spans: dict[tuple[str, Span], list[Known]] = {}
        for known in told:
            finding = known.finding
            line, span = (finding.path, finding.rule, known.start), (finding.path, finding.location.span)
            stronger = spans.setdefault(span, [])
            if kept := lines.get(line):
                self.repeats[kept.fingerprint] += 1
            elif kept := next((one for one in stronger if _covers(one.finding, finding)), None):
                self.also.setdefault(kept.fingerprint, []).append(finding.rule)
            else:
                self.shown.append(known)
                stronger.append(known)
                lines[line] = known
                continue
            left_out.append(known.fingerprint)
        self.left_out: tuple[str, ...] = tuple(left_out)


def _covers(stronger: Finding, weaker: Finding) -> bool:
    return bool(weaker.principles) and weaker.principles[0] in stronger.principles


def _more(count: int) -> str:
    return f" (and {count} more on this line)" if count else ""


def _place_of(known: Known, change: FileChange | None) -> Anchor | None:
    """Where a comment on a finding can stand: its lines if one hunk shows them all, else the first that is shown."""
    if change is None:
        return None
    hunk = change.hunk_at(known.start)
    if hunk and hunk.shows(known.start, known.end) and known.end - known.start < _TALL:
        return anchor(change, hunk, known.start, known.end)
    if hunk:
        return anchor(change, hunk, known.start, known.start)
    first = change.added_in(known.start, known.end)
    hunk = change.hunk_at(first) if first else None
    return anchor(change, hunk, first, first) if hunk and first else None


def _importance(known: Known) -> tuple[int, int, str, int, str]:
    finding = known.finding
    return -finding.severity, -finding.confidence, finding.path, known.start, finding.rule
