"""Under which dotted name a file would be imported. It knows paths only and reads nothing."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

SOURCE_FOLDERS = frozenset({"src", "lib", "server", "rules", "python"})
"""Folders that hold packages without being packages, when they have no `__init__` file."""


class ModuleNames:
    """Names the modules of a project.

    Args:
        paths: every Python file of the project, relative to its root, with forward slashes.
    """

    def __init__(self, paths: Collection[str]) -> None:
        self._packages = frozenset(
            str(PurePosixPath(path).parent)
            for path in paths
            if path.endswith(("/__init__.py", "/__init__.pyi"))
        )
        self._folder = lru_cache(maxsize=None)(self._name_of_folder)
        self._homes: dict[str, set[str]] = {}
        for path in paths:
            folder, _, file = path.rpartition("/")
            if folder not in self._packages:
                self._homes.setdefault(self._imported_as(folder, file.rpartition(".")[0]), set()).add(folder)

    def name(self, path: str) -> str:
        """The dotted name of a file: from the outermost package around it, else from the project's root.

        Scripts of several folders that all would have one name are named after their folders: `jobs-a.main`. Nobody
        can import them so, but each one's functions stay its own.
        """
        folder, _, file = path.rpartition("/")
        stem = file.rpartition(".")[0]
        name = self._imported_as(folder, stem)
        if len(self._homes.get(name, ())) > 1 and folder not in self._packages:
            return ".".join([*folder.replace(".", "_").split("/"), stem]) if folder else stem
        return name

    def _imported_as(self, folder: str, stem: str) -> str:
        package = self._folder(folder)
        if stem == "__init__":
            return package
        return f"{package}.{stem}" if package else stem

    def _name_of_folder(self, folder: str) -> str:
        if folder in {".", ""}:
            return ""
        pure = PurePosixPath(folder)
        if folder not in self._packages:
            # A namespace package or a plain folder: scripts in it import each other from the root (PEP 420),
            # except below a folder that by custom holds the packages.
            parts = list(pure.parts)
            while parts and (parts[0] in SOURCE_FOLDERS or not parts[0].isidentifier()):
                parts.pop(0)
            return ".".join(parts) if all(part.isidentifier() for part in parts) else ""
        parent = str(pure.parent)
        outer = self._folder(parent) if parent in self._packages else ""
        return f"{outer}.{pure.name}" if outer else pure.name
