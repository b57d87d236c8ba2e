"""Finds functions that call themselves whatever happens."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Module,
    code="MNT224",
    principles=("robust-comparisons",),
    severity=Severity.HIGH,
    cwe=(674,),
)
def endless_recursion(module: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A function calls itself on every path, or a property reads itself.

    Nothing ends it but `RecursionError`. Mostly an underscore is missing (`self.name` in the property `name`), or `super()`.

    ```python bad
    class Order:
        @property
        def total(self):
            return self.total
    #              ^^^^^^^^^^ `total` reads itself whatever happens, and never ends
    ```
    ```python bad
    def depth(tree):
        return 1 + depth(tree.left)
    #              ^^^^^^^^^^^^^^^^ `depth` calls itself whatever happens, and never ends
    ```
    ```python good
    class Order:
        @property
        def total(self):
            return self._total

    def depth(tree):
        return 0 if tree is None else 1 + depth(tree.left)
    ```
    """
    del module
    names: set[str] = set()
    methods: dict[str, set[str]] = {}
    for function in ctx.nodes(ast.FunctionDef):
        if len(function.decorator_list) > 1:
            continue
        if type(ctx.parent(function)) is not ast.ClassDef:
            names.add(function.name)
        elif function.args.args:
            methods.setdefault(function.name, set()).add(function.args.args[0].arg)
    uses: list[tuple[str, ast.expr]] = [
        *((name, use) for name in names & ctx.reads.keys() for use in ctx.reads[name]),
        *(
            (name, use)
            for name in methods.keys() & ctx.gets.keys()
            for use in ctx.gets[name]
            if type(use.value) is ast.Name and use.value.id in methods[name]
        ),
    ]
    found: dict[ast.FunctionDef, None] = {}
    for name, use in uses:
        function = ctx.function(use)
        if type(function) is ast.FunctionDef and function.name == name:
            found[function] = None
    for function in found:
        reads = len(function.decorator_list) == 1 and _is_property(function, ctx)
        if reads or not function.decorator_list:
            yield from _endless(function, ctx, reads=reads)


def _endless(function: ast.FunctionDef, ctx: Context, *, reads: bool) -> Iterator[Finding]:
    in_class = isinstance(ctx.parent(function), ast.ClassDef)
    first = function.args.args[0].arg if in_class and function.args.args else ""
    body = shapes.without_docstring(function.body)
    if reads and ctx.name(function.decorator_list[0]) == "functools.cached_property":
        body = body[:1]  # what comes first may give the object an attribute of that name
    for statement in body:
        for node in _always(statement):
            if _is_itself(node, function, first, reads=reads, in_class=in_class) and not _is_other(
                function, ctx
            ):
                verb = "reads" if reads else "calls"
                yield ctx.finding(node, f"`{function.name}` {verb} itself whatever happens, and never ends")
                return
        if not isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign)):
            return  # what comes behind it may not be reached
        if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ast.walk(statement)):
            return


def _is_property(function: ast.FunctionDef, ctx: Context) -> bool:
    return ctx.name(function.decorator_list[0]) in {"builtins.property", "functools.cached_property"}


def _always(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions that a plain statement evaluates in any case."""
    if isinstance(statement, (ast.Return, ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign)):
        stack: list[ast.AST] = [statement.value] if statement.value is not None else []
    elif isinstance(statement, (ast.If, ast.While)):
        stack = [statement.test]
    else:
        return
    while stack:
        node = stack.pop()
        if isinstance(node, ast.expr):
            yield node
        if isinstance(node, ast.BoolOp):
            stack.append(node.values[0])
        elif isinstance(node, ast.IfExp):
            stack.append(node.test)
        elif isinstance(node, (*shapes.COMPREHENSIONS, ast.Lambda, ast.Yield, ast.YieldFrom, ast.Await)):
            if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)):
                stack.append(node.generators[0].iter)
        elif isinstance(node, ast.Compare):
            stack.extend((node.left, node.comparators[0]))
        else:
            stack.extend(ast.iter_child_nodes(node))


def _is_itself(node: ast.expr, function: ast.FunctionDef, first: str, *, reads: bool, in_class: bool) -> bool:
    if reads:
        return (
            isinstance(node, ast.Attribute)
            and node.attr == function.name
            and shapes.is_name(node.value, first)
        )
    if not isinstance(node, ast.Call):
        return False
    if in_class:
        func = node.func
        # A call with other arguments may go to an overload of a class below; the same ones come back here.
        return (
            bool(first)
            and isinstance(func, ast.Attribute)
            and func.attr == function.name
            and shapes.is_name(func.value, first)
        )
    return shapes.is_name(node.func, function.name)


def _is_other(function: ast.FunctionDef, ctx: Context) -> bool:
    """Whether the function's name means something else where it is called: a parameter, a second definition."""
    name = function.name
    if any(argument.arg == name for argument in shapes.parameters(function)) or name in shapes.stored_in(
        function.body
    ):
        return True
    if any(
        node.attr == name and isinstance(node.ctx, ast.Store)
        for node in ctx.nodes(ast.Attribute, within=function)
    ):
        return True
    parent = ctx.parent(function)
    body: list[ast.stmt] = getattr(parent, "body", [])
    if function not in body:
        return True
    counts = ctx.once(_stored)
    if body[0] not in counts:
        items = (item for item in body if not isinstance(item, ast.ClassDef))
        counts[body[0]] = Counter(stored for item in items for stored in shapes.stored_in([item]))
    return counts[body[0]][name] > 1  # the function itself binds it, too


def _stored(_ctx: Context) -> dict[ast.stmt, Counter[str]]:
    """How many statements of a body bind each name, by the first of them; to be filled."""
    return {}
