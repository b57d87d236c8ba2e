"""Finds loops that wait for the end of a file or connection and never see it, as they compare bytes with text."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Fix, Grade, Severity, regex, rule
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_READS: Final = frozenset({"read", "read1", "readline", "recv"})
_BINARY: Final = frozenset(
    {"urllib.request.urlopen", "socket.socket", "socket.create_connection", "io.BytesIO"}
)
"""What gives bytes, besides files that are opened so."""
_OPENERS: Final = regex(r"^(?:builtins|io)\.open$")


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
        read = _called(loop.args[0], ctx) if len(loop.args) == 2 else None
        waited = loop.args[1] if len(loop.args) == 2 else None
    else:
        read, waited = _awaited(loop, ctx)
    if read is None or waited is None:
        ctx.not_an_opportunity()
        return
    end = _end(read, ctx)
    if end is None or not _is_another(ctx.value(waited), end):
        return
    yield ctx.finding(
        loop if isinstance(loop, ast.Call) else waited,
        f"this never ends: `{calls.short(ctx, read.func)}` gives `{_shown(end)}` at the end, not `{ctx.source(waited)}`",
        fix=Fix(f"Wait for `{_shown(end)}`", (ctx.replace(waited, _shown(end)),), Grade.UNSAFE)
        if isinstance(waited, ast.Constant)
        else None,
    )


def _called(function: ast.expr, ctx: Context) -> ast.Call | None:
    """The call of `read` that `iter` repeats: of `lambda: file.read(1024)`, or `partial(file.read, 1024)`."""
    if isinstance(function, ast.Lambda):
        body = function.body
    elif isinstance(function, ast.Call) and ctx.name(function.func) == "functools.partial" and function.args:
        body = ast.copy_location(ast.Call(function.args[0], function.args[1:], function.keywords), function)
    else:
        return None
    return body if isinstance(body, ast.Call) and calls.identifier(body.func) in _READS else None


def _awaited(loop: ast.While, ctx: Context) -> tuple[ast.Call | None, ast.expr | None]:
    """What a loop reads, and the value that ends it, if nothing else does."""
    if not isinstance(ctx.value(loop.test), (bool, int)):
        return _compared(loop.test, ast.NotEq, loop, ctx)
    exits = [
        node
        for kind in (ast.Break, ast.Return, ast.Raise, ast.Yield)
        for node in ctx.nodes(kind, within=loop)
    ]
    guard = ctx.parent(exits[0]) if len(exits) == 1 else None
    if not isinstance(guard, ast.If) or exits[0] not in guard.body or ctx.parent(guard) is not loop:
        return None, None
    return _compared(guard.test, ast.Eq, loop, ctx)


def _compared(
    test: ast.expr, operator: type[ast.cmpop], loop: ast.While, ctx: Context
) -> tuple[ast.Call | None, ast.expr | None]:
    """The read whose result a test compares, and with what."""
    identity = ast.Is if operator is ast.Eq else ast.IsNot
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (operator, identity)):
        return None, None
    if not isinstance(test.left, ast.Name) or ctx.nodes(ast.Yield, within=loop):
        return None, None
    given = [
        each.value
        for each in ctx.nodes(ast.Assign, within=loop)
        if len(each.targets) == 1 and shapes.is_name(each.targets[0], test.left.id)
    ]
    read = given[0] if len(given) == 1 else None
    if not isinstance(read, ast.Call) or calls.identifier(read.func) not in _READS:
        return None, None
    return read, test.comparators[0]


def _end(read: ast.Call, ctx: Context) -> str | bytes | None:
    """What a read gives at the end; None if it is not known whether it reads bytes or text."""
    owner = read.func.value if isinstance(read.func, ast.Attribute) else None
    if owner is None:
        return None
    if ctx.made_by(owner) in _BINARY or ctx.type_name(owner) in _BINARY:
        return b""
    opened = _opened(owner, ctx)
    if opened is None or not _OPENERS.search(ctx.name(opened.func) or ""):
        return None
    mode = calls.value(ctx, opened, 1, "mode", default="r")
    if not isinstance(mode, str):
        return None
    return b"" if "b" in mode else ""


def _opened(file: ast.expr, ctx: Context) -> ast.Call | None:
    """The call that has opened a file: of the `with` statement around, or of the one assignment of its name."""
    for parent in ctx.ancestors(file):
        for item in parent.items if isinstance(parent, (ast.With, ast.AsyncWith)) else ():
            if item.optional_vars is not None and ctx.source(item.optional_vars) == ctx.source(file):
                return item.context_expr if isinstance(item.context_expr, ast.Call) else None
    made = ctx.origin(file)
    return made if isinstance(made, ast.Call) else None


def _is_another(waited: object, end: str | bytes) -> bool:
    """Whether a value that is waited for is empty, and of another kind than what comes."""
    return waited is not UNKNOWN and waited in (None, "", b"") and type(waited) is not type(end)


def _shown(end: str | bytes) -> str:
    return 'b""' if isinstance(end, bytes) else '""'
