"""Code that is there more than once: runs of statements that are equal up to the names of variables and literals.

Every statement's head is hashed with local names and literal values left out; attributes, called functions and
keywords stay, because they say what the code does. Runs of `_RUN` hashes are looked up in an index of the whole
project and extended as far as they match, so the work grows with the number of lines, not with its square.

Method: I. D. Baxter and others, "Clone Detection Using Abstract Syntax Trees" (1998), on sequences of statements;
R. M. Karp and M. O. Rabin (1987) for the look-up by fingerprints of fixed length.
"""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast
from zlib import crc32

from charter.analysis import Solution, paths
from charter.analysis.places import unpack
from charter.analysis.solver import KeptSolver
from charter.api.facts.structure import Clone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis import ProjectInfo
    from charter.analysis.places import Packed
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.positions import Positions
    from charter.syntax.source import Source
    from charter.syntax.walk import Index

VERSION = 6

_RUN: Final = 6
"""How many statements in a row make a fingerprint."""
_STATEMENTS: Final = 10
_MASS: Final = 60
"""A clone has at least this many statements, and so many nodes in all: less is idiom, not duplication."""
_KINDS: Final = 4
"""A run of fewer different statements is a table written as calls."""
_CROWD: Final = 40
"""A fingerprint that is in more places than this is the way things are written, not a copy."""
_is_ignored: Final = paths.any_of(
    *paths.TESTS,
    *paths.COPIED,
    *paths.GENERATED,
    "migrations",
    "versions",
    "examples?",
    "docs?",
    "locale",
    r"setup\.py",
)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)

Item = tuple[int, int, int, int, int, int]
"""Hash, mass, first offset, end offset, first line, end line."""
Head = tuple[list[ast.AST], int]
"""A statement with what it holds besides its blocks, in source order, and how deep it stands in its function."""
Extract = list[list[Item]]
"""The statements of each function, in order, nested ones included."""


def extract(source: Source, names: Names) -> Extract | None:
    """The hashed statements of every function of a file."""
    del names
    if _is_ignored(source.path):
        return None
    positions = source.positions
    # Many long functions have few statements of their own; these are not hashed at all.
    functions = [heads for heads in _functions(source) if len(heads) >= _STATEMENTS]
    return [[_item(nodes, depth, positions) for nodes, depth in heads] for heads in functions] or None


def _functions(source: Source) -> Iterator[list[Head]]:
    """The heads of the statements of each long function; what it defines inside is measured on its own."""
    index = source.index
    functions = [function for kind in _FUNCTIONS for function in index.by_type.get(kind, ())]
    last = 0
    for function in sorted(cast("list[ast.FunctionDef]", functions), key=_place):
        # What stands in another function is met there.
        if function.lineno > last and _is_long(function):
            last = function.end_lineno or 0
            yield from _heads(function, index)


def _heads(function: ast.FunctionDef, index: Index) -> list[list[Head]]:
    """The heads of a function's own statements, and of those of the long functions inside of it."""
    below = index.below(function)
    starts = [at for at, node in enumerate(below) if type(node) in _HEADS]
    if len(starts) < _STATEMENTS:
        return []
    own: list[Head] = []
    found = [own]
    homes: dict[ast.AST, tuple[list[Head], int]] = {function: (own, 0)}
    parents = index.parents
    for start, end in zip(starts, [*starts[1:], len(below)], strict=True):
        node = below[start]
        if type(node) is ast.FunctionDef or type(node) is ast.AsyncFunctionDef:
            if _is_long(node):
                found.append([])
                homes[node] = (found[-1], 0)
            continue
        home = homes.get(parents[node])
        if home is None or type(node) is ast.ClassDef:
            continue
        heads, depth = home
        if depth or not _is_text(node):
            homes[node] = (heads, depth + 1)
            heads.append((below[start:end], depth))
    return found


def _item(nodes: list[ast.AST], depth: int, positions: Positions) -> Item:
    head = nodes[0]
    at: Any = head.pattern if type(head) is ast.match_case else head
    line: int = at.lineno
    start = positions.offset(line, at.col_offset)
    if type(head) in _BLOCKS:  # its blocks are items of their own
        last = line
        end = positions.starts[last - 1] + len(positions.line_text(last))
    else:
        last = at.end_lineno or line
        end = positions.offset(last, at.end_col_offset or 0)
    told = "\0".join([_PLAIN.get(type(node)) or _TELLING.get(type(node), _kind)(node) for node in nodes])
    digest = crc32(told.encode("utf-8", "surrogatepass"), depth)
    return (digest, len(nodes), start, end, line, last)


def _place(function: ast.FunctionDef) -> tuple[int, int]:
    return function.lineno, function.col_offset


