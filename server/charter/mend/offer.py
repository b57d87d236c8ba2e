"""Proved fixes for a report: which findings can be mended and how. Proofs are kept in the cache; nothing is applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from charter import __version__
from charter.api import Grade
from charter.engine import codec
from charter.engine.cache import key
from charter.engine.work import keys_of
from charter.mend.compile import EditError
from charter.mend.prove import Proved, Prover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from charter.api import Edit, Finding, Fix, Span
    from charter.engine.cache import Cache
    from charter.engine.project import Project, Report

_AT_ONCE = 32
"""How many fixes are proved together at most; where one of them fails, halves are tried."""


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
    make = prover or (lambda: Prover(project, *report.evidence()))
    found: dict[str, tuple[Offer, ...]] = {}
    fresh: dict[bytes, bytes] = {}
    missing: list[Finding] = []
    for finding in tried:
        kept = _read(known.get(keys.get(finding.fingerprint, b"")))
        if kept is None:
            missing.append(finding)
        elif kept:
            found[finding.fingerprint] = kept
    for finding, made in _prove_all(make(), missing) if missing else ():
        name = keys.get(finding.fingerprint)
        if name:
            fresh[name] = codec.dumps([(offer.fix, dict(offer.edits)) for offer in made])
        if made:
            found[finding.fingerprint] = made
    if cache is not None and fresh:
        cache.put_many(fresh)
    return Offers(found, len(fixable) - len(tried))


def _prove_all(prover: Prover, findings: list[Finding]) -> Iterator[tuple[Finding, tuple[Offer, ...]]]:
    """Prove the fixes of findings: the first ones of many at once, for a proof asks what becomes of the whole project."""
    # What is demanded of a SAFE fix is judged for all of a group, so that they go by themselves.
    for safe in (True, False):
        rest = [finding for finding in findings if (finding.fixes[0].grade is Grade.SAFE) is safe]
        while rest:
            batch, left = _apart(prover, rest[:_AT_ONCE])
            rest = left + rest[_AT_ONCE:]
            yield from _prove_batch(prover, batch)


def _prove_batch(prover: Prover, batch: list[Finding]) -> Iterator[tuple[Finding, tuple[Offer, ...]]]:
    """Prove first fixes that do not meet: together, else each half by itself, down to the one that cannot be proved."""
    if len(batch) == 1:
        yield batch[0], _prove(prover, batch[0])
        return
    pairs = [(finding, finding.fixes[0]) for finding in batch]
    together = prover.prove_together(pairs)
    if not isinstance(together, Proved) or together.fix.doubt:
        middle = len(batch) // 2
        yield from _prove_batch(prover, batch[:middle])
        yield from _prove_batch(prover, batch[middle:])
        return
    for finding, fix in pairs:
        further = (prover.prove(finding, other) for other in finding.fixes[1:])
        others = [Offer(proof.fix, proof.edits) for proof in further if isinstance(proof, Proved)]
        yield finding, (Offer(fix, prover.edits([(finding, fix)])), *others)


def _apart(prover: Prover, findings: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Findings whose first fixes do not meet, and the others; one that cannot be compiled stays alone."""
    taken: dict[str, list[Span]] = {}
    batch: list[Finding] = []
    rest: list[Finding] = []
    for finding in findings:
        try:
            edits = prover.edits([(finding, finding.fixes[0])])
        except EditError:
            if not batch and not rest:
                return [finding], findings[1:]
            rest.append(finding)
            continue
        spans = [(path, edit.span) for path, made in edits.items() for edit in made]
        if any(span.overlaps(other) for path, span in spans for other in taken.get(path, ())):
            rest.append(finding)
            continue
        batch.append(finding)
        for path, span in spans:
            taken.setdefault(path, []).append(span)
    return batch, rest


def _prove(prover: Prover, finding: Finding) -> tuple[Offer, ...]:
    proofs = [prover.prove(finding, fix) for fix in finding.fixes]
    return tuple(Offer(proof.fix, proof.edits) for proof in proofs if isinstance(proof, Proved))


def _keys(project: Project, report: Report, findings: Sequence[Finding]) -> dict[str, bytes]:
    """What a proof depends on: every file whose result could change it, and the finding with its fixes."""
    state = (
        [report.state]
        if report.state
        else [value for _, value in sorted(keys_of(project, report.paths).items())]
    )
    base = key("proof", __version__, *state)
    return {finding.fingerprint: key(base, finding.fingerprint, codec.dumps(finding)) for finding in findings}


def _read(data: bytes | None) -> tuple[Offer, ...] | None:
    if data is None:
        return None
    try:
        pairs = cast("list[tuple[Fix, dict[str, tuple[Edit, ...]]]]", codec.loads(data))
        return tuple(Offer(fix, edits) for fix, edits in pairs)
    except ValueError:
        return None
