"""Query sets that are counted or tested with a query of its own although the code then loads their rows anyway."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.world import Module, Site

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine
    from charter.analysis.orm.values import Query

_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def ask(run: Machine, query: Query, name: str, site: Site) -> None:
    """Remember that a variable's query set was counted or tested by a query, unless its rows were there already."""
    node = site.node
    if name in {"count", "exists"} and isinstance(node, ast.Call) and not node.args:
        run.asked_before.setdefault(query, site)


def loaded_after(run: Machine, query: Query, site: Site) -> Site | None:
    """Where the query set whose rows are now loaded was counted or tested, if loading them is certain to follow."""
    before = run.asked_before.setdefault(query, site)
    asking, loading = before.node, site.node
    if before is site or before.file is not site.file or query.streamed or query.model.orm is not Orm.DJANGO:
        return None
    if isinstance(loading, ast.Call) and loading.args:
        loading = loading.args[0]
    if not isinstance(asking, ast.Call) or not isinstance(asking.func, ast.Attribute):
        return None
    name = asking.func.value
    same = isinstance(loading, ast.Name) and isinstance(name, ast.Name) and loading.id == name.id
    if not same or not isinstance(loading, ast.Name) or not isinstance(site.file, Module):
        return None
    return before if _follows(site.file, asking, loading) else None


def _follows(module: Module, asking: ast.Call, loading: ast.Name) -> bool:
    """Whether a statement that loads the rows always runs after the one that asks, or whenever its test holds."""
    first, second = module.statement(asking), module.statement(loading)
    if first is None or second is None:
        return False
    if isinstance(first, (ast.If, ast.While)):
        inside = _truth(first.test, asking)
        if inside is None or isinstance(first, ast.While):
            return False
        if inside:
            return second in _plain(first.body)
        if not isinstance(first.body[-1], _LEAVING) or first.orelse:
            return False
    elif not isinstance(first, (ast.Assign, ast.Expr, ast.AnnAssign)):
        return False
    block = _block(module, first)
    return second in _plain(block[block.index(first) + 1 :]) if first in block else False


def _truth(test: ast.expr, asking: ast.Call) -> bool | None:
    """Whether a test holds if there are rows (True) or if there are none (False); None if it asks something else."""
    match test:
        case ast.UnaryOp(ast.Not(), inner) if inner is asking:
            return False
        case ast.Compare(left, [ast.Gt() | ast.NotEq()], [ast.Constant(0)]) if left is asking:
            return True
        case ast.Compare(left, [ast.Eq()], [ast.Constant(0)]) if left is asking:
            return False
        case _:
            return True if test is asking else None


def _plain(block: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a block that always run once it is entered, those inside a `with` too."""
    found: list[ast.stmt] = []
    for statement in block:
        found.append(statement)
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            found.extend(_plain(statement.body))
        elif isinstance(statement, _LEAVING) or _may_leave(statement):
            break
    return found


def _may_leave(statement: ast.stmt) -> bool:
    """Whether what follows a statement may be left out."""
    return not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and any(
        isinstance(node, (ast.Return, ast.Continue, ast.Break)) for node in ast.walk(statement)
    )


def _block(module: Module, statement: ast.stmt) -> list[ast.stmt]:
    parent = module.parents.get(statement)
    for name in ("body", "orelse", "finalbody"):
        block: object = getattr(parent, name, None)
        if isinstance(block, list) and statement in block:
            return block  # pyright: ignore[reportUnknownVariableType] - a node's fields are not typed
    return []
