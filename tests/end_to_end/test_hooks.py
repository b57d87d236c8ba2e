"""The hooks that ship, installed from a repository and run by pre-commit and by prek, as their users do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
SHIPPED = ("server", "rules", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
BAD = "def f(x):\n    return x == None\n"
FIXABLE = "def f(users):\n    return any([user.ok for user in users])\n"


class Consumer:
    """A repository that uses the hooks."""

    def __init__(self, folder: Path, tool: str, environment: dict[str, str]) -> None:
        self.folder = folder
        self.tool = tool
        self.environment = environment

    def git(self, *arguments: str) -> str:
        return _git(self.folder, *arguments)

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)

    def run(self, hook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one hook as a commit would."""
        program = Path(sys.executable).parent / self.tool
        return subprocess.run(
            [program, "run", hook, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )


def _git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *name, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as a user of its hooks clones it."""
    folder = tmp_path_factory.mktemp("hooks")
    ignore = shutil.ignore_patterns("__pycache__")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder / name)
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "release")
    _git(folder, "tag", "v1.0")
    return folder


@pytest.fixture(scope="module", params=["pre-commit", "prek"])
def tool(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, str]]:
    """A hook runner with a store of its own, so that its environment is really built, and built once."""
    store = str(tmp_path_factory.mktemp("store"))
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT", "PREK"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return request.param, {**kept, "PATH": path, "PRE_COMMIT_HOME": store, "PREK_HOME": store}


@pytest.fixture
def consumer(hooks: Path, tool: tuple[str, dict[str, str]], tmp_path: Path) -> Consumer:
    lines = ["repos:", f"- repo: file://{hooks}", "  rev: v1.0", "  hooks:"]
    lines += [f"  - id: {name}" for name in ("charter", "charter-fix", "charter-diff", "charter-push")]
    (tmp_path / ".pre-commit-config.yaml").write_text("\n".join([*lines, ""]))
    (tmp_path / "old.py").write_text(BAD)
    _git(tmp_path, "init", "-q", "-b", "main")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-q", "-m", "first")
    return Consumer(tmp_path, *tool)


def test_a_clean_commit_passes_without_a_word(consumer: Consumer) -> None:
    consumer.write(clean="X = 1\n")
    consumer.git("add", "-A")
    for hook in ("charter", "charter-fix", "charter-diff"):
        done = consumer.run(hook, "--verbose")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "finding" not in done.stdout.lower()


def test_the_check_hook_judges_the_staged_text_of_the_staged_files(consumer: Consumer) -> None:
    consumer.write(new=BAD)
    consumer.git("add", "-A")
    consumer.write(new="X = 1\n")
    done = consumer.run("charter")
    assert done.returncode == 1
    assert "new.py:2:" in done.stdout
    assert "old.py" not in done.stdout
    assert (consumer.folder / "new.py").read_text() == "X = 1\n"


def test_the_fix_hook_fails_once_and_then_passes(consumer: Consumer) -> None:
    consumer.write(new=FIXABLE)
    consumer.git("add", "-A")
    first = consumer.run("charter-fix")
    assert first.returncode == 1, first.stdout
    assert "files were modified by this hook" in first.stdout.lower()
    assert "any(user.ok" in (consumer.folder / "new.py").read_text()
    consumer.git("add", "-A")
    assert consumer.run("charter-fix").returncode == 0


def test_the_diff_hook_tells_what_is_new_and_nothing_old(consumer: Consumer) -> None:
    consumer.write(old=f"# a line above\n{BAD}", other="Y = 1\n")
    consumer.git("add", "-A")
    assert consumer.run("charter-diff").returncode == 0
    consumer.write(old=f"{BAD}\n\ndef g(y):\n    return y == None\n")
    consumer.git("add", "-A")
    done = consumer.run("charter-diff")
    assert done.returncode == 1
    assert [line.partition(": ")[0].strip() for line in done.stdout.splitlines() if ".py:" in line] == [
        "old.py:6:12"
    ]


def test_the_push_hook_compares_with_what_the_remote_has(consumer: Consumer) -> None:
    base = consumer.git("rev-parse", "HEAD")
    consumer.write(new=BAD)
    consumer.git("add", "-A")
    consumer.git("commit", "-q", "-m", "second")
    head = consumer.git("rev-parse", "HEAD")
    refs = ("--from-ref", base, "--to-ref", head, "--hook-stage", "pre-push")
    done = consumer.run("charter-push", *refs)
    assert done.returncode == 1
    assert "new.py:2:" in done.stdout
    assert "old.py" not in done.stdout
    # A runner names no range when the remote has no commit yet.
    first = consumer.run("charter-push", "--all-files", "--hook-stage", "pre-push")
    assert first.returncode == 0, first.stdout + first.stderr


def test_a_file_list_that_is_split_into_several_calls_finds_what_one_call_finds(tmp_path: Path) -> None:
    entry = next(hook["entry"] for hook in yaml.safe_load(MANIFEST.read_text()) if hook["id"] == "charter")
    (tmp_path / "charter.toml").write_text("cache = false\n")
    (tmp_path / "views.py").write_text(
        "from flask import request\n\nfrom store import find\n\n\n"
        'def view() -> object:\n    """Find."""\n    return find(request.args["name"])\n'
    )
    (tmp_path / "store.py").write_text(
        "import sqlite3\n\n\ndef find(name: str) -> object:\n"
        '    """Find."""\n    return sqlite3.connect("shop.db").execute("select * from goods where name = " + name)\n'
    )

    def found(*files: str) -> set[str]:
        _, *arguments = entry.split()
        command = [sys.executable, "-m", "charter", *arguments, *files]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return {line for line in done.stdout.splitlines() if ".py:" in line}

    whole = found("store.py", "views.py")
    assert any("sql-injection" in line for line in whole)
    assert found("store.py") | found("views.py") == whole
