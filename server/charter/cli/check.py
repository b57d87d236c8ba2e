"""`charter check`: what is wrong, as text or for other tools, and what can be fixed at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from msgspec import Struct
from msgspec.structs import replace

from charter.cli.session import FAULT, check, fail, open_paths, outcome_of, readable_errors, selection
from charter.report import FOR_PEOPLE, FORMATS, WITH_ALL_FIXES, WITH_SOME_FIXES, reporter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.engine.opening import Opened
    from charter.engine.project import Report
    from charter.mend.apply import Fixed
    from charter.report.outcome import Outcome


class Output(Struct, frozen=True):
    """Where one format goes.

    Attributes:
        format: its name.
        path: the file; None for standard output.
    """

    format: str
    path: Path | None = None


@click.command()
@selection
@click.option("--fix", is_flag=True, help="Apply the fixes that keep the meaning.")
@click.option("--unsafe-fixes", is_flag=True, help="Apply also the fixes that are probably meant.")
@click.option("--diff", is_flag=True, help="Show what would be fixed, and write nothing.")
@click.option(
    "--output-format", "-f", type=click.Choice(list(FORMATS)), help="The format on standard output."
)
@click.option(
    "--output",
    "-o",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help="A format, to a file if one is named; repeatable.",
)
@click.option(
    "--fail-under", type=click.FloatRange(0, 100), help="Exit with 1 only if a score is below this."
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although there are findings.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Findings to keep quiet about.")
@click.option("--no-baseline", is_flag=True, help="Tell also what is in the baseline.")
@click.option("--force-exclude", is_flag=True, help="Leave excluded files out even if they are named.")
@click.option(
    "--stdin-filename", type=click.Path(path_type=Path), help="The name of what standard input holds."
)
@click.option("--statistics", is_flag=True, help="Add how long each phase and rule took, and what it found.")
def command(
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    config: Path | None,
    jobs: int,
    *,
    no_cache: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    output_format: str | None,
    output: tuple[str, ...],
    fail_under: float | None,
    exit_zero: bool,
    baseline: Path | None,
    no_baseline: bool,
    force_exclude: bool,
    stdin_filename: Path | None,
    statistics: bool,
) -> int:
    """Check files and folders (the current one by default; `-` reads standard input).

    Standard input is fixed to standard output; the report then goes to standard error.

    Exits with 0 if there is nothing to report, with 1 if there are findings (with --fail-under: if a score is below
    it), with 2 if the usage, the settings or Charter itself is at fault, or a fix could not be written.
    """
    outputs = _outputs(output_format, output)
    given = _standard_input(paths, stdin_filename)
    change = {"force_exclude": True} if force_exclude else {}
    opened = open_paths(
        list(given or paths), config=config, select=select, ignore=ignore, given=given, change=change
    )
    complete = True
    if fix or unsafe_fixes or diff:
        from charter.cli.fixing import fix_opened

        fixed = fix_opened(opened, unsafe=unsafe_fixes, jobs=jobs, cache=not no_cache)
        if diff:
            return _show_diff(opened, fixed)
        opened, complete = _keep(opened, fixed, given)
    formats = {item.format for item in outputs}
    every = bool(formats & WITH_ALL_FIXES)
    report = check(opened, jobs=jobs, cache=not no_cache, proving=every)
    known = 0 if no_baseline else _quieten(opened, report, baseline)
    outcome = outcome_of(opened, report, known=known, threshold=fail_under)
    if formats & (WITH_ALL_FIXES | WITH_SOME_FIXES):
        from charter.cli.fixing import with_offers

        outcome = with_offers(opened, outcome, every=every, cache=not no_cache)
    # Standard output is for what was fixed, so that it can be put where the input came from.
    _write(outcome, outputs, sys.stderr if given and (fix or unsafe_fixes) else sys.stdout)
    if statistics:
        from charter.cli.statistics import show

        for_people = any(item.path is None and item.format in FOR_PEOPLE for item in outputs)
        show(report, sys.stdout if for_people else sys.stderr)
    return _exit_code(outcome, fail_under, exit_zero=exit_zero) if complete else FAULT


def _exit_code(outcome: Outcome, fail_under: float | None, *, exit_zero: bool) -> int:
    report = outcome.report
    if report.failures:
        return FAULT
    if exit_zero:
        return 0
    if fail_under is not None:
        return int(bool(outcome.scores.failing(fail_under) or report.problems))
    return int(bool(report.findings or report.problems))


def _outputs(output_format: str | None, output: Sequence[str]) -> list[Output]:
    made = [Output(output_format)] if output_format else []
    for text in output:
        name, _, path = text.partition(":")
        if name not in FORMATS:
            from charter.engine.settings import guess

            fail(f"no format is called `{name}`; {guess(name, FORMATS) or 'there are ' + ', '.join(FORMATS)}")
        made.append(Output(name, Path(path) if path else None))
    if sum(item.path is None for item in made) > 1:
        fail("two formats for standard output; name a file for one of them, as in `--output sarif:out.sarif`")
    return made or [Output("full")]


def _standard_input(paths: Sequence[Path], name: Path | None) -> dict[Path, bytes] | None:
    given = [str(path) for path in paths]
    if given != ["-"]:
        if name is not None:
            fail("`--stdin-filename` needs `-` as the only path")
        if "-" in given:
            fail("`-` reads standard input, and must be the only path")
        return None
    if sys.stdin is None:
        fail("standard input is closed; put a file into it, or name the files to check")
    return {name or Path("stdin.py"): sys.stdin.buffer.read()}


def _quieten(opened: Opened, report: Report, path: Path | None) -> int:
    """Take the findings of the baseline out of a report; their number."""
    from charter.engine import baseline

    named = path or (opened.settings.root / opened.settings.baseline if opened.settings.baseline else None)
    if named is None:
        return 0
    with readable_errors():
        new, known, _ = baseline.load(named).split(report.findings)
    report.findings[:] = new
    return len(known)


def _keep(opened: Opened, fixed: Fixed, given: dict[Path, bytes] | None) -> tuple[Opened, bool]:
    """Write what was fixed; the project as it is afterwards, and whether everything could be written."""
    from charter.cli.fixing import write_fixed

    if given is None:
        complete = write_fixed(opened, fixed)
        return opened, complete
    from charter.engine.opening import Files
    from charter.syntax.source import decode

    (path,) = opened.targets
    data = opened.project.read(path)
    data = decode(data).encode(fixed.texts[path]) if path in fixed.texts else data
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
    read = Files(opened.settings.root, {path: data})
    return replace(opened, project=replace(opened.project, read=read)), True


def _show_diff(opened: Opened, fixed: Fixed) -> int:
    from charter.cli.fixing import diffs

    sys.stdout.writelines(diffs(opened, fixed))
    return int(bool(fixed.texts))


def _write(outcome: Outcome, outputs: Sequence[Output], out: TextIO) -> None:
    """Write every format into its file, or to `out`."""
    for item in outputs:
        render = reporter(item.format).render
        if item.path is None:
            render(outcome, out)
            out.flush()
            continue
        from io import StringIO

        from charter.engine.atomic import write_text
        from charter.report.escape import plain

        text: TextIO = StringIO()
        render(outcome, text)
        try:
            write_text(item.path, plain(text.getvalue()))
        except OSError as error:
            fail(f"{item.path}: cannot be written: {error.strerror}; check the folder and its permissions")
