"""Runs statements: assignments, branches, loops, and how names come together again behind them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from charter.analysis.orm import answers, deliberate, expressions, rows
from charter.analysis.orm.frames import Loop
from charter.analysis.orm.values import (
    UNKNOWN,
    Const,
    Container,
    External,
    Frame,
    Function,
    Instance,
    ModuleRef,
    Query,
    Row,
    Unknown,
    Value,
    join,
)
from charter.analysis.orm.world import Site

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine


def run_statement(run: Machine, node: ast.stmt, frame: Frame) -> bool:
    """Run one statement; False if what follows is never reached."""
    handler = _STATEMENTS.get(type(node))
    return True if handler is None else handler(run, node, frame)


def _expr(run: Machine, node: ast.Expr, frame: Frame) -> bool:
    run.evaluate(node.value, frame)
    return True


def _assign(run: Machine, node: ast.Assign, frame: Frame) -> bool:
    value = run.evaluate(node.value, frame)
    for target in node.targets:
        run.bind(target, value, frame)
    return True


def _ann_assign(run: Machine, node: ast.AnnAssign, frame: Frame) -> bool:
    if node.value is not None:
        value = run.evaluate(node.value, frame)
        if isinstance(value, Unknown):
            value = run.annotated(frame.module, node.annotation)
        run.bind(node.target, value, frame)
    return True


def _aug_assign(run: Machine, node: ast.AugAssign, frame: Frame) -> bool:
    value = run.evaluate(node.value, frame)
    current = run.evaluate(node.target, frame)
    if isinstance(current, Container) and isinstance(value, Query) and isinstance(node.op, ast.Add):
        current.element = join(current.element, run.iterate(value, Site(frame.module, node.value))[0])
        current.items = None
    elif isinstance(current, Container) and not isinstance(value, Query):
        extra = rows.element_of(run, value)
        current.element = join(current.element, extra)
        current.items = None
    elif isinstance(current, Query) and isinstance(value, Query):
        run.bind(node.target, current, frame)
    elif isinstance(node.target, ast.Name):
        run.bind(node.target, UNKNOWN, frame)
    return True


def _return(run: Machine, node: ast.Return, frame: Frame) -> bool:
    frame.returns.append(run.evaluate(node.value, frame) if node.value else Const(None))
    return False


def _if(run: Machine, node: ast.If, frame: Frame) -> bool:
    test = expressions.condition(run, node.test, frame)
    if test is True:
        return run.block(node.body, frame)
    if test is False:
        return run.block(node.orelse, frame)
    before = dict(frame.names)
    first = run.block(node.body, frame)
    after = frame.names
    frame.names = before
    second = run.block(node.orelse, frame)
    if first and second:
        frame.names = _merge(after, frame.names)
    elif first:
        frame.names = after
    return first or second


def _for(run: Machine, node: ast.For | ast.AsyncFor, frame: Frame) -> bool:
    value = run.evaluate(node.iter, frame)
    is_async = isinstance(node, ast.AsyncFor)
    element, bounded = run.iterate(value, Site(frame.module, node.iter), is_async=is_async)
    over = value if isinstance(value, Query) else None
    if over is not None:
        answers.kept(run, node, frame.module, over)
    bounded = bounded or leaves_at_once(node.body)
    what = rows.describe(value)
    site, carried = Site(frame.module, node), _is_endless(run, node.iter, frame)
    with run.loop(
        site, bounded=bounded, what=what, carried=carried, over=over, rows=_holds_rows(element)
    ) as loop:
        _rounds(run, loop, node, element, frame)
    if node.orelse:
        run.block(node.orelse, frame)
    return True


def _is_endless(run: Machine, node: ast.expr, frame: Frame) -> bool:
    """Whether a loop counts its rounds only, like `while True`."""
    return isinstance(node, ast.Call) and run.world.expression(frame.module, node.func) == "itertools.count"


def _rounds(run: Machine, loop: Loop, node: ast.For | ast.AsyncFor, element: Value, frame: Frame) -> None:
    before = dict(frame.names)
    outer, frame.exits = frame.exits, []
    run.bind(node.target, run.vary(element, loop), frame)
    run.block(node.body, frame)
    moved = _moved(run, before, frame.names, loop)
    if moved:
        frame.names = _merge(before, frame.names)
        frame.names.update(moved)
        run.bind(node.target, run.vary(element, loop), frame)
        run.block(node.body, frame)
    for names in frame.exits:
        frame.names = _merge(frame.names, names)
    frame.exits = outer
    frame.names = _merge(before, frame.names)


def _moved(run: Machine, before: dict[str, Value], after: dict[str, Value], loop: Loop) -> dict[str, Value]:
    """Rows that one round hands to the next in a variable."""
    moved: dict[str, Value] = {}
    for name, value in after.items():
        old = before.get(name)
        if (
            old is not None
            and old is not value
            and isinstance(value, Row)
            and not isinstance(old, (Unknown, Const))
        ):
            moved[name] = run.vary(value, loop)
    return moved


def _while(run: Machine, node: ast.While, frame: Frame) -> bool:
    if expressions.condition(run, node.test, frame) is False:
        return run.block(node.orelse, frame)
    before = dict(frame.names)
    with run.loop(Site(frame.module, node), bounded=leaves_at_once(node.body), carried=True) as loop:
        run.block(node.body, frame)
        moved = _moved(run, before, frame.names, loop)
        if moved:
            frame.names = _merge(before, frame.names)
            frame.names.update(moved)
            run.evaluate(node.test, frame)
            run.block(node.body, frame)
    frame.names = _merge(before, frame.names)
    return not (isinstance(node.test, ast.Constant) and node.test.value and not _breaks(node.body))


def _try(run: Machine, node: ast.Try, frame: Frame) -> bool:
    before = dict(frame.names)
    reached = run.block(node.body, frame)
    if reached:
        reached = run.block(node.orelse, frame)
    names = frame.names if reached else None
    for handler in node.handlers:
        frame.names = _merge(before, frame.names)
        if handler.name:
            frame.names[handler.name] = UNKNOWN
        if run.block(handler.body, frame):
            names = frame.names if names is None else _merge(names, frame.names)
    if names is not None:
        frame.names = names
    finished = run.block(node.finalbody, frame)
    return names is not None and finished


def _with(run: Machine, node: ast.With | ast.AsyncWith, frame: Frame) -> bool:
    for item in node.items:
        value = run.evaluate(item.context_expr, frame)
        if isinstance(value, Instance) and value.name == "transaction":
            deliberate.transaction(run, node, Site(frame.module, item.context_expr))
        if item.optional_vars is not None:
            run.bind(item.optional_vars, value, frame)
    return run.block(node.body, frame)


def _define(_run: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, frame: Frame) -> bool:
    frame.names[node.name] = Function(node, frame.module, closure=frame)
    return True


def _import(run: Machine, node: ast.Import, frame: Frame) -> bool:
    for alias in node.names:
        name = frame.module.imported(alias)
        target = run.world.module(name)
        frame.names[alias.asname or alias.name.partition(".")[0]] = (
            ModuleRef(target) if target else External(name)
        )
    return True


def _import_from(run: Machine, node: ast.ImportFrom, frame: Frame) -> bool:
    names: dict[str, object] = {}
    frame.module.bind_from(node, names)  # pyright: ignore[reportArgumentType] - only imports are bound
    for name, binding in names.items():
        frame.names[name] = run.entity(run.world.imported(binding), name)  # pyright: ignore[reportArgumentType]
    return True


def _match(run: Machine, node: ast.Match, frame: Frame) -> bool:
    run.evaluate(node.subject, frame)
    before = dict(frame.names)
    merged: dict[str, Value] | None = None
    for case in node.cases:
        frame.names = dict(before)
        if run.block(case.body, frame):
            merged = frame.names if merged is None else _merge(merged, frame.names)
    frame.names = before if merged is None else _merge(before, merged)
    return True


def _stop(run: Machine, node: ast.stmt, frame: Frame) -> bool:
    if isinstance(node, ast.Raise) and node.exc is not None:
        run.evaluate(node.exc, frame)
    elif isinstance(node, (ast.Break, ast.Continue)):
        frame.exits.append(dict(frame.names))
    return False


def _other(run: Machine, node: ast.stmt, frame: Frame) -> bool:
    if isinstance(node, ast.Assert):
        run.evaluate(node.test, frame)
    return True


def leaves_at_once(body: list[ast.stmt]) -> bool:
    """Whether a loop's body always ends the loop in its first round."""
    return _leaves(body) and not any(
        isinstance(n, ast.Continue)
        for s in body
        for n in ast.walk(s)
        if not isinstance(s, (ast.For, ast.While))
    )


