"""The fact that a suppression comment does nothing."""

from __future__ import annotations

from charter.api.facts import Fact
from charter.api.text import Span


class UselessSuppression(Fact, frozen=True):
    """A name in a `# charter: ignore[…]` comment that silences nothing. The location is the name's.

    Attributes:
        name: the name as it is written.
        known: whether some rule answers to it.
        removal: what to take out so that only this name is gone: the name with its comma, or the whole comment.
    """

    name: str
    known: bool
    removal: Span

    @property
    def kind(self) -> str:
        """`unused` for a rule that found nothing there, `unknown` for a name that no rule has."""
        return "unused" if self.known else "unknown"
