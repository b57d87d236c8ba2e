"""Finds membership tests in a loop against a list that only grows with the data. Short fixed lists are not its business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Confidence, Fix, Grade, Severity, rule, words
from charter_rules import calls, lines, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import AnyEdit, Context, Finding


_LISTING = frozenset({"builtins.dir", "builtins.vars", "dataclasses.fields", "attr.fields", "attrs.fields"})
"""Functions that list the attributes of an object or a class."""
_SCHEMA = frozenset(
    {
        "columns", "cols", "fields", "attributes", "attrs", "properties", "params", "parameters", "arguments",
        "headers", "dtypes", "schema",
    }
)  # fmt: skip
"""What tables, classes, functions and messages are made of: as many as somebody wrote."""
_CONFIGURED = frozenset({"config", "configuration", "settings", "options", "opts", "args", "kwargs", "flags"})
"""What a program is told by the person who runs it, or a function by its caller."""


@rule(
    ast.Compare,
    code="PRF001",
    principles=("fitting-data-structures", "bounded-complexity-of-work"),
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
    when=lambda node: len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)),
)
def list_membership_in_loop(compare: ast.Compare, ctx: Context) -> Iterator[Finding]:
    """`in` searches a list from the start, once for each round of a loop.

    A list is searched item by item, so n rounds over m items cost n*m comparisons; a set finds an item in one
    step however large it is. With 10,000 items on both sides, that is 50 million comparisons (half a second)
    against 10,000 look-ups (under a millisecond).

    Only lists are reported that are built in the same function from data of unknown size, and that serve for nothing
    but such tests, so that a set in their place costs nothing. Columns, fields and settings are few. The items must be hashable, which is why the fix is not
    applied unasked.

    Measured with Python 3.11.7: 1,000 names among 10,000 take 120 ms in a list, 0.04 ms in a set.

    ```python bad
    def missing(wanted, rows):
        known = [row.name for row in rows]
        return [name for name in wanted if name not in known]
    #                                      ^^^^^^^^^^^^^^^^^ each round searches the list `known` from the start: as many comparisons as rounds times items
    ```
    ```python fixed
    def missing(wanted, rows):
        known = {row.name for row in rows}
        return [name for name in wanted if name not in known]
    ```
    ```python good
    def missing(wanted, rows):
        known = {row.name for row in rows}
        return [name for name in wanted if name not in known]

    def is_weekend(days):
        weekend = ["sat", "sun"]
        return [day in weekend for day in days]
    ```
    """
    container = compare.comparators[0]
    if ctx.is_test or not isinstance(container, ast.Name) or isinstance(compare.left, ast.Constant):
        return  # asked of one value, the loop is likely to change the list
    name = container.id
    loop = ctx.loop(compare)
    function = ctx.function(compare)
    if loop is None or function is None:
        return
    values = shapes.assigned_values(name, function, ctx)
    if values is None or len(values) != 1 or not _is_unbounded_list(values[0], name, function, ctx):
        return
    if _is_inside(values[0], loop, ctx) or _breaks_soon(compare, loop, ctx) or _has_few_rounds(loop, ctx):
        return
    fix = _to_set(name, values[0], function, ctx)
    if fix is None:
        return  # its order or its repetitions are needed, and a second collection pays only if it is long
    if "# type:" in lines.around(ctx.span(values[0]), ctx):
        fix = None  # the comment says that it is a list
    yield ctx.finding(
        compare,
        f"each round searches the list `{name}` from the start: as many comparisons as rounds times items",
        fix=fix,
    )


def _is_unbounded_list(value: ast.expr, name: str, function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether an expression makes a list that is as long as the data."""
    if isinstance(value, ast.ListComp):
        if _is_small(value.generators[0].iter):
            return False
        return not any(_names_attributes(generator.iter, ctx) for generator in value.generators)
    if isinstance(value, ast.Call):
        called = ctx.name(value.func)
        if called in {"builtins.list", "builtins.sorted"} and value.args:
            return not _is_small(value.args[0]) and not _names_attributes(value.args[0], ctx)
        return False
    if isinstance(value, ast.List) and not value.elts:
        return any(
            _method(use, ctx) in {"append", "extend"} and ctx.loop(use) is not None
            for use in shapes.reads_in(name, function, ctx)
        )
    return False


def _names_attributes(iterable: ast.expr, ctx: Context) -> bool:
    """Whether an iterable gives the names of an object's attributes, of which there are as many as somebody wrote."""
    if _is_of_schema(iterable) or _is_of_schema(ctx.origin(iterable)):
        return True
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Attribute) and not iterable.args:
        iterable = iterable.func.value
    if isinstance(iterable, ast.Attribute) and iterable.attr == "parameters":
        return ctx.made_by(iterable.value) == "inspect.signature"
    if isinstance(iterable, ast.Attribute):
        return iterable.attr in {"__dict__", "__annotations__", "__members__", "__slots__"}
    return isinstance(iterable, ast.Call) and ctx.name(iterable.func) in _LISTING


