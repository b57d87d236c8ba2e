"""`charter review` as it is run: locally, in a pull request's job, on a fork, with what can go wrong there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from charter.cli.main import cli
from charter.engine import registry
from charter.review import action
from charter.review.document import load
from review.github_double import REPO, TOKEN, GitHubDouble
from review.gitlab_double import TOKEN as GITLAB_TOKEN
from review.gitlab_double import GitLabDouble
from review.toy import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from review.git_project import Project

BAD = {"shop.py": "x = '1'\ny = eval(x)\n"}


@pytest.fixture(autouse=True)
def _toy_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda: RULES)


class Result(NamedTuple):
    """What a run came to."""

    exit_code: int
    output: str


class Shell:
    """Runs the command in a project."""

    def __init__(
        self,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
        folder: Path,
    ) -> None:
        self.project = project
        self.patch = monkeypatch
        self.capture = capture
        self.folder = folder
        monkeypatch.chdir(project.root)

    def __call__(self, *arguments: str, **environment: str) -> Result:
        for key, value in environment.items():
            self.patch.setenv(key, value)
        self.capture.readouterr()
        code = cli.main(["review", *arguments, "--no-cache"], standalone_mode=False)
        printed = self.capture.readouterr()
        return Result(code, printed.out + printed.err)

    def event(self, **content: Any) -> str:
        path = self.folder / "event.json"
        path.write_text(json.dumps({"repository": {"full_name": REPO}, **content}))
        return str(path)

    def actions(self, double: GitHubDouble, **more: str) -> Mapping[str, str]:
        """The environment of a job on a pull request."""
        pull = {"number": 7, "base": {"sha": double.base}, "head": {"sha": double.head}}
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": self.event(pull_request=pull),
            "GITHUB_REPOSITORY": REPO,
            "GITHUB_API_URL": double.address,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            **more,
        }


@pytest.fixture
def shell(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Shell:
    return Shell(project, monkeypatch, capsys, tmp_path)


def _no_sleep(_seconds: float) -> None:
    pass


def _branch(project: Project, change: Mapping[str, str | bytes | None] = BAD) -> tuple[str, str]:
    base = project.commit({"shop.py": "x = '1'\n"})
    project.git("checkout", "-q", "-b", "topic")
    return base, project.commit(change)


def test_a_local_review_prints_what_would_be_posted(shell: Shell) -> None:
    _branch(shell.project)
    result = shell("--base", "main")
    assert result.exit_code == 1
    assert "`shop.py:2`" in result.output
    assert "```suggestion\ny = int(x)\n```" in result.output


def test_a_clean_change_prints_nothing_and_passes(shell: Shell) -> None:
    _branch(shell.project, {"other.py": "z = 1\n"})
    result = shell("--base", "main")
    assert (result.exit_code, result.output) == (0, "")


def test_what_is_staged_is_reviewed_and_nothing_else(shell: Shell) -> None:
    _branch(shell.project, {"other.py": "z = 1\n"})
    shell.project.write({"other.py": "z = eval('1')\n"})
    shell.project.git("add", "other.py")
    shell.project.write({"other.py": "z = eval('1')\neval('2')\n"})
    result = shell("--staged", "--output-format", "concise")
    assert result.exit_code == 1
    assert result.output == "other.py:1:5: TOY001 call-of-eval: `eval('1')` runs text as code\n"


@pytest.mark.parametrize(
    "other", ["--base=main", "--head=main", "--pushed", "--forge=github", "--from=a.json"]
)
def test_two_answers_to_what_is_reviewed_are_one_too_many(shell: Shell, other: str) -> None:
    _branch(shell.project, {"other.py": "z = 1\n"})
    result = shell("--staged", other)
    assert result.exit_code == 2
    assert f"`--staged` says what to review, and so does `{other.partition('=')[0]}`" in result.output


def test_the_first_commit_can_be_reviewed_too(shell: Shell) -> None:
    shell.project.write(BAD)
    shell.project.git("add", "-A")
    assert "shop.py:2" in shell("--staged", "--output-format", "concise").output
    shell.project.write({"charter.toml": 'ignore = ["call-of-eval"]\n'})
    shell.project.git("add", "-A")
    assert shell("--staged", "--output-format", "concise").output == ""


def test_the_job_of_a_pull_request_posts_and_fails(shell: Shell, tmp_path: Path) -> None:
    with GitHubDouble(shell.project.root, *_branch(shell.project)) as double:
        result = shell(**shell.actions(double))
        assert [comment.line for comment in double.ours()] == [2]
    assert result.exit_code == 1
    assert "1 new findings (1 post, 1 summary)" in result.output
    assert "Charter: 1 new finding" in (tmp_path / "summary.md").read_text()


def test_enterprise_serves_rest_and_graphql_under_one_address(shell: Shell) -> None:
    with GitHubDouble(shell.project.root, *_branch(shell.project)) as double:
        shell(**shell.actions(double, GITHUB_API_URL=f"{double.address}/api/v3"))
        assert len(double.ours()) == 1
        assert {path.split("/")[1] for _, path, _ in double.log} == {"api"}
        assert any(path == "/api/graphql" for _, path, _ in double.log)


def test_a_read_only_token_leaves_annotations_and_a_summary(shell: Shell, tmp_path: Path) -> None:
    many = {"a,b::error file=z.py::owned\nx.py": "".join(f"eval('{n}')\n" for n in range(13))}
    with GitHubDouble(shell.project.root, *_branch(shell.project, many)) as double:
        double.permissions = set()
        result = shell(**shell.actions(double))
    lines = [line for line in result.output.splitlines() if line.startswith("::")]
    assert result.exit_code == 1
    assert len(lines) == 11
    assert lines[0].startswith("::error file=a%2Cb%3A%3Aerror file=z.py%3A%3Aowned%0Ax.py,line=1,")
    assert lines[-1] == "::notice title=Charter::3 more findings are in the summary of this job"
    assert "the token may not write** (13)" in (tmp_path / "summary.md").read_text()


def test_a_forge_that_cannot_be_reached_hides_no_finding(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", _no_sleep)
    with GitHubDouble(shell.project.root, *_branch(shell.project)) as double:
        environment = shell.actions(double, GITHUB_API_URL="http://127.0.0.1:9")
    result = shell(**environment)
    assert result.exit_code == 1
    assert "::error file=shop.py,line=2" in result.output


def test_a_fork_is_reviewed_in_two_halves(shell: Shell, tmp_path: Path) -> None:
    base, head = _branch(shell.project)
    artifact = tmp_path / "review.json"
    first = shell("--base", base, "--head", head, "--forge", "none", "--dry-run", str(artifact))
    assert first.exit_code == 1
    assert load(artifact.read_bytes()).actions[0].do == "post"
    run = {"head_sha": head, "head_branch": "topic", "head_repository": {"owner": {"login": "mallory"}}}
    with GitHubDouble(shell.project.root, base, head) as double:
        environment = {**shell.actions(double), "GITHUB_EVENT_PATH": shell.event(workflow_run=run)}
        shell.patch.chdir(tmp_path)
        second = shell("--from", str(artifact), "--fail-on", "never", **environment)
        (comment,) = double.ours()
    assert second.exit_code == 0
    assert "runs text as code" in comment.body
    # A file from a fork could make a reader commit anything with one click: the fix is there to read.
    assert "suggestion" not in comment.body
    assert "```diff\n--- a/shop.py\n+++ b/shop.py\n" in comment.body
    assert "-y = eval(x)\n+y = int(x)\n```" in comment.body


def test_a_job_summary_too_large_for_github_is_cut_between_findings_and_says_so(
    shell: Shell, tmp_path: Path
) -> None:
    taken = 1024 * 1024 - 6000
    (tmp_path / "summary.md").write_text("x" * taken)
    many = {"shop.py": "".join(f"y = eval('{n}')\n" for n in range(40))}
    with GitHubDouble(shell.project.root, *_branch(shell.project, many)) as double:
        double.permissions = set()
        shell(**shell.actions(double), CHARTER_TOKEN="")
    page = (tmp_path / "summary.md").read_bytes()
    assert len(page) < 1024 * 1024
    assert page.decode().endswith("The rest does not fit on this page.\n")


def test_the_job_of_a_merge_request_posts_with_a_token_and_tells_its_log_without(shell: Shell) -> None:
    base, head = _branch(shell.project)
    with GitLabDouble(shell.project.root, base, head) as double:
        environment = {
            "GITLAB_CI": "true",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": "octo/shop",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "CI_COMMIT_SHA": head,
            "CI_API_V4_URL": f"{double.address}/api/v4",
        }
        without = shell(**environment)
        assert double.writes() == []
        posted = shell(**environment, CHARTER_TOKEN=GITLAB_TOKEN)
        assert len(double.threads()) == 1
    assert without.exit_code == posted.exit_code == 1
    assert "shop.py:2:5: TOY001 call-of-eval" in without.output
    assert "there is no token" in without.output
    assert "1 new findings (1 post, 1 summary)" in posted.output


def test_an_artifact_of_another_commit_posts_nothing(shell: Shell, tmp_path: Path) -> None:
    base, head = _branch(shell.project)
    artifact = tmp_path / "review.json"
    shell("--base", base, "--head", head, "--forge", "none", "--dry-run", str(artifact))
    run = {"head_sha": base, "head_branch": "topic", "head_repository": {"owner": {"login": "mallory"}}}
    with GitHubDouble(shell.project.root, base, head) as double:
        environment = {**shell.actions(double), "GITHUB_EVENT_PATH": shell.event(workflow_run=run)}
        result = shell("--from", str(artifact), **environment)
        assert double.posts() == []
    assert "the event is of" in result.output


def test_a_hostile_artifact_is_refused(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "review.json").write_text('{"charter_review": 1, "tool": "x", "post_to": "evil"}')
    result = shell("--from", str(tmp_path / "review.json"), "--forge", "none")
    assert result.exit_code == 2
    assert "not a review of version 1" in result.output


@pytest.mark.parametrize("fault", ["", "before", "limit"])
def test_the_token_appears_in_no_output(shell: Shell, tmp_path: Path, fault: str) -> None:
    with GitHubDouble(shell.project.root, *_branch(shell.project)) as double:
        shell.patch.setattr("time.sleep", _no_sleep)
        double.faults += [("POST", fault)] * 9 if fault else []
        result = shell(**shell.actions(double))
        sent = json.dumps([body for _, _, body in double.log])
    written = "".join(path.read_text() for path in tmp_path.glob("*.md"))
    assert TOKEN not in result.output + written + sent


@pytest.mark.parametrize(
    "address", ["http://api.evil.test", "ftp://127.0.0.1", "https://user:pw@api.test", "nonsense"]
)
def test_a_token_goes_only_over_tls_or_loopback(shell: Shell, address: str) -> None:
    with GitHubDouble(shell.project.root, *_branch(shell.project)) as double:
        environment = shell.actions(double, GITHUB_API_URL=address)
    result = shell(**environment)
    assert TOKEN not in result.output
    assert "refusing to send a token" in result.output or "must be of the form" in result.output


def test_the_change_configures_nothing(shell: Shell) -> None:
    quiet = {
        **BAD,
        "charter.toml": 'exclude = ["*.py"]\nignore = ["call-of-eval"]\nmodels = ["/etc/passwd"]\n',
    }
    _branch(shell.project, quiet)
    result = shell("--base", "main", "--output-format", "concise")
    assert result.output == "shop.py:2:5: TOY001 call-of-eval: `eval(x)` runs text as code\n"


MONOREPO = {
    "lib.py": "x = '1'\n",
    "services/shop/charter.toml": 'severity = {call-of-eval = "low"}\nexclude = ["made/"]\n',
    "services/shop/shop.py": "x = '1'\n",
    "services/[b]/pyproject.toml": "[tool.charter]\nignore = ['call-of-eval']\n",
    "services/plain/pyproject.toml": "[project]\nname = 'plain'\n",
}


@pytest.mark.parametrize("folder", [".", "services/shop", "services"])
def test_a_project_in_a_folder_has_its_own_settings_wherever_the_review_starts(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    shell.project.commit(MONOREPO)
    shell.project.git("checkout", "-q", "-b", "topic")
    bad = BAD["shop.py"]
    shell.project.commit({"services/shop/shop.py": bad, "services/shop/made/it.py": bad})
    monkeypatch.chdir(shell.project.root / folder)
    result = shell("--base", "main", "--dry-run", str(shell.folder / "review.json"))
    assert result.exit_code == 1
    review = load((shell.folder / "review.json").read_bytes())
    assert [(item.path, item.severity) for item in review.items] == [("services/shop/shop.py", "low")]
    anchor, repair = review.items[0].anchor, review.items[0].patch
    assert anchor
    assert (anchor.path, anchor.old_path) == ("services/shop/shop.py", "services/shop/shop.py")
    assert repair
    assert repair.diff.startswith("--- a/services/shop/shop.py\n+++ b/services/shop/shop.py\n")


def test_a_change_of_several_projects_gets_one_review(shell: Shell) -> None:
    shell.project.commit(MONOREPO)
    shell.project.git("checkout", "-q", "-b", "topic")
    bad = BAD["shop.py"]
    places = ("lib.py", "services/shop/shop.py", "services/[b]/quiet.py", "services/plain/lib.py")
    shell.project.commit(dict.fromkeys(places, bad))
    result = shell("--base", "main", "--output-format", "json")
    review = load(result.output.encode())
    told = [(item.path, item.severity) for item in review.items]
    assert told == [
        ("lib.py", "high"),
        ("services/plain/lib.py", "high"),
        ("services/shop/shop.py", "low"),
    ]
    assert len({item.fingerprint for item in review.items}) == 3


def test_settings_that_cannot_be_followed_are_named_as_in_the_repository(shell: Shell) -> None:
    shell.project.commit({**MONOREPO, "services/shop/charter.toml": "\nnonsense = 1\n"})
    shell.project.git("checkout", "-q", "-b", "topic")
    shell.project.commit({"services/shop/shop.py": BAD["shop.py"]})
    result = shell("--base", "main")
    assert result.exit_code == 2
    assert "charter: error: services/shop/charter.toml:2: " in result.output


def test_a_rule_that_there_is_not_is_named_as_in_the_repository(shell: Shell) -> None:
    shell.project.commit({"charter.toml": "[severity]\nnonsense = 'low'\n", "shop.py": "x = 1\n"})
    _branch(shell.project)
    result = shell("--base", "main")
    assert result.exit_code == 2
    assert "charter: error: charter.toml:2: no rule is called `nonsense`" in result.output


def test_nothing_of_the_change_is_run(shell: Shell, tmp_path: Path) -> None:
    trap = f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n"
    names = [
        "conftest.py",
        "setup.py",
        "charter_rules/__init__.py",
        "sitecustomize.py",
        "yaml.py",
        "charter.py",
    ]
    _branch(shell.project, {**BAD, **dict.fromkeys(names, trap)})
    shell("--base", "main")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("link", [".charter_cache", ".charter_cache/.gitignore"])
def test_nothing_is_written_where_a_link_of_the_change_leads(shell: Shell, tmp_path: Path, link: str) -> None:
    _branch(shell.project)
    outside = tmp_path / "outside"
    if "/" not in link:
        outside.mkdir()
    place = shell.project.root / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(outside)
    shell.project.git("add", "-f", link)
    shell.project.commit({"more.py": "z = 1\n"})
    assert cli.main(["review", "--base", "main"], standalone_mode=False) == 1
    assert not outside.is_file()
    assert not outside.is_dir() or list(outside.iterdir()) == []


def test_secrets_are_masked(shell: Shell) -> None:
    token = "ghp_" + "a1B2" * 9
    _branch(shell.project, {"shop.py": f"y = eval('{token}')\n"})
    result = shell("--base", "main")
    assert token not in result.output
    assert "eval('****')" in result.output


def test_what_bandit_refuses_and_an_event_of_another_kind_are_told_in_a_line(shell: Shell) -> None:
    shell.project.commit({"lib.py": "x = 1\n", ".bandit": "[bandit]\nconfigfile = gone.yaml\n"})
    _branch(shell.project)
    result = shell("--base", "main")
    assert (result.exit_code, "Traceback" in result.output) == (2, False)
    assert "charter: error: bandit cannot use gone.yaml" in result.output
    result = shell("--event", shell.event(pull_request={}))
    assert (result.exit_code, "`base` is missing" in result.output) == (2, True)


def test_an_unknown_base_is_a_clear_error(shell: Shell) -> None:
    _branch(shell.project)
    result = shell("--base", "nowhere")
    assert result.exit_code == 2
    assert "charter: error: revision 'nowhere' is not in this clone" in result.output


def test_an_effect_on_an_untouched_line_is_told_with_its_cause(shell: Shell) -> None:
    text = "".join(f"line{n} = {n}\n" for n in range(30))
    base = {"shop.py": f"def eval(x):\n    return x\n\n\n{text}y = eval('1')\n"}
    shell.project.commit(base)
    shell.project.git("checkout", "-q", "-b", "topic")
    shell.project.commit({"shop.py": f"{text}y = eval('1')\n"})
    result = shell("--base", "main")
    assert "Caused by this change, elsewhere" in result.output
    assert "`shop.py:31`" in result.output


def test_the_score_gate_passes_what_lowers_no_score(shell: Shell) -> None:
    _branch(shell.project)
    assert shell("--base", "main", "--fail-on", "score").exit_code == 0
    assert shell("--base", "main", "--fail-on", "never").exit_code == 0


def test_what_is_below_the_severity_asked_for_is_only_counted(shell: Shell) -> None:
    _branch(shell.project, {"shop.py": "y = eval('1')\n\n\ndef f():\n    global y\n"})
    result = shell("--base", "main", "--min-severity", "medium")
    assert "1 new below the severity asked for" in result.output
    assert "is changed for all" not in result.output


def test_one_rule_says_one_thing_on_one_line(shell: Shell) -> None:
    _branch(shell.project, {"shop.py": "y = eval('1') + eval('2') + eval('3')\n"})
    result = shell("--base", "main", "--output-format", "concise")
    assert result.output.count("shop.py:1:") == 1
    assert "(and 2 more on this line)" in result.output


def test_two_rules_that_say_one_thing_of_one_place_say_it_once(shell: Shell) -> None:
    _branch(shell.project, {"shop.py": "def f(form):\n    return eval(form)\n"})
    review = load(shell("--base", "main", "--output-format", "json").output.encode())
    assert [(item.rule, item.also) for item in review.items] == [("call-of-eval", ("eval-of-form",))]
    assert len(review.repeats) == 1
    printed = shell("--base", "main").output
    assert "1 new finding" in printed
    assert ", `eval-of-form`\n\n`eval(form)` runs text as code." in printed
    assert "# charter: ignore[call-of-eval, eval-of-form] -- reason" in printed


def test_hooks_before_a_push_review_what_is_pushed(shell: Shell) -> None:
    base, head = _branch(shell.project)
    result = shell("--pushed", "--output-format", "concise", PRE_COMMIT_FROM_REF=base, PRE_COMMIT_TO_REF=head)
    assert result.exit_code == 1
    assert result.output.startswith("shop.py:2:")


def test_a_first_push_is_not_held_up(shell: Shell) -> None:
    _branch(shell.project)
    result = shell("--pushed", PRE_COMMIT="1")
    assert result.exit_code == 0
    assert "nothing to compare with" in result.output
    shell.patch.delenv("PRE_COMMIT")
    result = shell("--pushed")
    assert result.exit_code == 2
    assert "--pushed needs PRE_COMMIT_FROM_REF" in result.output


@pytest.mark.parametrize(
    ("name", "value"), [("FAIL_ON", "news"), ("RESOLVE", "sometimes"), ("MAX_COMMENTS", "many")]
)
def test_a_misspelt_input_of_the_action_does_not_open_the_gate(
    shell: Shell, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    _branch(shell.project)
    output = shell.folder / "output"
    environment = {"CHARTER_BASE": "main", f"CHARTER_{name}": value, "GITHUB_OUTPUT": str(output)}
    assert action.run({**environment, "RUNNER_TEMP": str(shell.folder)}) == 2
    assert f"is {value!r}, which is no" in capsys.readouterr().err
    assert "status=2" in output.read_text()


def test_a_file_that_cannot_be_used_is_named(shell: Shell) -> None:
    _branch(shell.project)
    missing, wrong = shell.folder / "missing.json", shell.folder / "wrong.json"
    wrong.write_text("{}")
    assert f"charter: error: {missing}: No such file" in shell("--from", str(missing)).output
    assert f"charter: error: {wrong}: not a review of version 1" in shell("--from", str(wrong)).output
