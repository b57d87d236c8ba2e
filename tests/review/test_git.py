"""What git says about a change, whatever names, contents and settings the repository brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charter.review.diff import read_diff
from charter.review.git import GitError, Repository

if TYPE_CHECKING:
    from pathlib import Path

    from review.git_project import Project

NASTY = [
    "plain.py",
    "with space.py",
    "tab\there.py",
    'quo"te.py',
    "back\\slash.py",
    "new\nline.py",
    "a,b::error file=z.py::owned\nline2.py",
    "ünïcode/ключ.py",
    " b/leading.py",
    "diff --git a.py",
]
CONTENTS = [
    "x = 1\r\ny = 2\r\n",
    "x = 1\fy = 2\n",
    "s = 'a\u2028b\x85c'\n",
    "no newline at the end",
    "--- a/x\n+++ b/x\n@@ -1 +1 @@\n",
    "",
]


def test_every_nasty_name_and_content_keeps_its_added_lines(project: Project) -> None:
    base = project.commit({name: f"top = 0\n{CONTENTS[i % 6]}" for i, name in enumerate(NASTY)})
    head = project.commit({name: f"top = 0\nnew = 1\n{CONTENTS[i % 6]}" for i, name in enumerate(NASTY)})
    diff = read_diff(Repository(project.root), base, head)
    assert sorted(diff.files) == sorted(NASTY)
    for change in diff.files.values():
        assert [sorted(hunk.added) for hunk in change.hunks] == [[2]]
        assert change.added_in(1, 9) == 2


def test_lines_of_context_know_their_number_in_the_base(project: Project) -> None:
    base = project.commit({"a.py": "".join(f"l{n}\n" for n in range(1, 30))})
    head = project.commit({"a.py": "".join(f"l{n}\n" for n in range(1, 30) if n not in (10, 11))})
    hunk = read_diff(Repository(project.root), base, head).files["a.py"].hunks[0]
    assert (hunk.start, hunk.end) == (7, 12)
    assert hunk.removed == {10, 11}
    assert hunk.context == {7: 7, 8: 8, 9: 9, 10: 12, 11: 13, 12: 14}


def test_a_rename_keeps_the_old_path(project: Project) -> None:
    text = "".join(f"line{n} = {n}\n" for n in range(20))
    base = project.commit({"old.py": text})
    head = project.commit({"old.py": None, "new name.py": text + "more = 1\n"})
    diff = read_diff(Repository(project.root), base, head)
    assert diff.files["new name.py"].old_path == "old.py"


def test_attributes_of_the_tree_hide_nothing_and_run_nothing(project: Project, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    project.git("config", "diff.evil.textconv", f"touch {ran}; cat")
    project.git("config", "diff.evil.command", f"touch {ran}; true")
    project.git("config", "diff.external", f"touch {ran}; true")
    project.git("config", "filter.evil.smudge", f"touch {ran}; cat")
    project.git("config", "core.fsmonitor", f"touch {ran}; true")
    attributes = "*.py diff=evil filter=evil -diff binary\n"
    base = project.commit({"a.py": "x = 1\n", ".gitattributes": attributes})
    head = project.commit({"a.py": "x = 1\ny = 2\n"})
    ran.unlink(missing_ok=True)
    repository = Repository(project.root)
    diff = read_diff(repository, base, head)
    blob = next(file.blob for file in repository.files(head) if file.path == "a.py")
    assert diff.files["a.py"].added_in(1, 5) == 2
    assert list(repository.blobs([blob])) == [b"x = 1\ny = 2\n"]
    assert not ran.exists()


def test_symbolic_links_and_submodules_are_not_files(project: Project) -> None:
    base = project.commit({"a.py": "x = 1\n"})
    (project.root / "b.py").symlink_to("/etc/passwd")
    (project.root / "a.py").unlink()
    (project.root / "a.py").symlink_to("/etc/passwd")
    project.git("update-index", "--add", "--cacheinfo", f"160000,{base},sub")
    head = project.commit({"c.py": "y = 1\n"})
    repository = Repository(project.root)
    assert [file.path for file in repository.files(head)] == ["c.py"]
    assert set(read_diff(repository, base, head).files) == {"c.py"}


def test_a_shallow_clone_says_what_to_fetch(project: Project, tmp_path: Path) -> None:
    project.commit({"a.py": "x = 1\n"})
    project.git("checkout", "-q", "-b", "topic")
    head = project.commit({"a.py": "x = 2\n"})
    project.git("checkout", "-q", "main")
    base = project.commit({"b.py": "x = 1\n"})
    clone = tmp_path / "clone"
    project.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{project.root}", str(clone))
    with pytest.raises(GitError, match="fetch-depth: 0"):
        Repository(clone).merge_base(base, head)
    with pytest.raises(GitError, match=r"not in this clone.*fetch-depth: 0"):
        Repository(clone).commit("0" * 40)


@pytest.mark.parametrize("ref", ["--upload-pack=x", "-x", "a..b", "a b", "", "x:y", "a\nb"])
def test_a_malformed_revision_never_reaches_git(project: Project, ref: str) -> None:
    project.commit({"a.py": "x = 1\n"})
    with pytest.raises(GitError, match="not a valid git revision"):
        Repository(project.root).commit(ref)


def test_what_is_staged_is_a_tree_of_its_own(project: Project) -> None:
    project.commit({"a.py": "x = 1\n"})
    project.write({"a.py": "x = 2\n"})
    project.git("add", "a.py")
    project.write({"a.py": "x = 3\n"})
    repository = Repository(project.root)
    (file,) = repository.files(repository.index_tree())
    assert list(repository.blobs([file.blob])) == [b"x = 2\n"]


def test_outside_a_repository_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Repository(tmp_path)
