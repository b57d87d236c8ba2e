"""Finds `return`, `break` and `continue` in `finally`, which swallow whatever was raised."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Try,
    ast.TryStar,
    code="MNT050",
    principles=("deliberate-errors", "robust-comparisons"),
    severity=Severity.MEDIUM,
    when=lambda statement: bool(statement.finalbody),
    aliases=("B012", "W0150", "SIM107", "PLE0116"),
    cwe=(584,),
)
def jump_in_finally(statement: ast.Try | ast.TryStar, ctx: Context) -> Iterator[Finding]:
    """A `finally` block leaves by `return`, `break` or `continue`.

    The jump wins over the exception that is on its way: it disappears, `KeyboardInterrupt` included, and the caller
    gets the `finally` block's result. CPython 3.14 warns of it (PEP 765). Ruff's B012 reports the same places.

    ```python bad
    def read(path):
        handle = open(path)
        try:
            return handle.read()
        finally:
            handle.close()
            return ""
    #       ^^^^^^^^^ `return` in `finally` swallows every exception and overrides every other result
    ```
    ```python good
    def read(path):
        handle = open(path)
        try:
            return handle.read()
        finally:
            for _ in range(3):
                if not handle.closed:
                    handle.close()
                    break
    ```
    """
    for jump in _jumps(statement.finalbody, in_loop=False):
        word = {ast.Return: "return", ast.Break: "break", ast.Continue: "continue"}[type(jump)]
        yield ctx.finding(
            jump, f"`{word}` in `finally` swallows every exception and overrides every other result"
        )


def _jumps(body: list[ast.stmt], *, in_loop: bool) -> Iterator[ast.Return | ast.Break | ast.Continue]:
    """The jumps that leave a block; those of loops inside it stay inside."""
    for node in body:
        if isinstance(node, ast.Return) or (isinstance(node, (ast.Break, ast.Continue)) and not in_loop):
            yield node
        if isinstance(node, shapes.DEFINITIONS):
            continue
        # In the `else` of a loop, `break` and `continue` are those of the loop around.
        yield from _jumps(getattr(node, "body", []), in_loop=in_loop or isinstance(node, shapes.LOOPS))
        for field in ("orelse", "finalbody"):
            yield from _jumps(getattr(node, field, []), in_loop=in_loop)
        for branch in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
            yield from _jumps(branch.body, in_loop=in_loop)
