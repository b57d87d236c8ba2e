"""Finds annotations that the function's own body contradicts."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import AddImport, Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding

_PLAIN = {
    "int": (int, float, complex),
    "str": (str,),
    "bytes": (bytes,),
    "bool": (bool,),
    "float": (int, float, complex),
}
_DISPLAYS: dict[type[ast.expr], str] = {
    ast.List: "list", ast.ListComp: "list", ast.Dict: "dict", ast.DictComp: "dict", ast.Set: "set",
    ast.SetComp: "set", ast.Tuple: "tuple", ast.JoinedStr: "str",
}  # fmt: skip


@rule(
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    code="MNT110",
    principles=("typed-interfaces",),
    severity=Severity.MEDIUM,
    aliases=("RUF013",),
)
def contradicted_annotation(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    """An annotation says one thing and the body does another.

    A type checker believes an annotation where it cannot see the body, and so does a reader. `-> None` on a function
    that returns a value hides the value; `-> int` on one that also returns None hides the crash of the caller;
    `name: str = None` tells callers that None is refused where it is the default.

    Only what literals and bare `return` prove is reported.

    ```python bad
    def find(rows: list, name: str = None) -> int:
    #                          ^^^ `name` is annotated `str`, but None is its default
        for row in rows:
            if row.name == name:
                return row.id
        return None
    #   ^^^^^^^^^^^ `find` is annotated `-> int`, but returns None here
    ```
    ```python fixed
    def find(rows: list, name: str | None = None) -> int | None:
        for row in rows:
            if row.name == name:
                return row.id
        return None
    ```
    ```python good
    from typing import Optional

    def find(rows: list, name: Optional[str] = None) -> int | None:
        return None

    def check(rows: list) -> None:
        return None
    ```
    """
    if function.args.defaults or function.args.kw_defaults:
        yield from _defaults(function, ctx)
    if function.returns is not None:
        yield from _returns(function, function.returns, ctx)


def _defaults(function: shapes.FunctionNode, ctx: Context) -> Iterator[Finding]:
    for argument, default in shapes.defaults(function):
        annotation = argument.annotation
        if annotation is None or not isinstance(default, ast.Constant):
            continue
        if default.value is not None:
            if isinstance(annotation, ast.Name) and _contradicts(annotation.id, default) and not ctx.is_test:
                yield ctx.finding(
                    default,
                    f"`{argument.arg}` is annotated `{annotation.id}`, but {_described(default)} is its default",
                )
            continue
        name = _plain_class(annotation, ctx)
        if name is not None:
            yield ctx.finding(
                annotation,
                f"`{argument.arg}` is annotated `{ctx.source(annotation)}`, but None is its default",
                fix=_allow_none(annotation, ctx),
            )


def _plain_class(annotation: ast.expr, ctx: Context) -> str | None:
    """The name of a class that None is no instance of; None for aliases, unions and whatever is not certain."""
    base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    name = ctx.name(base)
    if name is None or not name.startswith(
        ("builtins.", "collections.abc.", "datetime.", "pathlib.", "decimal.")
    ):
        return None
    last = name.rpartition(".")[2]
    return None if last in {"object", "Hashable", "type"} else last


def _returns(function: shapes.FunctionNode, annotation: ast.expr, ctx: Context) -> Iterator[Finding]:
    if shapes.own_nodes(function, ctx, ast.Yield, ast.YieldFrom):
        return
    returns = shapes.own_nodes(function, ctx, ast.Return)
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        for node in returns:
            if isinstance(node.value, (*_DISPLAYS, ast.BinOp)) or (
                isinstance(node.value, ast.Constant) and node.value.value is not None
            ):
                yield ctx.finding(node, f"`{function.name}` is annotated `-> None`, but returns a value here")
        return
    name = _plain_class(annotation, ctx)
    if name is None or _is_stub(function):
        return
    text = ctx.source(annotation)
    for node in returns:
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ctx.finding(
                node,
                f"`{function.name}` is annotated `-> {text}`, but returns None here",
                fix=_allow_none(annotation, ctx),
            )
            return
        if isinstance(annotation, ast.Name) and _contradicts(annotation.id, node.value):
            yield ctx.finding(
                node, f"`{function.name}` is annotated `-> {text}`, but returns {_described(node.value)} here"
            )


def _allow_none(annotation: ast.expr, ctx: Context) -> Fix:
    """Let an annotation take None, too, in the way in which the file says that already."""
    text = ctx.source(annotation)
    optional = next(
        (
            node
            for node in (*ctx.reads.get("Optional", ()), *ctx.gets.get("Optional", ()))
            if ctx.name(node) == "typing.Optional"
        ),
        None,
    )
    edits: tuple[AnyEdit, ...]
    if optional is not None:
        edits = (ctx.replace(annotation, f"{ctx.source(optional)}[{text}]"),)
    elif ctx.python >= (3, 10):
        edits = (ctx.replace(annotation, f"{text} | None"),)
    else:
        edits = (AddImport("typing", "Optional"), ctx.replace(annotation, f"Optional[{text}]"))
    return Fix("Allow None", edits, Grade.UNSAFE)


def _is_stub(function: shapes.FunctionNode) -> bool:
    return shapes.is_trivial(shapes.without_docstring(function.body)) or bool(
        function.decorator_list and not function.body
    )


def _contradicts(name: str, value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        kinds = _PLAIN.get(name)
        if kinds is None or value.value is ...:
            return False
        if isinstance(value.value, bool):
            return name in {"str", "bytes"}
        return not isinstance(value.value, kinds)
    display = next((kind for type_, kind in _DISPLAYS.items() if isinstance(value, type_)), None)
    return (
        display is not None
        and name in {"int", "str", "bytes", "bool", "float", "list", "dict", "set", "tuple"}
        and display != name
    )


def _described(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return f"`{value.value!r}`"
    display = next(kind for type_, kind in _DISPLAYS.items() if isinstance(value, type_))
    return f"a `{display}`"
