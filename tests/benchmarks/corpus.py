#!/usr/bin/env python3
"""What a change newly says, and no longer says, about ten pinned packages from PyPI.

    python tests/benchmarks/corpus.py                                  the working tree against `main`
    python tests/benchmarks/corpus.py --base HEAD~3 --select SEC100,SEC101
    python tests/benchmarks/corpus.py --packages django==5.2.19

A finding is the same if rule, file, message and line of code are, wherever that line has moved to.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from packages import ROOT, Finding, findings, unpacked

PACKAGES = [
    "aiohttp==3.14.5", "apache-superset==6.1.0", "buildbot==4.3.0", "django==5.2.19", "jupyter_server==2.21.1",
    "mezzanine==6.1.1", "octoprint==1.11.8", "sqlalchemy==2.1.9", "streamlit==1.67.0", "wagtail==8.0.1",
]  # fmt: skip


def said(folder: Path, options: list[str], tree: Path) -> Counter[tuple[str, str, str, str]]:
    """What a working tree of Charter says of a folder: severity and rule, file, code, message."""
    return Counter(_key(folder, one) for one in findings(folder, *options, tree=tree))


def _key(folder: Path, finding: Finding) -> tuple[str, str, str, str]:
    path = folder / finding["path"]
    lines: list[str] = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    code = lines[finding["line"] - 1].strip() if finding["line"] <= len(lines) else ""
    return f"{finding['severity']} {finding['rule']}", finding["path"], code[:120], finding["message"]


def shown(sign: str, found: Counter[tuple[str, str, str, str]], limit: int) -> None:
    """Print findings, the first of each rule up to a limit, and how many there are of each."""
    for rule in sorted({rule for rule, *_ in found}):
        own = [(one, count) for one, count in sorted(found.items()) if one[0] == rule]
        print(f"{sign} {rule}: {sum(count for _, count in own)}")
        for (_, path, code, message), count in own[:limit]:
            print(f"    {path}{f' ({count} times)' if count > 1 else ''}: {message}\n        {code}")


def main() -> None:
    """Parse the arguments, check each package twice, print the difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="main", help="the revision to compare with")
    parser.add_argument("--packages", nargs="*", default=PACKAGES, help="releases, as name==version")
    parser.add_argument("--select", help="the rules to compare; by default those that run by default")
    parser.add_argument("--limit", type=int, default=5, help="findings shown of each rule and package")
    arguments = parser.parse_args()
    options: list[str] = ["--select", arguments.select] if arguments.select else []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "base")
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", str(base), arguments.base], check=True)
        try:
            for release in arguments.packages:
                code = unpacked(release)
                before, after = said(code, options, base), said(code, options, ROOT)
                print(f"\n{release}: {after.total()} findings, {before.total()} before")
                shown("+", after - before, arguments.limit)
                shown("-", before - after, arguments.limit)
        finally:
            subprocess.run([*git, "remove", "--force", str(base)], check=True)


if __name__ == "__main__":
    main()
