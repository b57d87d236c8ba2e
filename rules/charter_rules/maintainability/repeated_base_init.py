"""Finds `__init__` methods that reach one base twice. `analysis.contracts` follows the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import BrokenInheritance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    BrokenInheritance,
    code="MNT211",
    principles=("robust-comparisons",),
    severity=Severity.MEDIUM,
    kinds=("repeated-init",),
)
def repeated_base_init(broken: BrokenInheritance, ctx: Context) -> Iterator[Finding]:
    """An `__init__` calls two bases by name, and both call that of a common base.

    The common base is initialised twice: what was set in between is reset, files are opened and handlers registered
    twice. `super().__init__()` in every class calls each of them once.

    ```python bad
    class Base:
        def __init__(self):
            self.items = []

    class Left(Base):
        def __init__(self):
            Base.__init__(self)

    class Right(Base):
        def __init__(self):
            Base.__init__(self)

    class Both(Left, Right):
        def __init__(self):
    #       ^^^^^^^^ `Both.__init__` calls `Base.__init__` twice, through two of its bases
            Left.__init__(self)
            Right.__init__(self)
    ```
    ```python good
    class Base:
        def __init__(self):
            self.items = []

    class Left(Base):
        def __init__(self):
            super().__init__()

    class Right(Base):
        def __init__(self):
            super().__init__()

    class Both(Left, Right):
        def __init__(self):
            super().__init__()
    ```
    """
    yield ctx.finding(
        broken.location,
        f"`{broken.name}.__init__` calls `{broken.base}.__init__` twice, through two of its bases",
        related=[ctx.related(broken.related, "called twice")],
    )
