"""Finds files that are read whole only to go through their lines."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="PRF011",
    principles=("streamed-data", "no-needless-copies"),
    severity=Severity.LOW,
    calls=("*.readlines", "*.splitlines", "*.split"),
    aliases=("FURB129",),
)
def whole_file_in_memory(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A file is read into memory as a whole to look at one line after the other.

    An open file is an iterator of its lines. Going through it directly needs memory for one line; `readlines()`
    needs it for all of them, with some 50 bytes on top for each. A log of a gigabyte does the rest.

    ```python bad
    def errors(path):
        with open(path) as log:
            for line in log.readlines():
    #                   ^^^^^^^^^^^^^^^ all lines are held in memory at once; iterate over the file itself
                if "ERROR" in line:
                    print(line)
    ```
    ```python fixed
    def errors(path):
        with open(path) as log:
            for line in log:
                if "ERROR" in line:
                    print(line)
    ```
    ```python bad
    def errors(path):
        with open(path) as log:
            return [line for line in log.read().splitlines() if "ERROR" in line]
    #                                ^^^^^^^^^^^^^^^^^^^^^^^ all lines are held in memory at once; iterate over the file itself
    ```
    ```python good
    def last(path):
        with open(path) as log:
            lines = log.readlines()
        return lines[-1]
    ```
    """
    parent = ctx.parent(call)
    attribute = call.func
    if not isinstance(parent, (ast.For, ast.comprehension)) or parent.iter is not call or ctx.is_test:
        ctx.not_an_opportunity()
        return
    if not isinstance(attribute, ast.Attribute):
        return
    message = "all lines are held in memory at once; iterate over the file itself"
    if attribute.attr == "readlines":
        if call.args or call.keywords or not _is_file(attribute.value, ctx):
            return
        yield ctx.finding(call, message, fix=_iterate(call, attribute.value, parent, ctx))
        return
    inner = attribute.value
    if (
        not isinstance(inner, ast.Call)
        or not isinstance(inner.func, ast.Attribute)
        or inner.func.attr != "read"
    ):
        return
    newline = not call.args if attribute.attr == "splitlines" else _is_newline(call)
    if newline and not inner.args and _is_file(inner.func.value, ctx):
        yield ctx.finding(call, message)


def _is_newline(call: ast.Call) -> bool:
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == "\n"


def _is_file(node: ast.expr, ctx: Context) -> bool:
    """Whether an expression is certainly a file that was opened here for reading."""
    if isinstance(node, ast.Call):
        return ctx.name(node.func) in {"builtins.open", "io.open"}
    function = ctx.function(node)
    if not isinstance(node, ast.Name):
        return False
    for binding in shapes.bindings(node.id, function or ctx.tree, ctx):
        item = ctx.parent(binding)
        value = (
            item.context_expr
            if isinstance(item, ast.withitem)
            else item.value
            if isinstance(item, ast.Assign)
            else None
        )
        if not isinstance(value, ast.Call):
            return False
        opened = ctx.name(value.func) in {"builtins.open", "io.open", "gzip.open", "codecs.open"}
        if not opened and not (isinstance(value.func, ast.Attribute) and value.func.attr == "open"):
            return False
    return bool(shapes.bindings(node.id, function or ctx.tree, ctx))


def _iterate(call: ast.Call, file: ast.expr, parent: ast.For | ast.comprehension, ctx: Context) -> Fix | None:
    """Safe where the loop's body leaves the file alone."""
    name = file.id if isinstance(file, ast.Name) else ""
    body = parent.body if isinstance(parent, ast.For) else [*parent.ifs]
    if name and any(True for _ in shapes.reads(name, body)):
        return None
    return Fix("Iterate over the file", (ctx.replace(call, ctx.source(file)),), Grade.SAFE)
