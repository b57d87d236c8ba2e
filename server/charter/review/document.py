"""The review as data: what to say about a change and what to do about it, versioned, readable and strictly checked.

The same JSON is what `--dry-run` writes and what the workflow for forks carries from the half that sees the code
to the half that may write. It holds facts, never Markdown: whoever posts renders it anew and believes no markup.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

VERSION: Final = 1
"""The version of the document; a reader refuses every other."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of the largest document that is read."""

Sha = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{40}([0-9a-f]{24})?\Z")]
Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
Name = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Line = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Score = Annotated[float, msgspec.Meta(ge=0, le=100)]
Text = Annotated[str, msgspec.Meta(max_length=4000)]
Code = Annotated[str, msgspec.Meta(max_length=60_000)]
SeverityName = Literal["info", "low", "medium", "high", "critical"]
ConfidenceName = Literal["low", "medium", "high"]


class DocumentError(Exception):
    """The document cannot be used; the message says where and why."""


class _Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all parts share: immutable, by keyword, and no field that is not known."""


class Place(_Value, frozen=True, kw_only=True):
    """A line of the new tree and what is there.

    Attributes:
        path: the file.
        line: 1-based.
        message: what is there; "" if the place speaks for itself.
    """

    path: Path
    line: Line
    message: Text = ""


class Anchor(_Value, frozen=True, kw_only=True):
    """Lines of the new tree that the diff shows, in one hunk, so that a comment can stand there.

    Attributes:
        path: the file.
        old_path: the file in the base.
        start: first line, 1-based.
        end: last line.
        old_start: number of the first line in the base, if the line is not new.
        old_end: number of the last line in the base, if the line is not new.
    """

    path: Path
    old_path: Path
    start: Line
    end: Line
    old_start: Line | None = None
    old_end: Line | None = None


class Suggestion(_Value, frozen=True, kw_only=True):
    """A proved fix as the replacement of exactly the lines of its item's anchor.

    Attributes:
        title: what it does, a verb phrase.
        lines: the new lines without line feeds (a carriage return stays); none to delete.
    """

    title: Text
    lines: tuple[Code, ...]


class Patch(_Value, frozen=True, kw_only=True):
    """A proved fix as a unified diff, for where no suggestion can express it or none is to be offered.

    Attributes:
        title: what it does, a verb phrase.
        diff: the diff with file headers.
        doubt: why it is only a proposal; "" if it is more.
    """

    title: Text
    diff: Code
    doubt: Text = ""


class Item(_Value, frozen=True, kw_only=True):
    """One new finding.

    Attributes:
        fingerprint: its identity, without line numbers.
        kin: its identity without the file's name, to follow it through renames of new files.
        rule: the rule's name.
        also: further rules that say the same of the same code.
        code: the rule's short handle.
        principles: slugs, the main one first.
        severity: how bad.
        confidence: how sure.
        message: what is wrong.
        path: the file.
        line: 1-based.
        column: 1-based, in characters.
        symbol: the function or class around it.
        anchor: where a comment can stand; None if the diff does not show the place.
        cause: the changed line that brought it about, for what stands elsewhere.
        suggestion: a fix to take with one click.
        patch: a fix to apply by hand.
        related: other places that explain it.
        flow: the stations from source to sink.
    """

    fingerprint: Digest
    kin: Digest
    rule: Name
    also: Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)] = ()
    code: Name
    principles: Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)] = ()
    severity: SeverityName
    confidence: ConfidenceName = "high"
    message: Text
    path: Path
    line: Line
    column: Line = 1
    symbol: Text = ""
    anchor: Anchor | None = None
    cause: Place | None = None
    suggestion: Suggestion | None = None
    patch: Patch | None = None
    related: Annotated[tuple[Place, ...], msgspec.Meta(max_length=50)] = ()
    flow: Annotated[tuple[Place, ...], msgspec.Meta(max_length=50)] = ()


class Move(_Value, frozen=True, kw_only=True):
    """What the change did to one principle.

    Attributes:
        principle: its slug.
        before: the score of the base; None where there was no opportunity.
        after: the score of the head.
        new: findings that came.
        fixed: findings that went.
        project: folder of the project, where the change touches several projects of the repository; else "".
    """

    principle: Name
    before: Score | None = None
    after: Score | None = None
    new: Count = 0
    fixed: Count = 0
    project: Text = ""


class Action(_Value, frozen=True, kw_only=True):
    """One thing to do on the forge.

    Attributes:
        do: `post` a comment, `keep` one, `edit` its text, `resolve` a thread whose finding is gone, `reopen` one
            whose finding is back, or `summary`.
        fingerprint: the finding; "" for the summary.
        thread: the forge's id of the thread; "" for what does not exist yet.
        why: a word on the reason, for the reader of the file.
    """

    do: Literal["post", "keep", "edit", "resolve", "reopen", "summary"]
    fingerprint: Digest | Literal[""] = ""
    thread: Text = ""
    why: Text = ""


class Review(_Value, frozen=True, kw_only=True):
    """A whole review.

    Attributes:
        charter_review: the version of this format.
        tool: the version of Charter that made it.
        base: the commit compared with.
        head: the commit reviewed.
        files: how many Python files the change touches.
        items: the new findings, the most important first.
        repeats: fingerprints of new findings that are told with another at the same place.
        old: fingerprints of findings of the touched files that were there before.
        old_count: how many findings of the whole project were there before.
        fixed_count: how many findings of the base are gone.
        hidden: how many new findings are below the smallest severity asked for.
        unread: files that could not be analysed; nothing is said of their threads.
        before: overall score of the base; None if nothing was scored or several projects were.
        after: overall score of the head.
        moves: the principles that moved.
        notes: what else the reader must know.
        actions: what would be done, as far as the state of the forge was known.
    """

    charter_review: Literal[1]
    tool: Text
    base: Sha
    head: Sha
    files: Count = 0
    items: Annotated[tuple[Item, ...], msgspec.Meta(max_length=5000)] = ()
    repeats: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=50_000)] = ()
    old: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=50_000)] = ()
    old_count: Count = 0
    fixed_count: Count = 0
    hidden: Count = 0
    unread: Annotated[tuple[Path, ...], msgspec.Meta(max_length=5000)] = ()
    before: Score | None = None
    after: Score | None = None
    moves: Annotated[tuple[Move, ...], msgspec.Meta(max_length=5000)] = ()
    notes: Annotated[tuple[Text, ...], msgspec.Meta(max_length=50)] = ()
    actions: Annotated[tuple[Action, ...], msgspec.Meta(max_length=20_000)] = ()


def dump(review: Review) -> bytes:
    """The document as JSON, the same bytes for the same review, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(review), indent=1) + b"\n"


def load(data: bytes) -> Review:
    """Read a document that may come from anybody.

    Raises:
        DocumentError: if it is too large, not JSON, of another version, or has anything that does not belong.
    """
    if len(data) > LARGEST:
        raise DocumentError(f"the review has {len(data)} bytes; at most {LARGEST} are read")
    try:
        found = msgspec.json.decode(data, type=Review)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"not a review of version {VERSION}: {error}") from None
    for path in _paths(found):
        if path.startswith("/") or "\\" in path or "\0" in path or ".." in path.split("/"):
            raise DocumentError(f"path {path!r} leaves the project")
    return found


def _paths(review: Review) -> set[str]:
    paths = set(review.unread)
    for item in review.items:
        places = [*item.related, *item.flow, *([item.cause] if item.cause else [])]
        paths.update([item.path, *(place.path for place in places)])
        if item.anchor:
            paths.update([item.anchor.path, item.anchor.old_path])
    return paths
