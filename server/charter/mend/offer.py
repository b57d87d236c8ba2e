"""Proved fixes for a report: which findings can be mended and how. Proofs are kept in the cache; nothing is applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from charter import __version__
from charter.engine import codec
from charter.engine.cache import key
from charter.engine.plan import wanted_analyses
from charter.engine.reduce import Reducer
from charter.engine.run import uncollected
from charter.engine.work import keys_of
from charter.mend.batch import prove_apart, results_of
from charter.mend.prove import Prover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from charter.api import Edit, Finding, Fix
    from charter.engine.cache import Cache
    from charter.engine.check import FileResult
    from charter.engine.project import Project, Report
    from charter.mend.prove import Pair


class Offer(Struct, frozen=True):
    """A proved fix as reports show it.

    Attributes:
        fix: the fix, downgraded if it was doubted.
        edits: its text edits by path, ordered; they do not meet.
    """

    fix: Fix
    edits: Mapping[str, tuple[Edit, ...]]


class Offers(Struct, frozen=True):
    """What proving came to.

    Attributes:
        by_finding: the proved fixes by the finding's fingerprint, the best first; only findings that have one.
        unproved: how many findings have a fix that was not tried.
    """

    by_finding: Mapping[str, tuple[Offer, ...]]
    unproved: int = 0


def offers(
    project: Project,
    report: Report,
    *,
    most: int | None = None,
    cache: Cache | None = None,
    prover: Callable[[], Prover] | None = None,
) -> Offers:
    """Prove the fixes of a report's findings.

    Args:
        project: the project as it was checked.
        report: what was found.
        most: so many findings are tried, the first ones, and of the whole project only what found them is asked
            again; None tries all, and asks everything.
        cache: where proofs are kept.
        prover: gives the prover, if one is needed after all; by default made from the report.
    """
    fixable = [finding for finding in report.findings if finding.fixes]
    tried = fixable if most is None else fixable[:most]
    whole = most is None
    keys = _keys(project, report, tried, whole=whole) if cache is not None and tried else {}
    known = cache.get_many(keys.values()) if cache is not None else {}
    make = prover or (lambda: _prover(project, report, tried, whole=whole))
    found: dict[str, tuple[Offer, ...]] = {}
    fresh: dict[bytes, bytes] = {}
    missing: list[Finding] = []
    for finding in tried:
        kept = _read(known.get(keys.get(finding.fingerprint, b"")))
        if kept is None:
            missing.append(finding)
        elif kept:
            found[finding.fingerprint] = kept
    with uncollected():
        for finding, made in _prove_all(make(), missing) if missing else ():
            name = keys.get(finding.fingerprint)
            if name:
                fresh[name] = codec.dumps([(offer.fix, dict(offer.edits)) for offer in made])
            if made:
                found[finding.fingerprint] = made
    if cache is not None and fresh:
        cache.put_many(fresh)
    return Offers(found, len(fixable) - len(tried))


def _prover(project: Project, report: Report, findings: Sequence[Finding], *, whole: bool) -> Prover:
    """A prover that asks the whole project again, or only the analyses that the findings came from."""
    results = report.results()
    if whole or not project.planner.analyses:
        return Prover(project, results, report.reducer())
    facts = {fact for finding in findings for fact in report.rules[finding.rule].subscribes}
    narrow = Reducer(wanted_analyses(facts), project.info)
    for path in sorted(results):
        narrow.update(path, results[path].extracts)
    return Prover(project, results, narrow)


def _prove_all(prover: Prover, findings: list[Finding]) -> Iterator[tuple[Finding, tuple[Offer, ...]]]:
    """Prove all fixes of findings; findings without a proved fix are given, too."""
    made: dict[str, list[tuple[int, Offer]]] = {}
    left: list[Pair] = [(finding, fix) for finding in findings for fix in finding.fixes]
    done: dict[str, FileResult] = {}
    while left:
        batch = prove_apart(prover, left, done)
        done.update(results_of(batch.proved))
        for stands in batch.proved:
            for finding, fix in stands.draft.pairs:
                offer = Offer(fix, prover.edits([(finding, fix)]))
                made.setdefault(finding.fingerprint, []).append((_rank(finding, fix), offer))
        left = [*batch.doubted, *batch.later]
    for finding in findings:
        offers = sorted(made.get(finding.fingerprint, ()), key=lambda ranked: ranked[0])
        yield finding, tuple(offer for _, offer in offers)


def _rank(finding: Finding, fix: Fix) -> int:
    """The place of a fix among those of its finding; one that was downgraded keeps it."""
    return next(number for number, own in enumerate(finding.fixes) if own.title == fix.title)


def _keys(project: Project, report: Report, findings: Sequence[Finding], *, whole: bool) -> dict[str, bytes]:
    """What a proof depends on: every file whose result could change it, and the finding with its fixes."""
    state = (
        [report.state]
        if report.state
        else [value for _, value in sorted(keys_of(project, report.paths).items())]
    )
    base = key("proof", __version__, str(whole), *state)
    return {finding.fingerprint: key(base, finding.fingerprint, codec.dumps(finding)) for finding in findings}


def _read(data: bytes | None) -> tuple[Offer, ...] | None:
    if data is None:
        return None
    try:
        pairs = cast("list[tuple[Fix, dict[str, tuple[Edit, ...]]]]", codec.loads(data))
        return tuple(Offer(fix, edits) for fix, edits in pairs)
    except ValueError:
        return None
