"""Imports, functions, classes, methods and attributes that nothing in the project uses.

A name counts as used when it occurs anywhere outside of its own body: as a name, an attribute, a keyword, in
`__all__`, or in a string that could be turned into it (`getattr`, dotted paths, prefixes that are completed at run
time). Types are not asked, so a method shares the uses of all methods of its name: little is missed by mistake,
nothing is reported by mistake. What a framework or another project may call is left out: decorated definitions,
special methods, methods of classes whose bases lie outside of the project, and public names of a package that is
built for others.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final

from charter.analysis import Solution, paths
from charter.analysis.bodies import FUNCTIONS, owner
from charter.analysis.places import Packed, name_places, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api import regex
from charter.api.facts.names import UnusedName
from charter.model.names import imported_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from charter.analysis import ProjectInfo
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 8

_WORD: Final[re.Pattern[str]] = regex(r"[A-Za-z_]\w*")
_is_others: Final = paths.any_of("migrations", *paths.COPIED)
"""Where imports are written by a machine or by other people."""
_EXAMPLE: Final = regex(r"^\s*(?:>>>|\.\.\.) (.*)", re.MULTILINE)
"""Lines that doctest runs with the names of the module."""
_TYPE_COMMENT: Final = regex(r"#\s*type:(.*)")
_OWN_BASES: Final = frozenset(
    {
        "builtins.object", "builtins.Exception", "builtins.ValueError", "builtins.TypeError", "builtins.RuntimeError",
        "builtins.KeyError", "builtins.LookupError", "builtins.AttributeError", "builtins.OSError", "abc.ABC",
        "typing.Generic", "typing.NamedTuple", "typing_extensions.TypedDict", "typing.TypedDict", "enum.Enum",
        "enum.IntEnum", "enum.StrEnum", "builtins.dict", "builtins.list", "builtins.str", "builtins.int",
        "builtins.tuple", "builtins.set",
    }
)  # fmt: skip
"""Bases from outside whose methods nobody calls by a plain name of the class's own."""
_TRANSPARENT: Final = frozenset(
    {
        "builtins.staticmethod", "builtins.classmethod", "builtins.property", "functools.lru_cache",
        "functools.cache", "functools.cached_property", "functools.wraps", "contextlib.contextmanager",
        "contextlib.asynccontextmanager", "typing.no_type_check",
    }
)  # fmt: skip
"""Decorators that register nothing."""
_EVERY: Final = 1 << 60
"""More uses than any name has: the definition is used nowhere, whatever else has its name."""
_ANNOTATED: Final = frozenset[type]({ast.arg, ast.AnnAssign, *FUNCTIONS})
"""What has annotations, which may be written as text."""
_OUTER: Final = frozenset[type]({ast.Module, ast.ClassDef})
"""What holds functions and methods, and no function of a function's own."""
_Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

Definition = tuple[str, str, Packed, int, str]
"""Sort, name, place, how often it names itself (its body, or where it is set), and the class of a method or attribute."""
Import = tuple[str, str, Packed]
"""Name, target, place."""
Extract = tuple[
    dict[str, int], set[str], list[Definition], list[Import], dict[str, list[str]], set[str], list[str]
]
"""Uses by private name, beginnings of names, definitions, unused imports, bases by class, what other modules it takes, exports."""


def extract(source: Source, names: Names) -> Extract:
    """What a file defines and what it uses."""
    prefixes: set[str] = set()
    imported = _imported(source)
    words = Counter(word for word in words_of(source, prefixes) if word[0] == "_" or word in imported)
    tables = (source.reads, source.gets, source.sets)
    private = {name for table in (words, *tables) for name in table if name[0] == "_"}
    # A stub tells what something else defines.
    definitions = (
        []
        if paths.is_test(source.path) or source.path.endswith(".pyi")
        else [*_definitions(source, names), *_attributes(source, names), *_nested(source, names)]
    )
    bases = {
        names.definition(node): [names.qualified(base) or "?" for base in node.bases if not _is_generic(base)]
        for node in source.nodes(ast.ClassDef)
    }
    return (
        {name: _count(name, words, source) for name in private},
        prefixes,
        definitions,
        list(_unused_imports(source, names, words)),
        bases,
        _taken(source, names),
        sorted(exported_names(source)),
    )


