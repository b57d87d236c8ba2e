"""The files for other tools, judged by those tools' own validators: Microsoft's for SARIF, reviewdog's format's for rdjson.

The validators come from npm, once for all tests of a run; without npm the tests are skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ("@microsoft/sarif-multitool-linux@5.7.0", "@umbrelladocs/rdformat-validator@1.0.1")
NASTY = "a,b::error file=z.py::owned\n<x>&'é.py"
CODE = """\
import os, sqlite3, yaml
from flask import request


def load(text, seen=[]):
    try:
        return yaml.load(text)
    except Exception:
        pass


def rows(name):
    connection = sqlite3.connect("shop.db")
    return connection.execute("SELECT * FROM t WHERE name = '%s'" % request.args["name"])


def run(x):
    if x == None:
        os.system("ls " + request.args["d"])
    return any([y for y in x])
"""

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None or sys.platform != "linux",
    reason="needs npm, and the Linux build of the validator",
)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm")
    command = [
        "npm",
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
        str(folder),
        *PACKAGES,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        pytest.skip(f"the validators cannot be installed: {done.stderr[-300:]}")
    return folder / "node_modules"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What `charter check` writes on a project that is bad in many ways."""
    folder = tmp_path_factory.mktemp("project")
    for name in (NASTY, "views.py", "pkg/ü b.py"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(CODE, "utf-8")
    (folder / "crlf.py").write_bytes(CODE.replace("\n", "\r\n").encode())
    (folder / "broken.py").write_text("def f(:\n", "utf-8")
    files = {name: folder / f"out.{name}" for name in ("sarif", "rdjson", "gitlab")}
    arguments = [f"--output={name}:{path}" for name, path in files.items()]
    command = [sys.executable, "-m", "charter", "check", "--no-cache", *arguments, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1, done.stderr
    return files


def test_microsofts_validator_finds_no_error_in_the_sarif(modules: Path, outputs: dict[str, Path]) -> None:
    program = modules / "@microsoft" / "sarif-multitool-linux" / "Sarif.Multitool"
    program.chmod(0o755)
    log = outputs["sarif"].with_name("log.sarif")
    rules = ["--rule-kind", "Sarif;Ghas", "--log", "ForceOverwrite"]
    subprocess.run(
        [program, "validate", outputs["sarif"], *rules, "--output", log],
        env={"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(log.parent)},
        capture_output=True,
        check=False,
        timeout=120,
    )
    # Its exit status is 0 whatever it finds: only the log counts.
    document: dict[str, Any] = json.loads(log.read_text("utf-8-sig"))
    found = [result for run in document["runs"] for result in run.get("results", [])]
    assert [result["ruleId"] for result in found if result.get("level") == "error"] == []
    assert {result["ruleId"] for result in found} <= {"SARIF2005"}
    assert all(run["invocations"][0]["executionSuccessful"] for run in document["runs"])


def test_rdformats_validator_accepts_the_rdjson(modules: Path, outputs: dict[str, Path]) -> None:
    validator = modules / ".bin" / "rdformat-validator"
    good = subprocess.run(
        [validator, outputs["rdjson"]], capture_output=True, text=True, check=False, timeout=60
    )
    assert good.returncode == 0, good.stdout
    document = json.loads(outputs["rdjson"].read_text("utf-8"))
    assert len(document["diagnostics"]) > 10
    assert any("suggestions" in one for one in document["diagnostics"])
    del document["diagnostics"][0]["location"]
    broken = outputs["rdjson"].with_name("broken.rdjson")
    broken.write_text(json.dumps(document), "utf-8")
    bad = subprocess.run([validator, broken], capture_output=True, check=False, timeout=60)
    assert bad.returncode != 0


def test_the_code_quality_report_is_one_that_gitlab_takes(outputs: dict[str, Path]) -> None:
    raw = outputs["gitlab"].read_bytes()
    rows = json.loads(raw)
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert len({row["fingerprint"] for row in rows}) == len(rows) > 10
    for row in rows:
        assert row["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert row["description"]
        assert not row["location"]["path"].startswith(("/", "./"))
        assert row["location"]["lines"]["begin"] >= 1
