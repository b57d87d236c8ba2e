"""Finds files that are written for everybody to read, and made private afterwards. It looks at one function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_OTHERS: Final = 0o077
"""The rights of the group and of everybody else."""
_OWNERS: Final = frozenset({0o600, 0o400})
"""What data has that only its owner may read; what is run may be secret or not."""
_SECRET: Final = regex(
    r"(?i)passw|secret|token|credential|cookie|session|auth|(?:api|private|access|encryption|fernet|ssh)_?key|\bkey|_key\b|keypair|getpass|pgpass"
)
"""What a function speaks of that writes what others must not read."""
_PRIVATE_PLACE: Final = regex(
    r"\bumask\b|\bmkdtemp\b|\bTemporaryDirectory\b|\bopener\s*=|0o?700\b|S_IRWXU\b|\.ssh\b|\bmkstemp\b|\bNamedTemporaryFile\b"
)
"""What a function does besides so that nobody else reaches the file."""


@rule(
    ast.Call,
    code="SEC142",
    principles=("hardened-defaults", "private-data-stays-private"),
    severity=Severity.MEDIUM,
    cwe=(367, 276, 732),
    calls=("os.chmod", "*.chmod"),
    mentions=("chmod",),
    in_tests=False,
    references=(
        "https://docs.python.org/3/library/functions.html#open",
        "https://cwe.mitre.org/data/definitions/367.html",
    ),
)
def late_permissions(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Make private files private before anything is written into them.

    `open` makes a file that, with the usual mask, everybody on the machine may read. Who opens it before `chmod` runs keeps reading,
    whatever its mode is then; and where the program stops in between, it stays open for good. Give `open` an `opener` that makes the
    file with mode `0o600`, or make it by `os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)`.

    ```python bad
    import os

    def save(path, key):
        with open(path, "w") as file:
            file.write(key)
        os.chmod(path, 0o600)
    #   ^^^^^^^^^^^^^^^^^^^^^ others may read `path` until here: it is made and written with the usual mode
    ```
    ```python good
    import os

    def private(path, flags):
        return os.open(path, flags, 0o600)

    def save(path, key):
        with open(path, "w", opener=private) as file:
            file.write(key)
    ```
    """
    function = ctx.function(call)
    path, mode = _target(call, ctx)
    if path is None or function is None:
        ctx.not_an_opportunity()
        return
    text = ctx.source(function)
    if mode not in _OWNERS or _PRIVATE_PLACE.search(text) or not _SECRET.search(text):
        return
    opened = next(
        (one for one in ctx.nodes(ast.Call, within=function) if _writes(one, path, call, ctx)), None
    )
    if opened is not None and not _is_private_before(call, opened, ctx):
        yield ctx.finding(
            call,
            f"others may read `{calls.short(ctx, path)}` until here: it is made and written with the usual mode",
            related=[ctx.related(opened, "here it is written")],
        )


def _target(call: ast.Call, ctx: Context) -> tuple[ast.expr | None, object]:
    """Whose mode a call sets, and to what; None for what is no path."""
    if ctx.name(call.func) == "os.chmod":
        return ctx.argument(call, 0, "path"), calls.value(ctx, call, 1, "mode")
    mode = calls.value(ctx, call, 0, "mode")
    owner = call.func.value if isinstance(call.func, ast.Attribute) and len(call.args) < 2 else None
    return (owner if isinstance(mode, int) else None), mode


def _writes(call: ast.Call, path: ast.expr, before: ast.Call, ctx: Context) -> bool:
    """Whether a call that runs before another one makes the file of a path and writes into it."""
    if call.end_lineno is None or call.end_lineno >= before.lineno or not _comes_first(call, before, ctx):
        return False
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if ctx.name(call.func) == "builtins.open":
        mode = calls.value(ctx, call, 1, "mode", default="r")
        named = ctx.argument(call, 0, "file")
    elif owner is not None and calls.identifier(call.func) == "open":
        mode, named = calls.value(ctx, call, 0, "mode", default="r"), owner
    elif owner is not None and calls.identifier(call.func) in {"write_text", "write_bytes"}:
        mode, named = "w", owner
    else:
        return False
    if named is None or not isinstance(mode, str) or not set(mode) & set("wax"):
        return False
    return shapes.are_same(_bare(named), _bare(path))


def _bare(path: ast.expr) -> ast.expr:
    """A path without what only makes a text of it, or a path of a text: `str(path)`, `Path(path)`."""
    while (
        isinstance(path, ast.Call) and calls.identifier(path.func) in {"str", "Path", "fspath"} and path.args
    ):
        path = path.args[0]
    return path


def _comes_first(call: ast.Call, before: ast.Call, ctx: Context) -> bool:
    """Whether a call has ended, with the blocks around it, before another one in the same suite, or below it, begins.

    A file that is still open has mostly not been written yet.
    """
    later = ctx.statement(before)
    around = {later, *(parent for parent in ctx.ancestors(before) if isinstance(parent, ast.stmt))}
    suites = {ctx.parent(one) for one in around}
    return any(
        isinstance(one, ast.stmt) and one not in around and ctx.parent(one) in suites
        for one in (ctx.statement(call), *ctx.ancestors(call))
    )


def _is_private_before(call: ast.Call, opened: ast.Call, ctx: Context) -> bool:
    """Whether the file was made private before it was written: by an earlier `chmod` or `touch(mode=…)`."""
    return any(
        calls.identifier(one.func) in {"chmod", "touch", "fchmod", "open"}
        and one is not call
        and one is not opened
        and one.lineno <= opened.lineno
        and any(
            isinstance(value := ctx.value(argument), int) and value != 0 and not value & _OTHERS
            for argument in (*one.args[-1:], *(keyword.value for keyword in one.keywords))
        )
        for one in ctx.nodes(ast.Call, within=ctx.function(call))
    )