def _imported(source: Source) -> set[str]:
    """The local names of all that the file imports."""
    return {
        alias.asname or alias.name.partition(".")[0]
        for statement in (*source.nodes(ast.Import), *source.nodes(ast.ImportFrom))
        for alias in statement.names
    }


def _is_generic(base: ast.expr) -> bool:
    return isinstance(base, ast.Subscript) and isinstance(base.value, ast.Name) and base.value.id == "Generic"


def uses_of(source: Source, prefixes: set[str]) -> dict[str, int]:
    """How often a file names each thing; beginnings of names that are completed at run time go into `prefixes`."""
    words = Counter(words_of(source, prefixes))
    every = {*words, *source.reads, *source.gets, *source.sets}
    return {name: _count(name, words, source) for name in every}


def _count(name: str, words: Mapping[str, int], source: Source) -> int:
    """How often a file names a thing, as an identifier and in the words that stand for some."""
    tables = (source.reads, source.gets, source.sets)
    return words.get(name, 0) + sum(len(table[name]) for table in tables if name in table)


def words_of(source: Source, prefixes: set[str]) -> list[str]:
    """What a file names otherwise than by a name or an attribute, once for each time; `prefixes` as in `uses_of`."""
    used = [keyword.arg for keyword in source.nodes(ast.keyword) if keyword.arg]
    used += [alias.name for statement in source.nodes(ast.ImportFrom) for alias in statement.names]
    for statement in (*source.nodes(ast.Global), *source.nodes(ast.Nonlocal)):
        used += statement.names
    for pattern in source.nodes(ast.MatchClass):
        used += pattern.kwd_attrs
    used += [node.target.id for node in source.nodes(ast.AugAssign) if isinstance(node.target, ast.Name)]
    parents = source.index.parents
    for value, constant in source.strings:
        parent = parents[constant]
        if type(parent) is ast.Expr:  # a docstring uses nothing but what its examples run with
            if ">>>" in value:
                used += [word for line in _EXAMPLE.findall(value) for word in _WORD.findall(line)]
        elif len(value) <= 200 or type(parent) in _ANNOTATED:
            used += _named_by(value, parent, prefixes)
    if "type" in source.words and ("# type:" in source.text or "#type:" in source.text):
        for comment in _TYPE_COMMENT.findall(source.text):
            used += _WORD.findall(comment)
    return used


def _named_by(value: str, parent: ast.AST, prefixes: set[str]) -> list[str]:
    """The names that a text may be turned into."""
    joined = "_" in value
    if value.isidentifier():
        words = [value]
    elif not joined and " " in value and "[" not in value and "|" not in value:
        return []  # prose
    else:
        words = _WORD.findall(value)
    if joined and (type(parent) is ast.BinOp or type(parent) is ast.JoinedStr or type(parent) is ast.Call):
        prefixes.update([word for word in words if len(word) > 2 and (word[-1] == "_" or word[0] == "_")])
    return words


def _definitions(source: Source, names: Names) -> Iterator[Definition]:
    candidates: list[tuple[str, _Node]] = []
    for kind in (ast.ClassDef, *FUNCTIONS):
        candidates.extend(
            (sort, node)
            for node in source.nodes(kind)
            if node.name[0] == "_"
            and node.name[-1] != "_"
            and is_free(node, names)
            and (sort := _sort(node, source))
        )
    if any(sort == "method" for sort, _ in candidates):
        inherited = _asked_of_super(source)
        candidates = [(s, node) for s, node in candidates if s != "method" or node.name not in inherited]
    if not candidates:
        return
    lines = mentions([node for _, node in candidates], source)
    for sort, node in candidates:
        last = node.end_lineno or node.lineno
        own = sum(node.lineno <= line <= last for line in lines[node.name])
        parent = source.parent(node)
        of = names.definition(parent) if isinstance(parent, ast.ClassDef) else ""
        yield (sort, node.name, name_places(source)[node], own, of)


