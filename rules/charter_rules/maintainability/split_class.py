"""Finds classes that are several in one. How methods are grouped is the cohesion analysis's business."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.metrics import ClassMetrics
from charter_rules import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ClassMetrics,
    code="MNT043",
    principles=("bounded-complexity", "honest-names"),
    severity=Severity.LOW,
    default=False,
    options={"methods": 3},
)
def split_class(metrics: ClassMetrics, ctx: Context) -> Iterator[Finding]:
    """The methods of a class fall into groups that have nothing in common.

    No method of one group uses an attribute of the other or calls one of its methods: these are two classes that share
    a name. Apart, each has a name that says what it is for, and a change to one cannot touch the other.

    Off by default: facades and classes of handlers are collections on purpose. Reported are classes without bases,
    decorators and class-level machinery, with at least two groups of `methods` methods each. The groups are
    those of LCOM4 (Hitz and Montazeri, 1995), constructors left out.

    ```python bad
    class Shop:
    #     ^^^^ `Shop` is 2 classes: the 3 methods around `add` and the 3 around `open` have nothing in common
        def __init__(self):
            self.items = []
            self.doors = []

        def add(self, item):
            self.items.append(item)

        def total(self):
            return sum(item.price for item in self.items)

        def empty(self):
            return not self.items

        def open(self):
            for door in self.doors:
                door.open()

        def close(self):
            for door in self.doors:
                door.close()

        def locked(self):
            return all(door.locked for door in self.doors)
    ```
    ```python good
    class Cart:
        def __init__(self):
            self.items = []

        def add(self, item):
            self.items.append(item)

        def total(self):
            return sum(item.price for item in self.items)

        def empty(self):
            return not self.items
    ```
    """
    smallest = ctx.option("methods", int)
    if ctx.is_test or not metrics.attributes:
        ctx.not_an_opportunity()
        return
    large = [group for group in metrics.groups if len(group) >= smallest]
    if len(large) < 2 or not _is_plain(metrics, ctx):
        return
    firsts = [(len(group), group[0].what) for group in large]
    shown = " and ".join(
        f"the {size} methods around `{name}`" if not index else f"the {size} around `{name}`"
        for index, (size, name) in enumerate(firsts)
    )
    yield ctx.finding(
        metrics.location,
        f"`{metrics.name.rpartition('.')[2]}` is {len(large)} classes: {shown} have nothing in common",
        related=[
            ctx.related(method.location, f"group {number}: `{method.what}`")
            for number, group in enumerate(large, 1)
            for method in group
        ],
    )


def _is_plain(metrics: ClassMetrics, ctx: Context) -> bool:
    """Whether a class stands for itself: no base may bring along what its methods have in common."""
    node = shapes.definition_at(metrics.location.span, ctx, ast.ClassDef)
    if node is None or node.decorator_list or node.keywords:
        return False
    return all(ctx.name(base) == "builtins.object" for base in node.bases)
