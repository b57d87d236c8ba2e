"""A stateful double of GitHub for one pull request, on the loopback interface.

Every request and answer is checked against GitHub's own description of its REST interface, and GraphQL is executed
on GitHub's own schema (both in `contract/`). What is in the diff is decided by git. What it cannot show: how
Markdown looks, and what the real limits are.
"""

# Documents of JSON are of any type by nature.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportPrivateUsage=false, reportUnknownParameterType=false

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import referencing
from graphql import GraphQLError, build_schema, graphql_sync
from openapi_schema_validator import OAS30Validator

from charter.review.diff import Diff, parse_patch, read_diff
from charter.review.git import Repository
from review.loopback import ContractError, Fault, Loopback

CONTRACT = Path(__file__).parent / "contract"
SCHEMA = build_schema((CONTRACT / "github.graphql").read_text())
TOKEN = "ghs_canaryCanaryCanaryCanaryCanary0000"
DENIED = "Resource not accessible by integration"
REPO = "octo/shop"


def _allow_null(value: Any) -> Any:
    """Repair the document: `nullable` beside an enumeration must allow null."""
    if isinstance(value, dict):
        repaired = {key: _allow_null(part) for key, part in value.items()}
        if repaired.get("nullable") is True and isinstance(repaired.get("enum"), list):
            repaired["enum"] = [*repaired["enum"], None]
        return repaired
    return [_allow_null(part) for part in value] if isinstance(value, list) else value


DOCUMENT: dict[str, Any] = _allow_null(json.loads((CONTRACT / "github.openapi.json").read_text()))
# GitHub nulls these on outdated comments although the document says it never does.
for _name in ("line", "position", "original_line"):
    DOCUMENT["components"]["schemas"]["pull-request-review-comment"]["properties"][_name]["nullable"] = True
REGISTRY: Any = referencing.Registry().with_resource("urn:github", referencing.Resource.opaque(DOCUMENT))


def check_schema(schema: Any, value: Any, what: str) -> None:
    absolute = json.loads(json.dumps(schema).replace('"$ref": "#/', '"$ref": "urn:github#/'))
    errors = sorted(OAS30Validator(absolute, registry=REGISTRY).iter_errors(value), key=str)
    if errors:
        raise ContractError(f"{what}: {errors[0].json_path}: {errors[0].message[:300]}")


@dataclass
class Comment:
    id: int
    author: str
    body: str
    path: str
    line: int | None
    start_line: int | None
    commit: str
    original: tuple[int | None, int]
    replies: list[tuple[str, str]] = field(default_factory=list)
    resolved_by: str | None = None
    outdated: bool = False

    @property
    def thread(self) -> str:
        return f"PRRT_{self.id}"

    @property
    def lines(self) -> tuple[int, int]:
        assert self.line is not None
        return self.start_line or self.line, self.line


