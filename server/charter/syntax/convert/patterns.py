"""Converts the patterns of `match` statements from LibCST to `ast`. It knows no statements."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

import libcst as cst

from charter.syntax.convert.expressions import comma, expression, identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.syntax.convert.cursor import Cursor

_SINGLETONS: Final = {"None": None, "True": True, "False": False}


def pattern(at: Cursor, node: cst.MatchPattern) -> ast.pattern:
    """Convert one pattern, its parentheses included."""
    if isinstance(node, cst.MatchValue):
        value = expression(at, node.value)
        return _placed_like(ast.MatchValue(value=value), value)
    if isinstance(node, cst.MatchSingleton):
        value = expression(at, node.value)
        return _placed_like(ast.MatchSingleton(value=_SINGLETONS[node.value.value]), value)
    parentheses = len(node.lpar)
    if parentheses and isinstance(node, cst.MatchTuple):
        parentheses -= 1
    for _ in range(parentheses):
        at.take(1)
    converted = _HANDLERS[type(node)](at, node, at.skip())
    for _ in range(parentheses):
        at.take(1)
    return converted


def _placed_like(node: ast.pattern, value: ast.expr) -> ast.pattern:
    node.lineno, node.col_offset = value.lineno, value.col_offset
    node.end_lineno = value.lineno if value.end_lineno is None else value.end_lineno
    node.end_col_offset = value.col_offset if value.end_col_offset is None else value.end_col_offset
    return node


def _elements(at: Cursor, nodes: Sequence[cst.MatchSequenceElement | cst.MatchStar]) -> list[ast.pattern]:
    converted: list[ast.pattern] = []
    for node in nodes:
        if isinstance(node, cst.MatchStar):
            start = at.take(1)
            converted.append(at.place(ast.MatchStar(name=_capture(at, node.name)), start))
        else:
            converted.append(pattern(at, node.value))
        comma(at, node)
    return converted


def _capture(at: Cursor, name: cst.Name | None) -> str | None:
    """Read the name that a pattern binds; `_` binds none."""
    if name is None:
        at.take(1)
        return None
    return identifier(at, name)


def _sequence(at: Cursor, node: cst.MatchList | cst.MatchTuple, start: int) -> ast.pattern:
    brackets = bool(node.lpar) if isinstance(node, cst.MatchTuple) else node.lbracket is not None
    if brackets:
        at.take(1)
    patterns = _elements(at, node.patterns)
    if brackets:
        at.take(1)
    return at.place(ast.MatchSequence(patterns=patterns), start)


def _mapping(at: Cursor, node: cst.MatchMapping, start: int) -> ast.pattern:
    keys: list[ast.expr] = []
    patterns: list[ast.pattern] = []
    rest = None
    at.take(1)
    for element in node.elements:
        keys.append(expression(at, element.key))
        at.take(1)
        patterns.append(pattern(at, element.pattern))
        comma(at, element)
    if node.rest is not None:
        at.take(2)
        rest = identifier(at, node.rest)
        if isinstance(node.trailing_comma, cst.Comma):
            at.take(1)
    at.take(1)
    return at.place(ast.MatchMapping(keys=keys, patterns=patterns, rest=rest), start)


def _class(at: Cursor, node: cst.MatchClass, start: int) -> ast.pattern:
    cls = expression(at, node.cls)
    at.take(1)
    patterns = _elements(at, node.patterns)
    names: list[str] = []
    values: list[ast.pattern] = []
    for keyword in node.kwds:
        names.append(identifier(at, keyword.key))
        at.take(1)
        values.append(pattern(at, keyword.pattern))
        comma(at, keyword)
    at.take(1)
    converted = ast.MatchClass(cls=cls, patterns=patterns, kwd_attrs=names, kwd_patterns=values)
    return at.place(converted, start)


def _as(at: Cursor, node: cst.MatchAs, start: int) -> ast.pattern:
    inner = None
    if node.pattern is not None:
        inner = pattern(at, node.pattern)
        at.take(2)
    return at.place(ast.MatchAs(pattern=inner, name=_capture(at, node.name)), start)


def _or(at: Cursor, node: cst.MatchOr, start: int) -> ast.pattern:
    patterns: list[ast.pattern] = []
    for element in node.patterns:
        patterns.append(pattern(at, element.pattern))
        if isinstance(element.separator, cst.BitOr):
            at.take(1)
    return at.place(ast.MatchOr(patterns=patterns), start)


_HANDLERS: Final[dict[type[cst.CSTNode], Callable[[Cursor, Any, int], ast.pattern]]] = {
    cst.MatchList: _sequence,
    cst.MatchTuple: _sequence,
    cst.MatchMapping: _mapping,
    cst.MatchClass: _class,
    cst.MatchAs: _as,
    cst.MatchOr: _or,
}
