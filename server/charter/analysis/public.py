"""Public functions, classes and methods that nothing in the project uses, with how sure that is.

Uses are counted as in `analysis.unused`: by name, strings and templates of names included. What else may call a public
name is left out: decorators, bases from outside, `__all__`, entry points, hooks that are called by their name, methods of a
class that looks them up by a computed name.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.analysis import Solution, paths
from charter.analysis.bodies import FUNCTIONS
from charter.analysis.places import Packed, name_places, unpack
from charter.analysis.solver import KeptSolver
from charter.analysis.unused import exported_names, is_free, is_own, mentions, uses_of
from charter.api import regex
from charter.api.facts.names import UnusedPublicName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis import ProjectInfo
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 3

_is_outside: Final = paths.any_of(
    *paths.TESTS, *paths.COPIED, "migrations", "versions", "docs?", "examples?", "settings",
    *(rf"{name}\.py" for name in ["setup", "noxfile", "tasks", "fabfile", "manage", "settings", "urls", "wsgi", "asgi"]),
)  # fmt: skip
"""Files that are run by others."""
_CALLED_BY_NAME: Final = regex(
    r"(main|run|cli|app|application|handler|lambda_handler|setup|teardown|upgrade|downgrade|create_app|make_app|ready"
    r"|(test|pytest|visit|depart|do|on|handle|get|post|put|patch|delete|clean|validate|hook|register)(_\w+)?|[a-z]+[A-Z]\w*)"
)
"""What frameworks and dispatchers find by name; names in the camel case of another library's interface are among them."""

Definition = tuple[str, str, Packed, int, str, bool]
"""Sort, name, place, how often it names itself, its class, whether its module is a program."""
Extract = tuple[dict[str, int], list[str], list[Definition], dict[str, list[str]], list[str]]
"""Uses, beginnings of names, definitions, bases by class, exports."""


def extract(source: Source, names: Names) -> Extract:
    """What a file defines for others, and what it uses."""
    prefixes: set[str] = set()
    uses = uses_of(source, prefixes)
    outside = _is_outside(source.path)
    definitions = [] if outside else list(_definitions(source, names))
    bases = {
        names.definition(node): [names.qualified(base) or "?" for base in node.bases]
        for node in source.nodes(ast.ClassDef)
    }
    return uses, sorted(prefixes), definitions, bases, sorted(exported_names(source))


def _definitions(source: Source, names: Names) -> Iterator[Definition]:
    nodes = [
        node
        for kind in (*FUNCTIONS, ast.ClassDef)
        for node in source.nodes(kind)
        if isinstance(source.parent(node), (ast.Module, ast.ClassDef))
        and not node.name.startswith("_")
        and _CALLED_BY_NAME.fullmatch(node.name) is None
        and is_free(node, names)
    ]
    asking = _asking(source) if nodes else set[ast.AST]()
    nodes = [node for node in nodes if source.parent(node) not in asking]
    lines = mentions(nodes, source)
    is_program = "__main__" in source.text
    for node in nodes:
        parent = source.parent(node)
        last = node.end_lineno or node.lineno
        own = sum(node.lineno <= line <= last for line in lines[node.name])
        of = names.definition(parent) if isinstance(parent, ast.ClassDef) else ""
        if isinstance(node, ast.ClassDef):
            sort = "class"
            of = names.definition(node)
        else:
            sort = "method" if of else "function"
        yield sort, node.name, name_places(source)[node], own, of, is_program


def _asking(source: Source) -> set[ast.AST]:
    """The classes that ask themselves for a method by a name of which nothing is known."""
    found: set[ast.AST] = set()
    for read in source.reads.get("getattr", ()):
        call = source.parent(read)
        if not isinstance(call, ast.Call) or call.func is not read or len(call.args) < 2:
            continue
        owner, name = call.args[:2]
        if (
            isinstance(owner, ast.Name)
            and owner.id == "self"
            and not isinstance(name, (ast.Constant, ast.JoinedStr))
        ):
            around = source.parent(call)
            while around is not None and not isinstance(around, ast.ClassDef):
                around = source.parent(around)
            if around is not None:
                found.add(around)
    return found


class Solver(KeptSolver[Extract]):
    """Counts the uses of every public name in the project."""

    def __init__(self, project: ProjectInfo) -> None:
        super().__init__(project)
        self._uses: dict[str, int] = {}

    def added(self, path: str, extract: Extract) -> None:
        """Count what a file uses."""
        del path
        for name, count in extract[0].items():
            self._uses[name] = self._uses.get(name, 0) + count

    def removed(self, path: str, extract: Extract) -> None:
        """Count no longer what a file used."""
        del path
        for name, count in extract[0].items():
            self._uses[name] -= count

    def solution(self) -> Solution:
        """The public names that nothing uses."""
        prefixes = tuple(sorted({prefix for file in self.files.values() for prefix in file[1]}))
        bases = {name: found for file in self.files.values() for name, found in file[3].items()}
        inherited = {base for found in bases.values() for base in found}
        words = self._words_of_templates()
        facts: dict[str, list[Fact]] = {}
        opportunities: dict[str, dict[tuple[type[Fact], str], int]] = {}
        for path, (_, _, definitions, _, exported) in self.files.items():
            found: list[Fact] = []
            for sort, name, place, own, of, is_program in definitions:
                if self._uses.get(name, 0) > own or name in exported or name in words:
                    continue
                if of and (of in inherited or not is_own(of, bases)):
                    continue
                if name.startswith(prefixes) or name.endswith(prefixes):
                    continue
                sure = 90 if is_program else 60 if sort != "method" else 50
                found.append(UnusedPublicName(unpack(path, place), name, sort, sure))
            if found:
                facts[path] = found
            if definitions:
                opportunities[path] = {(UnusedPublicName, ""): len(definitions)}
        return Solution(facts, opportunities)

    def _words_of_templates(self) -> set[str]:
        """Every word of the project's templates, which may name anything."""
        return {
            word
            for path in self.project.files
            for word in re.findall(r"[A-Za-z_]\w*", self.project.read(path) or "")
        }
