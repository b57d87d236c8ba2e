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
_UNPICKLES: Final = ("pickle.load", "pickle.loads", "dill.load", "dill.loads", "cloudpickle.load", "cloudpickle.loads",
                     "joblib.load", "marshal.load", "marshal.loads")  # fmt: skip
"""Functions that make whatever objects the bytes name."""
_OPENS: Final = frozenset({"io.BytesIO", "io.StringIO", "builtins.compile"})
"""What makes something of an answer that is read as it is."""
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
    calls=(*_RUNS, *_UNPICKLES, *commands.WITH_SWITCH, *commands.SHELLS),
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
    name = ctx.name(call.func)
    if name in _RUNS or name in _UNPICKLES:
        is_downloaded = bool(call.args) and _comes_from_network(call.args[0], ctx)
    else:
        command = commands.of_shell(call, ctx) or commands.of_named_shell(call, ctx)
        is_downloaded = command is not None and _is_download(command, ctx)
    if is_downloaded:
        runs = "can run any code while it is unpickled" if name in _UNPICKLES else "runs as it comes"
        yield ctx.finding(call, f"what is downloaded {runs}, whoever has changed it")


def _is_download(command: ast.expr, ctx: Context) -> bool:
    """Whether a command line fetches what it runs, or has itself been fetched."""
    text = commands.known(command, ctx, "-")
    return bool(_PIPED.search(text) or _SUBSTITUTED.search(text)) or _comes_from_network(command, ctx)


def _comes_from_network(code: ast.expr, ctx: Context) -> bool:
    """Whether a text is the answer of a server, as it came: `requests.get(address).text`."""
    for _ in range(_STEPS):
        code = ctx.origin(code)
        if isinstance(code, ast.Call) and _ASKED.search(ctx.name(code.func) or ""):
            return True
        if isinstance(code, ast.Call) and ctx.name(code.func) in _OPENS and code.args:
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
