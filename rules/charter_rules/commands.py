"""Which calls hand a command line to a shell, which part of a call that is, and what of it is known. It judges no command."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter_rules import building, calls

if TYPE_CHECKING:
    from charter.api import Context

WITH_SWITCH: Final = tuple(
    f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")
)
"""Functions that start a shell if they are told so."""
SHELLS: Final = (
    "os.system", "os.popen", "os.popen2", "os.popen3", "os.popen4", "commands.getoutput", "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell", "asyncio.subprocess.create_subprocess_shell",
)  # fmt: skip
"""Functions that start a shell in any case."""
_PROGRAMS: Final = frozenset({"sh", "bash", "dash", "ksh", "zsh", "ash"})


def of_shell(call: ast.Call, ctx: Context) -> ast.expr | None:
    """The text that a call of one of these functions hands to a shell; None if it starts none."""
    name = ctx.name(call.func) or ""
    if name in WITH_SWITCH:
        switch = calls.value(ctx, call, None, "shell", default=False)
        if switch is not True and switch != 1:
            return None
    return ctx.argument(call, 0, "args") or ctx.argument(call, None, "cmd")


def of_named_shell(call: ast.Call, ctx: Context) -> ast.expr | None:
    """The text in an argument list that names the shell itself: `["bash", "-c", text]`; None if there is none."""
    written = ctx.argument(call, 0, "args")
    listed = ctx.origin(written) if written is not None else None
    if not isinstance(listed, (ast.List, ast.Tuple)) or len(listed.elts) < 3:
        return None
    program, switch = ctx.value(listed.elts[0]), ctx.value(listed.elts[1])
    if (
        not isinstance(program, str)
        or program.rpartition("/")[2] not in _PROGRAMS
        or not isinstance(switch, str)
    ):
        return None
    return listed.elts[2] if switch.startswith("-") and switch.endswith("c") else None


def known(command: ast.expr, ctx: Context, unknown: str) -> str:
    """The text of a command, or the words of a list joined, as far as they are written in the code.

    Args:
        command: the command.
        ctx: the file.
        unknown: what stands for each part that is only known when the program runs.
    """
    written = ctx.origin(command)
    if isinstance(written, (ast.List, ast.Tuple)):
        values = [ctx.value(word) for word in written.elts]
        return " ".join([value if isinstance(value, str) else unknown for value in values])
    value = ctx.value(command)
    if isinstance(value, str):
        return value
    parts = building.pieces(written, ctx) or ()
    return "".join([part.text if part.value is None else unknown for part in parts])
