"""Facts about what a project itself has deprecated, and where it still uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.api.facts import Fact

if TYPE_CHECKING:
    from charter.api.text import Location


class DeprecatedUse(Fact, frozen=True):
    """A call of a function, method or class that the project's own code says is deprecated.

    Attributes:
        location: the first call in the file.
        name: its qualified name.
        reason: what the deprecation says, on one line; "" if that is not a literal.
        defined: where it is deprecated.
    """

    name: str
    reason: str
    defined: Location
