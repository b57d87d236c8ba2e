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
import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, cast

from charter.analysis import Solution
from charter.analysis.places import unpack
from charter.api.facts.structure import Clone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis import ProjectInfo
    from charter.analysis.places import Packed
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 1

_RUN: Final = 6
"""How many statements in a row make a fingerprint."""
_STATEMENTS: Final = 10
_MASS: Final = 60
"""A clone has at least this many statements, and so many nodes in all: less is idiom, not duplication."""
_CROWD: Final = 40
"""A fingerprint that is in more places than this is the way things are written, not a copy."""
_IGNORED: Final = re.compile(
    r"(^|/)(tests?|testing|migrations|versions|examples?|docs?|vendor|_vendor|locale|conf/locale|test_[^/]*\.py|[^/]*_test\.py"
    r"|conftest\.py|[^/]*_pb2(_grpc)?\.py|setup\.py)($|/)"
)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)

Item = tuple[int, int, int, int, int, int, int]
"""Hash, exact hash, mass, first offset, end offset, first line, end line."""
Extract = list[list[Item]]
"""The statements of each function, in order, nested ones included."""


def extract(source: Source, names: Names) -> Extract | None:
    """The hashed statements of every function of a file."""
    del names
    if _IGNORED.search(source.path):
        return None
    found: Extract = []
    for kind in _FUNCTIONS:
        for function in source.nodes(kind):
            if (function.end_lineno or 0) - function.lineno < _STATEMENTS:
                continue
            body = (
                function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
            )
            items = list(_items(body, source, 0))
            if len(items) >= _STATEMENTS:
                found.append(items)
    return found or None


def _items(body: list[ast.stmt], source: Source, depth: int) -> Iterator[Item]:
    for statement in body:
        if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            continue  # measured on their own
        parts: list[str] = [type(statement).__name__, str(depth)]
        exact: list[str] = []
        mass = _head(statement, parts, exact)
        span = source.span(statement)
        blocks = [getattr(statement, field, None) for field in ("body", "orelse", "finalbody")]
        end, end_line = span.end, statement.end_lineno or statement.lineno
        if any(blocks):
            end, end_line = _end_of_head(statement, source)
        text = "\0".join(parts)
        yield (
            _digest(text), _digest(text + "\1" + "\0".join(exact)), mass, span.start, end, statement.lineno, end_line,
        )  # fmt: skip
        for block in blocks[:1]:
            if isinstance(block, list):
                yield from _items(cast("list[ast.stmt]", block), source, depth + 1)
        for handler in getattr(statement, "handlers", []):
            yield from _items(handler.body, source, depth + 1)
        for case in getattr(statement, "cases", []):
            yield from _items(case.body, source, depth + 1)
        for block in blocks[1:]:
            if isinstance(block, list):
                yield from _items(cast("list[ast.stmt]", block), source, depth + 1)


def _end_of_head(statement: ast.stmt, source: Source) -> tuple[int, int]:
    """Where the first line of a compound statement ends; its blocks are items of their own."""
    line = statement.lineno
    return source.positions.starts[line - 1] + len(source.positions.line_text(line)), line


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


_BLOCKS: Final = frozenset({"body", "orelse", "finalbody", "handlers", "cases", "decorator_list"})


def _head(statement: ast.stmt, parts: list[str], exact: list[str]) -> int:
    """Write a statement without its blocks into `parts`, its names and literals into `exact`; gives its mass."""
    mass = 1
    stack: list[object] = [
        value
        for field, value in reversed(list(ast.iter_fields(statement)))
        if field not in _BLOCKS and value is not None
    ]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            parts.append(f"[{len(cast('list[object]', node))}")
            stack.extend(reversed(cast("list[object]", node)))
            continue
        if not isinstance(node, ast.AST):
            exact.append(str(node))
            continue
        mass += 1
        kind = node.__class__
        if kind is ast.Name:
            parts.append("n")
            exact.append(cast("ast.Name", node).id)
        elif kind is ast.Constant:
            value = cast("ast.Constant", node).value
            parts.append(type(value).__name__)
            exact.append(repr(value))
        elif kind is ast.Attribute:
            attribute = cast("ast.Attribute", node)
            parts.append("." + attribute.attr)
            stack.append(attribute.value)
        elif kind is ast.Call:
            call = cast("ast.Call", node)
            parts.append(f"({len(call.args)}")
            stack.extend((*reversed(call.keywords), *reversed(call.args)))
            if isinstance(call.func, ast.Name):
                parts.append(call.func.id)
            else:
                stack.append(call.func)
        elif kind is ast.keyword:
            parts.append(f"{cast('ast.keyword', node).arg}=")
            stack.append(cast("ast.keyword", node).value)
        else:
            parts.append(kind.__name__)
            stack.extend(
                value
                for _, value in reversed(list(ast.iter_fields(node)))
                if isinstance(value, (ast.AST, list))
            )
    return mass


