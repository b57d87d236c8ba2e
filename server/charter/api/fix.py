"""What a fix says: a title, a grade and edits. It knows not how edits are applied or proved; `mend` does."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from charter.api.text import Span


class Grade(Enum):
    """How far a fix may be trusted once it is proved."""

    SAFE = "safe"
    """The meaning is kept; applied unattended."""
    UNSAFE = "unsafe"
    """Probably what was meant; applied when asked for."""
    SUGGESTION = "suggestion"
    """Shown to a person, never applied by a tool on its own."""


class Edit(Struct, frozen=True):
    """Replace a span of a file's text.

    Attributes:
        span: what goes, in offsets of the text that the rule saw; empty to insert.
        text: what comes.
        path: the file, relative to the project's root; "" for the finding's own.
    """

    span: Span
    text: str
    path: str = ""


class AddImport(Struct, frozen=True):
    """Make a name available at module level, unless it is imported already.

    Attributes:
        module: the dotted module, for instance `secrets`.
        name: what to import from it; "" imports the module itself.
        alias: the local name; "" keeps its own.
        path: the file; "" for the finding's own.
    """

    module: str
    name: str = ""
    alias: str = ""
    path: str = ""


class SetKeyword(Struct, frozen=True):
    """Give a call a keyword argument, replacing the value it has.

    Attributes:
        call: the span of the whole call.
        name: the keyword.
        value: its new value, as source text.
        path: the file; "" for the finding's own.
    """

    call: Span
    name: str
    value: str
    path: str = ""


class RemoveArgument(Struct, frozen=True):
    """Take an argument out of a call, with its comma.

    Attributes:
        call: the span of the whole call.
        argument: the keyword's name, or the 0-based position of a positional argument.
        path: the file; "" for the finding's own.
    """

    call: Span
    argument: str | int
    path: str = ""


class RemoveStatement(Struct, frozen=True):
    """Take a whole statement out, with its line; an emptied block gets `pass`.

    Attributes:
        statement: the span of the statement.
        path: the file; "" for the finding's own.
    """

    statement: Span
    path: str = ""


class InsertStatement(Struct, frozen=True):
    """Put lines before or after a statement, at its indentation.

    Attributes:
        anchor: the span of the statement beside which the lines go.
        text: the lines, without indentation and without a final newline.
        after: whether they go behind the anchor instead of before it.
        path: the file; "" for the finding's own.
    """

    anchor: Span
    text: str
    after: bool = False
    path: str = ""


AnyEdit = Edit | AddImport | SetKeyword | RemoveArgument | RemoveStatement | InsertStatement
"""Every kind of change that a fix may be made of."""


class Fix(Struct, frozen=True):
    """A change that would remove a finding.

    Attributes:
        title: what to do, a verb phrase in the imperative, for instance "Load with `yaml.safe_load`".
        edits: independent edits against the text that the rule saw.
        grade: how far it may be trusted; a fix that `mend` doubts is downgraded.
        doubt: why it was downgraded; "" if it was not.
    """

    title: str
    edits: tuple[AnyEdit, ...]
    grade: Grade = Grade.UNSAFE
    doubt: str = ""
