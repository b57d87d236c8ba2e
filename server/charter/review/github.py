"""GitHub and GitHub Enterprise: the few calls of their REST and GraphQL interfaces that a review needs.

A thread is ours if GitHub says that the viewer wrote its first comment (`viewerDidAuthor`), whatever its text says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from charter.review.escape import path_in_url
from charter.review.forge import DeniedError, ForgeError, LimitedError, State, Summary, Thread
from charter.review.http import Client, checked_base
from charter.review.marker import read_marker, read_summary
from charter.review.target import API

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from charter.review.document import Item
    from charter.review.forge import Draft

_VERSION: Final = "2022-11-28"

THREADS: Final = """
query Threads($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      headRefOid
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id
          isResolved
          isOutdated
          path
          resolvedBy { login }
          comments(first: 1) {
            totalCount
            nodes { fullDatabaseId body viewerDidAuthor }
          }
        }
      }
    }
  }
  viewer { login }
}
"""
COMMENTS: Final = """
query Comments($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { fullDatabaseId body viewerDidAuthor }
      }
    }
  }
}
"""
RESOLVE: Final = """
mutation Resolve($thread: ID!) { resolveReviewThread(input: {threadId: $thread}) { thread { isResolved } } }
"""
UNRESOLVE: Final = """
mutation Unresolve($thread: ID!) { unresolveReviewThread(input: {threadId: $thread}) { thread { isResolved } } }
"""


def graphql_address(api: str) -> str:
    """Where GraphQL is served, given the REST address: beside it on GitHub, at `/api/graphql` on Enterprise."""
    return api.removesuffix("/v3") + "/graphql"


class _Shape(msgspec.Struct, frozen=True, rename="camel"):
    """What parts of GraphQL's answers share."""


class _Login(_Shape, frozen=True):
    login: str


