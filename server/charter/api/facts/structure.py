"""Facts about how a project hangs together: code that is there twice, imports that go in circles."""

from __future__ import annotations

from msgspec import Struct

from charter.api.facts import Fact
from charter.api.text import Location


class Clone(Fact, frozen=True):
    """A piece of code that the project holds more than once; one fact for the whole family.

    Attributes:
        location: the first of the pieces, by path and line.
        others: the further ones.
        lines: how many lines the first piece takes.
        statements: how many statements the pieces share.
    """

    others: tuple[Location, ...]
    lines: int
    statements: int


class CycleStep(Struct, frozen=True):
    """One import in a circle.

    Attributes:
        location: the import statement.
        module: the module that it stands in.
        imports: the module that it imports.
        lazy: whether all it brings in is used in functions only, so that the import could move there.
    """

    location: Location
    module: str
    imports: str
    lazy: bool


class ImportCycle(Fact, frozen=True):
    """Modules that import each other when they are imported; the shortest circle of its kind.

    Attributes:
        location: the import that is best cut.
        steps: the circle, beginning with that import.
        size: how many modules are tangled up with each other in all.
    """

    steps: tuple[CycleStep, ...]
    size: int


class LayerBreak(Fact, frozen=True):
    """An import that goes against a contract of layers.

    Attributes:
        location: the import statement.
        module: the module that it stands in.
        imports: the module that it imports.
        layer: the layer of the importing module, as the settings name it.
        imported: the layer of the imported one.
        contract: what the settings call the contract.
        beside: whether both are of one height and may not import each other; else the imported one is higher.
    """

    module: str
    imports: str
    layer: str
    imported: str
    contract: str
    beside: bool
