from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from charter.api import Context, Finding, rule
from charter.engine import work
from charter.engine.cache import Cache
from charter.engine.project import Project, Report
from charter.engine.registry import load, registry
from charter.engine.run import check_project
from charter.engine.settings import Settings


@rule(ast.Call, code="TST001", principles=("sql-injection",), calls=("builtins.eval",))
def evaluated(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Do not evaluate."""
    yield ctx.finding(call, "`eval` is called")


@rule(ast.Pass, code="TST002", principles=("sql-injection",))
def fragile(node: ast.Pass, ctx: Context) -> Iterator[Finding]:
    """Throw, or take the whole process along, when the text asks for it."""
    if "die" in ctx.text:
        os._exit(3)
    if "throw" in ctx.text:
        raise LookupError("on purpose")
    if "deep" in ctx.text:
        raise RecursionError
    yield ctx.finding(node, "`pass` stands here")


@rule(ast.Delete, code="TST003", principles=("sql-injection",), when=lambda node: bool(node.targets[9]))
def choosy(node: ast.Delete, ctx: Context) -> Iterator[Finding]:
    """Throw before it is asked."""
    yield ctx.finding(node, "`del` stands here")


RULES = registry([evaluated, fragile, choosy])


def project_of(root: Path, files: dict[str, str | bytes]) -> Project:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Project.of(Settings(root=root), RULES, (), files, lambda path: (root / path).read_bytes())


def said(report: Report) -> list[tuple[str, str, int]]:
    return [(finding.path, finding.rule, finding.location.line) for finding in report.findings]


def test_workers_find_what_one_process_finds_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_PARALLEL_FROM", 0)
    monkeypatch.setattr(work, "_BATCH_BYTES", 50)
    project = project_of(tmp_path, {f"m{n}.py": "pass\n" * n + "eval(x)\neval(x)\n" for n in range(20)})
    serial, parallel = check_project(project), check_project(project, jobs=3)
    assert serial.findings == parallel.findings
    assert serial.opportunities == parallel.opportunities
    assert len({finding.fingerprint for finding in serial.findings}) == len(serial.findings)


def test_a_worker_that_dies_costs_its_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_PARALLEL_FROM", 0)
    monkeypatch.setattr(work, "_BATCH_BYTES", 20)
    project = project_of(tmp_path, {"a.py": "eval(1)\n", "b.py": "pass  # die\n", "c.py": "eval(2)\n"})
    report = check_project(project, jobs=2)
    assert said(report) == [("a.py", "evaluated", 1), ("c.py", "evaluated", 1)]
    assert [(problem.location.path, problem.message) for problem in report.problems] == [
        ("b.py", "the process that checked this file died")
    ]


def test_a_rule_that_throws_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    report = check_project(project_of(tmp_path, {"a.py": "pass  # throw\neval(1)\ndel x\n"}))
    assert said(report) == [("a.py", "evaluated", 2)]
    assert {failure.part for failure in report.failures} == {"fragile", "choosy"}
    (failure,) = (failure for failure in report.failures if failure.part == "fragile")
    assert (failure.path, failure.part, failure.error) == ("a.py", "fragile", "LookupError: on purpose")
    assert "engine/test_run.py:" in failure.place


def test_code_that_is_nested_too_deeply_for_a_rule_is_no_fault_of_charter(tmp_path: Path) -> None:
    deep = "x = " + " + ".join("y" * 100)
    report = check_project(project_of(tmp_path, {"a.py": f"pass  # deep\neval(1)\n{deep}\n"}))
    assert said(report) == [("a.py", "evaluated", 2)]
    assert report.failures == []
    assert [(problem.location.path, problem.message) for problem in report.problems] == [
        ("a.py", "the code is nested too deeply for `fragile`, which has left it out")
    ]


def test_what_has_no_end_in_flat_code_is_a_fault_of_charter(tmp_path: Path) -> None:
    report = check_project(project_of(tmp_path, {"a.py": "pass  # deep\neval(1)\n"}))
    assert [(failure.path, failure.part) for failure in report.failures] == [("a.py", "fragile")]
    assert report.problems == []


def test_files_that_cannot_be_read_are_named_with_a_remedy(tmp_path: Path) -> None:
    project = project_of(tmp_path, {"a.py": b"x = '\xff'\n", "b.py": "eval(1)\n", "gone.py": ""})
    (tmp_path / "gone.py").unlink()
    report = check_project(project)
    assert said(report) == [("b.py", "evaluated", 1)]
    assert [(problem.location.path, problem.message) for problem in report.problems] == [
        ("a.py", "line 1 is not valid utf-8: invalid start byte"),
        ("gone.py", "cannot be read: No such file or directory"),
    ]


def test_what_the_cache_remembers_is_what_was_found_and_a_change_is_seen(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    files: dict[str, str | bytes] = {
        "a.py": "eval(1)  # charter: ignore[evaluated]\npass\n",
        "b.py": "eval(2)\n",
    }
    first = check_project(project_of(tmp_path / "p", files), cache=cache)
    again = check_project(project_of(tmp_path / "p", files), cache=cache)
    assert again.findings == first.findings
    assert again.suppressed == first.suppressed != []
    files["b.py"] = "x\neval(2)\n"
    changed = check_project(project_of(tmp_path / "p", files), cache=cache)
    assert said(changed) == [("a.py", "fragile", 2), ("b.py", "evaluated", 2)]


def test_a_fingerprint_outlives_lines_that_come_above_it(tmp_path: Path) -> None:
    before = check_project(project_of(tmp_path, {"a.py": "def f():\n    eval(x)\n    eval(x)\n"}))
    after = check_project(
        project_of(tmp_path, {"a.py": "import os\n\n\ndef f():\n    eval( x)\n    eval(x)\n"})
    )
    prints = [finding.fingerprint for finding in before.findings]
    assert len(set(prints)) == 2
    assert after.findings[1].fingerprint in prints


@pytest.mark.parametrize(
    ("loaded", "found", "asked"),
    [
        ("", [], False),
        ("yaml.load('a: ' + ('b' if request.form['x'] else 'c'), Loader=yaml.Loader)", [], True),
        ("yaml.load(request.data, Loader=yaml.Loader)", ["unsafe-yaml-load"], True),
    ],
    ids=["nothing", "something harmless", "something harmful"],
)
def test_what_only_takes_findings_back_runs_where_there_is_something_to_take_back(
    tmp_path: Path, loaded: str, found: list[str], *, asked: bool
) -> None:
    view = f"@Flask(__name__).post('/')\ndef view():\n    return {loaded}\n"
    (tmp_path / "m.py").write_text(f"import yaml\nfrom flask import Flask, request\n\n{view}")

    def read(path: str) -> bytes:
        return (tmp_path / path).read_bytes()

    settings = Settings(root=tmp_path, bandit=False)
    project = Project.of(settings, load(), (), ["m.py"], read, select=["unsafe-yaml-load"])
    report = check_project(project)
    assert [finding.rule for finding in report.findings] == found
    assert ("analysis:taint" in report.times) is asked


@pytest.mark.parametrize(
    ("select", "excuse", "found"),
    [
        ((), "", ["command-injection"]),
        ((), "  # charter: ignore[command-injection]", []),
        (("shell-with-built-text",), "", ["shell-with-built-text"]),
    ],
    ids=["told by its flow", "excused there", "without the rule for flows"],
)
def test_what_a_flow_tells_better_is_not_told_again(
    tmp_path: Path, select: tuple[str, ...], excuse: str, found: list[str]
) -> None:
    ping = f'check_output("ping " + request.args["host"], shell=True){excuse}'
    (tmp_path / "m.py").write_text(
        "from subprocess import check_output\nfrom flask import Flask, request\n\n"
        f"@Flask(__name__).post('/')\ndef view():\n    return {ping}\n"
    )

    def read(path: str) -> bytes:
        return (tmp_path / path).read_bytes()

    rules = select or ("command-injection", "shell-with-built-text")
    settings = Settings(root=tmp_path, bandit=False)
    report = check_project(Project.of(settings, load(), (), ["m.py"], read, select=rules))
    assert [finding.rule for finding in report.findings] == found