Place = tuple[str, int, int]
"""Path, number of the function in it, number of the statement in that."""


class Solver:
    """An index of fingerprints over the whole project.

    Args:
        project: not needed here.
    """

    def __init__(self, project: ProjectInfo) -> None:
        del project
        self._files: dict[str, Extract] = {}
        self._index: dict[tuple[int, ...], set[Place]] = {}
        self._solution: Solution | None = None

    def update(self, path: str, extract: object | None) -> None:
        """Take in a file's statements, or take the file out."""
        old = self._files.get(path)
        if old == extract:
            return
        self._solution = None
        if old is not None:
            for key, place in _fingerprints(path, old):
                places = self._index[key]
                places.discard(place)
                if not places:
                    del self._index[key]
            del self._files[path]
        if extract is not None:
            new = self._files[path] = cast("Extract", extract)
            for key, place in _fingerprints(path, new):
                self._index.setdefault(key, set()).add(place)

    def solve(self) -> Solution:
        """The families of clones, each reported at its first place."""
        if self._solution is None:
            self._solution = self._solve()
        return self._solution

    def _solve(self) -> Solution:
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
            if fact is not None:
                facts.setdefault(fact.location.path, []).append(fact)
        kind: type[Fact] = Clone
        return Solution(facts, {path: {(kind, ""): len(file)} for path, file in self._files.items()})

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
        if length < _STATEMENTS or sum(item[2] for item in items[start[2] : start[2] + length]) < _MASS:
            return None
        places = sorted([start, *(place for place, common in lengths.items() if common >= length)])
        return places, length

    def _items(self, place: Place) -> list[Item]:
        return self._files[place[0]][place[1]]

    def _common(self, one: Place, other: Place) -> int:
        """How many statements two places have in common from there on."""
        a, b = self._items(one), self._items(other)
        i, j = one[2], other[2]
        length = 0
        while i + length < len(a) and j + length < len(b) and a[i + length][0] == b[j + length][0]:
            length += 1
        return length

    def _fact(self, places: list[Place], length: int) -> Clone | None:
        locations = [unpack(place[0], self._span(place, length)) for place in places]
        runs = [self._items(place)[place[2] : place[2] + length] for place in places]
        exact = all([item[1] for item in run] == [item[1] for item in runs[0]] for run in runs[1:])
        first = locations[0]
        return Clone(first, tuple(locations[1:]), first.end_line - first.line + 1, length, exact)

    def _span(self, place: Place, length: int) -> Packed:
        items = self._items(place)
        first, last = items[place[2]], items[place[2] + length - 1]
        end = max(items[place[2] + length - 1 - back][4] for back in range(min(3, length)))
        return (first[3], max(end, last[4]), first[5], 0, last[6], 0)


def _overlap(one: Place, other: Place, length: int) -> bool:
    """Whether two runs lie in one function and run into each other (a repetitive function, not a copy)."""
    return one[:2] == other[:2] and abs(one[2] - other[2]) < length


def _key(items: list[Item], start: int) -> tuple[int, ...]:
    return tuple(item[0] for item in items[start : start + _RUN])


def _fingerprints(path: str, file: Extract) -> Iterator[tuple[tuple[int, ...], Place]]:
    for number, items in enumerate(file):
        for start in range(len(items) - _RUN + 1):
            yield _key(items, start), (path, number, start)
