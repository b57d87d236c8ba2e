"""Which files to look at: the walk over folders, with what git and the settings leave out. It opens no Python file.

Folders behind symbolic links are not entered (a link to a parent would never end, and a link to a sibling would
report everything twice); a path named by the user is always followed.
"""

from __future__ import annotations

import os
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from charter.engine.patterns import matcher, spec
from charter.engine.settings import DEFAULT_EXCLUDE, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pathspec import GitIgnoreSpec


class PathError(Exception):
    """A path given by the user that leads nowhere.

    Attributes:
        path: as it was given.
        message: what is wrong with it.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path: Path = path
        self.message: str = message


_NAME: Final = attrgetter("name")
TEMPLATES = ("*.html", "*.htm", "*.xhtml", "*.jinja", "*.jinja2", "*.j2", "*.txt", "*.xml")
"""Files that a template engine may read, as .gitignore patterns."""


def python_files(paths: Iterable[Path], settings: Settings) -> list[Path]:
    """The Python files to check.

    Args:
        paths: files and folders; a file counts whatever it is called, unless `force_exclude` says otherwise.
        settings: what to leave out and what is Python.

    Returns:
        Absolute paths, each once, in order of their names, whatever the order on the disk.

    Raises:
        PathError: for a path that does not exist.
    """
    return python_files_and_templates(paths, settings)[0]


def python_files_and_templates(paths: Iterable[Path], settings: Settings) -> tuple[list[Path], list[Path]]:
    """As `python_files`, and in the same walk the templates of the folders.

    Raises:
        PathError: for a path that does not exist.
    """
    found: dict[str, Path] = {}
    templates: dict[str, Path] = {}
    for path in paths:
        whole = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would lose the name the user knows)
        if os.path.isdir(whole):  # noqa: PTH112 (unlike `pathlib`'s, these two do not raise where the way is closed)
            _look_through(whole, settings, found, templates)
        elif not os.path.exists(whole):  # noqa: PTH110
            raise PathError(path, "no such file or folder, or none that may be looked at")
        elif not os.path.isfile(whole):  # noqa: PTH113
            raise PathError(path, "no regular file; give what it holds on standard input: `charter check -`")
        elif not (settings.force_exclude and is_excluded(whole, settings)):
            found.setdefault(os.path.realpath(whole), whole)
    return sorted(found.values()), sorted(templates.values())


def _look_through(
    folder: Path, settings: Settings, found: dict[str, Path], templates: dict[str, Path]
) -> None:
    """Add a folder's Python files and templates, by where they really are.

    Folders below that may not be looked into count as files, of which it is then told that they cannot be read.
    """
    real = os.path.realpath(folder)
    is_python, is_template = matcher(settings.include), matcher(TEMPLATES)
    kinds = ((is_python, found), (is_template, templates))
    closed: list[str] = []
    for entry in _walk(folder, settings, lambda name: is_python(name) or is_template(name), closed):
        identity = (
            os.path.realpath(entry.path) if entry.is_symlink() else real + entry.path[len(str(folder)) :]
        )
        for is_wanted, files in kinds:
            if is_wanted(entry.name):
                files.setdefault(identity, Path(entry.path))
    found.update((path, Path(path)) for path in closed)


def is_excluded(path: Path, settings: Settings) -> bool:
    """Whether the settings or git leave a path out: for files that are named rather than found (editors, hooks)."""
    rules = _Rules.at(path.parent, settings.root, settings)
    above = [parent for parent in path.parents if settings.root in parent.parents]
    return rules.exclude(str(path), folder=path.is_dir()) or any(
        rules.exclude(str(parent), folder=True) for parent in above
    )


def _walk(
    top: Path, settings: Settings, include: Callable[[str], bool], closed: list[str]
) -> Iterator[os.DirEntry[str]]:
    # Where the user names a place that is left out otherwise, only what lies below it is judged.
    base = top if top != settings.root and is_excluded(top, settings) else settings.root
    stack = [(str(top), _Rules.at(top, base, settings))]
    while stack:
        folder, rules = stack.pop()
        try:
            entries = sorted(os.scandir(folder), key=_NAME)
        except OSError as error:
            if isinstance(error, PermissionError):
                closed.append(folder)
            continue
        names = {entry.name for entry in entries}
        if "pyvenv.cfg" in names and folder != str(top):
            continue
        if settings.respect_gitignore and ".gitignore" in names and folder != str(top):
            rules = rules.below(Path(folder))
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not rules.exclude(entry.path, folder=True):
                    stack.append((entry.path, rules))
            elif include(entry.name) and entry.is_file() and not rules.exclude(entry.path, folder=False):
                yield entry


class _Patterns(Struct, frozen=True):
    """.gitignore patterns of one place, asked with absolute paths of which no folder above is left out.

    Attributes:
        prefix: the place, with a separator behind it.
        names: the patterns that look at nothing but the last name of a path, where none takes another back.
        tops: likewise, of what lies in the place itself.
        paths: all others; None if there are none.
        known: what `names` say, by what is asked: the same names return in many folders.
    """

    prefix: str
    names: GitIgnoreSpec
    tops: GitIgnoreSpec
    paths: GitIgnoreSpec | None
    known: dict[str, bool | None] = field(default_factory=dict[str, bool | None])

    @classmethod
    def of(cls, place: Path, lines: Iterable[str]) -> _Patterns:
        names: list[str] = []
        tops: list[str] = []
        paths: list[str] = []
        lines = tuple(lines)
        takes_back = any(line.startswith("!") for line in lines)
        for line in lines:
            parts = line.strip().rstrip("/").split("/")
            if takes_back or len(parts) > 2 or (len(parts) == 2 and parts[0]):
                paths.append(line)
            else:
                (names if len(parts) == 1 else tops).append(line)
        prefix = str(place).rstrip(os.sep) + os.sep
        return cls(prefix, spec(names), spec(tops), spec(paths) if paths else None)

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """Whether the path is left out; None where nothing is said about it."""
        if not path.startswith(self.prefix):
            return None
        below = path[len(self.prefix) :].replace(os.sep, "/") + ("/" if folder else "")
        start = below.rfind("/", 0, -1) + 1
        name = below[start:]
        known = self.known
        if name not in known:
            known[name] = self.names.check_file(name).include
        verdict = known[name] or (None if start else self.tops.check_file(below).include)
        return verdict if verdict or self.paths is None else self.paths.check_file(below).include


class _Rules(Struct, frozen=True):
    """What holds in one folder.

    Attributes:
        own: the settings' patterns; what they leave out stays out.
        git: the .gitignore files around the folder, the nearest last; the nearest that says something decides.
    """

    own: _Patterns
    git: tuple[_Patterns, ...]

    @classmethod
    def at(cls, folder: Path, base: Path, settings: Settings) -> _Rules:
        rules = cls(_Patterns.of(base, DEFAULT_EXCLUDE + settings.exclude), ())
        if not settings.respect_gitignore or base == folder != settings.root:
            return rules
        places = (folder, *folder.parents)
        top = next((place for place in places if (place / ".git").exists()), base)
        for place in reversed(places):
            if place == top or top in place.parents:
                rules = rules.below(place)
        return rules

    def below(self, folder: Path) -> _Rules:
        """The rules together with what the folder's own .gitignore adds."""
        git = self.git
        for file in (folder / ".git" / "info" / "exclude", folder / ".gitignore"):
            try:
                lines = file.read_text("utf-8", "replace").splitlines() if file.is_file() else []
            except OSError:
                continue
            if lines:
                git = (*git, _Patterns.of(folder, lines))
        return _Rules(self.own, git)

    def exclude(self, path: str, *, folder: bool) -> bool:
        if self.own.verdict(path, folder=folder):
            return True
        for patterns in reversed(self.git):
            verdict = patterns.verdict(path, folder=folder)
            if verdict is not None:
                return verdict
        return False
