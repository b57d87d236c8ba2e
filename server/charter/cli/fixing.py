"""Fixes on the command line: applied to files, shown as diffs, or offered beside findings. `mend` proves them all."""

from __future__ import annotations

import difflib
import errno
import os
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from charter.engine.atomic import write_bytes
from charter.report.escape import visible
from charter.syntax.source import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from charter.engine.check import FileResult
    from charter.engine.opening import Opened
    from charter.mend.apply import Fixed
    from charter.report.outcome import Outcome

MOST_READ = 20
"""So many findings get their fixes proved for a person to read; each proof checks a file anew, and `--fix` all of them."""


def results(opened: Opened, *, jobs: int, cache: bool) -> Mapping[str, FileResult]:
    """What checking gives of every file that a proof may need."""
    from charter.engine.run import default_jobs
    from charter.engine.work import results_of

    project = opened.project
    paths = project.paths if project.planner.analyses else opened.targets
    store = opened.cache() if cache else None
    try:
        return results_of(project, paths, jobs=jobs or default_jobs(), cache=store)
    finally:
        if store is not None:
            store.close()


def fix_opened(opened: Opened, *, unsafe: bool, jobs: int, cache: bool) -> Fixed:
    """Work out all proved fixes of the targets; nothing is written."""
    from charter.mend.apply import allowed_grades, fix_project

    known = results(opened, jobs=jobs, cache=cache)
    return fix_project(opened.project, known, opened.targets, grades=allowed_grades(unsafe=unsafe))


def write_fixed(opened: Opened, fixed: Fixed) -> bool:
    """Write the changed files, each whole or not at all, and say what was done; whether all could be written."""
    unwritten: list[str] = []
    for path, text in sorted(fixed.texts.items()):
        place = opened.settings.root / path
        try:
            _write(place, opened.project.read(path), fixed.before[path], text)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            click.echo(
                f"Error: {visible(str(place))}: cannot be written: {reason}; it stands as it was", err=True
            )
            unwritten.append(path)
    count = sum(number for path, number in fixed.applied.items() if path not in unwritten)
    if count:
        files = len(fixed.texts) - len(unwritten)
        click.echo(
            f"Fixed {count} finding{'s' * (count != 1)} in {files} file{'s' * (files != 1)}.", err=True
        )
    return not unwritten


def _write(place: Path, content: bytes, before: str, text: str) -> None:
    """Write a file whole or not at all.

    Args:
        place: the file.
        content: what it holds now.
        before: the text that was checked.
        text: the text that it is to have.

    Raises:
        OSError: if it cannot be written, or holds another text by now.
        ValueError: if its encoding does not fit.
    """
    now = decode(content)
    if now.text != before:
        raise OSError(errno.EBUSY, "it has been changed since it was read")
    if not os.access(place, os.W_OK):  # another file could take its place, but whoever locked it means it
        raise PermissionError(errno.EACCES, "the file is read-only")
    write_bytes(place, now.encode(text))


def diffs(opened: Opened, fixed: Fixed) -> Iterator[str]:
    """The changes as unified diffs."""
    for path, text in sorted(fixed.texts.items()):
        name = visible(path)
        old = opened.project.source(path).text
        lines = difflib.unified_diff(_lines(old), _lines(text), f"a/{name}", f"b/{name}")
        for line in lines:
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    # Not splitlines(): a form feed or a Unicode separator ends no line of a diff.
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def with_offers(opened: Opened, outcome: Outcome, *, every: bool, cache: bool) -> Outcome:
    """The outcome together with proved fixes of its findings: of all, or of as many as a person may read."""
    from charter.mend.offer import offers

    store = opened.cache() if cache else None
    try:
        made = offers(opened.project, outcome.report, most=None if every else MOST_READ, cache=store)
    finally:
        if store is not None:
            store.close()
    return replace(outcome, offers=made.by_finding, unproved=made.unproved)
