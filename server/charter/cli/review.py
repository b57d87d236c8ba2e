"""`charter review`: its options. The reviewer is loaded here and nowhere else in the command line."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

import click

_SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.command()
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
@click.option(
    "--report", type=_FILE, metavar="FILE", help="Also write the review to FILE, whatever else is done."
)
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
def command(**options: Any) -> int:
    """Review what a change did, and say so on its pull request.

    Compares the whole project before and after, so that what a change breaks elsewhere is found too. Nothing of
    the change is imported, run or allowed to configure the review.

    Exit codes: 0 nothing new, 1 findings, 2 Charter could not do its work. That comments could not be posted
    changes none of them: the findings are told by other means.
    """
    code: int = importlib.import_module("charter.review.run").main(options)
    return code
