"""The commands as people and build servers call them: output, exit codes, files."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from charter.cli import fixing
from charter.cli.main import COMMANDS, run

BAD = '''"""A module."""


def port(text):
    """Read a port number."""
    try:
        return int(text)
    except ValueError:
        raise SystemExit("not a port")


def is_missing(value):
    """Whether a value is missing."""
    return value == None
'''
GOOD = '"""A module."""\n\nNAME = "x"\n'


@dataclass
class Result:
    code: int
    out: str
    err: str


Charter = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "charter.toml").write_text("")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "bad.py").write_text(BAD)
    (tmp_path / "pkg" / "good.py").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def charter(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Charter:
    def call(*args: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["charter", *args])
        with pytest.raises(SystemExit) as ended:
            run()
        captured = capfd.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.mark.usefixtures("project")
def test_exit_codes(charter: Charter) -> None:
    assert charter("check", "pkg/good.py").code == 0
    assert charter("check", "pkg/bad.py").code == 1
    assert charter("check", "pkg/bad.py", "--exit-zero").code == 0
    assert charter("check", "pkg/bad.py", "--fail-under", "0").code == 0
    assert charter("check", "pkg/bad.py", "--fail-under", "100").code == 1
    assert charter("check", "missing.py").code == 2
    assert charter("check", "--select", "nonsense").code == 2
    assert charter("check", "--no-such-option").code == 2
    assert charter("chek").code == 2


def test_mistakes_are_told_in_a_line_without_a_traceback(project: Path, charter: Charter) -> None:
    (project / "loop").symlink_to("loop")
    (project / "latin.py").write_bytes(b"x = '\xe9'\n")
    for args, said in (
        (["check", "missing.py"], "missing.py: no such file or folder"),
        (["check", "--select", "unchained-rais"], "did you mean `unchained-raise`?"),
        (["check", "--select", ""], "`--select` names no rule; leave it out to run those of the settings"),
        (["check", "-o", "sarf"], "did you mean `sarif`?"),
        (["check", "-o", "json", "-o", "sarif"], "two formats for standard output"),
        (["explain", "unchained-rais"], "did you mean `unchained-raise`?"),
        (["chek"], "did you mean `check`?"),
        (["check", "--baseline", "none.json"], "no such baseline"),
        (["check", "-", "pkg"], "`-` reads standard input"),
        (["check", "loop"], "loop: no such file or folder"),
        (["explain", "--flow", "pkg/good.py:4"], "has only 3 lines"),
        (["explain", "--flow", "latin.py:1"], "latin.py: line 1 is not valid utf-8"),
        (["init"], "charter.toml exists already"),
        (["new-rule", "some-rule", "--directory", "pkg/good.py"], "pkg/good.py: "),
        (["rules", "--pages", "pkg/good.py"], "pkg/good.py/pages: "),
    ):
        result = charter(*args)
        assert said in result.err
        assert "Traceback" not in result.err
        assert (result.code, result.out) == (2, "")


def test_a_wrong_setting_is_told_with_its_line(project: Path, charter: Charter) -> None:
    for text, said in (
        (
            "\nignore = ['unchained-rais']\n",
            "charter.toml:2: no rule is called `unchained-rais`; did you mean",
        ),
        ("[severity]\nnope = 'low'\n", "charter.toml:2: no rule is called `nope`"),
        (
            "[rules.complex-function]\nlimt = 3\n",
            "charter.toml:2: no option of `complex-function` is called `limt`",
        ),
        ("[rules.nope]\nx = 3\n", "no rule is called `nope`"),
        (
            "[rules.complex-function]\nlimit = '3'\n",
            "charter.toml:2: `rules.complex-function.limit` is to be",
        ),
        ("[rules.complex-function]\nlimit = true\n", "a whole number; by default it is 15"),
        ("[per-file.'*.py']\nignore = ['nope']\n", "charter.toml:2: no rule is called `nope`"),
        ("[[taint.sink]]\nnames = ['a.b']\nkind = 'sequel'\n", "charter.toml:3: unknown kind 'sequel'"),
        (
            "[[layers]]\nlayers = ['pkg.good', 'pkg.bad']\n[[layers]]\nlayers = [\n 'pkg.bad',\n 'pkg.good | pkg.baad'\n]\n",
            "charter.toml:6: `pkg.baad` is no module of the project; did you mean `pkg.bad`?",
        ),
        ("[[layers]]\nlayers = ['pkg.views', 'pkg']\n", "`pkg.views` is no module of the project; it may be"),
        ("models = ['gone.toml']\n", "charter.toml:1: the model file `gone.toml` cannot be read"),
    ):
        (project / "charter.toml").write_text(text)
        result = charter("check")
        assert (result.code, said in result.err) == (2, True), result.err


def test_a_layer_may_be_a_library_and_need_not_be_there_for_a_part_of_the_project(
    project: Path, charter: Charter
) -> None:
    (project / "charter.toml").write_text("[[layers]]\nlayers = ['pkg.good', 'django']\n")
    assert charter("check", "pkg/good.py").code == 0
    assert charter("rules").code == 0


def test_a_project_adds_sources_and_sinks_of_its_own(project: Path, charter: Charter) -> None:
    (project / "pkg" / "bad.py").write_text(
        "from pkg.good import field, run\n\n\ndef view():\n    run(field('name'))\n"
    )
    (project / "pkg" / "good.py").write_text(
        "def field(name):\n    return name\n\n\ndef run(text):\n    print(text)\n"
    )
    arguments = ("check", "--select", "sql-injection", "-f", "concise", "--fail-under", "0")
    assert charter(*arguments).out == ""
    (project / "charter.toml").write_text(
        "models = ['flows.toml']\n[[taint.sink]]\nnames = ['pkg.good.run']\nkind = 'sql'\n"
    )
    (project / "flows.toml").write_text("[[source]]\nnames = ['pkg.good.field']\nkind = 'http'\n")
    said = charter(*arguments).out
    assert "pkg/bad.py:5" in said
    assert "becomes part of the SQL that `run` runs" in said


def test_a_flow_is_explained_as_text_and_as_json(project: Path, charter: Charter) -> None:
    (project / "pkg" / "bad.py").write_text(
        "import sys\n\n\ndef run(text):\n    eval(text)\n\n\nrun(sys.argv[1])\n"
    )
    said = charter("explain", "--flow", "pkg/bad.py:5").out
    assert "not reported: the settings do not count local input as untrusted" in said
    assert "pkg/bad.py:8: passed to `run`" in said
    assert "parameter `text` arrives at `builtins.eval`" in said
    (project / "charter.toml").write_text("threats = ['remote', 'local']\n")
    document = json.loads(charter("explain", "--flow", "pkg/bad.py:5", "-f", "json").out)
    assert document["flows"][0]["status"] == "reported by SEC103 code-injection"
    assert [value["verdict"] for value in document["values"]] == ["arrives"]
    for place, words in (
        ("pkg/bad.py", "is no FILE:LINE"),
        ("pkg/bad.py:99", "only"),
        ("no.py:1", "no such file"),
    ):
        result = charter("explain", "--flow", place)
        assert (result.code, words in result.err) == (2, True), result.err


def test_a_flow_is_explained_with_the_callers_in_a_package_that_is_no_project(
    tmp_path: Path, charter: Charter
) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tools.py").write_text("def run(text):\n    eval(text)\n")
    (package / "views.py").write_text(
        "from flask import request\nfrom shop.tools import run\n\n\ndef view():\n    run(request.args['x'])\n"
    )
    said = charter("explain", "--flow", str(package / "tools.py") + ":2").out
    assert "shop/views.py:6: passed to `run`" in said


@pytest.mark.usefixtures("project")
def test_selection_by_name_code_principle_and_pillar(charter: Charter) -> None:
    for args in (
        ["--select", "unchained-raise"],
        ["--select", "deliberate-errors"],
        ["--select", "M05,P01"],
        ["--ignore", "robust-comparisons"],
        ["--select", "maintainability", "--ignore", "M15"],
    ):
        out = charter("check", "-f", "concise", *args).out
        assert "unchained-raise" in out
        assert "singleton-comparison" not in out


@pytest.mark.usefixtures("project")
def test_output_is_the_same_on_every_run_and_with_any_number_of_workers(charter: Charter) -> None:
    runs = [charter("check", "-f", "json", *more).out for more in ([], [], ["--no-cache"], ["-j", "1"])]
    assert len(set(runs)) == 1


def test_several_formats_at_once(project: Path, charter: Charter) -> None:
    result = charter("check", "-o", "sarif:out.sarif", "-o", "junit:out.xml", "-o", "concise")
    assert "pkg/bad.py:9:9" in result.out
    assert json.loads((project / "out.sarif").read_text())["version"] == "2.1.0"
    assert (project / "out.xml").read_text().startswith("<?xml")


def test_paths_are_shown_from_where_one_stands(
    project: Path, charter: Charter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "pkg")
    assert "\nbad.py:" in "\n" + charter("check", "-f", "concise").out
    monkeypatch.chdir(project.parent)
    assert f"{project.name}/pkg/bad.py:" in charter("check", "-f", "concise", project.name).out


def test_fixes_are_written_when_asked_for_and_keep_mode_bytes_and_line_ends(
    project: Path, charter: Charter
) -> None:
    path = project / "pkg" / "bad.py"
    content = b"\xef\xbb\xbf" + BAD.replace("\n", "\r\n").encode()
    path.write_bytes(content)
    path.chmod(0o754)
    assert charter("check", "pkg/bad.py", "--fix").code == 1
    assert path.read_bytes() == content
    result = charter("check", "pkg/bad.py", "--unsafe-fixes")
    assert result.code == 0
    assert "Fixed 2 findings in 1 file." in result.err
    fixed = path.read_bytes()
    assert fixed.startswith(b"\xef\xbb\xbf")
    assert fixed.count(b"\r\n") == fixed.count(b"\n")
    assert b"return value is None" in fixed
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    assert [p.name for p in (project / "pkg").iterdir() if p.name.startswith(".")] == []


def test_a_file_that_is_locked_is_not_fixed(
    project: Path, charter: Charter, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project / "pkg" / "bad.py"

    def is_open(place: Path, mode: int) -> bool:
        return place != path or mode != os.W_OK

    monkeypatch.setattr(os, "access", is_open)  # the mode alone would not keep the superuser out
    other = project / "pkg" / "worse.py"
    other.write_text(BAD)
    result = charter("check", "--unsafe-fixes")
    assert (result.code, path.read_text()) == (2, BAD)
    assert f"{path}: cannot be written: the file is read-only; it stands as it was" in result.err
    # The others are fixed all the same.
    assert "return value is None" in other.read_text()
    assert "Fixed 2 findings in 1 file." in result.err
    assert "pkg/bad.py" in result.out


def test_a_file_that_somebody_edits_meanwhile_keeps_the_edit(
    project: Path, charter: Charter, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project / "pkg" / "bad.py"
    fix = fixing.fix_opened

    def and_edit(*args: Any, **options: Any) -> object:
        fixed = fix(*args, **options)
        path.write_text(BAD + "EDITED = 1\n")
        return fixed

    monkeypatch.setattr(fixing, "fix_opened", and_edit)
    result = charter("check", "--unsafe-fixes")
    assert (result.code, path.read_text()) == (2, BAD + "EDITED = 1\n")
    assert f"{path}: cannot be written: it has been changed since it was read" in result.err


@pytest.mark.usefixtures("project")
def test_closed_streams_are_no_fault() -> None:
    for closed, code in ((">&-", 1), ("2>&- >&-", 1)):
        shell = f"{sys.executable} -m charter check --no-cache {closed}"
        assert subprocess.run(shell, shell=True, check=False).returncode == code
    shell = f"{sys.executable} -m charter check - <&-"
    done = subprocess.run(shell, shell=True, check=False, capture_output=True, text=True)
    assert (done.returncode, "standard input is closed; put a file into it" in done.stderr) == (2, True)


def test_a_diff_writes_nothing_and_applies_with_git(project: Path, charter: Charter) -> None:
    path = project / "pkg" / "bad.py"
    result = charter("check", "--unsafe-fixes", "--diff")
    assert result.code == 1
    assert path.read_text() == BAD
    subprocess.run(["git", "apply", "-"], input=result.out, text=True, cwd=project, check=True)
    assert "value is None" in path.read_text()
    assert charter("check", "--unsafe-fixes", "--diff").code == 0


def piped(text: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "charter", "check", "-", *args]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False)


@pytest.mark.usefixtures("project")
def test_standard_input_is_checked_under_its_name() -> None:
    result = piped(BAD, "--stdin-filename", "pkg/good.py", "-f", "concise")
    assert result.returncode == 1
    assert "pkg/good.py:9:9" in result.stdout
    assert piped(GOOD).returncode == 0


def test_standard_input_is_fixed_to_standard_output(project: Path) -> None:
    result = piped(BAD, "--stdin-filename", "pkg/new.py", "--unsafe-fixes", "-o", "json:report.json")
    assert "return value is None" in result.stdout
    assert json.loads((project / "report.json").read_text())["findings"] == []
    assert not (project / "pkg" / "new.py").exists()
    alone = piped(BAD, "--unsafe-fixes")
    compile(alone.stdout, "fixed.py", "exec")
    assert "No findings in 1 file" in alone.stderr


def test_a_baseline_keeps_old_findings_quiet_and_new_ones_loud(project: Path, charter: Charter) -> None:
    assert "2 findings accepted" in charter("baseline").out
    (project / "charter.toml").write_text('baseline = "charter-baseline.json"\n')
    result = charter("check")
    assert result.code == 0
    assert "2 in the baseline" in result.out
    path = project / "pkg" / "bad.py"
    path.write_text(
        "import os\n\n\n" + BAD + "\n\ndef other(value):\n    '''O.'''\n    return value == None, os\n"
    )
    result = charter("check", "-f", "concise")
    assert result.code == 1
    assert "1 finding in" in result.out
    assert charter("check", "--no-baseline").out.count("singleton-comparison") == 2
    path.write_text(GOOD)
    assert "0 findings accepted" in charter("baseline", "--prune").out


def test_code_that_does_not_parse_is_told_and_the_rest_is_checked(project: Path, charter: Charter) -> None:
    (project / "pkg" / "broken.py").write_text("def (:\n")
    (project / "pkg" / "binary.py").write_bytes(b"\xff\xfe\x00\x00")
    result = charter("check", "-f", "concise")
    assert result.code == 1
    assert "pkg/broken.py:1" in result.out
    assert "pkg/binary.py:1" in result.out
    assert "unchained-raise" in result.out


@pytest.mark.usefixtures("project")
def test_scores_fail_under_the_threshold(charter: Charter) -> None:
    assert charter("score", "--fail-under", "0").code == 0
    result = charter("score", "--by-file")
    assert result.code == 1
    assert "fails" in result.out
    assert "pkg/bad.py" in result.out
    document = json.loads(charter("score", "--json").out)
    assert document["principles"]["deliberate-errors"]["violations"] == 1
    assert document["principles"]["sql-injection"]["score"] is None


@pytest.mark.usefixtures("project")
def test_the_arithmetic_of_a_score_adds_up(charter: Charter) -> None:
    out = charter("explain", "M05", "--score", "pkg").out
    line = next(line for line in out.splitlines() if "share:" in line)
    shown = line.replace(",", "").replace("×", "*").replace("−", "-").partition("share: ")[2]
    left, right = shown.split(" = ")
    assert eval(left) == pytest.approx(float(right), abs=0.01)


@pytest.mark.usefixtures("project")
def test_rules_and_principles_are_explained_by_any_of_their_names(charter: Charter) -> None:
    for word in ("unchained-raise", "MNT003", "mnt003", "B904"):
        assert charter("explain", word).out.startswith("# unchained-raise (MNT003)")
    for word in ("M05", "deliberate-errors"):
        out = charter("explain", word).out
        assert "`unchained-raise`" in out
        assert "https://peps.python.org/pep-3134/" in out
    assert charter("explain").code == 2


@pytest.mark.usefixtures("project")
def test_lists_are_tables_for_people_and_json_for_tools(charter: Charter) -> None:
    rules = json.loads(charter("rules", "--json").out)
    assert {"name", "code", "principles"} <= rules[0].keys()
    assert "unchained-raise" in charter("rules", "M05").out
    assert "unchained-raise" not in charter("rules", "M15").out
    assert len(json.loads(charter("principles", "--json").out)) == 47
    assert "sql-injection" in charter("principles").out


def test_init_writes_settings_that_change_nothing(
    tmp_path: Path, charter: Charter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    from charter.engine.settings import load

    before = load(tmp_path).digest()
    assert charter("init").code == 0
    assert load(tmp_path).digest() == before
    assert charter("init").code == 2


def test_every_commented_setting_of_init_is_a_real_one(
    tmp_path: Path, charter: Charter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    charter("init")
    lines = (tmp_path / "charter.toml").read_text().splitlines()
    setting = [
        line[2:] if line.startswith("# ") and ("=" in line or line.startswith("# [")) else line
        for line in lines
    ]
    (tmp_path / "charter.toml").write_text(
        "\n".join(setting).replace('baseline = "charter-baseline.json"', "")
    )
    (tmp_path / "a.py").write_text(GOOD)
    result = charter("check")
    assert result.code == 0, result.err


def test_init_adds_a_table_to_pyproject(
    tmp_path: Path, charter: Charter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"')
    assert charter("init", "--pyproject").code == 0
    assert charter("init", "--pyproject").code == 2
    from charter.engine.settings import load

    assert load(tmp_path).path == tmp_path.resolve() / "pyproject.toml"


def test_a_new_rule_works_end_to_end_from_a_package_of_its_own(
    tmp_path: Path, charter: Charter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert charter("new-rule", "print-in-library", "--package", "acme_rules", "--code", "ACME001").code == 0
    assert charter("new-rule", "print-in-library", "--package", "acme_rules").code == 2
    pack = tmp_path / "acme-rules"
    # What an installation would leave behind: an entry point in a distribution's metadata.
    metadata = pack / "acme_rules-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text("[charter.rules]\nacme_rules = acme_rules\n")
    (tmp_path / "shop.py").write_text('"""Code."""\n\nprint("x")\n')
    env = {**os.environ, "PYTHONPATH": str(pack)}
    check = [sys.executable, "-m", "charter", "check", "-f", "concise", "shop.py"]
    result = subprocess.run(check, env=env, text=True, capture_output=True, check=False)
    assert "shop.py:3:1: ACME001 print-in-library" in result.stdout
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(pack)]
    result = subprocess.run(test, env=env, text=True, capture_output=True, check=False)
    assert "1 passed" in result.stdout


@pytest.mark.usefixtures("project")
def test_statistics_name_phases_and_rules_and_what_was_too_much_work(charter: Charter) -> None:
    busy = "from flask import request\ndef busy():\n    x = request.args['x']\n" + "    print(x)\n" * 4100
    Path("busy.py").write_text(busy)
    out = charter("check", "--statistics").out
    assert "  busy.py:2 busy\n" in out
    assert "lines/s" in out
    assert "parse" in out
    assert "unchained-raise" in out


def test_every_command_has_help(charter: Charter) -> None:
    listed = charter("--help").out
    for name in COMMANDS:
        assert name in listed


def test_the_version_loads_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['charter', '--version']\n"
        "from charter.cli.main import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "print(sorted({'libcst', 'bandit', 'rich', 'pathspec'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_reading_only_the_beginning_of_the_output_is_no_error(project: Path) -> None:
    for number in range(60):
        (project / "pkg" / f"m{number}.py").write_text(BAD * 8)
    for command in ("check -f concise", "rules"):
        line = f"set -o pipefail; {sys.executable} -m charter {command} | head -0"
        result = subprocess.run(["bash", "-c", line], text=True, capture_output=True, check=True)
        assert result.stderr == ""


def test_a_fault_of_charter_is_no_finding(charter: Charter, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise AssertionError("a slip")

    monkeypatch.setattr("charter.cli.schema.command.callback", fails)
    result = charter("schema")
    assert result.code == 2
    assert "AssertionError: a slip" in result.err
    assert "Please report it" in result.err


def test_what_a_score_leaves_out_is_told(project: Path, charter: Charter) -> None:
    (project / "latin.py").write_bytes(b"x = '\xe9'\n")
    (project / "broken.ipynb").write_text("{}")
    assert "save it with a current Jupyter, or exclude it" in charter("check").out
    for command in (("score",), ("baseline",), ("explain", "--score", ".")):
        assert "latin.py:1:1  line 1 is not valid utf-8" in charter(*command).err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is always full")
def test_output_for_which_there_is_no_room_is_an_error_with_a_remedy(project: Path) -> None:
    (project / "pkg" / "m.py").write_text(BAD)
    command = f"{sys.executable} -m charter check -f concise > /dev/full"
    result = subprocess.run(["bash", "-c", command], text=True, capture_output=True, check=False)
    assert result.returncode == 2
    assert "Make room" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the workers under /proc")
def test_an_interrupt_ends_the_run_and_its_workers_without_a_trace(project: Path) -> None:
    for number in range(40):
        (project / "pkg" / f"m{number}.py").write_text(BAD * 400)
    command = [sys.executable, "-m", "charter", "check", "-j", "2", "--unsafe-fixes"]
    # A test run in the background of a shell inherits an ignored SIGINT, and Python would go on ignoring it.
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    while not children.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)  # until the workers are at work
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert (out, "Traceback" in err) == ("", False)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert {path.read_text() for path in (project / "pkg").glob("m*.py")} == {BAD * 400}


def test_models_and_conventions_are_printed(project: Path, charter: Charter) -> None:
    assert "No models" in charter("models").err
    (project / "pkg" / "__init__.py").write_text("")
    (project / "pkg" / "models.py").write_text(
        "from django.db import models\n\n\nclass Shop(models.Model):\n    pass\n\n\n"
        "class Order(models.Model):\n    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)\n"
    )
    assert "shop -> Shop" in charter("models").out
    assert charter("models", "--format", "mermaid").out.startswith("erDiagram")
    assert json.loads(charter("conventions", "--json").out) == []


def test_a_team_pins_a_convention_and_drops_another(project: Path, charter: Charter) -> None:
    (project / "charter.toml").write_text(
        '[conventions]\noptional-types = "X | None"\nconstant-names = false\n'
    )
    (project / "pkg" / "m.py").write_text(
        "from typing import Optional\n\n\ndef rate(country: Optional[str]) -> float:\n    return 1.0\n"
        + "".join(f"RATE_{number} = {number}\n" for number in range(40))
    )
    learned = json.loads(charter("conventions", "--json").out)
    assert [(row["topic"], row["way"], row["count"], row["pinned"]) for row in learned] == [
        ("optional-types", "X | None", 0, True)
    ]
    out = charter("check", "--select", "convention-break", "pkg").out
    assert "is written X | None (set in the settings; 0 of 1 annotations)" in out
    (project / "charter.toml").write_text("[conventions]\noptional-type = false\n")
    assert "did you mean `optional-types`?" in charter("check").err
