"""Imports of everything, and the names that are really meant by them.

What a module of the project hands out is read from its `__all__` or its public names, through further imports of
everything. Of a module outside of the project nothing is known; if it is the only one of a file, it must be where the
names come from that nothing else binds.
"""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Final

from charter.analysis import Solution
from charter.analysis.places import Packed, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api.facts.names import StarImport
from charter.model.names import BUILTINS, imported_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis import ProjectInfo
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 1

_HIDING: Final = {"os": {"open"}, "codecs": {"open"}, "io": {"open"}, "gzip": {"open"}, "math": {"pow"}}
"""Built-in functions that a module of the standard library hides if all of it is imported."""

Star = tuple[Packed, str, str]
"""Place, module as written, absolute module ("" if it has none)."""
Extract = tuple[list[Star], list[str], list[str], bool, list[str], dict[str, list[str]]]
"""Stars, names that nothing binds, names handed out, whether by `__all__`, names of built-ins used, names taken by module."""


def extract(source: Source, names: Names) -> Extract:
    """What a file hands out, takes, and imports without a name."""
    stars: list[Star] = []
    taken: dict[str, list[str]] = {}
    for node in source.nodes(ast.ImportFrom):
        module = imported_module(node, source) or ""
        if node.names[0].name == "*":
            stars.append((pack(source, node), "." * node.level + (node.module or ""), module))
        elif module and module.partition(".")[0] not in sys.stdlib_module_names:
            taken.setdefault(module, []).extend([alias.name for alias in node.names])
    listed = _listed(source)
    bound = names.table(source.tree)
    handed = listed if listed is not None else sorted([name for name in bound if name[0] not in "_*"])
    free, builtin = _free(source, names) if stars else ([], [])
    free = sorted({*free, *(name for name in listed or () if name not in bound)}) if stars else []
    return stars, free, handed, listed is not None, builtin, taken


def _listed(source: Source) -> list[str] | None:
    """The names in `__all__`; None if there is none, or it is put together."""
    found: list[str] | None = None
    for statement in source.tree.body if "__all__" in source.words else ():
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
            targets = [statement.target]
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            continue
        value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
        if found is not None or not isinstance(value, (ast.List, ast.Tuple)):
            return None
        found = [
            item.value
            for item in value.elts
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
        if len(found) != len(value.elts):
            return None
    return found


def _free(source: Source, names: Names) -> tuple[list[str], list[str]]:
    """The names that are read and bound nowhere in the file: those that no built-in has, and those that one has."""
    free: set[str] = set()
    builtin: set[str] = set()
    for name, places in source.reads.items():
        if any(names.lookup(name, place) is None for place in places):
            (builtin if name in BUILTINS else free).add(name)
    return sorted(free - {"__file__", "__name__", "__doc__", "__path__", "__spec__", "__class__"}), sorted(
        builtin
    )


class Solver(KeptSolver[Extract]):
    """Finds the names that each star stands for."""

    def __init__(self, project: ProjectInfo) -> None:
        super().__init__(project)
        self._paths = {module: path for path, module in project.modules.items() if module}

    def solution(self) -> Solution:
        """A fact for each import of everything."""
        taken: dict[str, set[str]] = {}
        starred = {path: extract for path, extract in self.files.items() if extract[0]}
        modules = {self.project.modules.get(path, "") for path in starred}
        for extract in self.files.values() if starred else ():
            for module in modules & extract[5].keys():
                taken.setdefault(module, set()).update(extract[5][module])
        facts: dict[str, list[Fact]] = {
            path: list(self._facts(path, extract, taken.get(self.project.modules.get(path, ""), set())))
            for path, extract in starred.items()
        }
        return Solution(facts)

    def _facts(self, path: str, extract: Extract, taken: set[str]) -> Iterator[StarImport]:
        stars, free, handed, listed, builtin, _ = extract
        wanted = {*free, *(taken - {"*"} - set(() if listed else handed))}
        known = [self._handed(module, frozenset()) for _, _, module in stars]
        unknown = known.count(None)
        given: list[set[str]] = []
        later: set[str] = set()
        for handed_out, (_, _, module) in zip(reversed(known), reversed(stars), strict=True):
            hidden = _HIDING.get(module, set[str]()) if handed_out is None else handed_out
            meant = (wanted if handed_out is None else wanted & handed_out) | hidden.intersection(builtin)
            given.append(meant - later)
            later |= meant if handed_out is not None else set()
        given.reverse()
        certain = set[str]().union(
            *(meant for meant, names in zip(given, known, strict=True) if names is not None)
        )
        for (place, shown, _), meant, names in zip(stars, given, known, strict=True):
            sure = names is not None or unknown == 1
            own = sorted(meant if names is not None else meant - certain)
            yield StarImport(unpack(path, place), shown, tuple(own) if sure else None)

    def _handed(self, module: str, seen: frozenset[str]) -> set[str] | None:
        """The names that a star import of a module gives; None if that is not known."""
        path = self._paths.get(module)
        if path is None or path not in self.files or module in seen:
            return None
        stars, _, handed, listed, _, _ = self.files[path]
        found = set(handed)
        for _, _, inner in stars if not listed else ():
            more = self._handed(inner, seen | {module})
            if more is None:
                return None
            found |= {name for name in more if name[0] != "_"}
        return found
