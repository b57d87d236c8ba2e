"""Which projects a repository holds: its root, and each folder in which the base has settings of its own.

As in the language server the nearest settings govern a file, from whichever folder the review is started.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from charter.api import regex
from charter.engine.patterns import matcher
from charter.engine.settings import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charter.review.git import Repository

_SHARED: Final = "pyproject.toml"
_TABLE: Final = regex(rb"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*charter[ \t]*[\].]", re.MULTILINE)
_SPECIAL: Final = regex(r"([\\*?\[\]!# ])")


class Home(Struct, frozen=True):
    """One project of a repository.

    Attributes:
        folder: where it is, relative to the repository's root, with forward slashes; "" for the root itself.
        inner: folders of the projects inside it, relative to the repository's root; their files are not its own.
    """

    folder: str = ""
    inner: tuple[str, ...] = ()

    def full(self, path: str) -> str:
        """A path of the project as a path of the repository."""
        return f"{self.folder}/{path}" if self.folder else path

    def holds(self, path: str) -> bool:
        """Whether a path of the repository belongs to the project."""
        return _is_below(path, self.folder) and not any(_is_below(path, folder) for folder in self.inner)

    def excluded(self) -> tuple[str, ...]:
        """The projects inside, as .gitignore patterns relative to this one."""
        start = len(self.full(""))
        return tuple("/" + _SPECIAL.sub(r"\\\1", folder[start:]) + "/" for folder in self.inner)


WHOLE: Final = Home()
"""A repository that is one project."""


def homes(repository: Repository, tree: str, exclude: tuple[str, ...]) -> list[Home]:
    """The projects of a tree, the root first.

    Args:
        repository: where it is.
        tree: its hash, or that of a commit.
        exclude: .gitignore patterns of what is no project, whatever it holds.
    """
    is_excluded = matcher(exclude)
    folders = {""}
    shared: list[tuple[str, str]] = []
    for file in repository.files(tree):
        folder, _, name = file.path.rpartition("/")
        if name not in (FILE_NAME, _SHARED) or not folder or is_excluded(file.path):
            continue
        if name == FILE_NAME:
            folders.add(folder)
        else:
            shared.append((folder, file.blob))
    texts = repository.blobs(blob for _, blob in shared) if shared else ()
    folders.update(folder for (folder, _), text in zip(shared, texts, strict=True) if _TABLE.search(text))
    return [Home(folder, _inside(folder, folders)) for folder in sorted(folders)]


def touched(repository: Repository, found: Sequence[Home], base: str, head: str) -> list[Home]:
    """The projects that a change touches; the first of all if it touches none.

    Args:
        repository: where they are.
        found: the projects of the base.
        base: hash of the commit or tree before.
        head: hash of the commit or tree after.
    """
    if len(found) == 1:
        return list(found)
    changes = repository.raw_diff(base, head)
    paths = {path for change in changes for path in (change.path, change.old_path)}
    return [home for home in found if any(home.holds(path) for path in paths)] or list(found[:1])


def _inside(outer: str, folders: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(folder for folder in folders if folder != outer and _is_below(folder, outer)))


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
