"""Finds overridden methods that a base's `__init__` calls before the object is ready. `analysis.contracts` knows the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import BrokenInheritance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    BrokenInheritance,
    code="MNT212",
    principles=("robust-comparisons", "no-hidden-state"),
    severity=Severity.MEDIUM,
    kinds=("early-call",),
)
def early_override_call(broken: BrokenInheritance, ctx: Context) -> Iterator[Finding]:
    """A base's `__init__` calls a method that this class overrides, and that reads what is set only afterwards.

    The override runs on an object that is half made, and raises `AttributeError`. Set the attribute before
    `super().__init__()` is called, or do the work in a method that is called when the object is done.

    ```python bad
    class View:
        def __init__(self):
            self.render()

        def render(self):
            return ""

    class NamedView(View):
        def __init__(self, name):
            super().__init__()
            self.name = name
    #       ^^^^^^^^^ `name` is set after `View.__init__`, which calls `render`, which reads it

        def render(self):
            return self.name
    ```
    ```python good
    class View:
        def __init__(self):
            self.render()

        def render(self):
            return ""

    class NamedView(View):
        def __init__(self, name):
            self.name = name
            super().__init__()

        def render(self):
            return self.name
    ```
    """
    yield ctx.finding(
        broken.location,
        f"`{broken.subject}` is set after `{broken.base}.__init__`, which calls `{broken.member}`, which reads it",
        related=[ctx.related(broken.related, "read here, when the base calls it")],
    )
