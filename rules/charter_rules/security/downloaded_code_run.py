"""Finds code that is run as it comes from the network."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import Severity, regex, rule
from charter_rules import calls, commands, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_PIPED: Final = regex(
    r"\b(?:curl|wget)\b[^|;&]*\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:\S*/)?(?:ba|z|da|k)?sh\b|\b(?:curl|wget)\b[^|;&]*\|\s*(?:sudo\s+)?python"
)
"""A download that goes into a shell at once."""
_SUBSTITUTED: Final = regex(r"\b(?:ba|z|da)?sh\b\s+(?:-c\s+[\"']?\$\(|<\()\s*(?:curl|wget)\b")
_RUNS: Final = ("builtins.exec", "builtins.eval", "builtins.compile")
_ASKED: Final = regex(
    r"^(?:requests|httpx)\.(?:get|post|request)$|^urllib\.request\.urlopen$|^urllib2\.urlopen$|^urllib3\.request$"
)
_PARTS: Final = frozenset({"text", "content", "data", "read", "decode", "strip", "json", "get"})
"""What is taken of an answer on the way to its text."""
_STEPS: Final = 8


@rule(
    ast.Call,
    code="SEC140",
    principles=("safe-deserialization", "code-injection"),
    severity=Severity.MEDIUM,
    in_tests=False,
    cwe=(494, 829),
    calls=(*_RUNS, *commands.WITH_SWITCH, *commands.SHELLS),
    mentions=("curl", "wget", "requests", "httpx", "urlopen", "urllib3"),
    references=("https://cwe.mitre.org/data/definitions/494.html",),
)
def downloaded_code_run(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Check what you download before you run it.

    Whoever can change the file, the server, or the way to it decides what runs on your machine. Keep the code with yours, install it as a
    package with its hash, or compare the digest of the download with one that you wrote down.

    ```python bad
    import os

    def install():
        os.system("curl https://get.example.net/install.sh | sh")
    #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ what is downloaded runs as it comes, whoever has changed it
    ```
    ```python good
    import subprocess

    def install():
        subprocess.run(["curl", "-o", "install.sh", "https://get.example.net/install.sh"], check=True)
        subprocess.run(["sha256sum", "--check", "install.sh.sha256"], check=True)
    ```
    """
    if ctx.name(call.func) in _RUNS:
        is_downloaded = bool(call.args) and _comes_from_network(call.args[0], ctx)
    else:
        command = commands.of_shell(call, ctx) or commands.of_named_shell(call, ctx)
        text = "" if command is None else commands.known(command, ctx, "-")
        is_downloaded = _PIPED.search(text) is not None or _SUBSTITUTED.search(text) is not None
    if is_downloaded:
        yield ctx.finding(call, "what is downloaded runs as it comes, whoever has changed it")


def _comes_from_network(code: ast.expr, ctx: Context) -> bool:
    """Whether a text is the answer of a server, as it came: `requests.get(address).text`."""
    for _ in range(_STEPS):
        code = ctx.origin(code)
        if isinstance(code, ast.Call) and _ASKED.search(ctx.name(code.func) or ""):
            return True
        if isinstance(code, ast.Call) and ctx.name(code.func) == "builtins.compile" and code.args:
            code = code.args[0]
        elif (
            isinstance(code, ast.Call)
            and calls.identifier(code.func) in _PARTS
            and isinstance(code.func, ast.Attribute)
        ):
            code = code.func.value
        elif isinstance(code, ast.Attribute) and code.attr in _PARTS:
            code = code.value
        else:
            return _is_opened(code, ctx)
    return False


def _is_opened(answer: ast.expr, ctx: Context) -> bool:
    """Whether a name is that of an answer in a `with` statement around."""
    asked = shapes.entered(answer, ctx)
    return isinstance(asked, ast.Call) and _ASKED.search(ctx.name(asked.func) or "") is not None
