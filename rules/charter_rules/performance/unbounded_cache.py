"""Finds caches that grow with every new argument and are never emptied."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Confidence, Fix, Grade, Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_CACHES = frozenset({"functools.cache", "functools.lru_cache"})


@rule(
    ast.FunctionDef,
    code="PRF014",
    principles=("bounded-resources", "no-hidden-state"),
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
    default=False,
    mentions=("cache", "lru_cache"),
    aliases=("B019", "W1518"),
)
def unbounded_cache(function: ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    """A method keeps every result, and every instance it was called on, for ever.

    `functools.cache` and `lru_cache` on a method store `self` in a cache that belongs to the class. No instance is
    ever freed while its results are in it, and with `cache` or `maxsize=None` they are in it until the process ends.
    A `cached_property`, or a cache made in `__init__`, goes with the instance.

    Ruff's B019 covers this; enable `unbounded-cache` if you do not run ruff. Caches with a bound, enumerations,
    static and class methods are left out. Whether a class has one instance or millions cannot be seen here.

    ```python bad
    from functools import cache

    class Order:
        @cache
    #    ^^^^^ this cache keeps every `Order` it was asked about, and never lets go
        def total(self):
            return sum(item.price for item in self.items)
    ```
    ```python fixed
    from functools import cached_property

    class Order:
        @cached_property
        def total(self):
            return sum(item.price for item in self.items)
    ```
    ```python good
    from functools import cache, cached_property

    class Order:
        @staticmethod
        @cache
        def rate(country):
            return {"DE": 0.19}[country]

        @cached_property
        def total(self):
            return sum(item.price for item in self.items)
    ```
    """
    class_ = ctx.parent(function)
    if not isinstance(class_, ast.ClassDef) or not function.decorator_list or ctx.is_test:
        ctx.not_an_opportunity()
        return
    names = [ctx.name(item.func if isinstance(item, ast.Call) else item) for item in function.decorator_list]
    if "builtins.staticmethod" in names or "builtins.classmethod" in names or _is_single(class_, ctx):
        return
    for decorator, name in zip(function.decorator_list, names, strict=True):
        if name in _CACHES and _is_unbounded(decorator, name, ctx):
            yield ctx.finding(
                decorator,
                f"this cache keeps every `{class_.name}` it was asked about, and never lets go",
                fix=_property(function, decorator, ctx),
            )


def _is_unbounded(decorator: ast.expr, name: str | None, ctx: Context) -> bool:
    if name == "functools.cache":
        return True
    if not isinstance(decorator, ast.Call):
        return False
    size = ctx.argument(decorator, 0, "maxsize")
    return isinstance(size, ast.Constant) and size.value is None


def _is_single(class_: ast.ClassDef, ctx: Context) -> bool:
    """Whether there are few instances, which live as long as the process, or a hash that is not the identity."""
    bases = [ctx.name(base) or ctx.source(base) for base in class_.bases]
    if any(base.endswith(("Enum", "Singleton", "Meta", "Flag")) or base == "builtins.type" for base in bases):
        return True
    return any(isinstance(item, shapes.FUNCTIONS) and item.name == "__hash__" for item in class_.body)


def _property(function: ast.FunctionDef, decorator: ast.expr, ctx: Context) -> Fix | None:
    """A method without arguments that is never called in this file becomes a cached property; others take more thought."""
    if (
        len(shapes.parameters(function)) != 1
        or len(function.decorator_list) != 1
        or not isinstance(decorator, ast.Name)
    ):
        return None
    called = any(
        isinstance(node.func, ast.Attribute) and node.func.attr == function.name
        for node in ctx.nodes(ast.Call)
    )
    uses = sum(node.id == decorator.id for node in ctx.nodes(ast.Name))
    if called or uses != 1:
        return None
    statement = next(
        (
            node
            for node in ctx.nodes(ast.ImportFrom)
            if node.module == "functools" and [alias.name for alias in node.names] == [decorator.id]
        ),
        None,
    )
    if statement is None:
        return None
    edits = (
        ctx.replace(decorator, "cached_property"),
        ctx.replace(statement, "from functools import cached_property"),
    )
    return Fix("Make it a cached property", edits, Grade.SUGGESTION)