def _is_of_schema(iterable: ast.expr) -> bool:
    """Whether an iterable is named for the columns of a table, the parameters of a function or what a program is configured with."""
    while isinstance(iterable, (ast.Call, ast.Await)):
        if isinstance(iterable, ast.Await):
            iterable = iterable.value
            continue
        if isinstance(iterable.func, ast.Attribute) and _is_configured(iterable.func.value):
            return True  # `config.get_dict("views")`
        if words(calls.identifier(iterable.func))[-1:] in {("columns",), ("fields",), ("headers",)}:
            return True  # `read_columns(table)`
        if iterable.args:  # `sorted(fields)`, `enumerate(table.columns)`
            iterable = iterable.args[-1]
        elif isinstance(iterable.func, ast.Attribute):  # `fields.items()`
            iterable = iterable.func.value
        else:
            return False
    if isinstance(iterable, ast.Attribute) and _is_configured(iterable.value):
        return True
    named = words(calls.identifier(iterable))
    return bool(named) and (named[-1] in _SCHEMA or named[-1] in _CONFIGURED)


def _is_configured(owner: ast.expr) -> bool:
    """Whether an object is named for what a program or a function is told."""
    named = words(calls.identifier(owner))
    return bool(named) and named[-1] in _CONFIGURED


def _is_small(iterable: ast.expr) -> bool:
    """Whether an iterable is written out in place, so that its length is fixed."""
    return isinstance(iterable, (ast.List, ast.Tuple, ast.Set, ast.Constant, ast.Dict))


def _method(use: ast.Name, ctx: Context) -> str:
    parent = ctx.parent(use)
    return parent.attr if isinstance(parent, ast.Attribute) else ""


def _is_inside(node: ast.AST, loop: ast.AST, ctx: Context) -> bool:
    """Whether the list is made anew in each round, so that it is likely to be short."""
    return any(ancestor is loop for ancestor in ctx.ancestors(node))


def _has_few_rounds(loop: ast.AST, ctx: Context) -> bool:
    """Whether the loop goes through a constant or something written out in place."""
    items = loop.iter if isinstance(loop, (ast.For, ast.AsyncFor, ast.comprehension)) else None
    if items is not None and (_names_attributes(items, ctx) or _is_small(ctx.origin(items))):
        return True
    while isinstance(items, (ast.Call, ast.Attribute)):
        if isinstance(items, ast.Attribute) and items.attr.isupper():
            return True
        items = items.func if isinstance(items, ast.Call) else items.value
    return items is not None and (_is_small(items) or (isinstance(items, ast.Name) and items.id.isupper()))


def _breaks_soon(compare: ast.Compare, loop: ast.AST, ctx: Context) -> bool:
    """Whether the test ends the loop (`while name in taken`), which then hardly has as many rounds as items."""
    return isinstance(loop, ast.While) and any(
        ancestor is loop.test or compare is loop.test for ancestor in (compare, *ctx.ancestors(compare))
    )


def _is_bound_again(name: str, value: ast.expr, function: shapes.FunctionNode, ctx: Context) -> bool:
    """Whether a name is set, or added to by `+=`, in more places than where it gets its list."""
    return any(
        ctx.parent(binding) is not ctx.parent(value) for binding in shapes.bindings(name, function, ctx)
    )


def _to_set(name: str, value: ast.expr, function: shapes.FunctionNode, ctx: Context) -> Fix | None:
    """Build a set instead, where membership is all that the list is asked for."""
    if _is_bound_again(name, value, function, ctx):
        return None
    edits: list[AnyEdit] = []
    if isinstance(value, ast.ListComp):
        inner = ctx.source(value)[1:-1]
        edits.append(ctx.replace(value, f"{{{inner}}}"))
    elif isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords:
        edits.append(ctx.replace(value.func, "set"))
    elif isinstance(value, ast.List):
        edits.append(ctx.replace(value, "set()"))
    else:
        return None
    binding = ctx.parent(value)
    if isinstance(binding, ast.AnnAssign):
        annotation = ctx.source(binding.annotation)
        if not annotation.startswith("list["):
            return None
        edits.append(ctx.replace(binding.annotation, f"set{annotation.removeprefix('list')}"))
    for use in shapes.reads_in(name, function, ctx):
        parent = ctx.parent(use)
        if isinstance(parent, ast.Compare) and use in parent.comparators:
            continue
        if (
            isinstance(value, ast.List)
            and _method(use, ctx) == "append"
            and isinstance(parent, ast.Attribute)
        ):
            edits.append(ctx.replace(ctx.name_span(parent), "add"))
            continue
        return None
    return Fix(f"Make `{name}` a set", tuple(edits), Grade.UNSAFE)
