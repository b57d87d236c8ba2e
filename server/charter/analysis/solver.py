"""What solvers of project-scope analyses have in common: extracts by file, and a solution until one of them changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from charter.analysis import ProjectInfo, Solution

Extract = TypeVar("Extract")


class KeptSolver(ABC, Generic[Extract]):
    """Keeps what was extracted from each file, and solves once for as long as nothing changes.

    Args:
        project: what the solver may know of the project besides.

    Attributes:
        project: the same.
        files: the extracts by path.
    """

    def __init__(self, project: ProjectInfo) -> None:
        self.project = project
        self.files: dict[str, Extract] = {}
        self._solution: Solution | None = None

    def update(self, path: str, extract: object | None) -> None:
        """Take in a new or changed file's extract, or take the file out."""
        old = self.files.get(path)
        if old == extract:
            return
        self._solution = None
        if old is not None:
            self.removed(path, old)
            del self.files[path]
        if extract is not None:
            new = self.files[path] = cast("Extract", extract)
            self.added(path, new)

    def solve(self) -> Solution:
        """The facts of the whole project as it now is."""
        if self._solution is None:
            self._solution = self.solution()
        return self._solution

    def added(self, path: str, extract: Extract) -> None:
        """Count in a file's extract, for a solver that keeps counts or an index."""

    def removed(self, path: str, extract: Extract) -> None:
        """Count out a file's extract again."""

    @abstractmethod
    def solution(self) -> Solution:
        """Work out the facts from all extracts."""