def _nested(source: Source, names: Names) -> Iterator[Definition]:
    """Functions inside of functions that the function around them never names: nobody else could."""
    if "locals()" in source.text:
        return
    parents = source.index.parents
    for kind in FUNCTIONS:
        for node in source.nodes(kind):
            if type(parents[node]) in _OUTER:
                continue
            around = owner(node, source)
            if around is None or not is_free(node, names) or node.name.startswith("__"):
                continue
            inside, outside = range(*_lines(node)), range(*_lines(around))
            named = (*source.reads.get(node.name, ()), *source.binds.get(node.name, ()))
            if any(name.lineno in outside and name.lineno not in inside for name in named):
                continue
            declared = any(
                node.name in statement.names
                for declaration in (ast.Global, ast.Nonlocal)
                for statement in source.nodes(declaration)
            )
            if not declared:
                yield ("function", node.name, name_places(source)[node], _EVERY, "")


def _lines(node: _Node) -> tuple[int, int]:
    """The first line of a definition and the one behind it."""
    return node.lineno, (node.end_lineno or node.lineno) + 1


def _attributes(source: Source, names: Names) -> Iterator[Definition]:
    """The private attributes that methods give `self`, where the value matters to nobody but readers of the attribute."""
    private = [name for name in source.sets if name[0] == "_" and name[-1] != "_"]
    if not private or "__dict__" in source.text or "vars(" in source.text:
        return
    for name in private:
        places = source.sets[name]
        first = places[0]
        method = owner(first, source)
        class_ = source.parent(method) if method is not None else None
        if isinstance(class_, ast.ClassDef) and all(_is_plain_store(node, source) for node in places):
            yield ("attribute", name, pack(source, first), len(places), names.definition(class_))


def _is_plain_store(node: ast.Attribute, source: Source) -> bool:
    """Whether `self` is given a value that nothing has to keep alive: no task, callback or handle that a call made."""
    statement = source.parent(node)
    if not isinstance(node.value, ast.Name) or node.value.id != "self":
        return False
    if isinstance(statement, ast.AugAssign):
        return True
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return False
    single = isinstance(statement, ast.AnnAssign) or len(statement.targets) == 1
    return single and not any(
        isinstance(inner, (ast.Call, ast.Await, ast.Lambda, ast.NamedExpr))
        for inner in ast.walk(statement.value)
    )


def _sort(node: _Node, source: Source) -> str:
    """What a definition is, where this analysis judges it; else ""."""
    parent = source.parent(node)
    if isinstance(parent, ast.Module):
        return "class" if isinstance(node, ast.ClassDef) else "function"
    if not isinstance(parent, ast.ClassDef) or not isinstance(node, FUNCTIONS):
        return ""
    # A mixin's methods stand in for those of a class elsewhere.
    return "" if parent.name.endswith("Mixin") or _is_stub(node) else "method"


def _asked_of_super(source: Source) -> set[str]:
    """The methods that the file asks of `super()`: those of its own stand in for those of a class elsewhere."""
    parents = source.index.parents
    calls = [parents[name] for name in source.reads.get("super", ())]
    asked = [parents[call] for call in calls if isinstance(call, ast.Call)]
    return {attribute.attr for attribute in asked if isinstance(attribute, ast.Attribute)}


