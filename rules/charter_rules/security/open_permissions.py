"""Finds files and folders that everybody may change."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, cast

from charter.api import (
    UNKNOWN,
    Fix,
    Grade,
    Severity,
    regex,
    rule,
)
from charter_rules import calls, commands, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_OF_OS: Final = (
    "os.chmod", "os.fchmod", "os.lchmod", "os.umask", "os.open", "os.mkdir", "os.makedirs", "os.mkfifo",
)  # fmt: skip
_RUNS: Final = ("os.system", *commands.WITH_SWITCH)
_CHMOD: Final = regex(
    r"(?:^|[;&|]\s*|\s)chmod\s+(?:-\w+\s+)*(0?[0-7]?[0-7]{2}[2367]|(?:u?g?o|a)\+r?w?x?)(?=\s|$)"
)
"""A command that sets rights, and those that it sets."""
_BINDS: Final = regex(r"(?i)^bind|unix")
"""Functions that make a socket under the name of a file."""


@rule(
    ast.Call,
    code="SEC034",
    principles=("hardened-defaults",),
    severity=Severity.MEDIUM,
    cwe=(732, 276),
    calls=(
        *_OF_OS,
        *_RUNS,
        "*.chmod",
    ),
    mentions=("chmod", "umask", "os.open", "mkdir", "makedirs", "mkfifo"),
    aliases=("B103", "S103"),
    references=("https://cwe.mitre.org/data/definitions/732.html",),
)
def open_permissions(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Give files to their owner, and to nobody else to change.

    A file that everybody may write can be changed, or replaced by a link, by any program of any user of the machine, and is then
    read by yours as if it were its own. `0o600` for data and `0o700` for programs and folders are the least that works. The file of a
    Unix socket is left alone: to write there is to connect, and changes nothing.

    ```python bad
    import os

    def publish(path):
        os.chmod(path, 0o777)
    #   ^^^^^^^^^^^^^^^^^^^^^ everybody may change it: its mode is `0o777`
    ```
    ```python fixed
    import os

    def publish(path):
        os.chmod(path, 0o755)
    ```
    ```python good
    import os

    def publish(path):
        os.chmod(path, 0o755)
    ```
    """
    name = calls.called(ctx, call)
    if name in _RUNS:
        yield from _command(call, ctx)
        return
    if name not in _OF_OS and not (isinstance(call.func, ast.Attribute) and _is_path(call, ctx)):
        ctx.not_an_opportunity()
        return
    position = {"os.umask": 0, "os.open": 2}.get(name, 1 if name in _OF_OS else 0)
    chosen = next(
        (
            one
            for one in (*calls.choices(ctx, call, position, "mode"), *_added(call, position, ctx))
            if type(one.value) is int
            and _is_open(one.value)
            and (one.told is not None or not _is_default(call, position, ctx))
        ),
        None,
    )
    if chosen is None or ctx.is_test:
        return
    mode = cast("int", chosen.value)
    if name == "os.umask":
        if mode == 0 and isinstance(ctx.parent(call), ast.Expr) and ctx.text.count("umask(") == 1:
            yield ctx.finding(call, "files made from now on may be changed by everybody: the mask is 0")
        return
    if name in {"os.mkdir", "os.makedirs", "os.open", "os.mkfifo"} and mode in {0o777, 0o666}:
        return  # the mask of the process takes the rights of others away
    argument = calls.given(ctx, call, position, "mode")
    if mode == 0 or _is_to_remove(call, ctx) or _is_of_socket(call, ctx):
        return
    executable = mode & 0o111
    better = "0o755" if executable else "0o644"
    fix = (
        Fix(f"Set `{better}`", (ctx.replace(argument, better),), Grade.UNSAFE)
        if argument is not None
        and ctx.parent(argument) in {call, *call.keywords}
        and not isinstance(argument, ast.Name)
        and ctx.value(argument) is not UNKNOWN
        else None
    )
    yield ctx.finding(
        call, f"everybody may change it: its mode is `{mode:#o}`", fix=fix, related=calls.chosen(chosen, ctx)
    )


def _is_to_remove(call: ast.Call, ctx: Context) -> bool:
    """Whether what is opened up is removed next: in a handler that `rmtree` gives the function that failed, and its path."""
    handler = next(
        (each for each in ctx.ancestors(call) if isinstance(each, (ast.Lambda, *shapes.FUNCTIONS))), None
    )
    if handler is None or not call.args:
        return False
    taken = {parameter.arg for parameter in shapes.parameters(handler)}
    return any(
        isinstance(other.func, ast.Name)
        and other.func.id in taken
        and shapes.are_same(other.args, call.args[:1])
        for other in ctx.nodes(ast.Call, within=handler)
    )


def _is_of_socket(call: ast.Call, ctx: Context) -> bool:
    """Whether the path is that of a Unix socket, by what binds it: to write there is to connect, and changes nothing."""
    path = call.args[0] if ctx.name(call.func) in _OF_OS and call.args else getattr(call.func, "value", None)
    if path is None:
        return False
    around = ctx.function(call) or ctx.tree
    told = [
        part
        for one in ctx.nodes(ast.Call, within=around)
        if _BINDS.search(calls.identifier(one.func))
        for part in (*one.args, *(item.value for item in one.keywords))
    ]
    for one in ctx.nodes(ast.Tuple, within=around):
        told += one.elts if "AF_UNIX" in ctx.source(one) else ()
    return any(ctx.source(part) == ctx.source(path) for part in told)


def _added(call: ast.Call, position: int, ctx: Context) -> Iterator[calls.Choice]:
    """The rights that are added to those that there are: `mode | 0o002`."""
    argument = calls.given(ctx, call, position, "mode")
    made = None if argument is None else ctx.origin(argument)
    if isinstance(made, ast.BinOp) and isinstance(made.op, ast.BitOr):
        value = ctx.value(made.right)
        if type(value) is int and value:
            yield calls.Choice(value, "")


def _command(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`chmod 777` as a program that is run."""
    command = calls.given(ctx, call, 0, "args")
    match = None if command is None or ctx.is_test else _CHMOD.search(commands.known(command, ctx, "-"))
    mode = None if match is None else match[1]
    if mode is None or not (_is_open(int(mode, 8)) if mode.isdigit() else "w" in mode):
        ctx.not_an_opportunity()
        return
    yield ctx.finding(call, f"everybody may change it: its mode is `{mode}`")


def _is_default(call: ast.Call, position: int, ctx: Context) -> bool:
    """Whether the mode is a parameter of the function, whose default says nothing about its use."""
    argument = calls.given(ctx, call, position, "mode")
    return isinstance(argument, (ast.Name, ast.Attribute)) and ctx.value(argument) is UNKNOWN


def _is_open(mode: int) -> bool:
    """Whether a mode lets everybody write, without the bit that keeps others from deleting; for a mask, whether it is 0."""
    return mode == 0 or bool(mode & 0o002 and not mode & 0o1000)


def _is_path(call: ast.Call, ctx: Context) -> bool:
    """Whether `x.chmod(mode)` is called on what looks like a path."""
    assert isinstance(call.func, ast.Attribute)
    kind = ctx.type_name(call.func.value)
    return kind is None or kind.startswith("pathlib.")