class _PageInfo(_Shape, frozen=True, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Comment(_Shape, frozen=True, rename="camel"):
    full_database_id: str
    body: str
    viewer_did_author: bool


class _Comments(_Shape, frozen=True, rename="camel"):
    nodes: list[_Comment]
    page_info: _PageInfo


class _FirstComment(_Shape, frozen=True, rename="camel"):
    nodes: list[_Comment]
    total_count: int


class _ReviewThread(_Shape, frozen=True, rename="camel"):
    id: str
    path: str
    is_resolved: bool
    is_outdated: bool
    comments: _FirstComment
    resolved_by: _Login | None = None

    def thread(self, me: str) -> Thread | None:
        """As the planner wants it; None if it is not ours."""
        first = self.comments.nodes[0] if self.comments.nodes else None
        marker = read_marker(first.body) if first and first.viewer_did_author else None
        if first is None or marker is None:
            return None
        return Thread(
            id=self.id,
            comment=first.full_database_id,
            marker=marker,
            path=self.path,
            resolved=self.is_resolved,
            resolved_by_us=_same_account(self.resolved_by.login if self.resolved_by else None, me),
            outdated=self.is_outdated,
            replies=self.comments.total_count - 1,
        )


class _Threads(_Shape, frozen=True, rename="camel"):
    nodes: list[_ReviewThread]
    page_info: _PageInfo


class _PullRequest(_Shape, frozen=True, rename="camel"):
    head_ref_oid: str = ""
    review_threads: _Threads | None = None
    comments: _Comments | None = None


class _Repository(_Shape, frozen=True, rename="camel"):
    pull_request: _PullRequest | None = None


class _Data(_Shape, frozen=True, rename="camel"):
    repository: _Repository | None = None
    viewer: _Login | None = None


class _Error(_Shape, frozen=True):
    message: str
    type: str = ""


class _Answer(_Shape, frozen=True):
    data: _Data | None = None
    errors: list[_Error] = []


def _pull(data: _Data) -> _PullRequest:
    if data.repository is None or data.repository.pull_request is None:
        raise DeniedError("the pull request is not there for this token")
    return data.repository.pull_request


class GitHub:
    """One pull request on GitHub.

    Args:
        repository: `owner/name`.
        number: of the pull request.
        head: the commit that permalinks point to.
        token: what to log in with.
        api: the address of the REST interface (`GITHUB_API_URL`).
        server: the address of the pages (`GITHUB_SERVER_URL`).
        sleep: waits for seconds; replaced in tests.
    """

    name: str = "GitHub"
    at_once: int = 20

    def __init__(
        self,
        repository: str,
        number: int,
        *,
        head: str,
        token: str,
        api: str = API,
        server: str = "https://github.com",
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._owner, self._repository = split_repository(repository)
        self._number: int = number
        self._head: str = head
        self._server: str = server.rstrip("/")
        self._client: Client = connect(token, api, sleep)
        self._graphql: str = graphql_address(checked_base(api))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def _repo(self) -> str:
        return f"/repos/{self._owner}/{self._repository}"

    def permalink(self, path: str, line: int) -> str:
        """The address of a line of the head."""
        where = f"{self._server}/{self._owner}/{self._repository}/blob/{self._head}"
        return f"{where}/{path_in_url(path)}#L{line}"

    def suggestion(self, item: Item) -> str:  # noqa: ARG002 - other forges need the item
        """The info string of a suggestion's fence."""
        return "suggestion"

    def state(self) -> State:
        """What Charter has said so far, all pages of it."""
        head = ""
        threads: list[Thread] = []
        for data in self._pages(THREADS):
            pull, me = _pull(data), data.viewer.login if data.viewer else ""
            head = pull.head_ref_oid
            nodes = pull.review_threads.nodes if pull.review_threads else []
            threads.extend(found for node in nodes if (found := node.thread(me)))
        return State(head, tuple(threads), self._summary())

    def _summary(self) -> Summary | None:
        for data in self._pages(COMMENTS):
            comments = _pull(data).comments
            for node in comments.nodes if comments else ():
                mark = read_summary(node.body) if node.viewer_did_author else None
                if mark is not None:
                    return Summary(node.full_database_id, mark)
        return None

    def _pages(self, query: str) -> Iterator[_Data]:
        after: str | None = None
        while True:
            variables = {
                "owner": self._owner,
                "name": self._repository,
                "number": self._number,
                "after": after,
            }
            data = self._ask(query, variables)
            yield data
            pull = _pull(data)
            page = pull.review_threads or pull.comments
            if page is None or not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    def _ask(self, query: str, variables: Mapping[str, object]) -> _Data:
        body = {"query": query, "variables": variables}
        # Resolving twice is resolving once, and the queries change nothing: all may be repeated.
        found = self._client.send("POST", "", body, repeatable=True, base=self._graphql).data
        try:
            answer = msgspec.convert(found, _Answer)
        except msgspec.ValidationError as error:
            raise ForgeError(f"GraphQL: an answer of another form than documented: {error}") from None
        if answer.errors:
            message = "; ".join(error.message for error in answer.errors)
            kinds = {error.type for error in answer.errors}
            if "RATE_LIMITED" in kinds:
                raise LimitedError(f"GraphQL: {message}")
            raise (DeniedError if kinds & {"FORBIDDEN", "NOT_FOUND"} else ForgeError)(f"GraphQL: {message}")
        if answer.data is None:
            raise ForgeError("GraphQL: an answer without data")
        return answer.data

    def post(self, commit: str, drafts: Sequence[Draft]) -> None:
        """Post comments as one review; a single one as a comment, whose errors are more telling."""
        if len(drafts) == 1:
            body = {**_comment(drafts[0]), "commit_id": commit}
            path = f"{self._repo}/pulls/{self._number}/comments"
        else:
            comments = [_comment(draft) for draft in drafts]
            body = {
                "commit_id": commit,
                "event": "COMMENT",
                "body": _opening(len(drafts)),
                "comments": comments,
            }
            path = f"{self._repo}/pulls/{self._number}/reviews"
        self._client.send("POST", path, body, repeatable=False)

    def edit(self, thread: Thread, body: str) -> None:
        """Replace the text of a thread's first comment."""
        path = f"{self._repo}/pulls/comments/{thread.comment}"
        self._client.send("PATCH", path, {"body": body}, repeatable=True)

    def resolve(self, thread: Thread) -> None:
        """Mark a thread as resolved; the token needs `contents: write` as well."""
        self._ask(RESOLVE, {"thread": thread.id})

    def reopen(self, thread: Thread) -> None:
        """Mark a thread as not resolved."""
        self._ask(UNRESOLVE, {"thread": thread.id})

    def post_summary(self, body: str) -> None:
        """Post the summary comment."""
        self._client.send(
            "POST", f"{self._repo}/issues/{self._number}/comments", {"body": body}, repeatable=False
        )

    def edit_summary(self, summary: Summary, body: str) -> None:
        """Replace the summary's text."""
        path = f"{self._repo}/issues/comments/{summary.comment}"
        self._client.send("PATCH", path, {"body": body}, repeatable=True)


def connect(token: str, api: str, sleep: Callable[[float], None] | None = None) -> Client:
    """A client for GitHub's REST interface."""
    import time

    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": _VERSION,
        "User-Agent": "charter-lint",
    }
    return Client(api, token, headers=headers, sleep=sleep or time.sleep)


def find_pull(client: Client, repository: str, owner: str, branch: str, head: str) -> int:
    """The number of the open pull request from a branch, possibly of a fork, that stands at a commit.

    Args:
        client: asks the REST interface.
        repository: `owner/name` of the repository that the pull request is made to.
        owner: of the repository that it comes from.
        branch: that it comes from.
        head: the commit that it must stand at.

    Raises:
        ForgeError: if there is none.
    """
    name = "/".join(split_repository(repository))
    answer = client.get(
        f"/repos/{name}/pulls", {"state": "open", "head": f"{owner}:{branch}", "per_page": 100}
    )
    for pull in answer.data:
        if pull["head"]["sha"] == head:
            return int(pull["number"])
    raise ForgeError(f"no open pull request of {repository} stands at {head[:12]}")


def split_repository(repository: str) -> tuple[str, str]:
    """Owner and name of `owner/name`.

    Raises:
        ForgeError: if it is not of that form.
    """
    owner, _, name = repository.partition("/")
    for part in (owner, name):
        if (
            not part
            or part in (".", "..")
            or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in part)
        ):
            raise ForgeError(f"{repository!r} is not of the form owner/name")
    return owner, name


def _opening(count: int) -> str:
    return f"Charter found {count} things in the lines that this change touches."


def _comment(draft: Draft) -> dict[str, object]:
    anchor = draft.anchor
    found: dict[str, object] = {"path": anchor.path, "body": draft.body, "line": anchor.end, "side": "RIGHT"}
    if anchor.start < anchor.end:
        found |= {"start_line": anchor.start, "start_side": "RIGHT"}
    return found


def _same_account(login: str | None, me: str) -> bool:
    # An app is `name[bot]` as the viewer and `name` as an actor, and `resolvedBy` is of a type that apps are not.
    return login is None or login.removesuffix("[bot]") == me.removesuffix("[bot]")