def is_free(node: _Node, names: Names) -> bool:
    """Whether no decorator hands a definition on to somebody."""
    return all(
        names.qualified(item.func if isinstance(item, ast.Call) else item) in _TRANSPARENT
        for item in node.decorator_list
    )


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method only states that subclasses have one."""
    return all(
        isinstance(item, (ast.Pass, ast.Raise))
        or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        for item in node.body
    )


def mentions(definitions: Sequence[_Node], source: Source) -> dict[str, list[int]]:
    """The lines on which the names of some definitions stand, as a name, an attribute or a word of a string."""
    lines: dict[str, list[int]] = {}
    for name in {node.name for node in definitions}:
        places = (*source.reads.get(name, ()), *source.gets.get(name, ()), *source.sets.get(name, ()))
        lines[name] = [place.lineno for place in places]
    for value, constant in source.strings:
        if "_" in value and len(value) < 300:
            for word in _WORD.findall(value):
                if word in lines:
                    lines[word].append(constant.lineno)
    return lines


def exported_names(source: Source) -> set[str]:
    """The names in `__all__`."""
    found: set[str] = set()
    for statement in source.tree.body if "__all__" in source.words else ():
        if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                found.update(
                    node.value
                    for node in ast.walk(statement)
                    if isinstance(node, ast.Constant) and isinstance(node.value, str)
                )
    return found


def _unused_imports(source: Source, names: Names, words: Mapping[str, int]) -> Iterator[Import]:
    """Imports whose local name nothing in the file mentions; `__init__` files and deliberate re-exports are left out."""
    if source.path.endswith(("__init__.py", ".pyi")) or _is_others(source.path) or _is_front(source.tree):
        return
    table = names.table(source.tree)
    times = Counter(alias.name for item in source.nodes(ast.ImportFrom) for alias in item.names)
    for statement in (*source.nodes(ast.Import), *source.nodes(ast.ImportFrom)):
        if type(statement) is ast.ImportFrom and statement.module == "__future__":
            continue
        for alias in statement.names:
            local = alias.asname or alias.name.partition(".")[0]
            if alias.name in {"*", alias.asname} or local == "_":
                continue
            # `from a import b` names `b` once itself.
            own = type(statement) is ast.ImportFrom and alias.asname is None
            if local in source.reads or _count(local, words, source) > (times[local] if own else 0):
                continue
            if _is_probe(statement, source) or _is_silenced(statement, source):
                break
            if source.problems and len(re.findall(rf"\b{re.escape(local)}\b", source.text)) > 1:
                continue  # what could not be read may use it
            bound = next((b.target for b in table.get(local, ()) if b.node is statement), "")
            is_plain = type(statement) is ast.Import
            yield (local, alias.name if is_plain else bound or alias.name, pack(source, alias))


def _is_front(tree: ast.Module) -> bool:
    """Whether a module does nothing but import: it is there to offer what it imports."""
    todo: list[ast.stmt] = [*tree.body]
    while todo:
        statement = todo.pop()
        if isinstance(statement, (ast.If, ast.Try)):
            todo.extend(
                (
                    *statement.body,
                    *statement.orelse,
                    *(s for h in getattr(statement, "handlers", ()) for s in h.body),
                )
            )
        elif isinstance(statement, ast.Assign):
            if not all(
                isinstance(target, ast.Name) and target.id.startswith("__") for target in statement.targets
            ):
                return False
        elif not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass)) and not (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            return False
    return True


def _is_probe(statement: ast.stmt, source: Source) -> bool:
    """Whether the import asks if something is installed, or stands in a branch for one Python or platform."""
    parent = source.parent(statement)
    while parent is not None:
        if isinstance(parent, ast.Try):
            return True
        if isinstance(parent, ast.If) and not _is_type_checking(parent.test):
            return True
        if isinstance(parent, (*FUNCTIONS, ast.With)):
            return True  # a lazy import that is made for its effect, or whose failure is expected
        parent = source.parent(parent)
    return False


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _is_silenced(statement: ast.stmt, source: Source) -> bool:
    """Whether a comment on the statement's lines tells some linter that it is meant."""
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    lines = (source.positions.line_text(line) for line in range(first, last + 1))
    return any(
        "#" in line
        and re.search(r"#.*(noqa|pylint|pyflakes|isort|unused|re-?export|type:)", line, re.IGNORECASE)
        for line in lines
    )