class GitHubDouble(Loopback):
    """The double. `base` and `head` are commits of the git repository at `path`."""

    def __init__(self, path: Path, base: str, head: str, *, viewer: str = "github-actions[bot]") -> None:
        super().__init__()
        self.repository = Repository(path)
        self.viewer = viewer
        self.base = base
        self.head = head
        self.comments: list[Comment] = []
        self.summaries: list[Comment] = []
        self.reviews = 0
        self.permissions = {"pull-requests", "contents"}
        self.content_left = 10_000
        self.refuse_line: int | None = None
        self.waits = 0
        self.ids = iter(range(5_000_000_000, 6_000_000_000))

    # The people around it
    def push(self, head: str) -> None:
        """Move the pull request to another commit; comments move with their lines or become outdated."""
        for comment in self.comments:
            if comment.line is not None:
                moved = self._move(comment, head)
                comment.outdated = moved is None
                comment.start_line, comment.line = moved or (None, None)
                comment.commit = head
        self.head = head

    def _move(self, comment: Comment, head: str) -> tuple[int | None, int] | None:
        wide = (
            "diff-tree",
            "-r",
            "-p",
            "--no-ext-diff",
            "--text",
            "-U1000000",
            "--no-renames",
            "--full-index",
            comment.commit,
            head,
        )
        patch = self.repository._run(*wide, "--", comment.path)
        start, end = comment.lines
        if patch:
            now = {old: new for hunk in parse_patch(patch)[0] for new, old in hunk.context.items()}
            if not all(line in now for line in range(start, end + 1)):
                return None
            start, end = now[start], now[end]
        change = self._diff(head).files.get(comment.path)
        hunk = change.hunk_at(start) if change else None
        if hunk is None or not hunk.shows(start, end):
            return None
        return (start if comment.start_line else None), end

    def foreign(self, body: str, line: int, path: str) -> Comment:
        """A comment by somebody else."""
        comment = Comment(next(self.ids), "mallory", body, path, line, None, self.head, (None, line))
        self.comments.append(comment)
        return comment

    def _diff(self, head: str) -> Diff:
        return read_diff(self.repository, self.repository.merge_base(self.base, head), head)

    def ours(self) -> list[Comment]:
        return [comment for comment in self.comments if comment.author == self.viewer]

    def posts(self) -> list[tuple[str, str, Any]]:
        return [entry for entry in self.log if entry[0] == "POST" and "graphql" not in entry[1]]

    # The interface
    def answer(
        self, method: str, path: str, query: dict[str, list[str]], headers: dict[str, str], body: Any
    ) -> tuple[int, dict[str, str], Any]:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            raise Fault(401, {"message": "Bad credentials", "documentation_url": "x", "status": "401"})
        kind = self.fault(method, path, body)
        if kind == "before":
            raise Fault(502, {"message": "Server Error"})
        if kind == "limit":
            raise Fault(429, {"message": "You have exceeded a secondary rate limit."})
        status, answer = self._route(method, path, query, body)
        if kind == "after":
            raise Fault(502, {"message": "Server Error"})
        return status, {}, answer

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if path in ("/graphql", "/api/graphql"):
            return 200, self._graphql(body)
        path = path.removeprefix("/api/v3")
        for template, verbs in DOCUMENT["paths"].items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            found = re.fullmatch(pattern, path)
            if found and method.lower() in verbs:
                return self._rest(verbs[method.lower()], found.groupdict(), query, body)
        raise ContractError(f"{method} {path} is not in the description")

    def _rest(
        self, operation: Any, names: dict[str, str], query: dict[str, list[str]], body: Any
    ) -> tuple[int, Any]:
        if f"{names['owner']}/{names['repo']}" != REPO:
            raise Fault(404, {"message": "Not Found"})
        if body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            check_schema(_closed(schema), body, operation["operationId"])
            self._limits(operation["operationId"], body)
        action = {
            "pulls/list": lambda: (200, self._list(query)),
            "pulls/create-review": lambda: (200, self._review(body)),
            "pulls/create-review-comment": lambda: (201, self._single(body)),
            "pulls/update-review-comment": lambda: (200, self._edit(self.comments, names, body)),
            "issues/create-comment": lambda: (201, self._summary(body)),
            "issues/update-comment": lambda: (200, self._edit(self.summaries, names, body)),
        }[operation["operationId"]]
        status, answer = action()
        responses = operation["responses"][str(status)]
        check_schema(
            responses["content"]["application/json"]["schema"],
            answer,
            f"answer of {operation['operationId']}",
        )
        return status, answer

    def _limits(self, operation: str, body: Any) -> None:
        if "pull-requests" not in self.permissions:
            raise Fault(403, {"message": DENIED, "documentation_url": "https://docs", "status": "403"})
        texts = [body.get("body", ""), *(comment["body"] for comment in body.get("comments", []))]
        if any(len(text) > 65_536 for text in texts):
            raise Fault(
                422,
                {
                    "message": "Validation Failed",
                    "errors": ["Body is too long (maximum is 65536 characters)"],
                },
            )
        if "create" in operation:
            if self.content_left <= 0:
                self.content_left = 10
                self.waits += 1
                raise Fault(
                    403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "7"}
                )
            self.content_left -= 1

    def _list(self, query: dict[str, list[str]]) -> list[Any]:
        assert query["state"] == ["open"]
        if query["head"] != ["mallory:topic"]:
            return []
        pull = _component("pull-request-simple", number=7)
        pull["head"]["sha"] = self.head
        return [pull]

    def _anchor(self, comment: dict[str, Any], commit: str) -> None:
        def refuse(reason: str) -> Fault:
            return Fault(422, {"message": "Unprocessable Entity", "errors": [reason], "status": "422"})

        if self.repository._call("merge-base", "--is-ancestor", commit, self.head).returncode:
            raise refuse("commit_id is not part of the pull request")
        if comment.get("side") != "RIGHT" or comment.get("start_side", "RIGHT") != "RIGHT":
            raise refuse("side must be RIGHT here")
        change = self._diff(commit).files.get(comment["path"])
        if change is None:
            raise refuse("Path could not be resolved")
        hunk = change.hunk_at(comment["line"])
        if hunk is None or comment["line"] == self.refuse_line:
            raise refuse("Line could not be resolved")
        start = comment.get("start_line")
        if start is not None and not (start < comment["line"] and hunk.shows(start, comment["line"])):
            raise refuse("Start line must precede the end line and be in the same hunk")

    def _add(self, comment: dict[str, Any], commit: str) -> Comment:
        start, line = comment.get("start_line"), comment["line"]
        made = Comment(
            next(self.ids), self.viewer, comment["body"], comment["path"], line, start, commit, (start, line)
        )
        self.comments.append(made)
        return made

    def _review(self, body: Any) -> Any:
        if body.get("event") in ("COMMENT", "REQUEST_CHANGES") and not body.get("body"):
            raise Fault(422, {"message": "Unprocessable Entity", "errors": ["Body can't be blank"]})
        for comment in body["comments"]:
            self._anchor(comment, body["commit_id"])
        for comment in body["comments"]:
            self._add(comment, body["commit_id"])
        self.reviews += 1
        return _component("pull-request-review", body=body["body"], commit_id=body["commit_id"])

    def _single(self, body: Any) -> Any:
        self._anchor(body, body["commit_id"])
        return self._shown(self._add(body, body["commit_id"]))

    def _summary(self, body: Any) -> Any:
        made = Comment(next(self.ids), self.viewer, body["body"], "", None, None, self.head, (None, 0))
        self.summaries.append(made)
        return _component("issue-comment", id=made.id, body=made.body)

    def _edit(self, where: list[Comment], names: dict[str, str], body: Any) -> Any:
        for comment in where:
            if str(comment.id) == names["comment_id"]:
                if comment.author != self.viewer:
                    raise Fault(403, {"message": DENIED})
                comment.body = body["body"]
                shown = _component("issue-comment", id=comment.id, body=comment.body)
                return self._shown(comment) if where is self.comments else shown
        raise Fault(404, {"message": "Not Found"})

    def _shown(self, comment: Comment) -> Any:
        return _component(
            "pull-request-review-comment",
            id=comment.id,
            path=comment.path,
            body=comment.body,
            commit_id=comment.commit,
            line=comment.line,
            start_line=comment.start_line,
            side="RIGHT",
            start_side="RIGHT" if comment.start_line else None,
        )

    # GraphQL
    def _graphql(self, body: Any) -> Any:
        root = {
            "viewer": {"login": self.viewer},
            "repository": self._graph_repository,
            "resolveReviewThread": lambda _info, **a: self._set_resolved(
                a["input"]["threadId"], resolved=True
            ),
            "unresolveReviewThread": lambda _info, **a: self._set_resolved(
                a["input"]["threadId"], resolved=False
            ),
        }
        result = graphql_sync(SCHEMA, body["query"], root_value=root, variable_values=body["variables"])
        if result.errors and not isinstance(result.errors[0].original_error, PermissionError):
            raise ContractError(f"GraphQL: {result.errors[0]}")
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [{"type": "FORBIDDEN", "message": error.message} for error in result.errors]
        return answer

    def _graph_repository(self, _info: Any, owner: str, name: str, **_: Any) -> Any:
        if f"{owner}/{name}" != REPO:
            return None
        return {"pullRequest": lambda _info, number: self._graph_pull(number)}

    def _graph_pull(self, number: int) -> Any:
        if number != 7:
            return None
        return {
            "headRefOid": self.head,
            "reviewThreads": lambda _info, **a: _page([self._graph_thread(c) for c in self.comments], **a),
            "comments": lambda _info, **a: _page([self._graph_comment(c) for c in self.summaries], **a),
        }

    def _graph_thread(self, comment: Comment) -> Any:
        comments = [self._graph_comment(comment), *({"body": body} for _, body in comment.replies)]
        return {
            "id": comment.thread,
            "isResolved": comment.resolved_by is not None,
            "isOutdated": comment.outdated,
            "path": comment.path,
            "resolvedBy": {"login": comment.resolved_by.removesuffix("[bot]")}
            if comment.resolved_by
            else None,
            "comments": lambda _info, **a: _page(comments, **a),
        }

    def _graph_comment(self, comment: Comment) -> Any:
        return {
            "fullDatabaseId": str(comment.id),
            "body": comment.body,
            "viewerDidAuthor": comment.author == self.viewer,
        }

    def _set_resolved(self, thread: str, *, resolved: bool) -> Any:
        if not {"pull-requests", "contents"} <= self.permissions:
            raise PermissionError(DENIED)
        comment = next(c for c in self.comments if c.thread == thread)
        comment.resolved_by = self.viewer if resolved else None
        return {"thread": self._graph_thread(comment)}


