"""Finds mutable class attributes that instances change in place, so that all instances share the change."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_MAKERS = frozenset(
    {"builtins.list", "builtins.dict", "builtins.set", "collections.defaultdict", "collections.deque"}
)
_SHARED_WORDS = (
    "cache",
    "registry",
    "registered",
    "instances",
    "pool",
    "memo",
    "known",
    "all_",
    "lock",
    "shared",
    "global",
)


@rule(
    ast.ClassDef,
    code="MNT060",
    principles=("no-hidden-state",),
    severity=Severity.MEDIUM,
    default=False,
    aliases=("RUF012",),
)
def shared_class_mutable(class_: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """Instances change a list or dictionary that belongs to their class.

    `items = []` in a class body makes one list for all instances. `self.items.append(…)` looks as if each instance
    had its own; in truth what one adds, all others see, in every thread and every test.

    Ruff's RUF012 reports every mutable class attribute. This rule reports those that a method changes through
    `self` and that no method gives the instance first. Private names, names that say they are shared (`cache`,
    `registry`), `ClassVar` annotations and what is also reached through the class are left alone.

    Off by default: too few of its findings on published packages have been read to promise nine in ten.

    ```python bad
    class Basket:
        items = []
    #   ^^^^^ all instances of `Basket` share the list `items`, and `add` changes it

        def add(self, item):
            self.items.append(item)
    ```
    ```python good
    class Basket:
        sizes = ["S", "M", "L"]

        def __init__(self):
            self.items = []

        def add(self, item):
            self.items.append(item)
    ```
    """
    shared = dict(_mutables(class_, ctx))
    if not shared or ctx.is_test:
        ctx.not_an_opportunity()
        return
    owned = {
        node.attr
        for node in ast.walk(class_)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value)
    }
    for node in ctx.nodes(ast.Attribute):
        if shapes.is_name(node.value, class_.name) or shapes.is_name(node.value, "cls"):
            shared.pop(node.attr, None)  # `Basket.items`: it is meant to be the class's
    for node in ast.walk(class_):
        if not isinstance(node, ast.Attribute) or node.attr not in shared or node.attr in owned:
            continue
        method = ctx.function(node)
        if not _is_self(node.value) or method is None or ctx.parent(method) is not class_:
            continue
        if _changes(node, ctx):
            target = shared.pop(node.attr)
            yield ctx.finding(
                target,
                f"all instances of `{class_.name}` share the {_sort(target, ctx)} `{target.id}`, and `{method.name}` changes it",
                related=[ctx.related(node, "changed here")],
            )


def _mutables(class_: ast.ClassDef, ctx: Context) -> Iterator[tuple[str, ast.Name]]:
    for statement in class_.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            if "ClassVar" in ctx.source(statement.annotation):
                continue
            target, value = statement.target, statement.value
        else:
            continue
        if not isinstance(target, ast.Name) or target.id.isupper() or target.id.startswith("_"):
            continue
        if any(word in target.id.lower() for word in _SHARED_WORDS):
            continue
        made = ctx.name(value.func) in _MAKERS if isinstance(value, ast.Call) else False
        if made or isinstance(value, (ast.List, ast.Dict, ast.Set)):
            yield target.id, target


def _sort(target: ast.Name, ctx: Context) -> str:
    """What a class attribute holds, in a word."""
    parent = ctx.parent(target)
    value = parent.value if isinstance(parent, (ast.Assign, ast.AnnAssign)) else None
    made = ctx.name(value.func) or "" if isinstance(value, ast.Call) else ""
    if isinstance(value, ast.Dict) or made.endswith("dict"):
        return "dictionary"
    return "set" if isinstance(value, ast.Set) or made.endswith("set") else "list"


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _changes(node: ast.Attribute, ctx: Context) -> bool:
    parent = ctx.parent(node)
    if isinstance(parent, ast.Attribute) and parent.attr in shapes.MUTATORS:
        call = ctx.parent(parent)
        return isinstance(call, ast.Call) and call.func is parent
    return (
        isinstance(parent, ast.Subscript)
        and parent.value is node
        and isinstance(parent.ctx, (ast.Store, ast.Del))
    )
