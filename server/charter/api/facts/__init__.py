"""The facts that analyses publish and rules subscribe to: immutable values, a file a family, with places but no trees."""

from __future__ import annotations

from msgspec import Struct

from charter.api.text import Location


class Fact(Struct, frozen=True):
    """What every fact has.

    Attributes:
        location: the place it is about; a rule's context is of this file.
    """

    location: Location

    @property
    def kind(self) -> str:
        """The word by which rules with `kinds=` choose; "" for a family of one kind."""
        return ""
