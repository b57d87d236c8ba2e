"""Releases from PyPI, unpacked to be read and never installed: fetched with pip once, kept under .venvs/bench."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venvs" / "bench" / "releases"


class Finding(TypedDict):
    """The parts of a finding, as `charter check -f json` writes it, that matter here."""

    rule: str
    severity: str
    path: str
    line: int
    message: str


def unpacked(release: str) -> Path:
    """The folder with a release's files.

    Args:
        release: `name==version`.

    Raises:
        SystemExit: if pip cannot fetch it.
    """
    target = HOME / release.replace("==", "-")
    if target.exists():
        return target
    with tempfile.TemporaryDirectory() as folder:
        pip = [
            _python(),
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
            folder,
        ]
        if subprocess.run([*pip, release], check=False).returncode:
            pip[pip.index("--only-binary")] = "--no-binary"
            if subprocess.run([*pip, release], check=False).returncode:
                raise SystemExit(f"{release} cannot be fetched")
        (archive,) = Path(folder).iterdir()
        partial = target.with_suffix(".part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        if archive.suffix in {".whl", ".zip"}:
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(partial)
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(partial, filter="data")
    # A project of its own, whatever lies around it and ignores it.
    (partial / "charter.toml").write_text("respect-gitignore = false\n")
    partial.rename(target)
    return target


def _python() -> str:
    """An interpreter that has pip: environments need not."""
    folder = HOME.parent / "pip"
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return str(folder / "bin" / "python")


def findings(folder: Path, *options: str, tree: Path = ROOT) -> list[Finding]:
    """What `charter check` says of a folder, as its JSON has it.

    Args:
        folder: the code.
        options: further options of `charter check`.
        tree: the working tree of Charter to run; what is installed comes from this one.
    """
    search = os.pathsep.join(str(tree / part) for part in ("server", "rules"))
    program = "from charter.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "check", ".", "--no-cache", "--exit-zero", "-f", "json", *options],
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": search},
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode() or f"charter check ended with {done.returncode}")
    return json.loads(done.stdout)["findings"]
