"""What the GitHub Action runs: its inputs from the environment, the review, its outputs. It knows no shell.

Run it with `python -I -m charter.review.action`: isolated, so that no module of the checked-out project is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from charter.review.document import load
from charter.review.gate import FailOn
from charter.review.plan import Resolve
from charter.review.run import BROKEN, main

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(environment: Mapping[str, str]) -> int:
    """Review as the inputs say and write the outputs.

    Args:
        environment: the step's environment variables; inputs are `CHARTER_*`.

    Returns:
        The exit status of the review.
    """
    inputs = {key.removeprefix("CHARTER_").lower(): value for key, value in environment.items()}
    name = inputs.get("dry_run") or str(
        Path(environment.get("RUNNER_TEMP") or tempfile.gettempdir(), "charter-review.json")
    )
    report = Path(name)
    if wrong := _wrong(inputs):
        sys.stderr.write(f"charter: error: {wrong}\n")
        status = BROKEN
    else:
        status = main(_options(inputs, report))
    outputs = {"status": str(status), "sarif-file": ""}
    if status != BROKEN and report.is_file():
        review = load(report.read_bytes())
        score = "" if review.after is None else str(int(review.after))
        outputs |= {"report-file": str(report), "findings": str(len(review.items)), "score": score}
    if inputs.get("sarif") and not wrong:
        outputs["sarif-file"] = _sarif(inputs["sarif"])
    if place := environment.get("GITHUB_OUTPUT"):
        with Path(place).open("a", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in outputs.items() if "\n" not in value)
    return status


def _wrong(inputs: Mapping[str, str]) -> str:
    """What is wrong with an input, which nobody else checks here; "" if nothing is."""
    for name, words in (("resolve", get_args(Resolve)), ("fail_on", get_args(FailOn))):
        said = inputs.get(name, "")
        if said and said not in words:
            return f"the input {name.replace('_', '-')} is {said!r}, which is none of {', '.join(words)}"
    limit = inputs.get("max_comments", "")
    if limit and not (limit.isascii() and limit.isdigit()):
        return f"the input max-comments is {limit!r}, which is no number"
    return ""


def _options(inputs: Mapping[str, str], report: Path) -> dict[str, Any]:
    limit = inputs.get("max_comments", "")
    return {
        "base": inputs.get("base", ""),
        "head": "",
        "staged": False,
        "pushed": False,
        "event": None,
        "forge": "auto",
        "dry_run": report if inputs.get("dry_run") else None,
        "report": report,
        "from_file": Path(inputs["from"]) if inputs.get("from") else None,
        "resolve": inputs.get("resolve") or "auto",
        "max_comments": int(limit) if limit else 20,
        "min_severity": inputs.get("min_severity") or "info",
        "fail_on": inputs.get("fail_on") or "new",
        "form": "markdown",
        "jobs": 0,
        "cache": True,
    }


def _sarif(place: str) -> str:
    """Check the whole project and write SARIF; "" if that failed."""
    command = [
        sys.executable,
        "-I",
        "-m",
        "charter",
        "check",
        "--exit-zero",
        "--output",
        f"sarif:{place}",
    ]
    done = subprocess.run(command, check=False)  # noqa: S603 - our own interpreter with an argument list
    return place if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(run(os.environ))
