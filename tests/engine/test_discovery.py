"""Discovery: what git ignores, links that loop, and places that are named against the rule."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charter.engine.discovery import PathError, is_excluded, python_files
from charter.engine.opening import open_project
from charter.engine.settings import SettingsError, load


def make(root: Path, *files: str, **texts: str) -> None:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    for name, text in texts.items():
        (root / name).write_text(text)


def names(root: Path, *paths: str) -> list[str]:
    found = python_files([root / p for p in paths] or [root], load(root))
    return [str(path.relative_to(root)) for path in found]


def test_python_files_in_order_and_once(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "a.pyi", "n.ipynb", "c.txt", "sub/d.py", "pyproject.toml")
    assert names(tmp_path) == ["a.pyi", "b.py", "n.ipynb", "sub/d.py"]
    assert names(tmp_path, ".", "sub", "b.py") == ["a.pyi", "b.py", "n.ipynb", "sub/d.py"]


def test_environments_and_caches_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.py", ".venv/x.py", "node_modules/y.py", "env/pyvenv.cfg", "env/lib/z.py", "build/w.py")
    make(tmp_path, "src/build/kept.py", "src/api_pb2.py", "pyproject.toml")
    assert names(tmp_path) == ["a.py", "src/build/kept.py"]


def test_gitignore_at_every_level_and_its_exceptions(tmp_path: Path) -> None:
    make(tmp_path, ".git/HEAD", "a.py", "gen/x.py", "gen/keep.py", "sub/y.py", "sub/z.py", "deep/er/y.py")
    (tmp_path / ".gitignore").write_text("gen/*\n!gen/keep.py\n/y.py\n")
    (tmp_path / "sub" / ".gitignore").write_text("y.py\n")
    assert names(tmp_path) == ["a.py", "deep/er/y.py", "gen/keep.py", "sub/z.py"]
    assert names(tmp_path, "sub") == ["sub/z.py"]


@given(
    st.lists(
        st.sampled_from(
            [
                "a.py",
                "/a.py",
                "b/",
                "b",
                "/b",
                "b/c",
                "*.py",
                "?.py",
                "!a.py",
                "c/*",
                "**/c",
                "# b",
                "!",
                "a.py\\",
                "[z-b].py",
                "[[a].py",
                "",
            ]
        ),
        max_size=4,
    )
)
@settings(max_examples=40)
def test_what_is_left_out_is_what_git_leaves_out(lines: list[str]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        make(root, "a.py", "d.py", "b/a.py", "b/c/d.py", "c/a.py", "c/b/a.py", "d/b.py")
        (root / ".gitignore").write_text("\n".join(lines))
        subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
        git = ["git", "-c", "core.excludesFile=", "ls-files", "--others", "--exclude-standard", "*.py"]
        listed = subprocess.run(git, cwd=root, check=True, capture_output=True, text=True)
        assert sorted(names(root)) == sorted(listed.stdout.split())


def test_lines_of_a_gitignore_that_are_no_patterns_match_nothing(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    make(tmp_path, "a.py", "b.py", "c.py")
    (tmp_path / ".gitignore").write_text("!\nc.py\\\n[[x]\n[z-a]\nb.py\n")
    assert names(tmp_path) == ["a.py", "c.py"]
    assert not recwarn.list


def test_gitignore_above_the_project_counts_up_to_the_repository(tmp_path: Path) -> None:
    make(tmp_path, ".git/HEAD", "project/pyproject.toml", "project/a.py", "project/b.py")
    (tmp_path / ".gitignore").write_text("b.py\n")
    assert names(tmp_path / "project") == ["a.py"]


def test_gitignore_can_be_switched_off(tmp_path: Path) -> None:
    make(tmp_path, ".git/HEAD", "a.py")
    (tmp_path / ".gitignore").write_text("a.py\n")
    (tmp_path / "charter.toml").write_text("respect-gitignore = false\n")
    assert names(tmp_path) == ["a.py"]


def test_exclude_and_include_of_the_settings(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "old/b.py", "bin/tool", "bin/other.sh")
    (tmp_path / "charter.toml").write_text("exclude = ['old']\ninclude = ['*.py', 'tool']\n")
    assert names(tmp_path) == ["a.py", "bin/tool"]


def test_a_named_file_is_taken_unless_exclusion_is_forced(tmp_path: Path) -> None:
    make(tmp_path, "old/b.py", "script")
    (tmp_path / "charter.toml").write_text("exclude = ['old']\n")
    assert names(tmp_path, "old/b.py", "script") == ["old/b.py", "script"]
    (tmp_path / "charter.toml").write_text("exclude = ['old']\nforce-exclude = true\n")
    assert names(tmp_path, "old/b.py", "script") == ["script"]
    assert is_excluded(tmp_path / "old" / "b.py", load(tmp_path))


def test_a_named_folder_is_looked_into_though_it_is_left_out_otherwise(tmp_path: Path) -> None:
    make(
        tmp_path,
        ".venv/lib/site-packages/pkg/a.py",
        ".venv/lib/site-packages/pkg/.tox/b.py",
        "pyproject.toml",
    )
    inside = ".venv/lib/site-packages/pkg"
    assert names(tmp_path, inside) == [f"{inside}/a.py"]


def test_links_that_loop_end_and_links_to_files_count_once(tmp_path: Path) -> None:
    make(tmp_path, "sub/a.py")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "z.py").symlink_to(tmp_path / "sub" / "a.py")
    (tmp_path / "dangling.py").symlink_to(tmp_path / "nowhere.py")
    assert len(names(tmp_path)) == 1


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"missing\.py: no such file"):
        python_files([Path("missing.py")], load(tmp_path))


def test_a_folder_that_is_no_project_brings_its_templates(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text("x")
    (tmp_path / "a.py").write_text("x = 1\n")
    opened = open_project([tmp_path])
    assert opened.targets == ("a.py",)
    assert opened.project.info.files == ("templates/a.html",)


def test_pipes_in_place_of_files_keep_nobody_waiting(tmp_path: Path) -> None:
    make(tmp_path, "pkg/a.py")
    for name in ("pkg/pipe.py", "pyproject.toml", "setup.cfg", ".gitignore", ".bandit"):
        os.mkfifo(tmp_path / name)
    assert open_project([tmp_path]).targets == ("pkg/a.py",)
    with pytest.raises(PathError, match=r"pipe\.py: no regular file; give what it holds on standard input"):
        open_project([tmp_path / "pkg" / "pipe.py"])
    (tmp_path / "charter.toml").write_text("models = ['m.toml']\n")
    os.mkfifo(tmp_path / "m.toml")
    with pytest.raises(SettingsError, match=r"charter\.toml:1: the model file `m\.toml` cannot be read"):
        open_project([tmp_path])
    (tmp_path / "charter.toml").unlink()
    os.mkfifo(tmp_path / "charter.toml")
    with pytest.raises(SettingsError, match=r"charter\.toml: is no regular file; name another"):
        open_project([tmp_path])


@pytest.mark.parametrize("target", ["gone.toml", "charter.toml", "."])
def test_settings_behind_a_link_that_leads_nowhere_are_missed(tmp_path: Path, target: str) -> None:
    (tmp_path / "charter.toml").symlink_to(target)
    with pytest.raises(SettingsError, match=r"charter\.toml: cannot be read"):
        load(tmp_path)


def test_a_folder_that_may_not_be_looked_into_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.py", "secret/b.py")
    scan = os.scandir

    def denied(folder: str) -> object:
        if folder.endswith("secret"):  # the mode alone would not keep the superuser out
            raise PermissionError(errno.EACCES, "Permission denied", folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", denied)
    assert names(tmp_path) == ["a.py", "secret"]
