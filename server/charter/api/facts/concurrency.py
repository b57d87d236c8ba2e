"""Facts about what coroutines do. How calls are followed is `analysis.blocking`'s business."""

from __future__ import annotations

from msgspec import Struct

from charter.api.facts import Fact
from charter.api.text import Location


class Hop(Struct, frozen=True):
    """One call on the way from a coroutine to what blocks.

    Attributes:
        location: the call.
        name: what is called there.
    """

    location: Location
    name: str


class BlockingCall(Fact, frozen=True):
    """A call in a coroutine that holds up its event loop.

    Attributes:
        location: the call in the coroutine.
        coroutine: the coroutine's qualified name within the module.
        blocks: qualified name of what blocks in the end, for instance `time.sleep`.
        hops: the calls in between, from the called function down to the one that blocks; () if it blocks itself.
    """

    coroutine: str
    blocks: str
    hops: tuple[Hop, ...] = ()

    @property
    def kind(self) -> str:
        """`direct`, or `through` other functions."""
        return "through" if self.hops else "direct"


class UnawaitedCoroutine(Fact, frozen=True):
    """A coroutine function of the project that is called as a statement, so that it never runs.

    Attributes:
        location: the call.
        name: what is called, qualified.
        in_coroutine: whether the call stands in a coroutine, where it could be awaited.
    """

    name: str
    in_coroutine: bool
