"""The command `charter review`: its options and what its errors look like."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from charter.review.run import Options

_BROKEN: Final = 2
_SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.command("review")
@click.option(
    "--base", default="", metavar="REF", help="Compare with the common ancestor of REF and the head."
)
@click.option("--head", default="", metavar="REF", help="What to review. [default: HEAD, or the event's]")
@click.option("--staged", is_flag=True, help="Review what is staged against the last commit.")
@click.option("--pushed", is_flag=True, help="Review what a pre-push hook is about to push.")
@click.option(
    "--event", type=_FILE, metavar="PATH", help="GitHub's event file. [default: $GITHUB_EVENT_PATH]"
)
@click.option(
    "--forge", type=click.Choice(["auto", "github", "gitlab", "none"]), default="auto", show_default=True
)
@click.option("--dry-run", type=_FILE, metavar="FILE", help="Write the review to FILE and post nothing.")
@click.option("--from", "from_file", type=_FILE, metavar="FILE", help="Post the review that FILE holds.")
@click.option("--resolve", type=click.Choice(["auto", "never", "always"]), default="auto", show_default=True,
              help="Resolve threads whose finding is gone; needs `contents: write`.")  # fmt: skip
@click.option("--max-comments", type=click.IntRange(0, 500), default=20, show_default=True, metavar="N",
              help="At most N open comments; the rest is told in the summary.")  # fmt: skip
@click.option("--min-severity", type=click.Choice(_SEVERITIES), default="info", show_default=True)
@click.option("--fail-on", type=click.Choice(["new", "score", "never"]), default="new", show_default=True,
              help="Exit with 1 on a new finding, or on a principle that falls below the threshold.")  # fmt: skip
@click.option("--output-format", "form", type=click.Choice(["markdown", "concise", "json"]), default="markdown",
              show_default=True, help="How to print what is not posted.")  # fmt: skip
@click.option(
    "--jobs", "-j", type=click.IntRange(0), default=0, help="Number of processes. [default: one a core]"
)
@click.option("--no-cache", "cache", flag_value=False, default=True, help="Keep no results between runs.")
def review(**options: Any) -> None:
    """Review what a change did, and say so on its pull request.

    Compares the whole project before and after, so that what a change breaks elsewhere is found too. Nothing of
    the change is imported, run or allowed to configure the review. Exit status: 0 nothing new, 1 findings, 2 Charter
    could not do its work.
    """
    import os

    from charter.api import Severity
    from charter.review.run import Options, run

    if options.pop("pushed"):
        options |= {"base": _pushed("FROM"), "head": _pushed("TO"), "forge": "none"}
    severity = Severity[options.pop("min_severity").upper()]
    chosen = Options(root=Path.cwd(), min_severity=severity, environment=os.environ, **options)
    sys.exit(_guarded(chosen, run))


def _pushed(end: str) -> str:
    import os

    value = os.environ.get(f"PRE_COMMIT_{end}_REF", "")
    if not value:
        raise click.UsageError(
            f"--pushed needs PRE_COMMIT_{end}_REF, which pre-commit sets in a pre-push hook"
        )
    return value


def _guarded(options: Options, run: Any) -> int:
    from charter.engine.constitution import ConstitutionError
    from charter.engine.registry import PackError
    from charter.engine.settings import SettingsError
    from charter.review.document import DocumentError
    from charter.review.forge import ForgeError
    from charter.review.git import GitError
    from charter.review.target import TargetError

    expected = (
        ConstitutionError,
        PackError,
        SettingsError,
        DocumentError,
        ForgeError,
        GitError,
        TargetError,
        OSError,
    )
    try:
        return run(options, sys.stdout, sys.stderr)
    except expected as error:
        click.echo(f"charter: error: {error}", err=True)
        return _BROKEN
