"""What the commands share: options, opening a project with errors made readable, checking it with progress."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from charter.engine.opening import Opened
    from charter.engine.project import Report
    from charter.report.outcome import Outcome

F = TypeVar("F", bound="Callable[..., Any]")

FAULT = 2
"""The exit code for a part of Charter that threw."""

_kept: list[object] = []
"""What a command has made of a project: to take it apart object by object takes long, and the process ends anyway."""


def fail(message: str) -> NoReturn:
    """End with exit code 2 and a message."""
    raise click.ClickException(message)


@contextmanager
def readable_errors() -> Generator[None]:
    """Turn what the user has to mend into a message instead of a traceback."""
    from charter.engine.baseline import BaselineError
    from charter.engine.opening import UserError

    try:
        yield
    except (*UserError, BaselineError) as error:
        fail(str(error))


def words(values: Iterable[str]) -> list[str]:
    """Selectors as they are given: repeated, or separated by commas."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def selection(command: F) -> F:
    """The options that choose paths, rules and settings."""
    for option in (
        click.option("--no-cache", is_flag=True, help="Neither use nor keep results of other runs."),
        click.option(
            "--jobs", "-j", type=click.IntRange(0), default=0, help="Worker processes; 0: one a core."
        ),
        click.option(
            "--config", type=click.Path(path_type=Path), help="The settings file, instead of the nearest."
        ),
        click.option(
            "--ignore", multiple=True, metavar="WORDS", help="Rules not to run; words as for --select."
        ),
        click.option(
            "--select",
            multiple=True,
            metavar="WORDS",
            help="Rules to run, instead of the settings': names, codes, principles, pillars or `all`, by commas.",
        ),
        click.argument("paths", nargs=-1, type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


def open_paths(
    paths: Sequence[Path],
    *,
    config: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    given: Mapping[Path, bytes] | None = None,
    change: Mapping[str, object] | None = None,
) -> Opened:
    """Open the project of some paths, the current folder if there are none."""
    from charter.engine.opening import open_project

    with readable_errors():
        chosen = words(select)
        if select and not chosen:
            fail("`--select` names no rule; leave it out to run those of the settings")
        return open_project(
            paths or [Path()],
            config=config,
            select=chosen or None,
            ignore=words(ignore),
            given=given,
            change=change,
        )


def open_here() -> Opened:
    """The rules, the charter and the settings that hold in the current folder, without its files."""
    from charter.engine.opening import open_project

    with readable_errors():
        return open_project([])


def check(opened: Opened, *, jobs: int = 0, cache: bool = True, proving: bool = False) -> Report:
    """Check what was opened, with a progress bar if it takes long and somebody watches.

    Args:
        opened: the project.
        jobs: the number of worker processes; 0 for one a core.
        cache: whether results are kept.
        proving: whether all fixes will be proved.
    """
    from charter.engine.run import check_project, default_jobs

    store = opened.cache() if cache else None
    try:
        with _progress() as progress:
            report = check_project(
                opened.project,
                opened.targets,
                jobs=jobs or default_jobs(),
                cache=store,
                proving=proving,
                progress=progress,
            )
    finally:
        if store is not None:
            store.close()
    _kept[:] = [report]
    return report


def solver_of(opened: Opened, module: str) -> Any:
    """An analysis's solver that has seen the whole project; files that cannot be read or analysed are left out.

    Args:
        opened: the project.
        module: the dotted name of the analysis, of project scope.
    """
    import importlib

    from charter.engine.context import FileView

    analysis: Any = importlib.import_module(module)
    project = opened.project
    solver = analysis.Solver(project.info)
    for path in project.paths:
        try:
            source = project.source(path)
        except (OSError, ValueError):
            continue
        view = FileView(source, opened.settings.oldest_python)
        solver.update(path, analysis.extract(source, view.names))
    return solver


def outcome_of(opened: Opened, report: Report, *, known: int = 0, threshold: float | None = None) -> Outcome:
    """A report with its scores and with paths as the user knows them; without fixes."""
    from charter.engine.score import scores
    from charter.report.outcome import Outcome

    root, here = opened.settings.root, Path.cwd()
    prefix = strip = ""
    if root != here and root.is_relative_to(here):
        prefix = f"{root.relative_to(here).as_posix()}/"
    elif root != here and here.is_relative_to(root):
        strip = f"{here.relative_to(root).as_posix()}/"
    elif root != here:
        prefix = f"{root.as_posix()}/"
    return Outcome(
        report,
        scores(report.principles, report.rules, report.findings, total_opportunities(report)),
        threshold=opened.settings.fail_under if threshold is None else threshold,
        known=known,
        prefix=prefix,
        strip=strip,
    )


def tell_troubles(outcome: Outcome) -> int:
    """Say on standard error what could not be read, parsed or run, for commands whose output leaves it out.

    Returns:
        The exit code that it calls for, if nothing else is the matter.
    """
    from charter.report.full import problems
    from charter.report.paint import painter

    painter(sys.stderr)(problems(outcome))
    return FAULT if outcome.report.failures else 0


def total_opportunities(report: Report, paths: Iterable[str] | None = None) -> dict[str, int]:
    """How many things each rule looked at in some files; in all, if none are named."""
    found: dict[str, int] = {}
    for path in report.opportunities if paths is None else paths:
        for rule, number in report.opportunities.get(path, {}).items():
            found[rule] = found.get(rule, 0) + number
    return found


@contextmanager
def _progress() -> Generator[Callable[[int, int], None] | None]:
    """A bar on a terminal's standard error, which appears after a second."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield None
        return
    from time import monotonic

    started = monotonic()
    shown = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal shown
        now = monotonic()
        if now - started > 1 and now - shown > 0.1:
            shown = now
            filled = 30 * done // max(total, 1)
            sys.stderr.write(f"\r\x1b[2K{'━' * filled}{'╶' * (30 - filled)} {done}/{total} files")
            sys.stderr.flush()

    try:
        yield progress
    finally:
        if shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
