#!/usr/bin/env python3
"""Time and peak memory of Charter and its peers on the same packages, in one run, as ratios.

    python tests/benchmarks/compare.py                    Django, every tool, three rounds
    python tests/benchmarks/compare.py --packages django wagtail --tools charter bandit ruff --rounds 5
    python tests/benchmarks/compare.py --path src/mine    code that is on the disk already

Peers and packages are installed once, under .venvs/bench, and Charter each time. The rounds are interleaved, so that what else the machine
does hits all tools alike; the median counts. CPU time is that of all processes of a tool together, memory that of its
largest process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venvs" / "bench"
PEERS = ["bandit", "pylint", "flake8", "dlint", "fixit", "ruff"]
BASE = "bandit"


@dataclass(frozen=True)
class Run:
    """One run of one tool.

    Attributes:
        seconds: by the clock.
        cpu: seconds of all its processes together.
        megabytes: peak memory of its largest process.
    """

    seconds: float
    cpu: float
    megabytes: float


def commands(bin_: Path, path: Path) -> dict[str, list[str]]:
    """The command line of each tool, for one process unless its name says otherwise."""
    charter = [str(bin_ / "charter"), "check", "--exit-zero"]
    return {
        "charter": [*charter, "--no-cache", "-j", "1", str(path)],
        "charter, all cores": [*charter, "--no-cache", str(path)],
        "charter, unchanged": [*charter, "-j", "1", str(path)],
        "charter, all fixes proved": [*charter, "-f", "json", "--no-cache", "-j", "1", str(path)],
        "bandit": [str(bin_ / "bandit"), "-q", "-r", "-f", "json", str(path)],
        "pylint": [str(bin_ / "pylint"), "-j", "1", "--recursive=y", "-f", "json", str(path)],
        "flake8+dlint": [str(bin_ / "flake8"), "-j", "1", "--isolated", str(path)],
        "fixit": [str(bin_ / "fixit"), "lint", str(path)],
        "ruff": [str(bin_ / "ruff"), "check", "--isolated", "--no-cache", "--select", "ALL", str(path)],
    }


def measure(command: list[str], limit: float) -> Run | None:
    """Run a command and throw its output away; None if it takes longer than the limit."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tempfile.gettempdir()
    )
    while True:
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = 0
            break
        if time.perf_counter() - started > limit:
            process.kill()
            process.wait()
            return None
        time.sleep(0.01)
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    return Run(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def install(packages: list[str]) -> tuple[Path, Path]:
    """Make the environment with all tools, and unpack the packages; the folders of both."""
    tools, sources = HOME / "tools", HOME / "packages"
    python = tools / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(tools)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", str(ROOT), *PEERS], check=True)
    # Not editable: pip compiles what it installs, as users have it.
    again = ["install", "-q", "--force-reinstall", "--no-deps", str(ROOT)]
    subprocess.run([str(python), "-m", "pip", *again], check=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--target", str(sources)]
    for package in packages:
        if not (sources / package.partition("=")[0].lower()).exists():
            subprocess.run([*pip, package], check=True)
    return tools / "bin", sources


def lines_of(path: Path) -> tuple[int, int]:
    """The numbers of Python files and of their lines."""
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return len(files), sum(file.read_bytes().count(b"\n") for file in files)


def table(runs: dict[str, list[Run | None]]) -> str:
    """The medians as Markdown, with ratios to the tool that all are compared with."""
    middle: dict[str, Run | None] = {}
    for name, tries in runs.items():
        done = [run for run in tries if run is not None]
        middle[name] = (
            Run(
                *(
                    statistics.median(getattr(run, key) for run in done)
                    for key in ("seconds", "cpu", "megabytes")
                )
            )
            if len(done) == len(tries)
            else None
        )
    base = middle.get(BASE)
    rows = [
        f"| tool | seconds | × {BASE} | CPU seconds | × {BASE} | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, run in middle.items():
        if run is None:
            rows.append(f"| {name} | over the limit | | | | |")
            continue
        ratios = (f"{run.seconds / base.seconds:.2f}", f"{run.cpu / base.cpu:.2f}") if base else ("", "")
        rows.append(
            f"| {name} | {run.seconds:.2f} | {ratios[0]} | {run.cpu:.2f} | {ratios[1]} | {run.megabytes:.0f} |"
        )
    return "\n".join(rows)


def main() -> None:
    """Parse the arguments, measure, print a table for each package."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packages", nargs="*", default=["django"], help="what to install and measure on")
    parser.add_argument("--path", nargs="*", type=Path, default=[], help="folders to measure on besides")
    parser.add_argument("--tools", nargs="*", help="which tools; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a tool is given up")
    arguments = parser.parse_args()
    given: list[Path] = [path.resolve() for path in arguments.path]
    packages: list[str] = [] if given else arguments.packages
    rounds: int = arguments.rounds
    bin_, sources = install(packages)
    paths = [sources / package.partition("=")[0].lower() for package in packages]
    for path in (*paths, *given):
        with tempfile.TemporaryDirectory() as folder:
            # A project of its own: no tool finds the settings of this repository above it.
            (Path(folder) / "charter.toml").write_text("")
            copy = Path(folder, path.name)
            shutil.copytree(path, copy, ignore=shutil.ignore_patterns("__pycache__"))
            files, lines = lines_of(copy)
            every = commands(bin_, copy)
            chosen = {name: every[name] for name in every if not arguments.tools or name in arguments.tools}
            runs: dict[str, list[Run | None]] = {name: [] for name in chosen}
            for _ in range(rounds):
                for name, command in chosen.items():
                    if name == "charter, unchanged" and not runs[name]:
                        measure(command, arguments.limit)
                    runs[name].append(measure(command, arguments.limit))
        cores = os.cpu_count()
        print(f"\n{path.name}: {files:,} files, {lines:,} lines, {rounds} rounds, {cores} cores\n")
        print(table(runs), flush=True)


if __name__ == "__main__":
    main()
