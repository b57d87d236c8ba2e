"""Finds temporary files whose names others can foresee."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Severity, regex, rule
from charter_rules import calls, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_FORESEEABLE: Final = frozenset({"tempfile.mktemp", "os.tempnam", "os.tmpnam"})
_OWN_FOLDERS: Final = frozenset({"tempfile.mkdtemp", "tempfile.TemporaryDirectory"})
"""What makes folders into which only their owner writes."""
_FOLDER: Final = "/tmp"  # noqa: S108 (what `gettempdir` mostly gives)
_SHARED: Final = regex(r"(?:/tmp|/var/tmp|/dev/shm)/[\w.-]+")
_EXISTS: Final = regex(r"exists\(|is_?dir\(")
"""Questions whether a folder is there already, which then is used."""
_PLAYS_IT: Final = regex(r"(?:^|\.)(?:mktemp|tmpnam|tempnam)(?:$|\.)")
"""Names of functions and classes that stand for the one of the library."""


@rule(
    ast.Call,
    code="SEC035",
    principles=("hardened-defaults",),
    severity=Severity.MEDIUM,
    cwe=(377, 379),
    calls=(
        "tempfile.mktemp",
        "os.tempnam",
        "os.tmpnam",
        "builtins.open",
        "os.open",
        "os.mkdir",
        "os.makedirs",
        "*.write_text",
        "*.write_bytes",
    ),
    aliases=("B108", "B306", "S108", "S306"),
    references=("https://docs.python.org/3/library/tempfile.html",),
)
def insecure_temporary_file(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Let `tempfile` make temporary files and folders.

    Between the choice of a name and the opening of the file, another program can put a link there and have you write to a file of its
    choice. `NamedTemporaryFile`, `mkstemp` and `mkdtemp` choose a name that nobody can foresee and make the file in the same step.
    `mkdir` fails if anything has the name, and is not reported where the program then gives up.

    ```python bad
    import tempfile

    def scratch(text):
        path = tempfile.mktemp()
    #          ^^^^^^^^^^^^^^^^^ `tempfile.mktemp` gives a name that another program can take first
        with open(path, "w") as file:
            file.write(text)
        return path
    ```
    ```python good
    import tempfile

    def scratch(text):
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write(text)
        return file.name
    ```
    """
    name = ctx.name(call.func)
    if calls.is_of_tests(ctx) or _tries_module_out(call, ctx):
        return
    if name in _FORESEEABLE:
        if _PLAYS_IT.search(ctx.symbol(call)):
            return  # what it does is the caller's choice
        folder = ctx.argument(call, 2, "dir")
        if isinstance(folder, ast.Attribute) and calls.identifier(folder.value) == "self":
            return  # an object's own folder, which others cannot write to if it was made well
        if folder is not None and ctx.made_by(folder) in _OWN_FOLDERS:
            return
        yield ctx.finding(call, f"`{name}` gives a name that another program can take first")
        return
    path = _written_path(call, name, ctx)
    if path is None:
        ctx.not_an_opportunity()
    elif _SHARED.match(path) and not _is_made_anew(call, name, path, ctx):
        yield ctx.finding(call, f"`{path}` lies in a folder where every user may put a link of that name")


def _is_made_anew(call: ast.Call, name: str | None, path: str, ctx: Context) -> bool:
    """Whether a folder right below the shared one is made, which fails if anything has its name, and then is not used."""
    if (
        name not in {"os.mkdir", "os.makedirs"}
        or _SHARED.fullmatch(path) is None
        or calls.value(ctx, call, 2, "exist_ok", default=False) is not False
    ):
        return False
    outer: ast.AST = call
    for parent in ctx.ancestors(call):
        if _goes_on(parent, outer, call.args[0], ctx):
            return False
        outer = parent
        if isinstance(parent, shapes.FUNCTIONS) or isinstance(ctx.parent(parent), ast.Module):
            break
    return _EXISTS.search(ctx.source(outer)) is None


def _goes_on(holder: ast.AST, held: ast.AST, path: ast.expr, ctx: Context) -> bool:
    """Whether a statement around goes on with a path although the folder could not be made."""
    if isinstance(holder, ast.With):
        return "suppress" in ctx.source(holder.items[0])
    return (
        isinstance(holder, ast.Try)
        and held in holder.body
        and not all(_gives_up(handler, path) for handler in holder.handlers)
    )


def _gives_up(handler: ast.ExceptHandler, path: ast.expr) -> bool:
    """Whether what handles an exception leaves, or takes another path under the same name."""
    return isinstance(handler.body[-1], (ast.Raise, ast.Return, ast.Continue, ast.Break)) or any(
        isinstance(each, ast.Assign) and calls.identifier(each.targets[0]) == calls.identifier(path)
        for each in handler.body
    )


def _tries_module_out(call: ast.Call, ctx: Context) -> bool:
    """Whether a call stands right below `if __name__ == "__main__"` of a module, which its author runs to see what it does."""
    return ctx.function(call) is None and any(
        isinstance(parent, ast.If) and "__main__" in ctx.source(parent.test) for parent in ctx.ancestors(call)
    )


def _path(expression: ast.expr, ctx: Context) -> object:
    """The constant path that an expression has; that of the shared folder is taken to be `/tmp`."""
    value = ctx.value(expression)
    made = ctx.origin(expression)
    if value is UNKNOWN and isinstance(made, ast.BinOp):
        return _joined(made, ctx)
    if value is not UNKNOWN or not isinstance(made, ast.Call) or ctx.name(made.func) != "os.path.join":
        return value
    folder = made.args[0] if made.args else None
    folder = None if folder is None else ctx.origin(folder)
    if not isinstance(folder, ast.Call) or ctx.name(folder.func) != "tempfile.gettempdir":
        return value
    rest = [ctx.value(part) for part in made.args[1:]]
    names = [part for part in rest if isinstance(part, str)]
    return "/".join((_FOLDER, *names)) if names and len(names) == len(rest) else UNKNOWN


def _joined(made: ast.BinOp, ctx: Context) -> object:
    """The path that `Path("/tmp") / "name"` makes."""
    folder, name = ctx.origin(made.left), ctx.value(made.right)
    if (
        not isinstance(made.op, ast.Div)
        or not isinstance(folder, ast.Call)
        or ctx.name(folder.func) != "pathlib.Path"
        or len(folder.args) != 1
    ):
        return UNKNOWN
    parent = _path(folder.args[0], ctx)
    return f"{parent}/{name}" if isinstance(parent, str) and isinstance(name, str) else UNKNOWN


def _written_path(call: ast.Call, name: str | None, ctx: Context) -> str | None:
    """The constant path that a call writes to; None if there is none."""
    if name is None:
        made = ctx.origin(call.func.value) if isinstance(call.func, ast.Attribute) else None
        if isinstance(made, ast.BinOp):
            joined = _joined(made, ctx)
            return joined if isinstance(joined, str) else None
        if isinstance(made, ast.Call) and (ctx.name(made.func) or "").startswith("pathlib.") and made.args:
            value = ctx.value(made.args[0])
            return value if isinstance(value, str) else None
        return None
    value = _path(call.args[0], ctx) if call.args else None
    if not isinstance(value, str):
        return None
    if name == "builtins.open":
        mode = calls.value(ctx, call, 1, "mode", default="r")
        return value if isinstance(mode, str) and set(mode) & set("wax+") else None
    return value
