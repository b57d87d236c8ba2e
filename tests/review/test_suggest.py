"""Every suggestion, taken as a forge takes it, gives exactly the proved file."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from charter.review.diff import FileChange, Hunk
from charter.review.suggest import patch, suggest
from review.toy import OFFLINE, item_of

if TYPE_CHECKING:
    from pathlib import Path

LINES = st.lists(
    st.sampled_from(
        ["", "x = 1", "\ty = 2", "z = '```'", "````", "a\r", "ü = '\u2028'", "    pass", "x = 1\r"]
    ),
    max_size=12,
)


def _whole(text: str) -> FileChange:
    last = text.count("\n") + 1
    return FileChange("f.py", "f.py", "M", (Hunk(1, last, frozenset(range(1, last + 1)), {}, frozenset()),))


def _taken(body: str, start: int, end: int, text: str) -> str:
    """What a forge does: the content of the fence in place of the lines, line by line."""
    found = re.search(r"^(`{3,})suggestion\n(.*?)^\1$", body, re.DOTALL | re.MULTILINE)
    assert found
    lines = found[2].split("\n")[:-1]
    kept = text.split("\n")
    return "\n".join([*kept[: start - 1], *lines, *kept[end:]])


@given(LINES, LINES, LINES, LINES)
@example(["x = 1"], [], ["y"], [""])
@example(["x = 1"], ["y"], [], [""])
@example([], [], ["import os"], ["x = 1", ""])
@example(["a\r"], ["b\r"], ["c\r", "d\r"], ["e\r", ""])
def test_taking_a_suggestion_gives_the_proved_text(
    head: list[str], before: list[str], after: list[str], tail: list[str]
) -> None:
    old, new = "\n".join([*head, *before, *tail]), "\n".join([*head, *after, *tail])
    assume(old != new)
    made = suggest("Mend it", old, new, _whole(old))
    assert made
    anchor, suggestion = made
    item = msgspec.structs.replace(item_of(1), suggestion=suggestion)
    assert _taken(OFFLINE.comment(item), anchor.start, anchor.end, old) == new


def test_lines_outside_of_the_diff_get_no_suggestion() -> None:
    change = FileChange("f.py", "f.py", "M", (Hunk(5, 8, frozenset({6}), {5: 5, 7: 6, 8: 7}, frozenset()),))
    old = "".join(f"l{n}\n" for n in range(1, 20))
    assert suggest("x", old, old.replace("l6\n", "m6\n"), change)
    assert suggest("x", old, old.replace("l9\n", "m9\n"), change) is None
    assert suggest("x", old, old.replace("l8\n", "m8\n").replace("l9\n", "m9\n"), change) is None
    assert suggest("x", old, f"import os\n{old}".replace("l6\n", "m6\n"), change) is None


def test_an_insertion_stands_on_the_neighbour_that_the_diff_shows() -> None:
    change = FileChange("f.py", "f.py", "M", (Hunk(5, 8, frozenset({6}), {5: 5, 7: 6, 8: 7}, frozenset()),))
    old = "".join(f"l{n}\n" for n in range(1, 20))
    below = suggest("x", old, old.replace("l8\n", "l8\nnew\n"), change)
    above = suggest("x", old, old.replace("l5\n", "new\nl5\n"), change)
    assert below
    assert (below[0].start, below[0].end, below[1].lines) == (8, 8, ("l8", "new"))
    assert above
    assert (above[0].start, above[0].end, above[1].lines) == (5, 5, ("new", "l5"))


def test_text_that_gives_orders_to_bots_is_not_suggested() -> None:
    old = 's = """\nx\n"""\n'
    assert suggest("x", old, old.replace("x\n", "/merge\n"), _whole(old)) is None


def test_a_diff_names_its_files_and_says_what_is_doubtful() -> None:
    made = patch("Mend", "a doubt", {"b.py": ("x\n", "y\n"), "a.py": ("1\n", "2\n")})
    assert made
    assert made.diff.split("\n")[:2] == ["--- a/a.py", "+++ b/a.py"]
    assert made.doubt == "a doubt"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\n", "a\nc\n"),
        ("a\nb", "a\nc"),
        ("a\nb", "a\nb\nc\n"),
        ("a\r\nb\x0c\n", "a\r\nc\x0c\n"),
        ("", "a\n"),
    ],
)
def test_git_takes_the_diff(tmp_path: Path, old: str, new: str) -> None:
    made = patch("Mend", "", {"a.py": (old, new)})
    assert made
    (tmp_path / "a.py").write_bytes(old.encode())
    done = subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=f"{made.diff}\n".encode(), check=False)
    assert done.returncode == 0
    assert (tmp_path / "a.py").read_bytes() == new.encode()
