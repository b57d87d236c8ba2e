"""GitLab: discussions of a merge request and its notes, by the few calls that a review needs.

A discussion is ours if the account of the token wrote its first note, whatever the text says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

import msgspec

from charter.review.escape import path_in_url
from charter.review.forge import ForgeError, State, Summary, Thread
from charter.review.http import Client
from charter.review.marker import read_marker, read_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from charter.review.document import Item
    from charter.review.forge import Draft

T = TypeVar("T")
_PAGE: Final = 100
_PATIENCE: Final = (2.0, 4.0, 8.0, 16.0)
"""Seconds between looks for the diff of a new push, which GitLab computes in the background."""


class _User(msgspec.Struct, frozen=True):
    id: int


class _DiffRefs(msgspec.Struct, frozen=True):
    base_sha: str
    start_sha: str
    head_sha: str


class _MergeRequest(msgspec.Struct, frozen=True):
    diff_refs: _DiffRefs | None = None


class _Position(msgspec.Struct, frozen=True):
    head_sha: str = ""
    new_path: str | None = None
    new_line: int | None = None


class _Note(msgspec.Struct, frozen=True):
    id: int
    body: str
    author: _User
    system: bool = False
    resolved: bool = False
    resolved_by: _User | None = None
    position: _Position | None = None


class _Discussion(msgspec.Struct, frozen=True):
    id: str
    notes: list[_Note]


class GitLab:
    """One merge request on GitLab.

    Args:
        project: the project's id or full path.
        number: of the merge request within the project.
        head: the commit that permalinks point to.
        token: of a project or group, with the scope `api`; a job token may not write notes.
        api: the address of the interface (`CI_API_V4_URL`).
        server: the address of the project's pages (`CI_PROJECT_URL`).
        sleep: waits for seconds; replaced in tests.
    """

    name: str = "GitLab"
    at_once: int = 1

    def __init__(
        self,
        project: str,
        number: int,
        *,
        head: str,
        token: str,
        api: str,
        server: str,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        import time

        self._path: str = f"/projects/{quote(project, safe='')}/merge_requests/{number}"
        self._head: str = head
        self._server: str = server.rstrip("/")
        self._refs: _DiffRefs | None = None
        self._sleep: Callable[[float], None] = sleep or time.sleep
        self._client: Client = Client(
            api,
            token,
            header=("PRIVATE-TOKEN", ""),
            headers={"User-Agent": "charter-lint"},
            sleep=self._sleep,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def permalink(self, path: str, line: int) -> str:
        """The address of a line of the head."""
        return f"{self._server}/-/blob/{self._head}/{path_in_url(path)}#L{line}"

    def suggestion(self, item: Item) -> str:
        """The info string of a suggestion's fence: how many lines above the last one it replaces."""
        above = item.anchor.end - item.anchor.start if item.anchor else 0
        return f"suggestion:-{above}+0"

    def state(self) -> State:
        """What Charter has said so far, all pages of it."""
        me = _read(self._client.get("/user").data, _User).id
        refs = self._refs = self._diff_refs()
        threads: list[Thread] = []
        summary: Summary | None = None
        for discussion in self._pages(f"{self._path}/discussions", _Discussion):
            first = discussion.notes[0] if discussion.notes else None
            if first is None or first.system or first.author.id != me:
                continue
            marker = read_marker(first.body)
            if marker:
                threads.append(
                    Thread(
                        id=discussion.id,
                        comment=str(first.id),
                        marker=marker,
                        path=(first.position.new_path or "") if first.position else "",
                        resolved=first.resolved,
                        resolved_by_us=first.resolved_by is not None and first.resolved_by.id == me,
                        replies=len(discussion.notes) - 1,
                    )
                )
            elif summary is None and (mark := read_summary(first.body)):
                summary = Summary(str(first.id), mark)
        return State(refs.head_sha, tuple(threads), summary)

    def _diff_refs(self) -> _DiffRefs:
        """The three commits that positions name, of the push that is reviewed if GitLab gets there in time."""
        for pause in (*_PATIENCE, None):
            refs = _read(self._client.get(self._path).data, _MergeRequest).diff_refs
            if refs is not None and (refs.head_sha == self._head or pause is None):
                return refs
            if pause is not None:
                self._sleep(pause)
        raise ForgeError("GitLab has not prepared the diff of this merge request yet; run again later")

    def _pages(self, path: str, kind: type[T]) -> Iterator[T]:
        page = "1"
        while page:
            answer = self._client.get(path, {"per_page": _PAGE, "page": page})
            yield from _read(answer.data, list[kind])
            page = answer.headers.get("x-next-page", "")

    def post(self, commit: str, drafts: Sequence[Draft]) -> None:
        """Post discussions, one request each: GitLab has no review that is posted as one."""
        for draft in drafts:
            body = {"body": draft.body, "position": self._position(commit, draft)}
            self._client.send("POST", f"{self._path}/discussions", body, repeatable=False)

    def _position(self, commit: str, draft: Draft) -> dict[str, object]:
        if self._refs is None or self._refs.head_sha != commit:
            raise ForgeError("the merge request moved on while the review was posted")
        anchor = draft.anchor
        found: dict[str, object] = {
            "position_type": "text",
            "base_sha": self._refs.base_sha,
            "start_sha": self._refs.start_sha,
            "head_sha": self._refs.head_sha,
            "old_path": anchor.old_path,
            "new_path": anchor.path,
            "new_line": anchor.end,
        }
        # A line that the change did not touch is named by both its numbers.
        return found if anchor.old_end is None else {**found, "old_line": anchor.old_end}

    def edit(self, thread: Thread, body: str) -> None:
        """Replace the text of a discussion's first note."""
        path = f"{self._path}/discussions/{thread.id}/notes/{thread.comment}"
        self._client.send("PUT", path, {"body": body}, repeatable=True)

    def resolve(self, thread: Thread) -> None:
        """Mark a discussion as resolved."""
        self._set_resolved(thread, resolved=True)

    def reopen(self, thread: Thread) -> None:
        """Mark a discussion as not resolved."""
        self._set_resolved(thread, resolved=False)

    def _set_resolved(self, thread: Thread, *, resolved: bool) -> None:
        self._client.send(
            "PUT", f"{self._path}/discussions/{thread.id}", {"resolved": resolved}, repeatable=True
        )

    def post_summary(self, body: str) -> None:
        """Post the summary as a note."""
        self._client.send("POST", f"{self._path}/notes", {"body": body}, repeatable=False)

    def edit_summary(self, summary: Summary, body: str) -> None:
        """Replace the summary's text."""
        self._client.send("PUT", f"{self._path}/notes/{summary.comment}", {"body": body}, repeatable=True)


def _read(data: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ForgeError(f"GitLab: an answer of another form than documented: {error}") from None
