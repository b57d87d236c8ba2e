"""Measures of functions: complexity, nesting and size. It judges nothing; rules set the limits.

Sources: T. J. McCabe, "A Complexity Measure" (1976), counted on statements as the `mccabe` package and ruff do;
G. A. Campbell, "Cognitive Complexity" (SonarSource, 2023).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from charter.analysis.places import pack_name, unpack
from charter.api.facts.metrics import Branch, FunctionMetrics
from charter.api.text import Location, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.model.names import Names
    from charter.syntax.source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_LISTED_FROM: Final = 10
"""The complexity from which the places that add up are listed; nobody asks for those of simple functions."""
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
_NAME: Final = re.compile(r"\w+")
_FLAT: Final = (ast.BoolOp, ast.match_case)
"""What adds one to cognitive complexity wherever it stands, or nothing (a `case`, whose `match` adds)."""


@dataclass(slots=True)
class _Tally:
    """What adds up in one function: nodes, with what they weigh for cognitive complexity."""

    cyclomatic: list[tuple[ast.AST, str]]
    cognitive: list[tuple[ast.AST, str, int]]
    nesting: int = 0
    deepest: ast.AST | None = None


def facts(source: Source, names: Names) -> Iterator[FunctionMetrics]:
    """Measure every function of a file.

    Args:
        source: the file.
        names: what its names mean.

    Yields:
        A fact for each function.
    """
    tallies = _tallies(source)
    for kind in _FUNCTIONS:
        for function in source.nodes(kind):
            yield _function(function, tallies.get(function), source, names)


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
            while parent is not None and (kind_above := parent.__class__) not in _HOMES:
                if kind_above in _NESTS and not _continues(child, parent):
                    depth += 1
                child, parent = parent, parents.get(parent)
            if not isinstance(parent, _FUNCTIONS):
                continue
            tally = tallies.get(parent)
            if tally is None:
                tally = tallies[parent] = _Tally([], [])
            _count(tally, node, above, word, depth)
    return tallies


def _continues(child: ast.AST, parent: ast.AST | None) -> bool:
    """Whether a child is the `elif` of its parent, which nests no deeper; an `if` in an `else` stands further right."""
    return (
        isinstance(parent, ast.If)
        and isinstance(child, ast.If)
        and child.col_offset == parent.col_offset
        and parent.orelse[:1] == [child]
    )


def _count(tally: _Tally, node: ast.AST, parent: ast.AST | None, word: str, depth: int) -> None:
    if _continues(node, parent):
        tally.cyclomatic.append((node, "`elif`"))
        tally.cognitive.append((node, "`elif`", 1))
        return
    if isinstance(node, (ast.BoolOp, ast.IfExp)):
        tally.cognitive.append((node, word, 1 if isinstance(node, ast.BoolOp) else 1 + depth))
        return
    if isinstance(node, ast.match_case):
        default = (
            isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None and node.guard is None
        )
        if not default:
            tally.cyclomatic.append((node.pattern, word))
        return
    tally.cyclomatic.append((node, word))
    tally.cognitive.append((node, word, 1 + depth))
    if depth + 1 > tally.nesting:
        tally.nesting, tally.deepest = depth + 1, node


def _function(function: FunctionNode, tally: _Tally | None, source: Source, names: Names) -> FunctionMetrics:
    location = unpack(source.path, pack_name(source, function))
    if tally is None:
        cyclomatic, cognitive, nesting, deepest = 1, 0, 0, location
    else:
        cyclomatic = 1 + len(tally.cyclomatic)
        cognitive = sum(weight for _, _, weight in tally.cognitive)
        nesting = tally.nesting
        deepest = location if tally.deepest is None else _head(tally.deepest, source)
    branches: tuple[Branch, ...] = ()
    hurdles: tuple[Branch, ...] = ()
    if tally is not None and max(cyclomatic, cognitive) >= _LISTED_FROM:
        heads: dict[ast.AST, Location] = {}
        branches = _listed([(node, word, 1) for node, word in tally.cyclomatic], heads, source)
        hurdles = _listed(tally.cognitive, heads, source)
    return FunctionMetrics(
        location=location,
        name=names.symbol(function),
        cyclomatic=cyclomatic,
        branches=branches,
        cognitive=cognitive,
        hurdles=hurdles,
        nesting=nesting,
        deepest=deepest,
        lines=(function.end_lineno or function.lineno) - function.lineno + 1,
        parameters=_parameters(function, source),
    )


def _listed(
    items: list[tuple[ast.AST, str, int]], heads: dict[ast.AST, Location], source: Source
) -> tuple[Branch, ...]:
    """The places of what adds up, in source order; `heads` keeps those that are in both lists."""
    found: list[Branch] = []
    for node, word, weight in items:
        head = heads.get(node)
        if head is None:
            head = heads[node] = _head(node, source)
        found.append(Branch(head, word, weight))
    return tuple(sorted(found, key=lambda branch: branch.location.span))


def _head(node: ast.AST, source: Source) -> Location:
    """The first word of a construct, so that a mark does not cover its whole block."""
    placed = cast("ast.stmt", node)
    line = placed.lineno
    start = source.positions.offset(line, placed.col_offset)
    word = _NAME.match(source.text, start)
    end = word.end() if word is not None else start + 1
    column = start - source.positions.starts[line - 1]
    return Location(source.path, Span(start, end), line, column, line, column + end - start)


def _parameters(function: FunctionNode, source: Source) -> int:
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    if positional and isinstance(source.parent(function), ast.ClassDef):
        decorators = function.decorator_list
        if not any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in decorators):
            positional -= 1  # the instance or the class
    return positional + len(arguments.kwonlyargs)
