"""Which repeated queries the code means to run row by row: it locks, copies, keeps or needs each one as it goes.

It looks at the code around one query. Which queries are repeated is found elsewhere.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm.frames import OPERATIONS, Event
from charter.analysis.orm.world import Module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis.orm.machine import Machine
    from charter.analysis.orm.world import Site

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_KEEPERS = (ast.Assign, ast.AnnAssign, ast.Return)
_KEYS = frozenset({"id", "pk", "uuid"})
Parents = dict[ast.AST, ast.AST]


def is_meant(event: Event, *, mended: bool) -> bool:
    """Whether the code means to treat row by row: each is locked, copied or in a transaction, or what is made is used."""
    row = event.row
    for query in (event.query if event.method == "get" else None, row.query if row and row.one else None):
        if query is not None and any(step.name == "select_for_update" for step in query.steps):
            return True
    site = event.site
    if not isinstance(site.file, Module) or not isinstance(site.node, (ast.Call, ast.Attribute)):
        return False
    parents = site.file.parents
    if _is_remembered(event, site.node, parents):
        return True
    if OPERATIONS[event.kind] != "write" or isinstance(site.node, ast.Attribute):
        return False
    if not mended and _is_needed(event, site.node, parents):
        return True
    return _row_by_row(event, site.node, parents)


def is_same_row(event: Event) -> bool:
    """Whether a loop that goes through no rows comes back to one and the same row."""
    loop, row = event.loop, event.row
    return loop is not None and row is not None and not loop.rows and loop.number not in row.varies


def _around(event: Event, call: ast.expr, parents: Parents) -> Iterator[ast.AST]:
    """The nodes around a call, up to its loop or function, which is the last of them."""
    stop = event.loop.site.node if event.loop is not None else None
    node: ast.AST | None = call
    while node is not None:
        yield node
        if node is stop or isinstance(node, _FUNCTIONS) or stop in getattr(node, "generators", ()):
            return
        node = parents.get(node)


def _is_remembered(event: Event, call: ast.expr, parents: Parents) -> bool:
    """`if domain is None: domain = Site.objects.get(…)`: asked in one round, known in the next; or kept by its key."""
    stored: set[str] = set()
    kept: set[str] = set()
    tested: set[str] = set()
    around = list(_around(event, call, parents))
    for node in around:
        if isinstance(node, ast.Assign):
            stored |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            kept |= {ast.dump(t.value) for t in node.targets if isinstance(t, ast.Subscript)}
        elif isinstance(node, ast.If):
            tested |= _missing(node.test)
            if kept & _without_key(node.test):
                return True
    loop = around[-1]
    if not stored & tested or not isinstance(loop, _LOOPS):
        return False
    name = (stored & tested).pop()
    stores = [
        n for n in ast.walk(loop) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
    ]
    return len(stores) == 1


def _missing(test: ast.expr) -> set[str]:
    """The names that a condition finds empty: `x is None`, `not x`."""
    match test:
        case ast.Compare(ast.Name(name), [ast.Is()], [ast.Constant(None)]):
            return {name}
        case ast.UnaryOp(ast.Not(), ast.Name(name)):
            return {name}
        case _:
            return set()


def _without_key(test: ast.expr) -> set[str]:
    """The dictionaries in which a condition misses a key: `key not in cache`."""
    match test:
        case ast.Compare(_, [ast.NotIn()], [cache]):
            return {ast.dump(cache)}
        case ast.UnaryOp(ast.Not(), ast.Compare(_, [ast.In()], [cache])):
            return {ast.dump(cache)}
        case _:
            return set()


def _is_needed(event: Event, call: ast.Call, parents: Parents) -> bool:
    """Whether what a write gives, or makes of its row, is used in the same round."""
    if event.method == "create" and isinstance(parents.get(call), _KEEPERS):
        return True
    if event.method == "update":
        return _is_set(call)
    if event.method == "save" and is_same_row(event) and event.loop is not None:
        return True
    loop = list(_around(event, call, parents))[-1]
    if not isinstance(loop, _LOOPS) or not isinstance(call.func, ast.Attribute):
        return False
    match call.func.value:
        case ast.Name(name) if event.method == "save":
            return _is_made(loop, name) and _is_read_after(loop, name, call)
        case ast.Attribute(ast.Name(name)) if event.method in {"add", "set"}:
            return _is_made(loop, name)
        case _:
            return False


def _is_set(call: ast.Call) -> bool:
    """Whether an `update` is of many rows, and not of the one with a key."""
    names = [k.arg for n in ast.walk(call) if isinstance(n, ast.Call) and n is not call for k in n.keywords]
    return bool(names) and not any(name is None or name in _KEYS or name.endswith("_id") for name in names)


def _is_made(loop: ast.AST, name: str) -> bool:
    """Whether a loop makes what a name holds anew in every round."""
    return any(
        isinstance(n, ast.Assign)
        and isinstance(n.value, ast.Call)
        and any(isinstance(t, ast.Name) and t.id == name for t in n.targets)
        for n in ast.walk(loop)
    )


def _is_read_after(loop: ast.AST, name: str, call: ast.Call) -> bool:
    return any(
        isinstance(n, ast.Name)
        and n.id == name
        and isinstance(n.ctx, ast.Load)
        and n.lineno > (call.end_lineno or 0)
        for n in ast.walk(loop)
    )


def _row_by_row(event: Event, call: ast.Call, parents: Parents) -> bool:
    if event.method == "update" and any(_is_expression(keyword.value) for keyword in call.keywords):
        return True
    around = list(_around(event, call, parents))
    loop = around[-1]
    if event.method == "delete" and any(_goes_on(node) for node in around[:-1]):
        return True
    if isinstance(loop, _LOOPS):
        if _replaces_bulk(loop, parents):
            return True
        if any(_makes_copy(statement) for statement in loop.body):
            return True
        if event.method == "flush" and _reads_keys_after(loop, call):
            return True
        if event.method == "commit" and any(_stops_or_asks_anew(n) for n in ast.walk(loop)):
            return True
    return any(
        isinstance(node, ast.With) and any("atomic" in ast.dump(item.context_expr) for item in node.items)
        for node in around[:-1]
    )


def _goes_on(node: ast.AST) -> bool:
    """Whether a failure of one round leaves the others alone."""
    return isinstance(node, ast.Try) and any(
        handler.body and not isinstance(handler.body[-1], (ast.Raise, ast.Return, ast.Break))
        for handler in node.handlers
    )


def _replaces_bulk(loop: ast.AST, parents: Parents) -> bool:
    """Whether a loop stands in for the `bulk_create` that another branch calls."""
    branch = parents.get(loop)
    return isinstance(branch, ast.If) and any(
        isinstance(n, ast.Attribute) and n.attr == "bulk_create"
        for statement in (branch.body if loop in branch.orelse else branch.orelse)
        for n in ast.walk(statement)
    )


def _reads_keys_after(loop: ast.AST, call: ast.Call) -> bool:
    """Whether the keys that a flush brings are read in the same round."""
    return any(
        isinstance(n, ast.Attribute)
        and isinstance(n.ctx, ast.Load)
        and (n.attr in _KEYS or n.attr.endswith("_id"))
        and n.lineno > (call.end_lineno or 0)
        for n in ast.walk(loop)
    )


def _stops_or_asks_anew(node: ast.AST) -> bool:
    """Whether a round may be the last one or be undone by itself, so that what came before it must stay."""
    return isinstance(node, ast.Return) or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"refresh", "rollback"}
    )


def _is_expression(value: ast.expr) -> bool:
    """Whether the database computes a value from the row: `F("stock") - 1`."""
    return any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "F" for n in ast.walk(value)
    )


def _makes_copy(statement: ast.stmt) -> bool:
    """`row.pk = None`: saving it inserts another row."""
    return (
        isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value is None
        and any(isinstance(t, ast.Attribute) and t.attr in {"pk", "id"} for t in statement.targets)
    )


_OWN = frozenset({"select_for_update", "on_commit", "savepoint", "nowait"})


def transaction(run: Machine, node: ast.With | ast.AsyncWith, site: Site) -> None:
    """Note a transaction that a loop opens for each row, unless a round may fail, lock or react by itself."""
    loop = run.loops[-1] if run.loops else None
    around = loop.site.node if loop is not None else None
    if not isinstance(around, _LOOPS) or not isinstance(site.file, Module):
        return
    inside = list(ast.walk(around))
    if node not in inside or any(isinstance(n, (ast.Try, ast.Return)) for n in inside):
        return
    if any(isinstance(n, ast.Attribute) and n.attr in _OWN for n in inside) or _is_tried(site.file, around):
        return
    run.record("transaction", site, None, method="atomic")


def _is_tried(module: Module, loop: ast.AST) -> bool:
    """Whether what a loop does may fail midway, so that what was done before has to stay."""
    parent = module.parents.get(loop)
    while parent is not None and not isinstance(parent, _FUNCTIONS):
        if isinstance(parent, ast.Try):
            return True
        parent = module.parents.get(parent)
    return False
