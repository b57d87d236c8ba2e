#!/usr/bin/env python3
"""Apply every safe fix to real packages, and see that nothing breaks.

    python tests/benchmarks/fixes.py                      packages whose own tests run before and after
    python tests/benchmarks/fixes.py --packages flask
    python tests/benchmarks/fixes.py --path src/mine      any folders: they must compile, and a second run change nothing
    python tests/benchmarks/fixes.py --unsafe             the unsafe fixes too, which may break tests; to read what they do

Each package is fixed twice, from the same start: by the rules that are on by default, and by all rules. No test may
fail that passed before, every file must still compile, and fixing again must change nothing. Sources and environments
are kept under .venvs/fixes. The exit code is 1 if something broke.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venvs" / "fixes"
PACKAGES: dict[str, tuple[str, list[str]]] = {
    "boltons": ("tests", []),
    "bottle": ("test", []),
    "beautifulsoup4": ("bs4/tests", ["lxml", "html5lib"]),
    "ecdsa": ("src/ecdsa", ["hypothesis"]),
    "astroid": ("tests", ["typing-extensions"]),
    "pyasn1": ("tests", []),
    "pyparsing": ("tests", ["railroad-diagrams", "jinja2", "matplotlib"]),
    "configobj": ("src/tests", ["mock"]),
    "toolz": ("toolz/tests", []),
    "tabulate": ("test", ["numpy", "pandas", "wcwidth"]),
    "webob": ("tests", ["coverage"]),
    "sqlparse": ("tests", []),
    "paste": ("tests", []),
    "flask": ("tests", ["asgiref", "greenlet", "python-dotenv"]),
    "click": ("tests", []),
    "httpx[brotli,cli,http2,socks,zstd]": (
        "tests",
        ["chardet", "cryptography", "trio", "trustme", "uvicorn"],
    ),
    "attrs": ("tests", ["hypothesis", "cloudpickle", "pympler"]),
    "jinja2": ("tests", ["trio"]),
}
"""Packages whose source distributions hold their tests: where they are, and what they need besides pytest.

In the first ones, which are older or care less for linters, safe fixes really apply; the others show that nothing is
done where nothing is wrong.
"""
SELECTIONS = {"default": [], "all": ["--select", "all"]}


@dataclass
class Outcome:
    """What fixing did to a tree.

    Attributes:
        fixed: the files that were changed.
        edited: the lines that were changed.
        broken: files that no longer compile, or that a second run changed again, with what is wrong.
        lost: tests that passed before and do not any more.
        passed: the tests that still pass; None if none were run.
    """

    fixed: int = 0
    edited: int = 0
    broken: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])
    passed: int | None = None


def prepare(package: str) -> tuple[Path, Path]:
    """Unpack a package's source distribution, and install it with what its tests need; both folders."""
    name = package.partition("[")[0]
    sources, environment = HOME / "sources" / name, HOME / "environments" / name
    python = str(environment / "bin" / "python")
    if not environment.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        _pip(python, "install", "pytest<9", package, *PACKAGES[package][1])
    if not sources.exists():
        with tempfile.TemporaryDirectory() as folder:
            _pip(python, "download", "--no-deps", "--no-binary", ":all:", "-d", folder, name)
            sources.mkdir(parents=True)
            for archive in Path(folder).iterdir():
                shutil.unpack_archive(archive, sources)
    return next(sources.iterdir()), environment / "bin" / "python"


def _pip(python: str, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "-q", *arguments], check=True)


def passing(tree: Path, python: Path, tests: str) -> set[str]:
    """Run a package's tests, which are in a folder of it; the names of those that pass."""
    report = tree / "charter-report.xml"
    paths = os.pathsep.join((str(tree / "src"), str(tree)))
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
        "--override-ini=python_files=test*.py *_test.py",
        f"--junit-xml={report}",
        tests,
    ]
    subprocess.run(
        command, cwd=tree, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL, check=False
    )
    if not report.exists():
        return set()
    cases = ET.parse(report).iter("testcase")
    return {
        f"{case.get('classname')}::{case.get('name')}"
        for case in cases
        if not {child.tag for child in case} & {"failure", "error"}
    }


