"""Queries in loops as a project-scope analysis. It knows which files import a mapper; `queries` knows the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from charter.analysis import Solution
from charter.analysis.orm.extract import extract

if TYPE_CHECKING:
    from charter.analysis import ProjectInfo
    from charter.analysis.orm.extract import Extract
    from charter.analysis.orm.queries import Queries
    from charter.analysis.orm.schema import Schema

__all__ = ["VERSION", "Solver", "extract"]

VERSION = 3


class Solver:
    """Finds repeated queries, if any file of the project can run one; kept between edits."""

    def __init__(self, project: ProjectInfo) -> None:
        self._project = project
        self._importing: set[str] = set()
        self._waiting: dict[str, Extract | None] = {}
        self._made: Queries | None = None

    def update(self, path: str, extract: object | None) -> None:
        """Take in a new or changed file, or take one out."""
        known = cast("Extract | None", extract)
        (self._importing.add if known is not None and known[1] else self._importing.discard)(path)
        self._waiting[path] = known

    def solve(self) -> Solution:
        """The repeated queries of the project as it now is."""
        return self._queries.solve() if self._importing else Solution({})

    @property
    def schema(self) -> Schema:
        """The models of the project."""
        return self._queries.schema

    @property
    def _queries(self) -> Queries:
        """What finds them, with all files taken in: to load it takes longer than to check a file that runs none."""
        from charter.analysis.orm.queries import Queries

        if self._made is None:
            self._made = Queries(self._project)
        for path, known in self._waiting.items():
            self._made.update(path, known)
        self._waiting.clear()
        return self._made
