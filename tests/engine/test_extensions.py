from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

from charter.engine.extensions import points, version

_ASK = """
from charter.engine.extensions import points, version
for point in points("acme"):
    print(point.package, point.name, point.load())
print(version("one"), version("missing") or "not there")
"""


def _install(folder: Path, name: str, entries: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "entry_points.txt").write_text(entries, "utf-8")


def test_what_is_installed_here_is_what_python_says() -> None:
    for group in ("charter.rules", "bandit.plugins", "bandit.blacklists", "console_scripts"):
        known = metadata.entry_points(group=group)
        assert {(point.name, point.module, point.attribute) for point in points(group)} == {
            (point.name, point.module, point.attr or "") for point in known
        }
    assert version("bandit") == metadata.version("bandit")


def test_the_first_of_two_installations_counts_and_odd_lines_do_no_harm(tmp_path: Path) -> None:
    _install(
        tmp_path / "a",
        "one-2.0.dist-info",
        "# ours\n[ acme ]\nsep = os:path.sep [extra]\nno line\n[b]\nx = y\n",
    )
    _install(tmp_path / "b", "One-1.0.dist-info", "[acme]\nold = os:path.pathsep\n")
    _install(tmp_path / "b", "two_words-1.0.egg-info", "[acme]\nname = os\n")
    (tmp_path / "b" / "three-1.0.dist-info").write_text("a file")
    path = ":".join(map(str, (tmp_path / "missing", tmp_path / "a", tmp_path / "b")))

    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    lines = done.stdout.splitlines()
    assert lines[0] == "one sep /"
    assert lines[1].startswith("two-words name <module 'os'")
    assert lines[2:] == ["2.0 not there"]
