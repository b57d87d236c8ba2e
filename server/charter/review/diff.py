"""What a change did, file by file and hunk by hunk: pure parsing of git's output. It knows no forge.

A line ends at a line feed and nowhere else, as in git and on the forges (`str.splitlines` would also split at
form feeds and U+2028).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from charter.api import regex
from charter.review.homes import WHOLE, Home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from charter.review.git import RawChange, Repository

_HUNK: Final = regex(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Hunk(Struct, frozen=True):
    """A run of lines that a diff shows; all line numbers 1-based, ends included.

    Attributes:
        start: first line of the new file; the line before, where the hunk shows none of the new file.
        end: last line of the new file; `start - 1` or less where it shows none.
        added: lines of the new file that are new.
        context: lines of the new file that are old, each with its number in the old file.
        removed: lines of the old file that went.
    """

    start: int
    end: int
    added: frozenset[int]
    context: Mapping[int, int]
    removed: frozenset[int]

    def shows(self, start: int, end: int) -> bool:
        """Whether all these lines of the new file are in the hunk."""
        return self.start <= start <= end <= self.end


class FileChange(Struct, frozen=True):
    """What happened to one file.

    Attributes:
        path: where it is now (was, if deleted), relative to the repository's root.
        old_path: where it was; equal to `path` unless renamed.
        status: git's letter: `A`, `D`, `M` or `R`.
        hunks: in order.
    """

    path: str
    old_path: str
    status: str
    hunks: tuple[Hunk, ...] = ()

    def hunk_at(self, line: int) -> Hunk | None:
        """The hunk that shows a line of the new file."""
        index = bisect_right([hunk.start for hunk in self.hunks], line) - 1
        if index >= 0 and self.hunks[index].shows(line, line):
            return self.hunks[index]
        return None

    def added_in(self, start: int, end: int) -> int | None:
        """The first line from `start` to `end` of the new file that the change added, if any."""
        lines = [line for hunk in self.hunks for line in hunk.added if start <= line <= end]
        return min(lines, default=None)


class Diff(Struct, frozen=True):
    """All that a change did to one project of a repository.

    Attributes:
        base: the hash of the commit or tree before.
        head: the hash of the commit or tree after.
        files: the changes by new path, relative to the project; deleted files by their old one.
        home: the project.
    """

    base: str
    head: str
    files: Mapping[str, FileChange] = field(default_factory=dict[str, FileChange])
    home: Home = WHOLE


def read_diff(repository: Repository, base: str, head: str, home: Home = WHOLE) -> Diff:
    """The difference of two commits or trees.

    Args:
        repository: where they are.
        base: the hash before (a merge base, for a pull request), of the project's own tree.
        head: the hash after.
        home: the project.
    """
    raw = repository.raw_diff(base, head)
    patches = parse_patch(repository.patch(base, head))
    files: dict[str, FileChange] = {}
    for change, hunks in zip(raw, _align(raw, patches), strict=True):
        path, old_path = home.full(change.path), home.full(change.old_path)
        if change.regular and home.holds(path):
            status = "M" if change.status == "T" else change.status
            files[change.path] = FileChange(path, old_path, status, hunks)
    return Diff(base, head, files, home)


def _align(raw: Sequence[RawChange], patches: Sequence[tuple[Hunk, ...]]) -> list[tuple[Hunk, ...]]:
    # A change of type (file to link) is one raw entry and two patches: one that deletes, one that creates.
    wanted = [2 if change.status == "T" else 1 for change in raw]
    if sum(wanted) != len(patches):
        raise ValueError(f"git listed {sum(wanted)} changes but {len(patches)} patches")
    aligned: list[tuple[Hunk, ...]] = []
    position = 0
    for count in wanted:
        aligned.append(patches[position + count - 1])
        position += count
    return aligned


def parse_patch(patch: bytes) -> list[tuple[Hunk, ...]]:
    """The hunks of every file of a unified diff, in the diff's order.

    File names are not read from it: quoted and ambiguous as they are, they come from the raw diff.
    """
    files: list[list[Hunk]] = []
    lines = patch.split(b"\n")
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.startswith(b"diff --git "):
            files.append([])
        elif files and (header := _HUNK.match(line)):
            old, old_count, new, new_count = (1 if part is None else int(part) for part in header.groups())
            hunk, position = _hunk(lines, position, (old, old_count, new, new_count))
            files[-1].append(hunk)
    return [tuple(hunks) for hunks in files]


def _hunk(lines: Sequence[bytes], position: int, header: tuple[int, int, int, int]) -> tuple[Hunk, int]:
    old, old_left, new, new_left = header
    start, end = new, new + new_left - 1
    added: set[int] = set()
    removed: set[int] = set()
    context: dict[int, int] = {}
    while position < len(lines) and (old_left > 0 or new_left > 0):
        mark = lines[position][:1]
        position += 1
        if mark == b"+":
            added.add(new)
            new, new_left = new + 1, new_left - 1
        elif mark == b"-":
            removed.add(old)
            old, old_left = old + 1, old_left - 1
        elif mark != b"\\":
            context[new] = old
            old, old_left, new, new_left = old + 1, old_left - 1, new + 1, new_left - 1
    return Hunk(start, end, frozenset(added), context, frozenset(removed)), position
