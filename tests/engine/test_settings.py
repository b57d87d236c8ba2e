"""Settings: found where people put them, refused with the file, the line and a guess when they are wrong."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import jsonschema
import pytest

from charter.api import Severity
from charter.engine.settings import SettingsError, load, schema

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_charter_toml_wins_over_pyproject(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool.charter]\nfail-under = 50\n")
    write(tmp_path, "charter.toml", "fail-under = 60\n")
    assert load(tmp_path / "pkg" / "a.py").fail_under == 60


def test_nearest_settings_are_found_from_a_file_below(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool.charter]\nfail-under = 50\n")
    below = write(tmp_path, "src/pkg/module.py", "")
    settings = load(below)
    assert settings.fail_under == 50
    assert settings.root == tmp_path.resolve()


def test_search_ends_at_the_repository(tmp_path: Path) -> None:
    write(tmp_path, "charter.toml", "fail-under = 10\n")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    assert load(tmp_path / "repo").fail_under == 80


def test_pyproject_without_charter_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "charter.toml", "fail-under = 10\n")
    write(tmp_path, "sub/pyproject.toml", "[project]\nname = 'x'\n")
    assert load(tmp_path / "sub").fail_under == 10


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("fail-under = 80\nselct = ['x']\n", 2, "unknown key `selct`", "did you mean `select`?"),
        ("[per-file.'tests/**']\n\nignor = []\n", 3, "unknown key `ignor`", "did you mean `ignore`?"),
        ("[principles.x]\nwieght = 1\n", 2, "unknown key `wieght`", "did you mean `weight`?"),
        ("[[layers]]\nlayer = []\nlayers = []\n", 2, "unknown key `layer`", "did you mean `layers`?"),
        (
            "[severity]\n'a-rule' = 'hgh'\n",
            2,
            "`severity.a-rule`: invalid enum value 'hgh'",
            "say info, low, medium, high",
        ),
        ("a = 1\nb = = 2\n", 2, "is not valid TOML", ""),
        ("fail-under = 120\n", 1, "`fail-under`", "scores go from 0 to 100"),
        ("python = '3'\n", 1, "`python`", 'write it like "3.11"'),
        ("python = 3.11\n", 1, "`python`: expected `str`, got `float`", ""),
        ("\n[conventions]\npaths = 3\n", 3, "`conventions.paths`", ""),
        ("x = 1\n\n[per-path.'a.py']\nselect = []\n", 1, "unknown key `x`", ""),
        ("\n[per-path.'a.py']\nselect = []\n", 2, "unknown key `per-path`", ""),
        ("exclude = [\n  'a',\n  '[z-a]',\n]\n", 3, "`[z-a]` is no pattern", ".gitignore"),
        ("[per-file]\n'!' = {}\n", 2, "`!` is no pattern", ".gitignore"),
        ("select = [\n", 2, "is not valid TOML", ""),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, message: str, hint: str
) -> None:
    write(tmp_path, "charter.toml", text)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    assert caught.value.line == line
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert str(caught.value).startswith(f"{tmp_path.resolve() / 'charter.toml'}:{line}: ")


def test_lines_are_right_inside_pyproject(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool.other]\nselct = 1\n\n[tool.charter]\nselct = []\n")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    assert caught.value.line == 5


def test_a_table_of_settings_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool]\ncharter = 3\n")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    assert (caught.value.line, caught.value.hint) == (2, "write `[tool.charter]`")


def test_unknown_rule_names_its_own_line_in_a_long_list(tmp_path: Path) -> None:
    write(tmp_path, "charter.toml", "ignore = [\n  'one',\n  'unsafe-yaml-lod',\n]\n")
    error = load(tmp_path).unknown("unsafe-yaml-lod", "ignore", known=["unsafe-yaml-load"])
    assert (error.line, error.hint) == (3, "did you mean `unsafe-yaml-load`?")


def test_a_file_that_is_not_text_is_an_error_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "charter.toml").write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(SettingsError, match="UTF-8"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "oldest"),
    [
        ("[project]\nrequires-python = '>=3.12'\n", (3, 12)),
        ("[project]\nrequires-python = '!=3.9.1,<4,>=3.9'\n", (3, 9)),
        ("[tool.poetry.dependencies]\npython = '^3.11'\n", (3, 11)),
        ("[project]\nname = 'x'\n", (3, 10)),
        ("[project]\nrequires-python = '>=3.12'\n[tool.charter]\npython = '3.8'\n", (3, 8)),
        ("this is = = broken", (3, 10)),
        ("project = 3\n[tool.poetry]\ndependencies = []\n", (3, 10)),
        ("tool = 3\n", (3, 10)),
    ],
)
def test_oldest_python(tmp_path: Path, text: str, oldest: tuple[int, int]) -> None:
    write(tmp_path, "pyproject.toml", text)
    assert load(tmp_path).oldest_python == oldest


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "scan"\ndescription = "Port scanner"\nkeywords = [\n  "ports",\n]\n',
        ),
        ("setup.cfg", "[metadata]\nname = scan\ndescription = Port scanner\nkeywords = ports\n"),
        ("setup.py", "setup(\n    name='scan',\n    description='Port scanner',\n    keywords='ports',\n)\n"),
    ],
)
def test_purpose(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    purpose = load(tmp_path).purpose
    assert "Port scanner" in purpose
    assert "ports" in purpose


def test_a_project_without_metadata_has_no_purpose(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup()\n")
    assert load(tmp_path).purpose == ""


def test_overrides_and_severities_by_path(tmp_path: Path) -> None:
    text = "[severity]\na-rule = 'low'\n[per-file.'scripts/']\nignore = ['b']\n[per-file.'scripts/'.severity]\na-rule = 'high'\n"
    write(tmp_path, "charter.toml", text)
    settings = load(tmp_path)
    assert settings.severity_of("a-rule", "src/x.py") is Severity.LOW
    assert settings.severity_of("a-rule", "scripts/x.py") is Severity.HIGH
    assert settings.severity_of("other", "scripts/x.py") is None
    assert [o.ignore for o in settings.overrides("scripts/deep/x.py")] == [("b",)]


@pytest.mark.parametrize(
    "path",
    ["tests/x.py", "e2e/pages.py", "pkg/tests/util.py", "pkg/test_x.py", "pkg/x_test.py", "conftest.py"],
)
def test_tests_are_recognised(tmp_path: Path, path: str) -> None:
    assert load(tmp_path).is_test(path)


@pytest.mark.parametrize("path", ["pkg/testing.py", "pkg/test/client.py", "pkg/latest.py", "contest.py"])
def test_code_that_only_sounds_like_tests_is_not(tmp_path: Path, path: str) -> None:
    assert not load(tmp_path).is_test(path)


def test_digest_follows_what_matters_and_nothing_else(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, "charter.toml", "ignore = ['x']\n")
    write(two, "charter.toml", "# a remark\nignore = ['x']\n")
    assert load(one).digest() == load(two).digest()
    write(two, "charter.toml", "ignore = ['y']\n")
    assert load(one).digest() != load(two).digest()


def test_digest_sees_a_changed_model_file(tmp_path: Path) -> None:
    write(tmp_path, "charter.toml", "models = ['ours.toml']\n")
    write(tmp_path, "ours.toml", "a = 1\n")
    before = load(tmp_path).digest()
    write(tmp_path, "ours.toml", "a = 2\n")
    assert load(tmp_path).digest() != before


def test_settings_travel_to_workers(tmp_path: Path) -> None:
    write(tmp_path, "charter.toml", "[rules.some-rule]\nlimit = 3\n")
    settings = load(tmp_path)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_schema_accepts_what_load_accepts_and_refuses_what_it_refuses() -> None:
    made = json.loads(json.dumps(schema()))
    jsonschema.validate({"fail-under": 80, "per-file": {"x": {"ignore": ["a"]}}}, made)
    for wrong in ({"fail_under": 80}, {"severity": {"x": "bad"}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, made)
