"""Under which dotted name a file would be imported, and which file an import means. It knows paths only and reads nothing.

A project may hold several packages or scripts of one name, each imported from a folder of its own: the `app` of every
service in a monorepo. Their modules are named after those folders, and an import means the nearest of them.
"""

from __future__ import annotations

import hashlib
import sys
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Mapping

SOURCE_FOLDERS: Final = frozenset({"src", "lib", "server", "rules", "python"})
"""Folders that hold packages without being packages, when they have no `__init__` file."""
_INITS: Final = frozenset({"__init__.py", "__init__.pyi"})


class _Home(NamedTuple):
    """A folder from which modules of a top-level name are imported that other folders have as well.

    Attributes:
        root: the folder; "" for the project's own.
        prefix: what goes before the names of its modules; "" for what the project itself would import.
        modules: those names, as they are imported, and those of their packages.
    """

    root: str
    prefix: str
    modules: frozenset[str]

    @property
    def region(self) -> str:
        """The folder in which its modules are seen."""
        return region_of(self.root)


class ModuleNames:
    """Names the modules of a project.

    Args:
        paths: every Python file of the project, relative to its root, with forward slashes.
        libraries: gives the top-level names of libraries: an import of just one of these means none of the project's packages.

    Attributes:
        by_path: the dotted name of each file.
        homes: where the modules of a top-level name are imported from, for each name with several such folders.
    """

    def __init__(
        self, paths: Collection[str], libraries: Callable[[], Container[str]] = frozenset[str]
    ) -> None:
        self._packages = frozenset(
            folder for folder, _, file in (path.rpartition("/") for path in paths) if file in _INITS
        )
        self._folders: dict[str, tuple[str, str, bool]] = {}
        imported = {path: self._imported(path) for path in paths}
        self.homes: Mapping[str, tuple[_Home, ...]] = self._homes_of(imported)
        self._libraries = libraries() if self.homes else frozenset[str]()
        self.by_path: Mapping[str, str] = {
            path: self._prefix(name, root) + name if self.homes else name
            for path, (name, root) in imported.items()
        }

    def name(self, path: str) -> str:
        """The dotted name of a file: from the outermost package around it, else from the project's root.

        What several folders have under one name is named after its folder: `jobs-a.main`. Nobody can import it so, but
        each one's functions stay its own.
        """
        return self.by_path[path]

    def shared(self) -> list[str]:
        """The files whose top-level name several folders have: they say by themselves what `homes` says."""
        return [path for path in self.by_path if self._imported(path)[0].partition(".")[0] in self.homes]

    def is_apart(self, path: str) -> bool:
        """Whether a file is named after its folder, because another one would be imported by the same name."""
        return bool(self.homes) and self.by_path.get(path, "") != self._imported(path)[0]

    def meant(self, path: str) -> Callable[[str], str] | None:
        """What tells the names of the modules that a file imports; None if each is known by the name it is imported by.

        Args:
            path: the file.
        """
        return partial(self._meant, path.rpartition("/")[0]) if self.homes else None

    def state(self, data: bytes) -> str:
        """A digest of what the imports of a file's text depend on besides the text; "" where that is nothing."""
        named = [(top, homes) for top, homes in self.homes.items() if top.encode() in data]
        found = [(top, [(home.root, sorted(home.modules)) for home in homes]) for top, homes in named]
        return hashlib.blake2b(repr(found).encode(), digest_size=16).hexdigest() if found else ""

    def _meant(self, folder: str, module: str) -> str:
        top, dot, _ = module.partition(".")
        homes = self.homes.get(top)
        if homes is None or top in sys.stdlib_module_names or not (dot or top not in self._libraries):
            return module
        seen = [home for home in homes if module in home.modules and holds(home.region, folder)]
        if not seen:
            return module
        nearest = max(seen, key=lambda home: (len(home.region), holds(home.root, folder), len(home.root)))
        return nearest.prefix + module

    def _prefix(self, name: str, root: str) -> str:
        homes = self.homes.get(name.partition(".")[0], ())
        return next((home.prefix for home in homes if home.root == root), "")

    def _homes_of(self, imported: Mapping[str, tuple[str, str]]) -> dict[str, tuple[_Home, ...]]:
        """The homes of each top-level name under which two folders have one module."""
        roots: dict[str, str] = {}
        doubled = [path for path, (name, root) in imported.items() if roots.setdefault(name, root) != root]
        if not doubled:
            return {}
        shared = {imported[path][0].partition(".")[0] for path in self._conflicting(doubled, imported)}
        modules: dict[str, dict[str, set[str]]] = {top: {} for top in shared}
        for name, root in imported.values():
            top = name.partition(".")[0]
            if top in shared:
                parts = name.split(".")
                known = modules[top].setdefault(root, set())
                known.update([".".join(parts[:count]) for count in range(1, len(parts) + 1)])
        return {top: _homes(found) for top, found in modules.items()}

    def _conflicting(self, doubled: Iterable[str], imported: Mapping[str, tuple[str, str]]) -> Iterable[str]:
        """Those of several files of one name that are not parts of one package: `__init__` beside nothing but packages."""
        holding = {path.rpartition("/")[0] for path in imported if path.rpartition("/")[2] not in _INITS}
        outer = {package.rpartition("/")[0] for package in self._packages}
        for path in doubled:
            folder, _, file = path.rpartition("/")
            if file not in _INITS or folder in holding or folder not in outer:
                yield path

    def _imported(self, path: str) -> tuple[str, str]:
        """The name by which a file would be imported, and the folder from which."""
        folder, _, file = path.rpartition("/")
        stem = file.rpartition(".")[0]
        package, root, _ = self._place(folder)
        if stem == "__init__":
            return package, root
        return (f"{package}.{stem}" if package else stem), root

    def _place(self, folder: str) -> tuple[str, str, bool]:
        """A folder's dotted name, the folder that this is imported from, and whether there is a package in the name."""
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = self._find_place(folder)
        return found

    def _find_place(self, folder: str) -> tuple[str, str, bool]:
        if not folder:
            return "", "", False
        parent, _, own = folder.rpartition("/")
        if folder in self._packages or own.isidentifier():
            outer, root, inside = self._place(parent)
            if inside:
                return f"{outer}.{own}", root, True
        if folder in self._packages:
            return own, parent, True
        # A namespace package or a plain folder: scripts in it import each other from the root (PEP 420),
        # except below a folder that by custom holds the packages.
        parts = folder.split("/")
        count = 0
        while count < len(parts) and (parts[count] in SOURCE_FOLDERS or not parts[count].isidentifier()):
            count += 1
        if all(part.isidentifier() for part in parts[count:]) and count < len(parts):
            return ".".join(parts[count:]), "/".join(parts[:count]), False
        return "", folder, False


def _homes(modules: Mapping[str, Collection[str]]) -> tuple[_Home, ...]:
    """The homes of a top-level name: what the project itself would import keeps its name."""
    homes = [_Home(root, "", frozenset(names)) for root, names in sorted(modules.items())]
    own = next((home for home in homes if not home.region), None)
    return tuple(
        home if home is own else home._replace(prefix=f"{home.root.replace('.', '_').replace('/', '.')}.")
        for home in homes
    )


def region_of(root: str) -> str:
    """The folder in which modules that are imported from a folder are seen: the one around it if it is one for sources."""
    folder, _, last = root.rpartition("/")
    return folder if last in SOURCE_FOLDERS else root


def holds(folder: str, other: str) -> bool:
    """Whether a folder is another one, or one around it."""
    return not folder or other == folder or other.startswith(f"{folder}/")
