"""What a place that hosts pull requests can do and how it can fail, as a protocol; it knows no particular one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.review.document import Anchor, Item
    from charter.review.marker import Marker


class ForgeError(Exception):
    """The forge could not be asked, or did not do what it was asked; the message is for a person."""


class DeniedError(ForgeError):
    """The token may not do this; asking again will not help."""


class RefusedError(ForgeError):
    """The request was understood and refused (a line that the diff does not show, for instance)."""


class UncertainError(ForgeError):
    """Nobody knows whether it was done: the answer was a server error, or there was none."""


class LimitedError(ForgeError):
    """Too many requests, and waiting longer is not reasonable."""


class Thread(Struct, frozen=True):
    """A conversation that Charter opened.

    Attributes:
        id: the forge's id of the thread.
        comment: the forge's id of its first comment, which is ours.
        marker: what that comment says about itself.
        path: the file that it stands in.
        resolved: whether it is resolved.
        resolved_by_us: whether the account that runs Charter resolved it.
        outdated: whether the lines it stood on are gone from the diff.
        replies: how many comments follow the first.
    """

    id: str
    comment: str
    marker: Marker
    path: str = ""
    resolved: bool = False
    resolved_by_us: bool = False
    outdated: bool = False
    replies: int = 0


class Summary(Struct, frozen=True):
    """The summary comment.

    Attributes:
        comment: the forge's id.
        digest: of its text.
    """

    comment: str
    digest: str


class State(Struct, frozen=True):
    """What Charter has said so far on a pull request.

    Attributes:
        head: the commit that the pull request stands at.
        threads: all threads that Charter opened, the oldest first.
        summary: the summary comment, if there is one.
    """

    head: str
    threads: tuple[Thread, ...] = ()
    summary: Summary | None = None


class Draft(Struct, frozen=True):
    """A comment to be posted.

    Attributes:
        item: the finding.
        anchor: where.
        body: the text, with its marker.
    """

    item: Item
    anchor: Anchor
    body: str


class Forge(Protocol):
    """One pull request on a forge. Every method may raise any `ForgeError`."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def at_once(self) -> int:
        """How many comments one request may post."""
        ...

    def permalink(self, path: str, line: int) -> str:
        """The address of a line of the head."""
        ...

    def suggestion(self, item: Item) -> str:
        """The info string of the fence of a suggestion for an item's anchor."""
        ...

    def state(self) -> State:
        """What Charter has said so far, all pages of it."""
        ...

    def post(self, commit: str, drafts: Sequence[Draft]) -> None:
        """Post comments together: all of them or, on `RefusedError`, none."""
        ...

    def edit(self, thread: Thread, body: str) -> None:
        """Replace the text of a thread's first comment."""
        ...

    def resolve(self, thread: Thread) -> None:
        """Mark a thread as resolved."""
        ...

    def reopen(self, thread: Thread) -> None:
        """Mark a thread as not resolved."""
        ...

    def post_summary(self, body: str) -> None:
        """Post the summary comment."""
        ...

    def edit_summary(self, summary: Summary, body: str) -> None:
        """Replace the summary's text."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
