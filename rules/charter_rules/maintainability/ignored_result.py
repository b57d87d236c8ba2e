"""Finds calls that do nothing but give a result which nobody takes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_FUNCTIONS = frozenset(
    {
        "builtins.sorted", "builtins.reversed", "builtins.len", "builtins.abs", "builtins.round", "builtins.min",
        "builtins.max", "builtins.zip", "builtins.enumerate", "builtins.filter", "builtins.map", "builtins.isinstance",
        "builtins.issubclass", "builtins.callable", "builtins.chr", "builtins.ord", "builtins.range",
        "copy.copy", "copy.deepcopy", "os.path.join", "os.path.basename", "os.path.dirname", "os.path.abspath",
        "os.path.exists", "os.path.isfile", "os.path.isdir", "functools.partial", "itertools.chain", "math.floor",
        "math.ceil", "math.sqrt", "re.sub", "re.match", "re.search", "re.findall",
        "dataclasses.replace", "dataclasses.asdict", "textwrap.dedent", "os.path.splitext", "os.path.normpath",
    }
)  # fmt: skip
"""Functions that change nothing; calls that are made to see them fail stand in a `try`, and are left alone."""
_LAZY = frozenset(
    {"builtins.map", "builtins.filter", "builtins.zip", "builtins.enumerate", "builtins.reversed"}
)
_TEXT = frozenset(
    {
        "replace", "strip", "lstrip", "rstrip", "upper", "lower", "title", "capitalize", "casefold", "format", "join",
        "split", "rsplit", "splitlines", "startswith", "endswith", "zfill", "ljust", "rjust", "center", "removeprefix",
        "removesuffix", "partition", "rpartition", "swapcase", "translate", "isdigit",
    }
)  # fmt: skip
_OTHERS = {
    "builtins.list": frozenset({"copy", "count"}),
    "builtins.dict": frozenset({"copy", "get", "items", "keys", "values"}),
    "builtins.set": frozenset(
        {"union", "intersection", "difference", "symmetric_difference", "copy", "issubset"}
    ),
    "builtins.tuple": frozenset({"count"}),
    "builtins.frozenset": frozenset({"union", "intersection", "difference"}),
    "datetime.datetime": frozenset({"replace", "astimezone", "isoformat", "strftime"}),
    "datetime.date": frozenset({"replace", "isoformat", "strftime"}),
    "pathlib.Path": frozenset(
        {"with_suffix", "with_name", "joinpath", "exists", "is_file", "is_dir", "as_posix"}
    ),
}


@rule(
    ast.Expr,
    code="MNT223",
    principles=("robust-comparisons", "no-dead-code"),
    severity=Severity.MEDIUM,
    when=lambda statement: type(statement.value) is ast.Call,
    cwe=(252,),
)
def ignored_result(statement: ast.Expr, ctx: Context) -> Iterator[Finding]:
    """A call stands as a statement, but all it does is give a result.

    Texts, dates and paths never change: `name.strip()` gives another text and leaves `name` as it is. `sorted(rows)`
    gives a new list; `rows.sort()` is what sorts `rows`. `map(…)` alone does not even call its function.

    ```python bad
    def clean(name: str) -> str:
        name.strip()
    #   ^^^^^^^^^^^^ `strip` changes nothing: its result is dropped
        return name
    ```
    ```python good
    def clean(name: str) -> str:
        name = name.strip()
        return name
    ```
    """
    call = cast("ast.Call", statement.value)
    func = call.func
    last = func.id if type(func) is ast.Name else func.attr if type(func) is ast.Attribute else ""
    if last not in _CANDIDATES or _is_attempt(statement, ctx):
        return
    qualified = ctx.name(func)
    if qualified == "dataclasses.replace" and not call.keywords:
        return  # what is the same once more has gone through `__post_init__` again
    if qualified in _FUNCTIONS:
        if qualified in _LAZY:
            yield ctx.finding(
                call, f"`{last}` does nothing until somebody goes through its result, which is dropped"
            )
        else:
            yield ctx.finding(call, f"`{last}` changes nothing: its result is dropped")
    elif type(func) is ast.Attribute and qualified is None and func.attr in _METHODS:
        kind = ctx.type_name(func.value)
        pure = _TEXT if kind == "builtins.str" else _OTHERS.get(kind or "", frozenset[str]())
        if func.attr in pure:
            yield ctx.finding(call, f"`{func.attr}` changes nothing: its result is dropped")


_METHODS = _TEXT.union(*_OTHERS.values())
_CANDIDATES = _METHODS.union(name.rpartition(".")[2] for name in _FUNCTIONS)


def _is_attempt(statement: ast.Expr, ctx: Context) -> bool:
    """Whether the call is made to see whether it fails, or in a test."""
    if ctx.is_test:
        return True
    for ancestor in ctx.ancestors(statement):
        if isinstance(ancestor, ast.Try):
            return True
        if isinstance(ancestor, (ast.FunctionDef, ast.AsyncFunctionDef)):
            break
    parent = ctx.parent(statement)
    return isinstance(parent, ast.With)
