"""A tree of the repository as the engine sees a project: files in memory, settings from a tree that is trusted.

Nothing is checked out. Settings, the baseline and model files come from the base, so that a pull request cannot
quiet its own review.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from charter.engine.patterns import matcher
from charter.engine.settings import DEFAULT_EXCLUDE, FILE_NAME, SettingsError, load
from charter.review.homes import WHOLE, Home

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from charter.engine.settings import Settings
    from charter.review.git import Repository, TreeFile

    Test = Callable[[str], bool]

LARGEST: Final = 5_000_000
"""Bytes of the largest file that is looked at."""
_OTHERS: Final = ("*.html", "*.htm", "*.jinja", "*.jinja2", "*.j2", "*.txt", "*.xml", "*.mako")


@dataclass(frozen=True)
class Snapshot:
    """The files of one tree.

    Attributes:
        tree: the hash of the commit or tree.
        python: paths of its Python files.
        others: paths of other files that analyses may want.
        left_out: paths of Python files that are not looked at: too large, or with a name that is not UTF-8.
        blobs: the object of each file.
        contents: the bytes of each file.
    """

    tree: str
    python: tuple[str, ...]
    others: tuple[str, ...]
    left_out: tuple[str, ...]
    blobs: Mapping[str, str]
    contents: Mapping[str, bytes] = field(repr=False)

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            FileNotFoundError: if the tree has no such file.
        """
        try:
            return self.contents[path]
        except KeyError:
            raise FileNotFoundError(2, "no such file in the tree", path) from None


def take(repository: Repository, tree: str, settings: Settings, known: Snapshot | None = None) -> Snapshot:
    """Read a tree.

    Args:
        repository: where it is.
        tree: its hash, or that of a commit.
        settings: what is Python and what is left out.
        known: another snapshot, whose contents are used again where they are the same.
    """
    excluded, included, other = _filters(settings)
    python: list[TreeFile] = []
    others: list[TreeFile] = []
    left_out: list[str] = []
    for file in repository.files(tree):
        name = PurePosixPath(file.path).name
        if excluded(file.path):
            continue
        if included(name) and (file.size > LARGEST or not _is_utf8(file.path)):
            left_out.append(file.path)
        elif included(name):
            python.append(file)
        elif other(name) and file.size <= LARGEST and _is_utf8(file.path):
            others.append(file)
    chosen = [*python, *others]
    have = {known.blobs[path]: known.contents[path] for path in known.contents} if known else {}
    missing = sorted({file.blob for file in chosen} - have.keys())
    have.update(zip(missing, repository.blobs(missing), strict=True))
    return Snapshot(
        tree,
        tuple(file.path for file in python),
        tuple(file.path for file in others),
        tuple(left_out),
        {file.path: file.blob for file in chosen},
        {file.path: have[file.blob] for file in chosen},
    )


def _filters(settings: Settings) -> tuple[Test, Test, Test]:
    return (
        matcher(DEFAULT_EXCLUDE + settings.exclude),
        matcher(settings.include),
        matcher(_OTHERS),
    )


@contextmanager
def settings_of(repository: Repository, tree: str, home: Home = WHOLE) -> Generator[Settings]:
    """The settings that a project has at its root, read from nowhere else; they hold while the context does.

    Args:
        repository: where the project is.
        tree: hash of a commit or tree of the repository.
        home: the project.

    Raises:
        SettingsError: if they cannot be followed, also from within the context; it names the repository's file.
    """
    tree = repository.folder(tree, home.folder)
    with TemporaryDirectory(prefix="charter-") as name, _named(home, root := Path(name).resolve()):
        # The search for settings goes upward until a repository's root.
        (root / ".git").mkdir()
        files = {file.path: file for file in repository.files(tree)}
        _write(repository, root, files, (FILE_NAME, "pyproject.toml"))
        settings = load(root)
        further = (*settings.models, settings.baseline, ".bandit")
        _write(repository, root, files, further)
        yield replace(settings, exclude=settings.exclude + home.excluded()) if home.inner else settings


@contextmanager
def _named(home: Home, root: Path) -> Generator[None]:
    """Let errors name a settings file as it is called in the repository, not where it was read."""
    try:
        yield
    except SettingsError as error:
        if root not in error.path.parents:
            raise
        place = Path(home.full(error.path.relative_to(root).as_posix()))
        raise SettingsError(place, error.line, error.message, error.hint) from None


def _write(repository: Repository, root: Path, files: Mapping[str, TreeFile], names: Iterable[str]) -> None:
    chosen = [files[name] for name in dict.fromkeys(names) if name in files and files[name].size <= LARGEST]
    for file, data in zip(chosen, repository.blobs(file.blob for file in chosen), strict=True):
        place = root / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def _is_utf8(path: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in path)
