"""Finds classes that define a hash and leave equality to identity."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.ClassDef,
    code="MNT152",
    principles=("robust-comparisons",),
    severity=Severity.LOW,
    default=False,
    mentions=("__hash__",),
)
def hash_without_eq(class_: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A class has a hash of its own, but no equality.

    A hash serves to find an equal object. Without `__eq__`, only the very same object is equal, so two points with
    the same coordinates land in the same place of a set and are still two: the set holds duplicates, the dictionary
    finds nothing, and no error says so.

    Ruff's PLW1641 reports the other half, `__eq__` without `__hash__`, which Python itself makes safe: sets refuse
    such objects.

    Off by default: too few of its findings on published packages have been read to promise nine in ten.

    ```python bad
    class Point:
        def __init__(self, x, y):
            self.x = x
            self.y = y

        def __hash__(self):
    #       ^^^^^^^^ `Point` has a hash of its own, but compares by identity: equal hashes never meet an equal object
            return hash((self.x, self.y))
    ```
    ```python good
    class Point:
        def __init__(self, x, y):
            self.x = x
            self.y = y

        def __eq__(self, other):
            return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

        def __hash__(self):
            return hash((self.x, self.y))
    ```
    """
    methods = {item.name: item for item in class_.body if isinstance(item, shapes.FUNCTIONS)}
    hashing = methods.get("__hash__")
    if hashing is None or ctx.is_test:
        ctx.not_an_opportunity()
        return
    if class_.bases or class_.keywords or class_.decorator_list or "__eq__" in methods:
        return
    if any(
        isinstance(item, ast.Assign) and any(shapes.is_name(t, "__eq__") for t in item.targets)
        for item in class_.body
    ):
        return
    if any(isinstance(node, ast.Call) and ctx.name(node.func) == "builtins.id" for node in ast.walk(hashing)):
        return
    attributes = [
        node
        for node in ast.walk(hashing)
        if isinstance(node, ast.Attribute) and shapes.is_name(node.value, "self")
    ]
    if attributes:
        yield ctx.finding(
            ctx.name_span(hashing),
            f"`{class_.name}` has a hash of its own, but compares by identity: equal hashes never meet an equal object",
        )
