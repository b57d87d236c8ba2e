"""Finds loops that wait for the end of a file or connection and never see it, as they compare bytes with text."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Fix, Grade, Severity, rule
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_READS: Final = frozenset({"read", "read1", "readline", "recv"})
_BINARY: Final = frozenset(
    {"urllib.request.urlopen", "socket.socket", "socket.create_connection", "io.BytesIO"}
)
"""What gives bytes, besides files that are opened so."""
_OPENERS: Final = frozenset({"builtins.open", "io.open"})


@rule(
    ast.Call,
    ast.While,
    code="SEC143",
    principles=("bounded-resources",),
    severity=Severity.HIGH,
    cwe=(835,),
    calls=("builtins.iter",),
    mentions=tuple(sorted(_READS)),
    in_tests=False,
    references=(
        "https://docs.python.org/3/library/functions.html#iter",
        "https://cwe.mitre.org/data/definitions/835.html",
    ),
)
def endless_read(loop: ast.Call | ast.While, ctx: Context) -> Iterator[Finding]:
    """Wait for the end of bytes with `b""`, and of text with `""`.

    At the end of a file or connection, `read` and `recv` give an empty value of the kind that they read: `b""` for bytes, `""` for
    text, and never None. Python compares bytes and text without an error, and they are never equal: a loop that waits for the other
    kind runs for ever, and mostly gathers memory or holds a worker meanwhile. Much of such code was written for Python 2.

    ```python bad
    import hashlib

    def digest(path):
        found = hashlib.sha256()
        with open(path, "rb") as file:
            for chunk in iter(lambda: file.read(8192), ""):
    #                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this never ends: `file.read` gives `b""` at the end, not `""`
                found.update(chunk)
        return found.hexdigest()
    ```
    ```python fixed
    import hashlib

    def digest(path):
        found = hashlib.sha256()
        with open(path, "rb") as file:
            for chunk in iter(lambda: file.read(8192), b""):
                found.update(chunk)
        return found.hexdigest()
    ```
    ```python good
    import hashlib

    def digest(path):
        found = hashlib.sha256()
        with open(path, "rb") as file:
            while chunk := file.read(8192):
                found.update(chunk)
        return found.hexdigest()
    ```
    """
    if isinstance(loop, ast.Call):
        read = _repeated(loop.args[0], ctx) if len(loop.args) == 2 else None
        waited = loop.args[1] if len(loop.args) == 2 else None
    else:
        read, waited = _awaited(loop, ctx)
    if read is None or waited is None:
        ctx.not_an_opportunity()
        return
    end = _end(read, ctx)
    if end is None or not _is_another(ctx.value(waited), end) or _leaves_itself(loop, ctx):
        return
    yield ctx.finding(
        loop if isinstance(loop, ast.Call) else waited,
        f"this never ends: `{calls.short(ctx, read)}` gives `{_shown(end)}` at the end, not `{ctx.source(waited)}`",
        fix=Fix(f"Wait for `{_shown(end)}`", (ctx.replace(waited, _shown(end)),), Grade.UNSAFE)
        if isinstance(waited, ast.Constant)
        else None,
    )


def _leaves_itself(loop: ast.Call | ast.While, ctx: Context) -> bool:
    """Whether a `for` over what `iter` gives is left by a test of the piece that it has got."""
    around = ctx.parent(loop)
    return isinstance(around, ast.For) and any(
        isinstance(guard, ast.If)
        and shapes.names_in(guard.test) == shapes.names_in(around.target)
        and any(isinstance(last, (ast.Break, ast.Return)) for last in (*guard.body, *guard.orelse))
        for guard in around.body
    )


def _repeated(function: ast.expr, ctx: Context) -> ast.expr | None:
    """The `read` that `iter` repeats: of `lambda: file.read(1024)`, or `partial(file.read, 1024)`."""
    if isinstance(function, ast.Lambda):
        return _read(function.body)
    if not isinstance(function, ast.Call) or ctx.name(function.func) != "functools.partial":
        return None
    read = function.args[0] if function.args else None
    return read if calls.identifier(read) in _READS else None


def _read(call: ast.expr | None) -> ast.expr | None:
    """The function of a call that reads."""
    return call.func if isinstance(call, ast.Call) and calls.identifier(call.func) in _READS else None


def _awaited(loop: ast.While, ctx: Context) -> tuple[ast.expr | None, ast.expr | None]:
    """The function by which a loop reads, and the value that ends it, if nothing else does."""
    if ctx.nodes(ast.Yield, within=loop):
        return None, None
    if not isinstance(ctx.value(loop.test), (bool, int)):
        return _compared(loop.test, (ast.NotEq, ast.IsNot), loop, ctx)
    exits = [node for kind in (ast.Break, ast.Return, ast.Raise) for node in ctx.nodes(kind, within=loop)]
    guard = ctx.parent(exits[0]) if len(exits) == 1 else None
    if not isinstance(guard, ast.If) or exits[0] not in guard.body or ctx.parent(guard) is not loop:
        return None, None
    return _compared(guard.test, (ast.Eq, ast.Is), loop, ctx)


def _compared(
    test: ast.expr, operators: tuple[type[ast.cmpop], ...], loop: ast.While, ctx: Context
) -> tuple[ast.expr | None, ast.expr | None]:
    """The function whose result a test compares, and with what."""
    if (
        not isinstance(test, ast.Compare)
        or not isinstance(test.ops[0], operators)
        or not isinstance(test.left, ast.Name)
    ):
        return None, None
    given = [
        each.value
        for each in ctx.nodes(ast.Assign, within=loop)
        if len(each.targets) == 1 and shapes.is_name(each.targets[0], test.left.id)
    ]
    return _read(given[0]) if len(given) == 1 else None, test.comparators[0]


def _end(read: ast.expr, ctx: Context) -> str | bytes | None:
    """What a read gives at the end; None if it is not known whether it reads bytes or text."""
    owner = read.value if isinstance(read, ast.Attribute) else None
    if owner is None:
        return None
    if ctx.made_by(owner) in _BINARY or ctx.type_name(owner) in _BINARY:
        return b""
    opened = shapes.entered(owner, ctx) or ctx.origin(owner)
    if not isinstance(opened, ast.Call) or ctx.name(opened.func) not in _OPENERS:
        return None
    mode = calls.value(ctx, opened, 1, "mode", default="r")
    if not isinstance(mode, str):
        return None
    return b"" if "b" in mode else ""


def _is_another(waited: object, end: str | bytes) -> bool:
    """Whether a value that is waited for is empty, and of another kind than what comes."""
    return waited is not UNKNOWN and waited in (None, "", b"") and type(waited) is not type(end)


def _shown(end: str | bytes) -> str:
    return 'b""' if isinstance(end, bytes) else '""'
