"""Measures of functions: complexity, nesting and size. It judges nothing; rules set the limits.

Sources: T. J. McCabe, "A Complexity Measure" (1976), counted on statements as the `mccabe` package and ruff do;
G. A. Campbell, "Cognitive Complexity" (SonarSource, 2023).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from charter.analysis.places import name_span
from charter.api.facts.metrics import Branch, FunctionMetrics
from charter.api.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api.text import Location
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
_NESTS: Final = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)
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
            parent = parents.get(node)
            while parent is not None and not isinstance(parent, _FUNCTIONS):
                if isinstance(parent, ast.ClassDef):
                    break
                if isinstance(parent, _NESTS) and not _continues(child, parent):
                    depth += 1
                child, parent = parent, parents.get(parent)
            if not isinstance(parent, _FUNCTIONS):
                continue
            tally = tallies.get(parent)
            if tally is None:
                tally = tallies[parent] = _Tally([], [])
            _count(tally, node, word, depth, source)
    return tallies


def _continues(child: ast.AST, parent: ast.AST | None) -> bool:
    """Whether a child is the `elif` of its parent, which nests no deeper; an `if` in an `else` stands further right."""
    return (
        isinstance(child, ast.If)
        and isinstance(parent, ast.If)
        and child.col_offset == parent.col_offset
        and parent.orelse[:1] == [child]
    )


def _count(tally: _Tally, node: ast.AST, word: str, depth: int, source: Source) -> None:
    if _continues(node, source.parent(node)):
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
    location = source.location(name_span(source, function))
    cyclomatic = 1 + len(tally.cyclomatic) if tally is not None else 1
    cognitive = sum(weight for _, _, weight in tally.cognitive) if tally is not None else 0
    branches: tuple[Branch, ...] = ()
    hurdles: tuple[Branch, ...] = ()
    if tally is not None and max(cyclomatic, cognitive) >= _LISTED_FROM:
        branches = _listed([(node, word, 1) for node, word in tally.cyclomatic], source)
        hurdles = _listed(tally.cognitive, source)
    deepest = tally.deepest if tally is not None else None
    return FunctionMetrics(
        location=location,
        name=names.symbol(function),
        cyclomatic=cyclomatic,
        branches=branches,
        cognitive=cognitive,
        hurdles=hurdles,
        nesting=tally.nesting if tally is not None else 0,
        deepest=location if deepest is None else _head(deepest, source),
        lines=(function.end_lineno or function.lineno) - function.lineno + 1,
        parameters=_parameters(function, source),
    )


def _listed(items: list[tuple[ast.AST, str, int]], source: Source) -> tuple[Branch, ...]:
    found = [Branch(_head(node, source), word, weight) for node, word, weight in items]
    return tuple(sorted(found, key=lambda branch: branch.location.span))


def _head(node: ast.AST, source: Source) -> Location:
    """The first word of a construct, so that a mark does not cover its whole block."""
    placed = cast("ast.stmt", node)
    start = source.positions.offset(placed.lineno, placed.col_offset)
    word = _NAME.match(source.text, start)
    return source.location(Span(start, word.end() if word is not None else start + 1))


def _parameters(function: FunctionNode, source: Source) -> int:
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    in_class = isinstance(source.parent(function), ast.ClassDef)
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    implicit = 1 if in_class and positional and not static else 0
    return positional - implicit + len(arguments.kwonlyargs)
