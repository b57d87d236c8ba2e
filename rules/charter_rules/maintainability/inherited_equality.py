"""Finds classes whose new attributes the inherited `__eq__` does not compare. `analysis.contracts` knows both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import BrokenInheritance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    BrokenInheritance,
    code="MNT215",
    principles=("robust-comparisons",),
    severity=Severity.LOW,
    kinds=("equality",),
    default=False,
)
def inherited_equality(broken: BrokenInheritance, ctx: Context) -> Iterator[Finding]:
    """A class adds an attribute and inherits an `__eq__` that does not look at it.

    Two objects that differ in it are equal: sets and dictionaries keep only one of them, and tests compare too little.

    Off by default: many base classes compare by what identifies an object, and that is meant.

    ```python bad
    class Point:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def __eq__(self, other):
            return (self.x, self.y) == (other.x, other.y)

    class Point3(Point):
        def __init__(self, x, y, z):
            super().__init__(x, y)
            self.z = z
    #       ^^^^^^ `Point3` adds `z`, which `Point.__eq__` does not compare
    ```
    ```python good
    class Point:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def __eq__(self, other):
            return (self.x, self.y) == (other.x, other.y)

    class Point3(Point):
        def __init__(self, x, y, z):
            super().__init__(x, y)
            self.z = z

        def __eq__(self, other):
            return super().__eq__(other) and self.z == other.z
    ```
    """
    yield ctx.finding(
        broken.location,
        f"`{broken.name}` adds `{broken.subject}`, which `{broken.base}.__eq__` does not compare",
        related=[ctx.related(broken.related, "the equality")],
    )
