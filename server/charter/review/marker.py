"""The line that Charter leaves in its own comments to know them again: written, read, never trusted elsewhere.

A marker counts only on the last line of a comment that the forge says is our own: whatever a repository smuggles
into a message or a suggestion comes before it.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from msgspec import Struct

from charter.api import regex

State = Literal["open", "fixed", "told"]
"""`open`; `fixed` when Charter resolved the thread; `told` when it could only write that the finding is gone."""

_COMMENT: Final = regex(
    r"<!-- charter:v1 f=([0-9a-f]{16}) k=([0-9a-f]{16}) s=(open|fixed|told) d=([0-9a-f]{16}) -->"
)
_SUMMARY: Final = regex(r"<!-- charter:v1 summary d=([0-9a-f]{16}) -->")


class Marker(Struct, frozen=True):
    """What a comment says about itself.

    Attributes:
        fingerprint: the finding's.
        kin: the finding's without the path.
        state: what Charter did with the thread.
        digest: of the text, to see whether it must be edited.
    """

    fingerprint: str
    kin: str
    state: State
    digest: str

    def sign(self, text: str) -> str:
        """The text with this marker behind it."""
        mark = f"f={self.fingerprint} k={self.kin} s={self.state} d={self.digest}"
        return f"{text}\n\n<!-- charter:v1 {mark} -->"


def read_marker(body: str) -> Marker | None:
    """The marker of a finding's comment, if its last line is one."""
    found = _COMMENT.fullmatch(_last_line(body))
    if found is None:
        return None
    state: dict[str, State] = {"open": "open", "fixed": "fixed", "told": "told"}
    return Marker(found[1], found[2], state[found[3]], found[4])


def sign_summary(text: str, mark: str) -> str:
    """A summary's text with its marker behind it."""
    return f"{text}\n\n<!-- charter:v1 summary d={mark} -->"


def read_summary(body: str) -> str | None:
    """The digest in a summary comment's marker, if its last line is one."""
    found = _SUMMARY.fullmatch(_last_line(body))
    return found[1] if found else None


def digest(text: str) -> str:
    """A short hash of a text that survives what forges do to it (line ends, spaces around)."""
    return hashlib.sha256(text.replace("\r\n", "\n").strip().encode("utf-8", "surrogatepass")).hexdigest()[
        :16
    ]


def _last_line(body: str) -> str:
    return body.rstrip().rpartition("\n")[2].strip()
