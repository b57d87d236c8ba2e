"""Finds mutable parameter defaults that calls share and change; harmless ones (only read) are not its business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding

_MAKERS = frozenset(
    {
        "builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray", "collections.defaultdict",
        "collections.OrderedDict", "collections.Counter", "collections.deque",
    }
)  # fmt: skip


_REMOVERS = frozenset({"clear", "difference_update", "discard", "pop", "popitem", "popleft", "remove"})
_READERS = frozenset(
    f"builtins.{name}"
    for name in (
        "len",
        "bool",
        "str",
        "repr",
        "list",
        "tuple",
        "set",
        "dict",
        "sorted",
        "sum",
        "min",
        "max",
        "any",
        "all",
        "isinstance",
    )
)
"""Functions that only look at a container, or make a copy of it."""
_READ_ONLY = frozenset(
    f"{module}.{name}"
    for module in ("typing", "collections.abc")
    for name in ("Mapping", "Sequence", "Collection", "Iterable", "Container", "Reversible")
) | {"typing.AbstractSet", "collections.abc.Set"}
"""Types that have no method that changes anything."""
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
        verb = _fate(argument, default, function, ctx)
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


def _fate(argument: ast.arg, default: ast.expr, function: shapes.FunctionNode, ctx: Context) -> str:
    """What a body does with a parameter that makes sharing it dangerous; "" for nothing."""
    name = argument.arg
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            parent = ctx.parent(node)
            if not isinstance(parent, ast.AugAssign):
                return ""  # it is replaced somewhere, perhaps by a copy
    kept = ""
    for use in shapes.reads_in(name, function, ctx):
        if shapes.is_mutation(use, ctx):
            if _only_removes(use, ctx) and _is_empty(default):
                continue  # a default that is always empty loses nothing
            return "changes"
        parent = ctx.parent(use)
        if isinstance(parent, (ast.Return, ast.Yield)):
            kept = kept or "returns"
        elif (
            isinstance(parent, ast.Assign)
            and parent.value is use
            and any(isinstance(item, ast.Attribute) and _is_open(item, ctx) for item in parent.targets)
        ):
            kept = kept or "stores"
    for node in ast.walk(function):
        if isinstance(node, ast.AugAssign) and shapes.is_name(node.target, name):
            return "changes"
    return "" if kept and _is_read_only(argument, ctx) else kept


def _only_removes(use: ast.Name, ctx: Context) -> bool:
    """Whether a use takes something out of a container and puts nothing in."""
    parent = ctx.parent(use)
    if isinstance(parent, ast.Subscript):
        return isinstance(parent.ctx, ast.Del)
    return isinstance(parent, ast.Attribute) and parent.attr in _REMOVERS


def _is_empty(default: ast.expr) -> bool:
    if isinstance(default, (ast.List, ast.Set)):
        return not default.elts
    if isinstance(default, ast.Dict):
        return not default.keys
    return isinstance(default, ast.Call) and not default.args and not default.keywords


def _is_read_only(argument: ast.arg, ctx: Context) -> bool:
    """Whether a parameter's type offers nothing that would change the object."""
    annotation = argument.annotation
    while isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    if annotation is None or ctx.name(annotation) in _READ_ONLY:
        return annotation is not None
    alias = ctx.origin(annotation)
    while isinstance(alias, ast.Subscript):
        alias = alias.value
    return ctx.name(alias) in _READ_ONLY


def _is_open(target: ast.Attribute, ctx: Context) -> bool:
    """Whether what an attribute holds may be changed: others see it, or its own class changes it or hands it out."""
    class_ = ctx.class_(target)
    if class_ is None or not target.attr.startswith("_"):
        return True
    uses = (node for node in ctx.nodes(ast.Attribute, within=class_) if node.attr == target.attr)
    return any(isinstance(use.ctx, ast.Load) and _may_change(use, ctx) for use in uses)


def _may_change(use: ast.Attribute, ctx: Context) -> bool:
    """Whether a use of an attribute changes what it holds, or gives it to something that may."""
    parent = ctx.parent(use)
    if isinstance(parent, ast.keyword):
        return parent.arg is not None  # `**` makes a copy
    if isinstance(parent, ast.Attribute):
        return parent.attr in shapes.MUTATORS
    if isinstance(parent, ast.Subscript):
        return not isinstance(parent.ctx, ast.Load)
    if isinstance(parent, ast.Call):
        return ctx.name(parent.func) not in _READERS
    return isinstance(parent, (ast.Return, ast.Yield, ast.Assign, ast.AugAssign))


def _fix(argument: ast.arg, default: ast.expr, function: shapes.FunctionNode, ctx: Context) -> Fix | None:
    body = shapes.without_docstring(function.body)
    if (
        not body
        or body[0].lineno == function.lineno
        or isinstance(default, (ast.ListComp, ast.DictComp, ast.SetComp))
    ):
        return None
    indent = lines.indent(body[0], ctx)
    if indent is None:
        return None
    name = argument.arg
    made = f"{lines.deeper(indent)}{name} = {_moved(default, lines.deeper(indent), ctx)}"
    edits: list[AnyEdit] = [
        ctx.replace(default, "None"),
        ctx.insert(lines.head(ctx.span(body[0]), ctx), f"{indent}if {name} is None:\n{made}\n"),
    ]
    if argument.annotation is not None:
        annotation = ctx.source(argument.annotation)
        if "None" not in annotation and "Optional" not in annotation and "Any" not in annotation:
            if ctx.python < (3, 10) and not _has_lazy_annotations(ctx):
                return None
            edits.append(ctx.replace(argument.annotation, f"{annotation} | None"))
    return Fix(f"Make the {_kind(default)} inside the function", tuple(edits), Grade.UNSAFE)


def _moved(default: ast.expr, indent: str, ctx: Context) -> str:
    """The text of a default for a line with another indentation; as it is, if a string goes over several lines."""
    text = ctx.source(default)
    start = ctx.span(default).start
    line = ctx.text[ctx.text.rfind("\n", 0, start) + 1 : start]
    old = line[: len(line) - len(line.lstrip())]
    strings = (node for node in ast.walk(default) if isinstance(node, (ast.Constant, ast.JoinedStr)))
    if any(node.lineno != node.end_lineno for node in strings):
        return text
    first, *rest = text.splitlines()
    return "\n".join([first, *(f"{indent}{item.removeprefix(old)}" if item.strip() else "" for item in rest)])


def _has_lazy_annotations(ctx: Context) -> bool:
    return any(
        node.module == "__future__" and any(alias.name == "annotations" for alias in node.names)
        for node in ctx.nodes(ast.ImportFrom)
    )
