"""Proved fixes for a report: which findings can be mended and how. Proofs are kept in the cache; nothing is applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from charter import __version__
from charter.engine import codec
from charter.engine.cache import key
from charter.engine.work import keys_of
from charter.mend.prove import Proved, Prover

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.api import Edit, Finding, Fix
    from charter.engine.cache import Cache
    from charter.engine.project import Project, Report


@dataclass(frozen=True, slots=True)
class Offer:
    """A proved fix as reports show it.

    Attributes:
        fix: the fix, downgraded if it was doubted.
        edits: its text edits by path, ordered; they do not meet.
    """

    fix: Fix
    edits: Mapping[str, tuple[Edit, ...]]


@dataclass(frozen=True, slots=True)
class Offers:
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
        most: so many findings are tried, the first ones; None tries all. Each proof checks a file anew.
        cache: where proofs are kept.
        prover: gives the prover, if one is needed after all; by default made from the report.
    """
    fixable = [finding for finding in report.findings if finding.fixes]
    tried = fixable if most is None else fixable[:most]
    keys = _keys(project, report, tried) if cache is not None and tried else {}
    known = cache.get_many(keys.values()) if cache is not None else {}
    make = prover or (lambda: Prover(project, report.results, report.reducer))
    worker: Prover | None = None
    found: dict[str, tuple[Offer, ...]] = {}
    fresh: dict[bytes, bytes] = {}
    for finding in tried:
        name = keys.get(finding.fingerprint)
        kept = _read(known.get(name)) if name else None
        if kept is None:
            worker = worker or make()
            kept = _prove(worker, finding)
            if name:
                fresh[name] = codec.dumps([(offer.fix, dict(offer.edits)) for offer in kept])
        if kept:
            found[finding.fingerprint] = kept
    if cache is not None and fresh:
        cache.put_many(fresh)
    return Offers(found, len(fixable) - len(tried))


def _prove(prover: Prover, finding: Finding) -> tuple[Offer, ...]:
    proofs = [prover.prove(finding, fix) for fix in finding.fixes]
    return tuple(Offer(proof.fix, proof.edits) for proof in proofs if isinstance(proof, Proved))


def _keys(project: Project, report: Report, findings: Sequence[Finding]) -> dict[str, bytes]:
    """What a proof depends on: every file whose result could change it, and the finding with its fixes."""
    of_files = keys_of(project, report.results or report.paths)
    base = key("proof", __version__, *(value for _, value in sorted(of_files.items())))
    return {finding.fingerprint: key(base, finding.fingerprint, codec.dumps(finding)) for finding in findings}


def _read(data: bytes | None) -> tuple[Offer, ...] | None:
    if data is None:
        return None
    try:
        pairs = cast("list[tuple[Fix, dict[str, tuple[Edit, ...]]]]", codec.loads(data))
        return tuple(Offer(fix, edits) for fix, edits in pairs)
    except ValueError:
        return None
