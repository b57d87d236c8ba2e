"""Finds functions whose blocks stand too deep inside of each other. How depth is counted is the metrics' business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from charter.api import Fix, Grade, Severity, rule
from charter.api.facts.metrics import FunctionMetrics
from charter_rules import guards, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding, Location

_BLOCKS = (*shapes.LOOPS, ast.If, ast.ExceptHandler, ast.match_case)


@rule(
    FunctionMetrics,
    code="MNT040",
    principles=("bounded-complexity",),
    severity=Severity.LOW,
    aliases=("PLR1702", "R1702"),
    options={"limit": 6},
)
def deep_nesting(metrics: FunctionMetrics, ctx: Context) -> Iterator[Finding]:
    """A block stands inside of so many others that hardly anyone can say when it runs.

    Each `if`, loop and handler around a line is a condition that a reader holds in mind while reading it. Six of them
    at once are more than a memory holds. Leaving early turns a condition into one line that is read and done with, and
    an inner loop is usually a function of its own. The blocks that add up are listed with the finding.

    `limit` is the depth from which a function is reported; `elif` is no deeper than its `if`, and `with` and `try` do
    not count. The fix turns blocks around all that is left into guard clauses, where that is enough.

    ```python bad
    def ship(orders):
        for order in orders:
            if order.paid:
                for item in order.items:
                    if item.stock:
                        for box in item.boxes:
                            if box.fits(item):
    #                       ^^ 6 blocks around one line in `ship`: leave early, or make the inner part a function
                                box.add(item)
    ```
    ```python fixed
    def ship(orders):
        for order in orders:
            if not order.paid:
                continue
            for item in order.items:
                if item.stock:
                    for box in item.boxes:
                        if box.fits(item):
                            box.add(item)
    ```
    ```python good
    def ship(orders):
        for order in orders:
            if order.paid:
                for item in order.items:
                    put(item)

    def put(item):
        if not item.stock:
            return
        for box in item.boxes:
            if box.fits(item):
                box.add(item)
    ```
    """
    limit = ctx.option("limit", int)
    if metrics.nesting < limit:
        return
    head = metrics.sources().deepest or metrics.location
    blocks = _blocks(head, ctx)
    name = metrics.name.rpartition(".")[2]
    yield ctx.finding(
        head,
        f"{metrics.nesting} blocks around one line in `{name}`: leave early, or make the inner part a function",
        related=[
            ctx.related(_head(block), f"block {depth} of {len(blocks)}")
            for depth, block in enumerate(blocks, 1)
        ],
        fix=_fix(blocks, metrics.nesting - limit + 1, ctx),
    )


def _blocks(head: Location, ctx: Context) -> list[ast.AST]:
    """The blocks around the deepest line, from the outside in, itself last."""
    start = head.span.start
    deepest = next(
        (
            node
            for kind in _BLOCKS
            for node in ctx.nodes(kind)
            if _placed(node).lineno == head.line and ctx.span(_placed(node)).start == start
        ),
        None,
    )
    if deepest is None:
        return []
    found: list[ast.AST] = [deepest]
    for ancestor in ctx.ancestors(deepest):
        if isinstance(ancestor, shapes.DEFINITIONS):
            break
        inner = found[-1]
        continues = (
            isinstance(ancestor, ast.If)
            and inner in ancestor.orelse
            and ctx.text.startswith("elif", ctx.span(inner).start)
        )
        if isinstance(ancestor, _BLOCKS) and not continues:
            found.append(ancestor)
    return found[::-1]


def _placed(block: Any) -> ast.stmt | ast.pattern | ast.ExceptHandler:
    """What stands at the beginning of a block."""
    return block.pattern if isinstance(block, ast.match_case) else block


def _head(block: ast.AST) -> ast.AST:
    """What a block asks: its condition or what it goes through."""
    if isinstance(block, (ast.If, ast.While)):
        return block.test
    if isinstance(block, (ast.For, ast.AsyncFor)):
        return block.iter
    if isinstance(block, ast.match_case):
        return block.pattern
    return block.type if isinstance(block, ast.ExceptHandler) and block.type else block


def _fix(blocks: list[ast.AST], excess: int, ctx: Context) -> Fix | None:
    """Guard clauses for the outermost blocks that are around all that is left, if there are enough of them."""
    wrappers = [block for block in blocks if isinstance(block, ast.If) and guards.is_wrapper(block, ctx)]
    if len(wrappers) < excess:
        return None
    edit = guards.clauses(wrappers[:excess], ctx)
    return Fix("Leave early", (edit,), Grade.SAFE) if edit is not None else None
