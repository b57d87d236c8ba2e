"""Finds classes that keep a protocol of special methods by halves."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


_PAIRS = {
    "__enter__": ("__exit__", "`with` needs both"),
    "__exit__": ("__enter__", "`with` needs both"),
    "__aenter__": ("__aexit__", "`async with` needs both"),
    "__aexit__": ("__aenter__", "`async with` needs both"),
    "__next__": ("__iter__", "`for` asks for it first"),
    "__anext__": ("__aiter__", "`async for` asks for it first"),
}


@rule(
    ast.ClassDef,
    code="MNT231",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    aliases=("E0301", "E1129"),
)
def broken_protocol(class_: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A class has one half of a protocol, or keeps it in a way that Python refuses.

    `with` needs `__enter__` and `__exit__`; `for` asks for `__iter__`, which must give an iterator: a list is none
    (return `iter(…)` of it), and an object that has `__next__` itself gives itself.

    Classes with bases from elsewhere may inherit the other half and are not judged.

    ```python bad
    class Rows:
        def __init__(self, rows):
            self.rows = rows

        def __iter__(self):
            return [row for row in self.rows if row]
    #              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `__iter__` gives a list, which is no iterator
    ```
    ```python fixed
    class Rows:
        def __init__(self, rows):
            self.rows = rows

        def __iter__(self):
            return iter([row for row in self.rows if row])
    ```
    ```python bad
    class Lock:
        def __enter__(self):
    #       ^^^^^^^^^ `Lock` has no `__exit__`: `with` needs both
            return self
    ```
    ```python good
    class Lock:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, trace):
            return None
    ```
    """
    methods = {item.name: item for item in class_.body if isinstance(item, shapes.FUNCTIONS)}
    if not any(name.startswith("__") for name in methods):
        ctx.not_an_opportunity()
        return
    halves = not methods.keys().isdisjoint(_PAIRS)
    closed = (
        halves and all(ctx.name(base) == "builtins.object" for base in class_.bases) and not class_.keywords
    )
    if closed and not class_.decorator_list and not class_.name.endswith("Mixin") and not ctx.is_test:
        for name, (other, reason) in _PAIRS.items():
            if name in methods and other not in methods and not _is_assigned(other, class_):
                yield ctx.finding(ctx.name_span(methods[name]), f"`{class_.name}` has no `{other}`: {reason}")
                return
    iter_ = methods.get("__iter__")
    if type(iter_) is ast.FunctionDef:
        yield from _iter(iter_, methods, class_, ctx)


def _is_assigned(name: str, class_: ast.ClassDef) -> bool:
    return name in shapes.stored_in(item for item in class_.body if not isinstance(item, shapes.DEFINITIONS))


def _iter(
    method: ast.FunctionDef,
    methods: dict[str, ast.FunctionDef | ast.AsyncFunctionDef],
    class_: ast.ClassDef,
    ctx: Context,
) -> Iterator[Finding]:
    if shapes.own_nodes(method, ctx, ast.Yield, ast.YieldFrom):
        return
    returns = shapes.own_nodes(method, ctx, ast.Return)
    for value in [node.value for node in returns]:
        if value is None:
            continue
        kind = _NO_ITERATORS.get(type(value)) or _called(value, ctx)
        if kind:
            fix = Fix(
                "Give an iterator of it", (ctx.replace(value, f"iter({ctx.source(value)})"),), Grade.UNSAFE
            )
            yield ctx.finding(value, f"`__iter__` gives {kind}, which is no iterator", fix=fix)
        elif (
            "__next__" in methods and isinstance(value, ast.Call) and shapes.is_name(value.func, class_.name)
        ):
            yield ctx.finding(
                value, "`__iter__` of an iterator gives another one, so that `for` begins anew each time"
            )
    body = shapes.without_docstring(method.body)
    refuses = ctx.nodes(ast.Raise, within=method)
    if not returns and body and not refuses and not shapes.is_trivial(body):
        yield ctx.finding(ctx.name_span(method), "`__iter__` gives nothing: it must give an iterator")


_NO_ITERATORS: dict[type[ast.expr], str] = {
    ast.List: "a list", ast.ListComp: "a list", ast.Tuple: "a tuple", ast.Dict: "a dictionary", ast.DictComp: "a dictionary",
    ast.Set: "a set", ast.SetComp: "a set", ast.Constant: "a constant", ast.JoinedStr: "a text",
}  # fmt: skip


def _called(value: ast.expr, ctx: Context) -> str:
    """What a call of a built-in gives that is no iterator; else ""."""
    if not isinstance(value, ast.Call):
        return ""
    made = {
        "builtins.list": "a list", "builtins.sorted": "a list", "builtins.dict": "a dictionary", "builtins.set": "a set",
        "builtins.tuple": "a tuple", "builtins.range": "a range",
    }  # fmt: skip
    return made.get(ctx.name(value.func) or "", "")
