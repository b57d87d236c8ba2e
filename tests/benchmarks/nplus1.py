#!/usr/bin/env python3
"""Apply the fixes of repeated queries to programs that run, and count their queries before and after.

    python tests/benchmarks/nplus1.py FOLDER                    each folder below it that holds a `run.py` is a program
    python tests/benchmarks/nplus1.py FOLDER --python PATH      with the interpreter that has what the programs import

A program's `run.py` is run in its folder, and everything beside it is the code under review. It prints a line of JSON
for each case that it tries: `queries`, the number of queries with few rows and with more of them; `result`, what the
code gave, as text; and `case`, a name, if there are several. `tests/analysis/orm/test_for_real.py` holds a sample.

Of each case whose queries grew it says whether they still do. The exit code is 1 if one of all the cases no longer
runs, gives something else, or needs more queries than before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

RULES = "n-plus-one-query,n-plus-one-write"
GOOD = ("constant", "fewer", "as before")


@dataclass(frozen=True)
class Measure:
    """What a case needed and gave.

    Attributes:
        few: the queries with few rows.
        many: the queries with more rows.
        result: what the code gave.
    """

    few: int
    many: int
    result: str

    @property
    def grows(self) -> bool:
        """Whether more rows need more queries."""
        return self.many > self.few


class BrokenError(Exception):
    """A program does not run; the message is the last line that it said."""


def run(program: Path, python: str = sys.executable) -> dict[str, Measure]:
    """Run a program; what each of its cases needed and gave, by name.

    Raises:
        BrokenError: if it fails or says nothing.
    """
    done = subprocess.run(
        [python, "-B", "run.py"], cwd=program, capture_output=True, text=True, check=False, timeout=600
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise BrokenError((done.stderr.strip().splitlines() or ["it prints no line of JSON"])[-1])
    return {
        str(line.get("case", "")): Measure(line["queries"][0], line["queries"][-1], str(line["result"]))
        for line in lines
    }


def mend(program: Path) -> None:
    """Apply every fix of a repeated query in a program's code, its `run.py` left out."""
    script = program / "run.py"
    text = script.read_bytes()
    script.unlink()
    command = [str(Path(sys.executable).with_name("charter")), "check", "--select", RULES, "--no-cache"]
    try:
        subprocess.run(
            [*command, "--fix", "--unsafe-fixes", "--exit-zero", "-f", "json", "."],
            cwd=program,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    finally:
        script.write_bytes(text)


def verdict(before: Measure, after: Measure | None) -> str:
    """What mending did to a case."""
    if after is None:
        return "broken"
    if after.result != before.result:
        return "another result"
    if not before.grows:
        return "more" if after.grows else "as before"
    if not after.grows:
        return "constant"
    growth, was = after.many - after.few, before.many - before.few
    return "fewer" if growth < was else "unchanged" if growth == was else "more"


def judge(program: Path, python: str = sys.executable) -> dict[str, tuple[str, Measure, Measure | None]]:
    """Mend a copy of a program; for each case the verdict and what was measured before and after.

    Raises:
        BrokenError: if it does not run as it is.
    """
    before = run(program, python)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / program.name
        shutil.copytree(program, copy, ignore=shutil.ignore_patterns("__pycache__"))
        mend(copy)
        try:
            after = run(copy, python)
        except BrokenError as error:
            print(f"{program.name}: {error}", file=sys.stderr)
            after = {}
    found: dict[str, tuple[str, Measure, Measure | None]] = {}
    for name, measure in before.items():
        found[name] = (verdict(measure, after.get(name)), measure, after.get(name))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Judge every program below a folder, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _ = parser.add_argument("folder", type=Path)
    _ = parser.add_argument("--python", default=sys.executable, help="the interpreter that runs the programs")
    options = parser.parse_args(arguments)
    programs = sorted(path.parent for path in options.folder.rglob("run.py"))
    if not programs:
        print(f"{options.folder}: no folder in it holds a run.py", file=sys.stderr)
        return 2
    counts: Counter[str] = Counter()
    wrong = 0
    for program in programs:
        try:
            found = judge(program.resolve(), options.python)
        except BrokenError as error:
            print(f"{program}: it does not run before anything is mended: {error}", file=sys.stderr)
            wrong += 1
            continue
        for name, (said, before, after) in found.items():
            counts[said] += 1
            wrong += said not in (*GOOD, "unchanged")
            if said not in {"constant", "as before"}:
                numbers = f", now {after.few} and {after.many}" if after else ""
                where = f"{program.relative_to(options.folder)} {name}".strip(" .")
                print(f"{where}: {said}; {before.few} and {before.many} queries{numbers}")
    print(", ".join(f"{count} {said}" for said, count in counts.most_common()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
