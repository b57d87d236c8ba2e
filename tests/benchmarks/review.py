"""How long `charter review` takes beside `charter check`: a change of 30 files in a project of 1,000.

    python tests/benchmarks/review.py [FOLDER]

FOLDER is a tree of Python files to take the project from, the standard library by default. Prints wall and processor
seconds, and the ratios to one cold check of the head; each run is a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

FILES, CHANGED = 1_000, 30
REVIEW = "review.json"
CHANGE = "\n\ndef added_by_the_change(values, seen=[]):\n    if values == None:\n        return seen\n    return values\n"


def build(source: Path, target: Path) -> None:
    """A repository with the project on `main` and the change on `topic`."""
    chosen = [path for path in sorted(source.rglob("*.py")) if "site-packages" not in path.parts]
    chosen = [path for path in chosen if _is_text(path)][:FILES]
    for path in chosen:
        place = target / "project" / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    _git(target, "init", "-q", "-b", "main")
    _git(target, "add", "-A")
    _git(target, "commit", "-q", "-m", "base")
    _git(target, "checkout", "-q", "-b", "topic")
    files = sorted((target / "project").rglob("*.py"))
    for path in files[:: max(1, len(files) // CHANGED)][:CHANGED]:
        path.write_text(path.read_text("utf-8").rstrip("\n") + "\n" + CHANGE, "utf-8")
    _git(target, "commit", "-q", "-a", "-m", "change")
    lines = sum(len(path.read_bytes().splitlines()) for path in files)
    print(f"{len(files)} files, {lines} lines")


def _is_text(path: Path) -> bool:
    try:
        path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return path.stat().st_size < 300_000


def _git(folder: Path, *arguments: str) -> None:
    name = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True)


def measure(folder: Path, *arguments: str) -> tuple[float, float]:
    """Wall and processor seconds of one run of charter."""
    (folder / REVIEW).unlink(missing_ok=True)
    before = os.times()
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "charter", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    wall = time.perf_counter() - started
    after = os.times()
    if done.returncode not in (0, 1) or (arguments[0] == "review" and not (folder / REVIEW).exists()):
        raise SystemExit(done.stderr.decode() or f"status {done.returncode}, and nothing was written")
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Build, measure, print."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(sysconfig.get_paths()["stdlib"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(source, folder)
        review = ("review", "--base", "main", "--forge", "none", "--dry-run", REVIEW)
        runs = [
            ("check, cold", ("check", "--no-cache", "--output-format", "concise", "."), 0.0),
            ("review, cold", (*review, "--no-cache"), 1.5),
            ("review, filling the cache", review, 0.0),
            ("review, warm cache", review, 0.25),
        ]
        reference = (0.0, 0.0)
        for label, arguments, target in runs:
            wall, processor = measure(folder, *arguments)
            reference = reference if reference[0] else (wall, processor)
            ratios = f"{wall / reference[0]:5.2f} {processor / reference[1]:5.2f}"
            aim = f"  (aim: at most {target})" if target else ""
            print(f"{label:27} {wall:7.2f} s {processor:7.2f} s  × {ratios}{aim}")


if __name__ == "__main__":
    main()