def _leaves(body: list[ast.stmt]) -> bool:
    last = body[-1] if body else None
    if isinstance(last, (ast.Return, ast.Break, ast.Raise)):
        return True
    if isinstance(last, ast.If):
        return bool(last.orelse) and _leaves(last.body) and _leaves(last.orelse)
    return isinstance(last, ast.With) and _leaves(last.body)


def _breaks(body: list[ast.stmt]) -> bool:
    return any(isinstance(n, ast.Break) for s in body for n in ast.walk(s))


def _merge(first: dict[str, Value], second: dict[str, Value]) -> dict[str, Value]:
    merged = dict(first)
    for name, value in second.items():
        present = merged.get(name)
        if present is not value:
            merged[name] = value if present is None else join(present, value)
    return merged


def _holds_rows(value: Value) -> bool:
    return isinstance(value, Row) or (
        isinstance(value, Container) and any(isinstance(i, Row) for i in value.items or [])
    )


_STATEMENTS: dict[type[ast.stmt], Callable[..., bool]] = {
    ast.Expr: _expr,
    ast.Assign: _assign,
    ast.AnnAssign: _ann_assign,
    ast.AugAssign: _aug_assign,
    ast.Return: _return,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
    ast.Raise: _stop,
    ast.Break: _stop,
    ast.Continue: _stop,
    ast.Assert: _other,
}
