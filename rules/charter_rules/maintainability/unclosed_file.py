"""Finds files that are opened and not closed on every path. Who else may own a file is `lifetimes`' business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import AddImport, Fix, Grade, Severity, rule
from charter_rules import lifetimes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Call,
    code="MNT010",
    principles=("released-resources",),
    severity=Severity.MEDIUM,
    calls=("builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "os.fdopen"),
    cwe=(772,),
    aliases=("SIM115", "R1732"),
)
def unclosed_file(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A file is opened and not closed on every path.

    What is written may never reach the disk, Windows refuses to delete or replace an open file, and a long-running
    process runs out of descriptors. CPython closes a forgotten file when its last reference goes; other
    implementations, a traceback or a reference cycle keep it open. A `with` statement closes it on every path,
    exceptions included.

    Ruff's SIM115 asks for `with` at every `open`. This rule follows the file instead: one that is returned, stored,
    handed on or closed in a `finally` is in good hands.

    ```python bad
    def read_names(path):
        names = open(path)
    #           ^^^^^^^^^^ the file `names` stays open if an exception is raised before it is closed
        found = [line.strip() for line in names]
        names.close()
        return found
    ```
    ```python fixed
    def read_names(path):
        with open(path) as names:
            found = [line.strip() for line in names]
        return found
    ```
    ```python bad
    def read_text(path):
        return open(path, encoding="utf-8").read()
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this file is never closed
    ```
    ```python fixed
    from pathlib import Path


    def read_text(path):
        return Path(path).read_text(encoding="utf-8")
    ```
    ```python good
    def opened(path):
        return open(path)

    def read_names(path):
        with open(path) as names:
            return names.read()
    ```
    """
    found = lifetimes.leak(call, ctx)
    if found is None:
        return
    if found.fate == "dropped":
        yield ctx.finding(call, "this file is never closed", fix=_read_whole(call, ctx))
    elif found.fate == "never":
        yield ctx.finding(call, f"the file `{found.name}` is never closed")
    else:
        yield ctx.finding(
            call,
            f"the file `{found.name}` stays open if an exception is raised before it is closed",
            fix=lifetimes.with_statement(found, "Open it in a `with` statement", ctx),
            severity=Severity.LOW,
        )


def _read_whole(call: ast.Call, ctx: Context) -> Fix | None:
    """`open(path).read()` is `Path(path).read_text()`, or `read_bytes` where the mode says so."""
    attribute = ctx.parent(call)
    outer = ctx.parent(attribute) if attribute is not None else None
    if (
        ctx.name(call.func) != "builtins.open"
        or not isinstance(attribute, ast.Attribute)
        or attribute.attr != "read"
    ):
        return None
    if not isinstance(outer, ast.Call) or outer.args or outer.keywords or not call.args or len(call.args) > 2:
        return None
    mode = (
        call.args[1]
        if len(call.args) == 2
        else next((k.value for k in call.keywords if k.arg == "mode"), None)
    )
    kept = [k for k in call.keywords if k.arg != "mode"]
    if any(k.arg not in {"encoding", "errors"} for k in kept) or isinstance(call.args[0], ast.Starred):
        return None
    value = mode.value if isinstance(mode, ast.Constant) else "r" if mode is None else None
    if value not in {"r", "rt", "rb"}:
        return None
    method = "read_bytes" if value == "rb" else "read_text"
    arguments = ", ".join(f"{k.arg}={ctx.source(k.value)}" for k in kept)
    text = f"Path({ctx.source(call.args[0])}).{method}({arguments})"
    return Fix(
        f"Read it with `Path.{method}`",
        (ctx.replace(outer, text), AddImport("pathlib", "Path")),
        Grade.UNSAFE,
    )
