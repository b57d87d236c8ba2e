"""The baseline: findings that a project has accepted for now, so that only new ones count.

A finding is recognised by its fingerprint, which holds no line number; it knows not how that is made.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from charter.engine.atomic import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from charter.api import Finding

DEFAULT_NAME = "charter-baseline.json"
_VERSION = 1


class BaselineError(Exception):
    """A baseline file that cannot be used; the text names the file and the remedy."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One accepted finding.

    Attributes:
        fingerprint: its identity.
        rule: the rule's name, for people who read the file.
        path: the file, relative to the project's root.
        message: what was said.
    """

    fingerprint: str
    rule: str
    path: str
    message: str


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The accepted findings of a project.

    Attributes:
        findings: sorted by path, rule and fingerprint, so that two versions of the file merge well.
        version: of the file's format.
    """

    findings: tuple[Entry, ...] = ()
    version: int = _VERSION

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding], list[Entry]]:
        """Part the findings of a run.

        Returns:
            The new ones, the known ones, and the entries that nothing answers to any more.
        """
        left = Counter(entry.fingerprint for entry in self.findings)
        new: list[Finding] = []
        known: list[Finding] = []
        for finding in findings:
            if left[finding.fingerprint] > 0:
                left[finding.fingerprint] -= 1
                known.append(finding)
            else:
                new.append(finding)
        gone: list[Entry] = []
        for entry in self.findings:
            if left[entry.fingerprint] > 0:
                left[entry.fingerprint] -= 1
                gone.append(entry)
        return new, known, gone


def of(findings: Iterable[Finding]) -> Baseline:
    """The baseline that accepts exactly these findings."""
    entries = [Entry(f.fingerprint, f.rule, f.path, f.message) for f in findings]
    return Baseline(tuple(sorted(entries, key=lambda e: (e.path, e.rule, e.fingerprint))))


def load(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: if it is missing, damaged or of another version.
    """
    try:
        made = msgspec.json.decode(path.read_bytes(), type=Baseline)
    except FileNotFoundError:
        raise BaselineError(f"{path}: no such baseline; make it with `charter baseline`") from None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BaselineError(f"{path}: is damaged ({error}); make it anew with `charter baseline`") from None
    if made.version != _VERSION:
        message = f"{path}: has format {made.version}, this Charter reads {_VERSION}"
        raise BaselineError(f"{message}; make it anew with `charter baseline`")
    return made


def save(path: Path, baseline: Baseline) -> None:
    """Write a baseline, one finding a line, so that a change reads well in a diff."""
    lines = [msgspec.json.encode(entry).decode() for entry in baseline.findings]
    body = ",\n    ".join(lines)
    findings = f"[\n    {body}\n  ]" if lines else "[]"
    write_text(path, f'{{\n  "version": {baseline.version},\n  "findings": {findings}\n}}\n')