def fix(tree: Path, selection: list[str]) -> Outcome:
    """Fix a tree in its place until nothing is left to do, and look at what that gave."""
    before = texts(tree)
    _charter(tree, selection)
    after = texts(tree)
    outcome = Outcome()
    for path, text in after.items():
        if text != before[path]:
            outcome.fixed += 1
            outcome.edited += len(set(text.splitlines()) ^ set(before[path].splitlines()))
            if not _syntax(path, before[path]):  # some files are written for another Python
                outcome.broken.extend(_syntax(path, text))
    _charter(tree, selection)
    again = texts(tree)
    outcome.broken.extend(f"{path}: a second run changes it" for path in after if again[path] != after[path])
    return outcome


def _charter(tree: Path, selection: list[str]) -> None:
    charter = str(Path(sys.executable).with_name("charter"))
    command = [
        charter,
        "check",
        "--fix",
        "--exit-zero",
        "-f",
        "concise",
        *selection,
        str(tree),
    ]
    subprocess.run(command, cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL, check=True)


def texts(tree: Path) -> dict[str, bytes]:
    """The bytes of every Python file below a folder, by path."""
    return {str(path.relative_to(tree)): path.read_bytes() for path in sorted(tree.rglob("*.py"))}


def _syntax(path: str, text: bytes) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return [f"{path}: {error}"]
    return []


def copy_of(tree: Path, folder: str) -> Path:
    """A copy of a tree as a project of its own, so that no settings above it are found."""
    target = Path(folder, tree.name)
    shutil.copytree(tree, target, ignore=shutil.ignore_patterns("__pycache__", ".git"))
    Path(folder, "charter.toml").write_text("")
    return target


def examine(
    name: str, tree: Path, python: Path | None = None, tests: str = ""
) -> list[tuple[str, str, Outcome]]:
    """Fix copies of a tree by each selection, with its tests before and after if there is a Python for them."""
    found: list[tuple[str, str, Outcome]] = []
    before: set[str] | None = None
    for selection, arguments in SELECTIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = copy_of(tree, folder)
            if python is not None and before is None:
                before = passing(copy, python, tests)
                if not before:
                    raise SystemExit(f"{name}: no test passes before anything is fixed")
            outcome = fix(copy, arguments)
            if python is not None and before is not None:
                now = passing(copy, python, tests)
                outcome.passed = len(now)
                outcome.lost = sorted(before - now)
        found.append((name, selection, outcome))
    return found


def main() -> None:
    """Parse the arguments, fix, print a table and what broke."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packages", nargs="*", help="names of the packages; all by default")
    parser.add_argument("--unsafe", action="store_true", help="try the unsafe fixes besides")
    parser.add_argument("--path", nargs="*", type=Path, default=[], help="folders to fix copies of, instead")
    arguments = parser.parse_args()
    paths: list[Path] = [path.resolve() for path in arguments.path]
    wanted: list[str] | None = arguments.packages
    if arguments.unsafe:
        SELECTIONS.update({"all, unsafe fixes": ["--select", "all", "--unsafe-fixes"]})
    print("| package | rules | files fixed | lines changed | tests passing | lost | broken |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    problems: list[str] = []
    for path in paths:
        problems += _print_rows(examine(path.name, path))
    for package in PACKAGES if not paths else ():
        name = package.partition("[")[0]
        if wanted is None or name in wanted:
            problems += _print_rows(examine(name, *prepare(package), PACKAGES[package][0]))
    print("\n".join(problems))
    sys.exit(bool(problems))


def _print_rows(rows: list[tuple[str, str, Outcome]]) -> list[str]:
    """Print what happened to a package as soon as it is known; gives what broke."""
    for name, selection, outcome in rows:
        passed = "–" if outcome.passed is None else f"{outcome.passed:,}"
        print(
            f"| {name} | {selection} | {outcome.fixed} | {outcome.edited} | {passed}"
            f" | {len(outcome.lost)} | {len(outcome.broken)} |",
            flush=True,
        )
    return [text for _, _, outcome in rows for text in (*outcome.lost, *outcome.broken)]


if __name__ == "__main__":
    main()