def _is_long(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return (function.end_lineno or 0) - function.lineno >= _STATEMENTS


def _is_text(node: ast.AST) -> bool:
    return type(node) is ast.Expr and type(node.value) is ast.Constant and isinstance(node.value.value, str)


def _operator(node: Any) -> str:
    return f"{type(node).__name__}{type(node.op).__name__}"


def _kind(node: ast.AST) -> str:
    """What a stand-in for newer syntax, or for what does not parse, is."""
    return type(node).__name__


def _length(node: Any) -> str:
    return f"{type(node).__name__}{len(node.elts)}"


def _call(node: Any) -> str:
    name = f"\0{node.func.id}" if type(node.func) is ast.Name else ""
    return f"({len(node.args)}{name}"


_TELLING: Final[dict[type[ast.AST], Callable[[Any], str]]] = {
    ast.Attribute: lambda node: f".{node.attr}",
    ast.Constant: lambda node: type(node.value).__name__,
    ast.Call: _call,
    ast.keyword: lambda node: f"{node.arg}=",
    ast.alias: lambda node: f"{node.name} as {node.asname}",
    ast.Compare: lambda node: "Compare" + ",".join([type(operator).__name__ for operator in node.ops]),
    ast.Slice: lambda node: f"Slice{node.lower is None}{node.upper is None}",
    ast.ImportFrom: lambda node: f"ImportFrom{node.level}{node.module}",
    **dict.fromkeys((ast.BinOp, ast.AugAssign, ast.UnaryOp, ast.BoolOp), _operator),
    **dict.fromkeys((ast.Tuple, ast.List, ast.Set), _length),
}
"""What a node is, where that is more than its type and what the nodes below tell: operators, lengths, and which of two
optional parts there is. The names and values in which clones may differ are left out."""
_TYPES: Final = [kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)]
_PLAIN: Final = {kind: kind.__name__ for kind in _TYPES if kind not in _TELLING} | {ast.Name: "n"}
_HEADS: Final = frozenset(
    kind for kind in _TYPES if issubclass(kind, (ast.stmt, ast.ExceptHandler, ast.match_case))
)
_BLOCKS: Final = frozenset(kind for kind in _HEADS if "body" in kind._fields)


Place = tuple[str, int, int]
"""Path, number of the function in it, number of the statement in that."""


class Solver(KeptSolver[Extract]):
    """An index of fingerprints over the whole project."""

    def __init__(self, project: ProjectInfo) -> None:
        super().__init__(project)
        self._index: dict[tuple[int, ...], list[Place]] = {}

    def added(self, path: str, extract: Extract) -> None:
        """Enter a file's fingerprints."""
        index = self._index
        for key, place in _fingerprints(path, extract):
            if key in index:
                index[key].append(place)
            else:
                index[key] = [place]

    def removed(self, path: str, extract: Extract) -> None:
        """Strike out a file's fingerprints."""
        for key, place in _fingerprints(path, extract):
            places = self._index[key]
            places.remove(place)
            if not places:
                del self._index[key]

    def solution(self) -> Solution:
        """The families of clones, each reported at its first place."""
        covered: set[Place] = set()
        facts: dict[str, list[Fact]] = {}
        for path, number, start in self._candidates():
            if (path, number, start) in covered:
                continue
            family = self._family((path, number, start))
            if family is None:
                continue
            places, length = family
            for other, function, first in places:
                covered.update((other, function, index) for index in range(first, first + length))
            fact = self._fact(places, length)
            facts.setdefault(fact.location.path, []).append(fact)
        kind: type[Fact] = Clone
        return Solution(facts, {path: {(kind, ""): len(file)} for path, file in self.files.items()})

    def _candidates(self) -> list[Place]:
        found = [place for places in self._index.values() if 1 < len(places) <= _CROWD for place in places]
        return sorted(found)

    def _family(self, start: Place) -> tuple[list[Place], int] | None:
        """All places that share the longest run beginning at a place."""
        items = self._items(start)
        key = _key(items, start[2])
        partners = [place for place in self._index.get(key, ()) if place != start]
        lengths = {place: self._common(start, place) for place in partners}
        lengths = {place: length for place, length in lengths.items() if not _overlap(start, place, length)}
        if not lengths:
            return None
        length = max(lengths.values())
        run = items[start[2] : start[2] + length]
        if length < _STATEMENTS or sum(item[1] for item in run) < _MASS:
            return None
        if len({item[0] for item in run}) < _KINDS:
            return None
        places = sorted([start, *(place for place, common in lengths.items() if common >= length)])
        return places, length

    def _items(self, place: Place) -> list[Item]:
        return self.files[place[0]][place[1]]

    def _common(self, one: Place, other: Place) -> int:
        """How many statements two places have in common from there on."""
        a, b = self._items(one), self._items(other)
        i, j = one[2], other[2]
        length = 0
        while i + length < len(a) and j + length < len(b) and a[i + length][0] == b[j + length][0]:
            length += 1
        return length

    def _fact(self, places: list[Place], length: int) -> Clone:
        first, *others = [unpack(place[0], self._span(place, length)) for place in places]
        return Clone(first, tuple(others), first.end_line - first.line + 1, length)

    def _span(self, place: Place, length: int) -> Packed:
        items = self._items(place)
        first, last = items[place[2]], items[place[2] + length - 1]
        end = max(items[place[2] + length - 1 - back][3] for back in range(min(3, length)))
        return (first[2], max(end, last[3]), first[4], 0, last[5], 0)


def _overlap(one: Place, other: Place, length: int) -> bool:
    """Whether two runs lie in one function and run into each other (a repetitive function, not a copy)."""
    return one[:2] == other[:2] and abs(one[2] - other[2]) < length


def _key(items: list[Item], start: int) -> tuple[int, ...]:
    return tuple(item[0] for item in items[start : start + _RUN])


def _fingerprints(path: str, file: Extract) -> Iterator[tuple[tuple[int, ...], Place]]:
    for number, items in enumerate(file):
        digests = [item[0] for item in items]
        for start in range(len(items) - _RUN + 1):
            yield tuple(digests[start : start + _RUN]), (path, number, start)