def _closed(schema: Any) -> Any:
    """The schema with unknown fields forbidden: GitHub ignores them, a client should not send them."""
    closed = deepcopy(schema)
    pending = [closed]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if "properties" in part:
                part["additionalProperties"] = False
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return closed


def _page(nodes: list[Any], first: int | None = None, after: str | None = None, **_: Any) -> Any:
    if first is None or not 1 <= first <= 100:
        raise GraphQLError("`first` must be between 1 and 100")
    start = int(after) if after else 0
    end = start + first
    return {
        "nodes": nodes[start:end],
        "totalCount": len(nodes),
        "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end)},
    }


def _sample(schema: Any) -> Any:
    """The smallest value that a schema allows."""
    if "$ref" in schema:
        part = DOCUMENT
        for key in schema["$ref"].removeprefix("#/").split("/"):
            part = part[key]
        return _sample(part)
    if schema.get("nullable"):
        return None
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return _sample(schema[choice][0])
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {key: _sample(schema["properties"][key]) for key in schema.get("required", ())}
    texts = {"uri": "https://x/y", "date-time": "2026-01-01T00:00:00Z", "email": "x@y.z"}
    plain: dict[str, Any] = {"array": [], "integer": 1, "number": 1, "boolean": False, "object": {}}
    return plain.get(schema.get("type", ""), texts.get(schema.get("format", ""), "text"))


def _component(name: str, **fields: Any) -> Any:
    return {**_sample({"$ref": f"#/components/schemas/{name}"}), **fields}
