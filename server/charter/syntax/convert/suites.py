"""Converts LibCST statements and modules into `ast`, in the order of the text. Expressions are converted elsewhere."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any, Final

import libcst as cst

from charter.syntax import nodes
from charter.syntax.convert.expressions import (
    BINARY,
    DEL,
    arguments,
    comma,
    elements,
    expression,
    identifier,
    parameters,
    set_context,
    target,
)
from charter.syntax.convert.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.syntax.convert.cursor import Cursor

    Generic = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_OLD_HOST: Final = sys.version_info < (3, 12)


def module(at: Cursor, node: cst.Module) -> ast.Module:
    """Convert a whole file."""
    return ast.Module(body=_statements(at, node.body), type_ignores=[])


def _statements(at: Cursor, body: Sequence[cst.CSTNode]) -> list[ast.stmt]:
    converted: list[ast.stmt] = []
    for node in body:
        if isinstance(node, cst.SimpleStatementLine):
            _line(at, node.body, converted)
        else:
            converted.append(_HANDLERS[type(node)](at, node, at.skip()))
    return converted


def _line(at: Cursor, body: Sequence[cst.BaseSmallStatement], into: list[ast.stmt]) -> None:
    for node in body:
        into.append(_HANDLERS[type(node)](at, node, at.skip()))
        if isinstance(node.semicolon, cst.Semicolon):
            at.take(1)


def _suite(at: Cursor, node: cst.BaseSuite) -> list[ast.stmt]:
    """Convert the colon and the body of a compound statement."""
    at.take(1)
    if isinstance(node, cst.SimpleStatementSuite):
        converted: list[ast.stmt] = []
        _line(at, node.body, converted)
        return converted
    return _statements(at, node.body)


def _else(at: Cursor, node: cst.Else | cst.Finally | None) -> list[ast.stmt]:
    if node is None:
        return []
    at.take(7 if isinstance(node, cst.Finally) else 4)
    return _suite(at, node.body)


# Simple statements


def _expression(at: Cursor, node: cst.Expr, start: int) -> ast.stmt:
    return at.place(ast.Expr(value=expression(at, node.value)), start)


def _pass(at: Cursor, _node: cst.Pass, start: int) -> ast.stmt:
    at.take(4)
    return at.place(ast.Pass(), start)


def _break(at: Cursor, _node: cst.Break, start: int) -> ast.stmt:
    at.take(5)
    return at.place(ast.Break(), start)


def _continue(at: Cursor, _node: cst.Continue, start: int) -> ast.stmt:
    at.take(8)
    return at.place(ast.Continue(), start)


def _return(at: Cursor, node: cst.Return, start: int) -> ast.stmt:
    at.take(6)
    value = expression(at, node.value) if node.value is not None else None
    return at.place(ast.Return(value=value), start)


def _delete(at: Cursor, node: cst.Del, start: int) -> ast.stmt:
    at.take(3)
    if isinstance(node.target, cst.Tuple) and not node.target.lpar:
        targets = elements(at, node.target.elements)
    else:
        targets = [expression(at, node.target)]
    for each in targets:
        set_context(each, DEL)
    return at.place(ast.Delete(targets=targets), start)


def _raise(at: Cursor, node: cst.Raise, start: int) -> ast.stmt:
    at.take(5)
    exception = expression(at, node.exc) if node.exc is not None else None
    cause = None
    if node.cause is not None:
        at.take(4)
        cause = expression(at, node.cause.item)
    return at.place(ast.Raise(exc=exception, cause=cause), start)


def _assert(at: Cursor, node: cst.Assert, start: int) -> ast.stmt:
    at.take(6)
    test = expression(at, node.test)
    message = None
    if node.msg is not None:
        at.take(1)
        message = expression(at, node.msg)
    return at.place(ast.Assert(test=test, msg=message), start)


def _global(at: Cursor, node: cst.Global | cst.Nonlocal, start: int) -> ast.stmt:
    kind = ast.Global if isinstance(node, cst.Global) else ast.Nonlocal
    at.take(6 if kind is ast.Global else 8)
    names: list[str] = []
    for item in node.names:
        names.append(identifier(at, item.name))
        comma(at, item)
    return at.place(kind(names=names), start)


def _import(at: Cursor, node: cst.Import | cst.LazyImport, start: int) -> ast.stmt:
    lazy = isinstance(node, cst.LazyImport)
    if lazy:
        at.take(4)
    at.take(6)
    converted = at.place(ast.Import(names=_aliases(at, node.names)), start)
    return _lazy(converted) if lazy else converted


def _import_from(at: Cursor, node: cst.ImportFrom | cst.LazyImportFrom, start: int) -> ast.stmt:
    lazy = isinstance(node, cst.LazyImportFrom)
    if lazy:
        at.take(4)
    at.take(4)
    for _ in node.relative:
        at.take(1)
    name = _dotted(at, node.module) if node.module is not None else None
    at.take(6)
    if node.lpar is not None:
        at.take(1)
    if isinstance(node.names, cst.ImportStar):
        star = at.take(1)
        aliases = [at.place(ast.alias(name="*"), star)]
    else:
        aliases = _aliases(at, node.names)
    if node.rpar is not None:
        at.take(1)
    converted = at.place(ast.ImportFrom(module=name, names=aliases, level=len(node.relative)), start)
    return _lazy(converted) if lazy else converted


def _lazy(node: ast.Import | ast.ImportFrom) -> ast.stmt:
    """Mark a lazy import (PEP 810) with the attribute that CPython 3.15 gives it."""
    node.__dict__["is_lazy"] = 1
    return node


def _aliases(at: Cursor, names: Sequence[cst.ImportAlias]) -> list[ast.alias]:
    aliases: list[ast.alias] = []
    for node in names:
        start = at.skip()
        name = _dotted(at, node.name)
        renamed = None
        if node.asname is not None:
            at.take(2)
            assert isinstance(node.asname.name, cst.Name)
            renamed = identifier(at, node.asname.name)
        aliases.append(at.place(ast.alias(name=name, asname=renamed), start))
        comma(at, node)
    return aliases


def _dotted(at: Cursor, node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        before = _dotted(at, node.value)
        at.take(1)
        return f"{before}.{identifier(at, node.attr)}"
    assert isinstance(node, cst.Name)
    return identifier(at, node)


def _assign(at: Cursor, node: cst.Assign, start: int) -> ast.stmt:
    targets: list[ast.expr] = []
    for each in node.targets:
        targets.append(target(at, each.target))
        at.take(1)
    return at.place(ast.Assign(targets=targets, value=expression(at, node.value)), start)


def _annotated(at: Cursor, node: cst.AnnAssign, start: int) -> ast.stmt:
    assigned = target(at, node.target)
    at.take(1)
    annotation = expression(at, node.annotation.annotation)
    value = None
    if node.value is not None:
        at.take(1)
        value = expression(at, node.value)
    simple = isinstance(node.target, cst.Name) and not node.target.lpar
    converted = ast.AnnAssign(target=assigned, annotation=annotation, value=value, simple=int(simple))  # pyright: ignore[reportCallIssue, reportArgumentType]
    return at.place(converted, start)


def _augmented(at: Cursor, node: cst.AugAssign, start: int) -> ast.stmt:
    assigned = target(at, node.target)
    operator, length = BINARY[type(node.operator)]
    at.take(length)
    value = expression(at, node.value)
    return at.place(ast.AugAssign(target=assigned, op=operator, value=value), start)  # pyright: ignore[reportArgumentType]


def _type_alias(at: Cursor, node: cst.TypeAlias, start: int) -> ast.stmt:
    at.take(4)
    name = target(at, node.name)
    type_params = _type_params(at, node.type_parameters)
    at.take(1)
    value = expression(at, node.value)
    return at.place(nodes.TypeAlias(name=name, type_params=type_params, value=value), start)


# Compound statements


def _if(at: Cursor, node: cst.If, start: int) -> ast.stmt:
    """Convert a chain of `elif` without recursion; `ast` nests each in the one before."""
    chain: list[tuple[int, ast.expr, list[ast.stmt]]] = []
    keyword = 2
    following: cst.If | cst.Else | None = node
    while isinstance(following, cst.If):
        begin = start if following is node else at.skip()
        at.take(keyword)
        keyword = 4
        test = expression(at, following.test)
        chain.append((begin, test, _suite(at, following.body)))
        following = following.orelse
    orelse = _else(at, following)
    for begin, test, body in reversed(chain):
        orelse: list[ast.stmt] = [at.place(ast.If(test=test, body=body, orelse=orelse), begin)]
    return orelse[0]


def _for(at: Cursor, node: cst.For, start: int) -> ast.stmt:
    kind = ast.For if node.asynchronous is None else ast.AsyncFor
    if node.asynchronous is not None:
        at.take(5)
    at.take(3)
    variable = target(at, node.target)
    at.take(2)
    iterable = expression(at, node.iter)
    body = _suite(at, node.body)
    orelse = _else(at, node.orelse)
    return at.place(kind(target=variable, iter=iterable, body=body, orelse=orelse), start)


def _while(at: Cursor, node: cst.While, start: int) -> ast.stmt:
    at.take(5)
    test = expression(at, node.test)
    body = _suite(at, node.body)
    return at.place(ast.While(test=test, body=body, orelse=_else(at, node.orelse)), start)


def _with(at: Cursor, node: cst.With, start: int) -> ast.stmt:
    kind = ast.With if node.asynchronous is None else ast.AsyncWith
    if node.asynchronous is not None:
        at.take(5)
    at.take(4)
    parentheses = isinstance(node.lpar, cst.LeftParen)
    if parentheses:
        at.take(1)
    items: list[ast.withitem] = []
    for item in node.items:
        manager = expression(at, item.item)
        variable = None
        if item.asname is not None:
            at.take(2)
            variable = target(at, item.asname.name)
        items.append(ast.withitem(context_expr=manager, optional_vars=variable))
        comma(at, item)
    if parentheses:
        at.take(1)
    return at.place(kind(items=items, body=_suite(at, node.body)), start)


def _try(at: Cursor, node: cst.Try | cst.TryStar, start: int) -> ast.stmt:
    kind = ast.Try if isinstance(node, cst.Try) else ast.TryStar
    at.take(3)
    body = _suite(at, node.body)
    handlers = [_handler(at, handler) for handler in node.handlers]
    orelse = _else(at, node.orelse)
    finalbody = _else(at, node.finalbody)
    return at.place(kind(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody), start)


def _handler(at: Cursor, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ast.ExceptHandler:
    start = at.take(6)
    if isinstance(node, cst.ExceptStarHandler):
        at.take(1)
    caught = expression(at, node.type) if node.type is not None else None
    name = None
    if node.name is not None:
        at.take(2)
        assert isinstance(node.name.name, cst.Name)
        name = identifier(at, node.name.name)
    return at.place(ast.ExceptHandler(type=caught, name=name, body=_suite(at, node.body)), start)


def _match(at: Cursor, node: cst.Match, start: int) -> ast.stmt:
    at.take(5)
    subject = expression(at, node.subject)
    at.take(1)
    cases: list[ast.match_case] = []
    for case in node.cases:
        at.take(4)
        matched = pattern(at, case.pattern)
        guard = None
        if case.guard is not None:
            at.take(2)
            guard = expression(at, case.guard)
        cases.append(ast.match_case(pattern=matched, guard=guard, body=_suite(at, case.body)))
    return at.place(ast.Match(subject=subject, cases=cases), start)


def _decorators(at: Cursor, decorators: Sequence[cst.Decorator]) -> list[ast.expr]:
    converted: list[ast.expr] = []
    for node in decorators:
        at.take(1)
        converted.append(expression(at, node.decorator))
    return converted


def _function(at: Cursor, node: cst.FunctionDef, _start: int) -> ast.stmt:
    decorators = _decorators(at, node.decorators)
    start = at.skip()
    kind = ast.FunctionDef if node.asynchronous is None else ast.AsyncFunctionDef
    if node.asynchronous is not None:
        at.take(5)
    at.take(3)
    name = identifier(at, node.name)
    type_params = _type_params(at, node.type_parameters)
    at.take(1)
    signature = parameters(at, node.params)
    at.take(1)
    returns = None
    if node.returns is not None:
        at.take(2)
        returns = expression(at, node.returns.annotation)
    body = _suite(at, node.body)
    converted = kind(name=name, args=signature, body=body, decorator_list=decorators, returns=returns)
    return at.place(_generic(converted, type_params), start)


def _class(at: Cursor, node: cst.ClassDef, _start: int) -> ast.stmt:
    decorators = _decorators(at, node.decorators)
    start = at.take(5)
    name = identifier(at, node.name)
    type_params = _type_params(at, node.type_parameters)
    bases: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    if isinstance(node.lpar, cst.LeftParen):
        at.take(1)
        bases, keywords = arguments(at, (*node.bases, *node.keywords))
        at.take(1)
    body = _suite(at, node.body)
    converted = ast.ClassDef(name=name, bases=bases, keywords=keywords, body=body, decorator_list=decorators)
    return at.place(_generic(converted, type_params), start)


def _generic(node: Generic, type_params: list[nodes.type_param]) -> Generic:
    """Give a definition its type parameters, and on an old host let walks over `_fields` find them."""
    node.__dict__["type_params"] = type_params
    if _OLD_HOST and type_params:
        node.__dict__["_fields"] = (*node._fields, "type_params")
    return node


def _type_params(at: Cursor, node: cst.TypeParameters | None) -> list[nodes.type_param]:
    if node is None:
        return []
    at.take(1)
    converted: list[nodes.type_param] = []
    for parameter in node.params:
        converted.append(_type_param(at, parameter))
        comma(at, parameter)
    at.take(1)
    return converted


def _type_param(at: Cursor, node: cst.TypeParam) -> nodes.type_param:
    start = at.skip()
    kind = node.param
    bound = None
    if isinstance(kind, cst.TypeVar):
        name = identifier(at, kind.name)
        if kind.bound is not None:
            at.take(1)
            bound = expression(at, kind.bound)
    else:
        at.take(1 if isinstance(kind, cst.TypeVarTuple) else 2)
        name = identifier(at, kind.name)
    default = _type_default(at, node)
    if isinstance(kind, cst.TypeVar):
        converted: nodes.type_param = nodes.TypeVar(name=name, bound=bound)
    else:
        converted = (nodes.TypeVarTuple if isinstance(kind, cst.TypeVarTuple) else nodes.ParamSpec)(name=name)
    if default is not None:
        converted.__dict__["default_value"] = default
    return at.place(converted, start)


def _type_default(at: Cursor, node: cst.TypeParam) -> ast.expr | None:
    if node.default is None:
        return None
    at.take(1)
    start = at.skip()
    if node.star:
        at.take(1)
        return at.place(ast.Starred(value=expression(at, node.default), ctx=ast.Load()), start)
    return expression(at, node.default)


_HANDLERS: Final[dict[type[cst.CSTNode], Callable[[Cursor, Any, int], ast.stmt]]] = {
    cst.Expr: _expression,
    cst.Pass: _pass,
    cst.Break: _break,
    cst.Continue: _continue,
    cst.Return: _return,
    cst.Del: _delete,
    cst.Raise: _raise,
    cst.Assert: _assert,
    cst.Global: _global,
    cst.Nonlocal: _global,
    cst.Import: _import,
    cst.LazyImport: _import,
    cst.ImportFrom: _import_from,
    cst.LazyImportFrom: _import_from,
    cst.Assign: _assign,
    cst.AnnAssign: _annotated,
    cst.AugAssign: _augmented,
    cst.TypeAlias: _type_alias,
    cst.If: _if,
    cst.For: _for,
    cst.While: _while,
    cst.With: _with,
    cst.Try: _try,
    cst.TryStar: _try,
    cst.Match: _match,
    cst.FunctionDef: _function,
    cst.ClassDef: _class,
}
