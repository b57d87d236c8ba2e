"""Finds files that are read whole to compute their digest."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import digests, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="PRF026",
    principles=("streamed-data", "no-needless-copies"),
    severity=Severity.LOW,
    calls=digests.CALLS,
)
def whole_file_hashed(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A file is read into memory as a whole to compute its digest.

    A digest needs a few kilobytes at a time: `hashlib.file_digest` (Python 3.11) reads a file in pieces and lets other
    threads run meanwhile. Read as a whole, a disk image of four gigabytes takes four gigabytes of memory.

    ```python bad
    import hashlib

    def digest(path):
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    #              ^^^^^^^^^^^^^^^^^^^^^^^^^^^ all of the file is held in memory for its digest; `hashlib.file_digest` reads it in pieces
    ```
    ```python fixed
    import hashlib

    def digest(path):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    ```
    ```python good
    import hashlib

    def digest(path, text):
        with open(path, "rb") as file:
            whole = hashlib.file_digest(file, "sha256")
        return whole.hexdigest() + hashlib.sha256(text.encode()).hexdigest()
    ```
    """
    data = call.args[0] if call.args else None
    if ctx.is_test or not isinstance(data, ast.Call) or not isinstance(data.func, ast.Attribute):
        ctx.not_an_opportunity()
        return
    file = data.func.value
    if data.func.attr != "read" or data.args or data.keywords or not _is_binary_file(file, ctx):
        return
    fix = None
    if len(call.args) == 1 and not call.keywords and isinstance(file, ast.Name) and ctx.python >= (3, 11):
        name = (ctx.name(call.func) or "").rpartition(".")[2]
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if owner is not None:
            text = f'{ctx.source(owner)}.file_digest({file.id}, "{name}")'
            fix = Fix("Read it in pieces", (ctx.replace(call, text),), Grade.UNSAFE)
    yield ctx.finding(
        call,
        "all of the file is held in memory for its digest; `hashlib.file_digest` reads it in pieces",
        fix=fix,
    )


def _is_binary_file(node: ast.expr, ctx: Context) -> bool:
    """Whether an expression is a file that was opened here for reading bytes."""
    if isinstance(node, ast.Call):
        return _opens_binary(node, ctx)
    function = ctx.function(node)
    if not isinstance(node, ast.Name) or function is None:
        return False
    found = shapes.bindings(node.id, function, ctx)
    makers = [ctx.parent(binding) for binding in found]
    return bool(found) and all(
        isinstance(item, ast.withitem)
        and isinstance(item.context_expr, ast.Call)
        and _opens_binary(item.context_expr, ctx)
        for item in makers
    )


def _opens_binary(call: ast.Call, ctx: Context) -> bool:
    builtin = ctx.name(call.func) in {"builtins.open", "io.open"}
    method = isinstance(call.func, ast.Attribute) and call.func.attr == "open"
    mode = ctx.argument(call, 1 if builtin else 0, "mode")
    return (builtin or method) and isinstance(mode, ast.Constant) and mode.value == "rb"
