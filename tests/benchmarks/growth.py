#!/usr/bin/env python3
"""How an analysis of a whole project grows: lines a second of ever more packages, and the gain of more processes.

    python tests/benchmarks/growth.py FOLDER…                              packages, side by side in one project
    python tests/benchmarks/growth.py FOLDER… --lines 50000,200000,700000 --jobs 2
    python tests/benchmarks/growth.py FOLDER… --select duplicated-code --lines 10000,100000,1000000

It is the flow analysis unless other rules are named. For each size it takes files, in the order of the packages, until there are so many lines, and prints the seconds of CPU
for parsing and lowering, and for solving, and the lines a second of both together. With `--jobs` it then takes the
largest size once with one process and once with so many, by the clock. Files are parsed and lowered in parallel;
solving is the work of one process, and its share bounds what the others gain.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from time import perf_counter, process_time

from charter.engine.project import Project
from charter.engine.reduce import Reducer
from charter.engine.registry import load
from charter.engine.run import uncollected
from charter.engine.settings import Settings
from charter.engine.work import results_of


def files_of(folders: list[Path], root: Path) -> dict[str, Path]:
    """The Python files of some packages by their paths below a folder that holds all of them."""
    return {
        path.relative_to(root).as_posix(): path for folder in folders for path in sorted(folder.rglob("*.py"))
    }


def first_lines(files: dict[str, Path], lines: int) -> tuple[dict[str, Path], int]:
    """The first files that have so many lines in all, and how many they have."""
    taken: dict[str, Path] = {}
    total = 0
    for name, path in files.items():
        if total >= lines:
            break
        taken[name] = path
        total += path.read_bytes().count(b"\n")
    return taken, total


def project_of(files: dict[str, Path], root: Path, rules: list[str]) -> Project:
    """A project of which nothing but some rules' analyses are asked."""
    return Project.of(
        Settings(root=root),
        load(),
        (),
        files,
        lambda path: (root / path).read_bytes(),
        select=rules,
    )


def _taint_rules() -> list[str]:
    from charter.api.facts.taint import TaintFlow

    # By code: a principle may have the name of a rule, and would bring its other rules along.
    return sorted(rule.code for rule in load().rules if set(rule.subscribes) == {TaintFlow})


def measure(
    files: dict[str, Path], root: Path, rules: list[str], jobs: int = 1
) -> tuple[float, float, float]:
    """Seconds of this process's CPU for the files and for solving, and seconds by the clock for both."""
    project = project_of(files, root, rules)
    begun, started = perf_counter(), process_time()
    results = results_of(project, project.paths, jobs=jobs, cache=None)
    read = process_time()
    reducer = Reducer(project.planner.analyses, project.info)
    for path, result in results.items():
        reducer.update(path, result.extracts)
    facts = reducer.solve()
    assert not facts.failures, facts.failures
    return read - started, process_time() - read, perf_counter() - begun


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--lines", default="50000,200000,700000")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--select", help="names of rules, with commas; those about tainted values by default")
    options = parser.parse_args()
    folders = [folder.resolve() for folder in options.folders]
    root = Path(os.path.commonpath(folders))
    files = files_of(folders, root)
    chosen: dict[str, Path] = {}
    rules = options.select.split(",") if options.select else _taint_rules()
    print("   lines  files         files   solve   lines/s")
    with uncollected():
        for wanted in map(int, options.lines.split(",")):
            chosen, total = first_lines(files, wanted)
            reading, solving, _ = measure(chosen, root, rules)
            rate = total / (reading + solving)
            print(f"{total:8} {len(chosen):6} {reading:13.2f} {solving:7.2f} {rate:9.0f}", flush=True)
        if options.jobs > 1:
            one = measure(chosen, root, rules)[2]
            more = measure(chosen, root, rules, options.jobs)[2]
            print(
                f"{options.jobs} processes: {one:.1f} s and {more:.1f} s by the clock, {one / more:.2f} times"
            )


if __name__ == "__main__":
    main()