def _taken(source: Source, names: Names) -> set[str]:
    """Qualified names that this file takes from other modules."""
    table = names.table(source.tree)
    found: set[str] = set()
    resolved: set[ast.AST] = set()
    for bindings in table.values():
        for binding in bindings:
            if binding.target and type(binding.node) is ast.ImportFrom:
                found.add(binding.target)
                resolved.add(binding.node)
    for statement in source.nodes(ast.ImportFrom):
        if statement not in resolved:
            module = imported_module(statement, source)
            found.update([f"{module}.{alias.name}" for alias in statement.names])
    modules = {name: bindings[0].target for name, bindings in table.items() if bindings[0].target}
    parents = source.index.parents
    for local, target in modules.items():
        for name in source.reads.get(local, ()):
            path = target
            parent = parents[name]
            while type(parent) is ast.Attribute:
                path = f"{path}.{parent.attr}"
                found.add(path)
                parent = parents[parent]
    for value, _ in source.strings:
        if "." in value and len(value) < 200 and " " not in value:
            found.add(value)
    return found


class Solver(KeptSolver[Extract]):
    """Counts the uses of every name in the project."""

    def __init__(self, project: ProjectInfo) -> None:
        super().__init__(project)
        self._uses: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        self._taken: dict[str, int] = {}

    def added(self, path: str, extract: Extract) -> None:
        """Count what a file uses."""
        del path
        self._count(extract, 1)

    def removed(self, path: str, extract: Extract) -> None:
        """Count no longer what a file used."""
        del path
        self._count(extract, -1)

    def _count(self, file: Extract, sign: int) -> None:
        for name, count in file[0].items():
            self._uses[name] = self._uses.get(name, 0) + sign * count
        for counter, keys in ((self._prefixes, file[1]), (self._taken, file[5])):
            for key in keys:
                counter[key] = counter.get(key, 0) + sign

    def solution(self) -> Solution:
        """The names that nothing uses."""
        facts: dict[str, list[Fact]] = {}
        opportunities: dict[str, dict[tuple[type[Fact], str], int]] = {}
        prefixes = tuple(prefix for prefix, count in self._prefixes.items() if count > 0)
        bases = {name: found for file in self.files.values() for name, found in file[4].items()}
        starred = {name for name, count in self._taken.items() if count > 0 and name.endswith(".*")}
        for path, (_, _, definitions, imports, _, _, exports) in self.files.items():
            module = self.project.modules.get(path, "")
            found: list[Fact] = list(self._imports(path, module, imports, starred))
            exported = set(exports)
            for sort, name, place, own, of in definitions:
                if self._uses.get(name, 0) > own or name in exported:
                    continue
                if sort in {"method", "attribute"} and not is_own(of, bases):
                    continue
                if not any(name.startswith(prefix) or name.endswith(prefix) for prefix in prefixes):
                    found.append(UnusedName(unpack(path, place), name, sort))  # pyright: ignore[reportArgumentType]
            if found:
                facts[path] = found
            counts: dict[tuple[type[Fact], str], int] = {(UnusedName, "import"): len(imports) + 1}
            for sort, *_ in definitions:
                counts[UnusedName, sort] = counts.get((UnusedName, sort), 0) + 1
            opportunities[path] = counts
        return Solution(facts, opportunities)

    def _imports(
        self, path: str, module: str, imports: list[Import], starred: set[str]
    ) -> Iterator[UnusedName]:
        for name, target, place in imports:
            if self._taken.get(f"{module}.{name}", 0) > 0 or f"{module}.*" in starred:
                continue  # another module takes it from here
            if target in self._modules:
                continue  # a module of this project may be imported for what it does
            yield UnusedName(unpack(path, place), name, "import", target=target)

    @cached_property
    def _modules(self) -> frozenset[str]:
        return frozenset(self.project.modules.values())


def is_own(class_: str, bases: Mapping[str, Sequence[str]]) -> bool:
    """Whether a class and all its bases are of this project, so that nothing else calls its methods by their names.

    Args:
        class_: its qualified name.
        bases: the qualified names of the bases of every class of the project.
    """
    todo, seen = [class_], {class_}
    while todo:
        for base in bases.get(todo.pop(), ["?"]):
            if base in _OWN_BASES or base in seen:
                continue
            if base not in bases:
                return False
            seen.add(base)
            todo.append(base)
    return True
