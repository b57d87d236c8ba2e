"""Facts about what happens to an object from its creation to its use. What that means is for rules to say."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from charter.api.facts import Fact
from charter.api.text import Location

Action = Literal["set", "add", "remove", "call", "pass", "return"]

Arguments = tuple[tuple[str, str], ...]
"""Arguments of a call: the position ("0") or keyword, and the value: a qualified name (`ssl.CERT_NONE`), several
joined by `|`, a literal, or "" if it is not known."""


class Event(Struct, frozen=True):
    """One thing that happens to an object.

    Attributes:
        location: the statement or call; it may be in another file, in a function that the object is passed to.
        action: what happens: an attribute is set, bits are added to or removed from it, a method is called, the object
            is passed to a function, or returned.
        name: the attribute, method or function, the latter qualified where that is known.
        arguments: what a method is called with; of what is set or added, the value under ""; of a function that the
            object is passed to, its place there, under "".
        owner: the object, as the code writes it.
        condition: the tests of the `if`s around it, one a line.
        function: the name of the function that it stands in; "" outside of any.
    """

    location: Location
    action: Action
    name: str
    arguments: Arguments = ()
    owner: str = ""
    condition: str = ""
    function: str = ""

    def argument(self, *names: str) -> str | None:
        """The value under the first of some positions or keywords that is given; None if none is."""
        given = dict(self.arguments)
        return next((given[name] for name in names if name in given), None)


class ObjectHistory(Fact, frozen=True):
    """An object's life, as far as one variable, attribute or expression holds it.

    Attributes:
        location: the call that made it, in this file; its first event if it was not made here.
        made: the qualified name of what was called to make it; "" if that is not known.
        sort: the family of objects: `tls-context`, `openssl-context` or `http-session`; also the fact's `kind`.
        creation: the making as an event, which tells arguments and conditions; None if it is not known.
        events: what happens to it, in the order of the code.
    """

    made: str
    sort: str
    creation: Event | None
    events: tuple[Event, ...]

    @property
    def kind(self) -> str:
        """The family of objects."""
        return self.sort
