"""What ships for CI: linted, and the action's own steps run as a runner runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from charter import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / "examples" / "github").glob("*.yml"))
ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
GITLAB = ROOT / "examples" / "gitlab" / "charter.gitlab-ci.yml"


def _tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / name, *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_zizmor_finds_nothing_even_when_pedantic() -> None:
    done = _tool("zizmor", "--offline", "--no-progress", "--persona=pedantic", ACTION, *WORKFLOWS)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        (("vendor.github-actions",), [ACTION]),
        (("vendor.github-workflows",), WORKFLOWS),
        (("vendor.gitlab-ci", "--data-transform", "gitlab-ci"), [GITLAB]),
    ],
)
def test_the_schemas_of_their_hosts_accept_the_files(schema: tuple[str, ...], files: list[Path]) -> None:
    done = _tool("check-jsonschema", "--builtin-schema", *schema, *files)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("tool", ["pre-commit", "prek"])
def test_the_hook_manifest_is_valid(tool: str) -> None:
    done = _tool(tool, "validate-manifest", HOOKS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_action_but_our_own_is_pinned_to_a_commit_and_names_its_release() -> None:
    lines = [line for path in (ACTION, *WORKFLOWS) for line in path.read_text().splitlines()]
    used = [line for line in lines if "uses:" in line and "charter-lint/charter@" not in line]
    assert used
    assert all(re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d", line) for line in used)


def test_no_script_contains_an_expression() -> None:
    for step in _steps():
        assert "${{" not in step.get("run", "")


def test_the_examples_use_this_version() -> None:
    text = "".join(path.read_text() for path in (*WORKFLOWS, GITLAB, ROOT / "examples" / "README.md"))
    named = [match[1] for match in re.finditer(r"(?:charter@v|\[review\]==|rev: v)([\d.]+\d)", text)]
    assert len(named) == 5
    assert set(named) == {__version__}


def _steps() -> list[dict[str, Any]]:
    return yaml.safe_load(ACTION.read_text())["runs"]["steps"]


def _environment(step: dict[str, Any], inputs: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    """What a runner makes of a step's `env:`."""
    defaults = {
        name: entry.get("default", "") for name, entry in yaml.safe_load(ACTION.read_text())["inputs"].items()
    }
    known = {f"inputs.{name}": value for name, value in {**defaults, **inputs}.items()} | values
    return {
        key: re.sub(r"\$\{\{ (.+?) \}\}", lambda m: known[m[1]], text) for key, text in step["env"].items()
    }


def _run(scripts: Iterable[dict[str, Any]], workspace: Path, environment: dict[str, str]) -> list[int]:
    return [
        subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=workspace,
            env={**environment, **step["environment"]},
            check=False,
            timeout=300,
        ).returncode
        for step in scripts
    ]


def test_the_action_installs_itself_and_reviews_without_importing_the_project(tmp_path: Path) -> None:
    workspace, temp = tmp_path / "workspace", tmp_path / "temp"
    workspace.mkdir()
    temp.mkdir()
    base = _commit(workspace, {"shop.py": "def f(x):\n    return x is None\n"})
    trap = f"import pathlib\n\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n"
    names = ("charter.py", "sitecustomize.py", "click.py", "yaml.py")
    head = _commit(workspace, {"shop.py": "def f(x):\n    return x == None\n", **dict.fromkeys(names, trap)})
    event = tmp_path / "event.json"
    pull = {"number": 1, "base": {"sha": base}, "head": {"sha": head}}
    event.write_text(json.dumps({"repository": {"full_name": "o/r"}, "pull_request": pull}))
    values = {
        "github.token": "",
        "github.action_path": str(ROOT),
        "steps.python.outputs.python-path": sys.executable,
    }
    inputs = {"dry-run": str(tmp_path / "review.json"), "fail-on": "never"}
    steps = [
        {**step, "environment": _environment(step, inputs, values)} for step in _steps() if "run" in step
    ]
    output = tmp_path / "output"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", str(tmp_path)),
        "RUNNER_TEMP": str(temp),
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "o/r",
    } | {
        key: value for key, value in os.environ.items() if key.startswith(("PIP_INDEX", "PIP_CONFIG", "UV_"))
    }
    assert _run(steps, workspace, environment) == [0, 0]
    written = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert written["findings"] == "1"
    assert written["status"] == "0"
    assert "singleton-comparison" in Path(written["report-file"]).read_text()
    assert "1 new finding" in (tmp_path / "summary.md").read_text()
    assert not (tmp_path / "ran").exists()


def _commit(folder: Path, files: dict[str, str]) -> str:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    for name, text in files.items():
        (folder / name).write_text(text)
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
