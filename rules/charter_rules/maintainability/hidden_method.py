"""Finds methods that an attribute of the same name hides. `analysis.contracts` knows what `__init__` sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import BrokenInheritance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    BrokenInheritance,
    code="MNT214",
    principles=("honest-names", "robust-comparisons"),
    severity=Severity.MEDIUM,
    kinds=("hidden-method",),
    aliases=("E0202",),
)
def hidden_method(broken: BrokenInheritance, ctx: Context) -> Iterator[Finding]:
    """An object's attribute has the name of a method, which can then never be called.

    What `__init__` puts on the object comes before what the class has. Calling the method calls the value: `TypeError:
    'int' object is not callable`.

    ```python bad
    class Box:
        def __init__(self, width, height):
            self.size = width * height
    #       ^^^^^^^^^ the attribute `size` hides the method `Box.size` on every object

        def size(self):
            return self.size
    ```
    ```python good
    class Box:
        def __init__(self, width, height):
            self._size = width * height

        def size(self):
            return self._size
    ```
    """
    yield ctx.finding(
        broken.location,
        f"the attribute `{broken.subject}` hides the method `{broken.name}.{broken.member}` on every object",
        related=[ctx.related(broken.related, "the method")],
    )
