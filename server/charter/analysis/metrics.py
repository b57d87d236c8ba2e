"""Measures of functions: complexity, nesting and size. It judges nothing; rules set the limits.

Sources: T. J. McCabe, "A Complexity Measure" (1976), counted on statements as the `mccabe` package and ruff do;
G. A. Campbell, "Cognitive Complexity" (SonarSource, 2023).
"""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct, field

from charter.analysis.places import name_places, unpack
from charter.api import regex
from charter.api.facts.metrics import Branch, FunctionMetrics, Sources
from charter.api.text import Location, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.model.names import Names
    from charter.syntax.source import Source

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_WORDS: Final[dict[type[ast.AST], str]] = {
    ast.If: "`if`",
    ast.For: "loop",
    ast.AsyncFor: "loop",
    ast.While: "loop",
    ast.ExceptHandler: "`except`",
    ast.match_case: "`case`",
    ast.BoolOp: "`and`/`or`",
    ast.IfExp: "conditional expression",
}
_NESTS: Final = frozenset({ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case})
_HOMES: Final = frozenset({*_FUNCTIONS, ast.ClassDef})
"""Where the way up from what branches ends."""
_NAME: Final = regex(r"\w+")


class _Tally(Struct):
    """What adds up in one function.

    Attributes:
        steps: the nodes that add something, each with what it is, and what it adds to cyclomatic and to cognitive
            complexity.
        nesting: how deep the deepest block stands.
        deepest: that block.
    """

    steps: list[tuple[ast.AST, str, int, int]] = field(default_factory=list[tuple[ast.AST, str, int, int]])
    nesting: int = 0
    deepest: ast.AST | None = None

    def sources(self, source: Source) -> Sources:
        """The places of what adds up, in source order."""
        heads = [(_head(node, source), word, paths, weight) for node, word, paths, weight in self.steps]
        steps = sorted(heads, key=_span)
        return Sources(
            tuple([Branch(head, word, paths) for head, word, paths, _ in steps if paths]),
            tuple([Branch(head, word, weight) for head, word, _, weight in steps if weight]),
            None if self.deepest is None else _head(self.deepest, source),
        )


def facts(source: Source, names: Names) -> Iterator[FunctionMetrics]:
    """Measure every function of a file.

    Args:
        source: the file.
        names: what its names mean.

    Yields:
        A fact for each function.
    """
    tallies = _tallies(source)
    places = name_places(source)
    for kind in _FUNCTIONS:
        for function in source.nodes(kind):
            location = unpack(source.path, places[function])
            name = names.symbol(function)
            tally = tallies.get(function)
            if tally is None:
                yield FunctionMetrics(location, name, 1, 0, 0, Sources)
                continue
            cyclomatic = 1 + sum(step[2] for step in tally.steps)
            cognitive = sum(step[3] for step in tally.steps)
            sources = partial(tally.sources, source)
            yield FunctionMetrics(location, name, cyclomatic, cognitive, tally.nesting, sources)


def _tallies(source: Source) -> dict[ast.AST, _Tally]:
    """Go through what branches, and count it for the function it stands in.

    Only nodes that add something are visited, each with the way up to its function; a walk over whole bodies would
    take ten times as long.
    """
    tallies: dict[ast.AST, _Tally] = {}
    parents = source.index.parents
    for kind, word in _WORDS.items():
        for node in source.nodes(kind):
            depth = 0
            child: ast.AST = node
            parent = above = parents.get(node)
            while parent is not None and (kind_above := type(parent)) not in _HOMES:
                if kind_above in _NESTS and not (kind_above is type(child) and _continues(child, parent)):
                    depth += 1
                child, parent = parent, parents.get(parent)
            if not isinstance(parent, _FUNCTIONS):
                continue
            tally = tallies.get(parent)
            if tally is None:
                tally = tallies[parent] = _Tally()
            _count(tally, node, above, word, depth)
    return tallies


def _continues(child: ast.AST, parent: ast.AST | None) -> bool:
    """Whether a child is the `elif` of its parent, which nests no deeper; an `if` in an `else` stands further right."""
    return (
        type(parent) is ast.If
        and type(child) is ast.If
        and child.col_offset == parent.col_offset
        and parent.orelse[:1] == [child]
    )


def _count(tally: _Tally, node: ast.AST, parent: ast.AST | None, word: str, depth: int) -> None:
    if type(node) is ast.BoolOp:
        tally.steps.append((node, word, 0, 1))
    elif type(node) is ast.IfExp:
        tally.steps.append((node, word, 0, 1 + depth))
    elif type(node) is ast.match_case:
        # The `match` adds to cognitive complexity, a `case` without a condition to nothing.
        pattern = node.pattern
        if node.guard or type(pattern) is not ast.MatchAs or pattern.pattern:
            tally.steps.append((pattern, word, 1, 0))
    elif _continues(node, parent):
        tally.steps.append((node, "`elif`", 1, 1))
    else:
        tally.steps.append((node, word, 1, 1 + depth))
        if depth + 1 > tally.nesting:
            tally.nesting, tally.deepest = depth + 1, node


def _head(node: ast.AST, source: Source) -> Location:
    """The first word of a construct, so that a mark does not cover its whole block."""
    placed = cast("ast.stmt", node)
    line = placed.lineno
    start = source.positions.offset(line, placed.col_offset)
    word = _NAME.match(source.text, start)
    end = word.end() if word is not None else start + 1
    column = start - source.positions.starts[line - 1]
    return Location(source.path, Span(start, end), line, column, line, column + end - start)


def _span(step: tuple[Location, str, int, int]) -> Span:
    return step[0].span
