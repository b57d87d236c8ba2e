"""Finds iterators that are used up and then used again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_MAKERS = frozenset({"map", "filter", "zip", "reversed", "enumerate", "iter"})
_EATERS = frozenset(
    {
        "builtins.list",
        "builtins.tuple",
        "builtins.set",
        "builtins.sum",
        "builtins.max",
        "builtins.min",
        "builtins.sorted",
        "builtins.dict",
        "builtins.frozenset",
    }
)


def _may_be_iterator(assignment: ast.Assign) -> bool:
    """Whether what is assigned is written like something that gives its items once."""
    value = assignment.value
    if type(value) is ast.Call:
        return type(value.func) is ast.Name and value.func.id in _MAKERS
    return type(value) is ast.GeneratorExp


@rule(
    ast.Assign,
    code="MNT156",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    when=_may_be_iterator,
)
def exhausted_iterator(assignment: ast.Assign, ctx: Context) -> Iterator[Finding]:
    """A generator is gone through twice, and the second time it is empty.

    `map`, `filter`, `zip` and generator expressions give their items once. The second loop over one sees nothing and
    raises nothing. Make a list of it, if it is needed twice.

    ```python bad
    def report(rows):
        prices = (row.price for row in rows)
    #            ^^^^^^^^^^^^^^^^^^^^^^^^^^^ `prices` is used up on line 3, and empty on line 4
        total = sum(prices)
        return total, max(prices)
    ```
    ```python fixed
    def report(rows):
        prices = [row.price for row in rows]
        total = sum(prices)
        return total, max(prices)
    ```
    ```python bad
    def pairs(left, right):
        cleaned = map(str.strip, right)
    #             ^^^^^^^^^^^^^^^^^^^^^ `cleaned` is used up in the first round of the loop on line 4, and empty in the others
        found = []
        for one in left:
            for other in cleaned:
                found.append((one, other))
        return found
    ```
    ```python good
    def report(rows, short):
        prices = (row.price for row in rows)
        if short:
            return sum(prices)
        return max(prices)
    ```
    """
    value, target = assignment.value, assignment.targets[0]
    if isinstance(value, ast.Call) and not (ctx.name(value.func) or "").startswith("builtins."):
        ctx.not_an_opportunity()
        return
    function = ctx.function(assignment)
    if function is None or not isinstance(target, ast.Name) or len(assignment.targets) != 1:
        return
    if len(shapes.bindings(target.id, function, ctx)) != 1 or ctx.loop(assignment) is not None:
        return
    parent = ctx.parent(assignment)
    block: list[ast.stmt] = getattr(parent, "body", [])
    if assignment not in block:
        return
    later = block[block.index(assignment) + 1 :]
    repeated = _used_up_in_loop(target.id, later, ctx)
    if repeated is not None:
        loop, use = repeated
        yield ctx.finding(
            value,
            f"`{target.id}` is used up in the first round of the loop on line {loop.lineno}, and empty in the others",
            related=[ctx.related(use, "used up here")],
            fix=_list(value, ctx),
        )
        return
    uses = [use for statement in later for use in _uses_up(statement, target.id, ctx)]
    if len(uses) < 2:
        return
    first, second = uses[0], uses[1]
    yield ctx.finding(
        value,
        f"`{target.id}` is used up on line {first.lineno}, and empty on line {second.lineno}",
        related=[ctx.related(first, "used up here"), ctx.related(second, "empty here")],
        fix=_list(value, ctx),
    )


def _used_up_in_loop(name: str, later: list[ast.stmt], ctx: Context) -> tuple[shapes.Loop, ast.Name] | None:
    """A loop each of whose rounds goes through all of an iterator, and where it does."""
    for statement in later:
        if not isinstance(statement, shapes.LOOPS):
            continue
        if any(isinstance(node, (ast.Break, ast.Return, ast.Raise)) for node in ast.walk(statement)):
            continue  # it may well end with the first round
        for inner in statement.body:
            use = next(_uses_up(inner, name, ctx), None)
            if use is not None:
                return statement, use
    return None


def _uses_up(statement: ast.stmt, name: str, ctx: Context) -> Iterator[ast.Name]:
    """Where a statement that always runs goes through all of an iterator."""
    if isinstance(statement, ast.For) and shapes.is_name(statement.iter, name):
        if not any(isinstance(node, (ast.Break, ast.Return)) for node in ast.walk(statement)):
            yield statement.iter  # pyright: ignore[reportReturnType]
        return
    if not isinstance(statement, (ast.Assign, ast.Expr, ast.Return, ast.AugAssign, ast.AnnAssign)):
        return
    for use in shapes.reads(name, [statement]):
        call = ctx.parent(use)
        eaten = isinstance(call, ast.Call) and call.args[:1] == [use] and ctx.name(call.func) in _EATERS
        if eaten and not any(
            isinstance(node, (ast.IfExp, ast.BoolOp, ast.Lambda)) for node in ctx.ancestors(use)
        ):
            yield use


def _list(value: ast.expr, ctx: Context) -> Fix:
    text = (
        f"[{ctx.source(value)[1:-1]}]"
        if isinstance(value, ast.GeneratorExp)
        else f"list({ctx.source(value)})"
    )
    return Fix("Make a list of it", (ctx.replace(value, text),), Grade.UNSAFE)
