"""Who a finding is, without line numbers, and which findings of a head are not in its base. Pure.

A fingerprint is a hash of the rule, the path in the base (so a rename keeps it), the enclosing symbol, the normalised
first line of the place's text, and the number among equals. Among equals those on lines that were there before are
counted first, so that a copy put above an old finding is the new one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from charter.api import Finding
    from charter.review.diff import Diff


class Known(Struct, frozen=True):
    """A finding with its identity.

    Attributes:
        finding: the finding.
        fingerprint: its identity: 16 hexadecimal digits.
        kin: its identity without the path.
        start: its first line, 1-based, counted by line feeds.
        end: its last line.
    """

    finding: Finding
    fingerprint: str
    kin: str
    start: int
    end: int


class Comparison(Struct, frozen=True):
    """Head against base.

    Attributes:
        new: findings of the head that the base has not.
        old: findings of the head that the base has too.
        fixed: findings of the base that the head has no more.
    """

    new: tuple[Known, ...]
    old: tuple[Known, ...]
    fixed: tuple[Known, ...]


def compare(base: Sequence[Known], head: Sequence[Known]) -> Comparison:
    """Tell new, old and fixed findings apart by their fingerprints."""
    before = {known.fingerprint for known in base}
    after = {known.fingerprint for known in head}
    return Comparison(
        new=tuple(known for known in head if known.fingerprint not in before),
        old=tuple(known for known in head if known.fingerprint in before),
        fixed=tuple(known for known in base if known.fingerprint not in after),
    )


def identify(
    findings: Iterable[Finding], text: Callable[[str], str], diff: Diff, *, head: bool
) -> list[Known]:
    """Give every finding its identity.

    Args:
        findings: of one tree.
        text: gives the text of a file of that tree.
        diff: from base to head.
        head: whether the tree is the head; the base otherwise.

    Returns:
        The findings by path and place.
    """
    groups: dict[tuple[str, str], list[tuple[bool, int, Finding, int, int]]] = {}
    lines = _Lines(text)
    for finding in findings:
        start, end, first = lines.place(finding)
        change = diff.files.get(finding.path) if head else None
        added = change is not None and change.added_in(start, end) is not None
        path = change.old_path if change else diff.home.full(finding.path)
        kin = _hash(finding.rule, finding.symbol, " ".join(first.split()))
        groups.setdefault((path, kin), []).append((added, finding.location.span.start, finding, start, end))
    known: list[Known] = []
    for (path, kin), members in groups.items():
        members.sort(key=lambda member: member[:2])
        for number, (_, _, finding, start, end) in enumerate(members):
            mark = _hash(path, kin, str(number))
            known.append(Known(finding, mark, _hash(kin, str(number)), start, end))
    known.sort(key=lambda one: (one.finding.path, one.finding.location.span, one.finding.rule))
    return known


def _hash(*parts: str) -> str:
    data = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:16]


class _Lines:
    """Line numbers as git and the forges count them (a lone carriage return ends no line)."""

    def __init__(self, text: Callable[[str], str]) -> None:
        self._text: Callable[[str], str] = text
        self._known: dict[str, tuple[str, bool]] = {}

    def place(self, finding: Finding) -> tuple[int, int, str]:
        location = finding.location
        if location.path not in self._known:
            text = self._text(location.path)
            self._known[location.path] = text, "\r" in text.replace("\r\n", "")
        text, lone = self._known[location.path]
        start, end = location.line, location.end_line
        if lone:
            start = text.count("\n", 0, location.span.start) + 1
            end = text.count("\n", 0, location.span.end) + 1
        return start, max(start, end), text[location.span.start : location.span.end].partition("\n")[0]
