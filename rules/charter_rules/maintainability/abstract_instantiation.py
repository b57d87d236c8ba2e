"""Finds abstract classes that are called. `analysis.contracts` knows which methods are left open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import WrongCall
from charter_rules import attempts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    WrongCall,
    code="MNT202",
    principles=("robust-comparisons",),
    severity=Severity.HIGH,
    kinds=("abstract",),
    aliases=("E0110",),
)
def abstract_instantiation(call: WrongCall, ctx: Context) -> Iterator[Finding]:
    """An object is made of a class that still has abstract methods.

    Python refuses it with `TypeError`. It happens when a base class is given a new abstract method and one of its heirs,
    in another file, is forgotten.

    ```python bad
    import abc

    class Store(abc.ABC):
        @abc.abstractmethod
        def load(self, key): ...

        @abc.abstractmethod
        def save(self, key, value): ...

    class Memory(Store):
        def load(self, key):
            return None

    def make():
        return Memory()
    #          ^^^^^^^^ `Memory` is abstract: it does not define `save`
    ```
    ```python good
    import abc

    class Store(abc.ABC):
        @abc.abstractmethod
        def load(self, key): ...

    class Memory(Store):
        def load(self, key):
            return None

    def make():
        return Memory()
    ```
    """
    if ctx.is_test or attempts.expects_failure(call.location, ctx):
        return
    related = [] if call.defined is None else [ctx.related(call.defined, "left open here")]
    yield ctx.finding(
        call.location, f"`{call.name}` is abstract: it does not define `{call.subject}`", related=related
    )
