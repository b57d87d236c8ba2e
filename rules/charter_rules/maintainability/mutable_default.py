"""Finds mutable parameter defaults that calls share and change; harmless ones (only read) are not its business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding

_MAKERS = frozenset(
    {
        "builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray", "collections.defaultdict",
        "collections.OrderedDict", "collections.Counter", "collections.deque",
    }
)  # fmt: skip


_MADE = frozenset[type]({ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call})


def _may_be_mutable(function: shapes.FunctionNode) -> bool:
    """Whether a default is of a kind that may make something that can be changed."""
    arguments = function.args
    return any(type(default) in _MADE for default in (*arguments.defaults, *arguments.kw_defaults))


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT001",
    principles=("no-hidden-state", "robust-comparisons"),
    severity=Severity.MEDIUM,
    when=_may_be_mutable,
    aliases=("B006", "W0102"),
)
def mutable_default(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """A parameter's default is changed by calls and shared between them.

    A default is evaluated once, when the function is defined. A list or dictionary that a call changes, keeps or
    hands out is therefore the same object in the next call, which then starts with what the last one left.

    Ruff's B006 reports every mutable default. This rule reports those that the body changes, stores or returns, so
    that what it reports is a bug or one edit away from it. A parameter with a leading underscore, which is a cache on
    purpose, is left alone.

    ```python bad
    def collect(item, into=[]):
    #                      ^^ the default of `into` is one list for all calls, and this function changes it
        into.append(item)
        return into
    ```
    ```python fixed
    def collect(item, into=None):
        if into is None:
            into = []
        into.append(item)
        return into
    ```
    ```python good
    def total(numbers=[]):
        return sum(numbers)
    ```
    """
    found = [
        (argument, default)
        for argument, default in shapes.defaults(function)
        if not argument.arg.startswith("_") and _is_mutable(default, ctx)
    ]
    if not found:
        ctx.not_an_opportunity()
        return
    for argument, default in found:
        verb = _fate(argument.arg, function, ctx)
        if verb:
            kind = _kind(default)
            yield ctx.finding(
                default,
                f"the default of `{argument.arg}` is one {kind} for all calls, and this function {verb} it",
                fix=_fix(argument, default, function, ctx),
            )


def _is_mutable(default: ast.expr, ctx: Context) -> bool:
    if isinstance(default, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
        return True
    return isinstance(default, ast.Call) and ctx.name(default.func) in _MAKERS


def _kind(default: ast.expr) -> str:
    if isinstance(default, (ast.List, ast.ListComp)):
        return "list"
    if isinstance(default, (ast.Dict, ast.DictComp)):
        return "dictionary"
    return "set" if isinstance(default, (ast.Set, ast.SetComp)) else "object"


def _fate(name: str, function: shapes.FunctionNode, ctx: Context) -> str:
    """What a body does with a parameter that makes sharing it dangerous; "" for nothing."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            parent = ctx.parent(node)
            if not isinstance(parent, ast.AugAssign):
                return ""  # it is replaced somewhere, perhaps by a copy
    kept = ""
    for use in shapes.reads_in(name, function, ctx):
        if shapes.is_mutation(use, ctx):
            return "changes"
        parent = ctx.parent(use)
        if isinstance(parent, (ast.Return, ast.Yield)):
            kept = kept or "returns"
        elif (
            isinstance(parent, ast.Assign)
            and parent.value is use
            and any(isinstance(target, ast.Attribute) for target in parent.targets)
        ):
            kept = kept or "stores"
    for node in ast.walk(function):
        if isinstance(node, ast.AugAssign) and shapes.is_name(node.target, name):
            return "changes"
    return kept


def _fix(argument: ast.arg, default: ast.expr, function: shapes.FunctionNode, ctx: Context) -> Fix | None:
    body = shapes.without_docstring(function.body)
    if (
        not body
        or body[0].lineno == function.lineno
        or isinstance(default, (ast.ListComp, ast.DictComp, ast.SetComp))
    ):
        return None
    name = argument.arg
    edits: list[AnyEdit] = [
        ctx.replace(default, "None"),
        ctx.insert_before(body[0], f"if {name} is None:\n    {name} = {ctx.source(default)}"),
    ]
    if argument.annotation is not None:
        annotation = ctx.source(argument.annotation)
        if "None" not in annotation and "Optional" not in annotation and "Any" not in annotation:
            if ctx.python < (3, 10) and not _has_lazy_annotations(ctx):
                return None
            edits.append(ctx.replace(argument.annotation, f"{annotation} | None"))
    return Fix(f"Make the {_kind(default)} inside the function", tuple(edits), Grade.UNSAFE)


def _has_lazy_annotations(ctx: Context) -> bool:
    return any(
        node.module == "__future__" and any(alias.name == "annotations" for alias in node.names)
        for node in ctx.nodes(ast.ImportFrom)
    )
