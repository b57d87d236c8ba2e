"""The documents that the client has open, as it last said they are. It knows no rule and reads no file."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct, field

from charter.lsp.marks import move
from charter.lsp.positions import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.lsp.positions import Encoding
    from charter.lsp.rows import Row

TextEdit = tuple[int, int, str]
"""A change of a text: start and end offset of what goes, and what comes."""


class Mark(Struct):
    """A finding at its place in the newest text.

    Attributes:
        start: offset of its first character.
        end: offset behind its last.
        row: what was found.
    """

    start: int
    end: int
    row: Row


class Document(Struct):
    """One open document.

    Attributes:
        uri: its identifier, as the client writes it.
        language: the client's name of its language.
        version: the newest version.
        text: the newest text.
        marks: the newest findings, moved along with the edits since.
        checked: the version that `marks` were computed for; -1 before the first.
        complete: whether `marks` hold the second, project-wide step for that version.
        result_id: names the state of `marks` for pull diagnostics.
        poisoned: whether this very text killed the analysing process, so that it is not sent again.
    """

    uri: str
    language: str
    version: int
    text: Text
    marks: list[Mark] = field(default_factory=list[Mark])
    checked: int = -1
    complete: bool = False
    result_id: str = ""
    poisoned: bool = False

    @property
    def python(self) -> bool:
        """Whether it is code to be checked."""
        return self.language == "python" or self.uri.endswith((".py", ".pyi"))

    def change(self, version: int, changes: Sequence[Any], encoding: Encoding) -> list[TextEdit]:
        """Take the client's changes, each against the text that the one before it left.

        Returns:
            The same changes in offsets.
        """
        edits: list[TextEdit] = []
        for change in changes:
            new = change["text"]
            where = change.get("range")
            if where is None:
                edit = _difference(self.text.text, new)
            else:
                start = self.text.offset(where["start"], encoding)
                edit = start, max(self.text.offset(where["end"], encoding), start), new
            self.text = self.text.replaced(*edit)
            self._move(*edit)
            edits.append(edit)
        self.version = version
        self.poisoned = False
        return edits

    def _move(self, start: int, end: int, new: str) -> None:
        delta = len(new) - (end - start)
        self.marks = [mark for mark in self.marks if move(mark, start, end, delta)]


def _difference(old: str, new: str) -> TextEdit:
    """The edit that makes one text into another: all but what they share at both ends."""
    limit = min(len(old), len(new))
    start = next((at for at in range(limit) if old[at] != new[at]), limit)
    limit -= start
    tail = next((at for at in range(limit) if old[-1 - at] != new[-1 - at]), limit)
    return start, len(old) - tail, new[start : len(new) - tail]


def path_of(uri: str) -> str | None:
    """The file that a URI names; None for a document that is no file."""
    parts = urlsplit(uri)
    if parts.scheme not in {"file", "vscode-notebook-cell"}:
        return None
    path = unquote(parts.path)
    if sys.platform == "win32":
        if re.match(r"/[A-Za-z]:", path):
            path = path[1:]
        if parts.netloc:
            path = f"//{parts.netloc}{path}"
        return os.path.normpath(path)
    return path


def uri_of(path: str) -> str:
    """The URI of an absolute path."""
    path = path.replace(os.sep, "/")
    if not path.startswith("/"):
        path = "/" + path
    return "file://" + quote(path, safe="/~")
