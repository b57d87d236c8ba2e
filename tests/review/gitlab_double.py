"""A stateful double of GitLab for one merge request, on the loopback interface.

GitLab publishes no package with the description of its interface. Requests are checked against what its documentation
of discussions, notes and merge requests says of each parameter, and answers have the fields that it shows. What is
in the diff is decided by git. What it cannot show: how Markdown looks, and what a particular release does differently.
"""

# Documents of JSON are of any type by nature.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from charter.review.diff import read_diff
from charter.review.git import Repository
from review.loopback import ContractError, Fault, Loopback

if TYPE_CHECKING:
    from pathlib import Path

    from charter.review.diff import Diff

TOKEN = "glpat-canaryCanaryCanary0000"
PROJECT = "octo%2Fshop"
LONGEST = 1_000_000
"""Characters of the longest note that GitLab takes."""

_TEXT, _NUMBER, _FLAG = {"type": "string", "minLength": 1}, {"type": "integer"}, {"type": "boolean"}
_SHA = {"type": "string", "pattern": "^[0-9a-f]{40}$"}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    properties = required | optional
    return {
        "type": "object",
        "properties": properties,
        "required": [*required],
        "additionalProperties": False,
    }


_POSITION = _object(
    {
        "base_sha": _SHA,
        "start_sha": _SHA,
        "head_sha": _SHA,
        "position_type": {"enum": ["text"]},
        "new_path": _TEXT,
        "old_path": _TEXT,
    },
    new_line=_NUMBER,
    old_line=_NUMBER,
)
_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/discussions"): _object({"body": _TEXT, "position": _POSITION}),
    ("PUT", "/discussions/{id}"): _object({"resolved": _FLAG}),
    # Exactly one of the two may be set.
    ("PUT", "/discussions/{id}/notes/{note}"): {
        "oneOf": [_object({"body": _TEXT}), _object({"resolved": _FLAG})]
    },
    ("POST", "/notes"): _object({"body": _TEXT}),
    ("PUT", "/notes/{note}"): _object({"body": _TEXT}),
}


@dataclass
class Note:
    id: int
    author: int
    body: str
    position: dict[str, Any] | None = None
    resolved_by: int | None = None
    system: bool = False


@dataclass
class Discussion:
    id: str
    notes: list[Note] = field(default_factory=list)

    @property
    def first(self) -> Note:
        return self.notes[0]


class GitLabDouble(Loopback):
    """The double. `base` and `head` are commits of the git repository at `path`."""

    def __init__(self, path: Path, base: str, head: str) -> None:
        super().__init__()
        self.repository = Repository(path)
        self.base = base
        self.head = head
        self.viewer = 42
        self.discussions: list[Discussion] = []
        self.rights = {"api", "developer"}
        self.refuse_line: int | None = None
        self.unprepared = 0
        """So many times the diff is not computed yet."""
        self.limits = 0
        """So many requests that create something are turned away for now."""
        self.ids = iter(range(5000, 9000))

    # The people around it
    def push(self, head: str) -> None:
        self.head = head

    def say(
        self, author: int, body: str, *, to: Discussion | None = None, system: bool = False
    ) -> Discussion:
        """A note by somebody else."""
        thread = to or self._opened()
        thread.notes.append(Note(next(self.ids), author, body, system=system))
        return thread

    def threads(self) -> list[Discussion]:
        """Our conversations at lines of the diff."""
        return [one for one in self.discussions if one.first.position and one.first.author == self.viewer]

    def summaries(self) -> list[Note]:
        found = [one.first for one in self.discussions if one.first.position is None]
        return [note for note in found if note.author == self.viewer]

    def writes(self) -> list[tuple[str, str, Any]]:
        return [entry for entry in self.log if entry[0] != "GET"]

    # The interface
    def answer(
        self, method: str, path: str, query: dict[str, list[str]], headers: dict[str, str], body: Any
    ) -> tuple[int, dict[str, str], Any]:
        if headers.get("private-token") != TOKEN:
            raise Fault(401, {"message": "401 Unauthorized"})
        kind = self.fault(method, path, body)
        if kind == "before":
            raise Fault(502, {"message": "502 Bad Gateway"})
        answer = self._route(method, path, query, body)
        if kind == "after":
            raise Fault(502, {"message": "502 Bad Gateway"})
        return answer

    def _route(
        self, method: str, path: str, query: dict[str, list[str]], body: Any
    ) -> tuple[int, dict[str, str], Any]:
        if (method, path) == ("GET", "/api/v4/user"):
            return 200, {}, self._user(self.viewer)
        merge = f"/api/v4/projects/{PROJECT}/merge_requests/7"
        if not path.startswith(merge):
            raise Fault(404, {"message": "404 Not found"})
        rest = path.removeprefix(merge)
        if (method, rest) == ("GET", ""):
            return (
                200,
                {},
                {"id": 1, "iid": 7, "state": "opened", "sha": self.head, "diff_refs": self._refs()},
            )
        if (method, rest) == ("GET", "/discussions"):
            return self._page(query)
        found = re.fullmatch(r"/(?:discussions(?:/([0-9a-f]{40}))?)?(?:/?notes(?:/(\d+))?)?", rest)
        if found is None:
            raise ContractError(f"{method} {rest} is not in the documentation")
        thread, note = found.groups()
        operation = rest.replace(thread or "\0", "{id}").replace(f"/notes/{note}", "/notes/{note}")
        self._check(method, operation, body)
        return self._write(method, operation, thread, note, body)

    def _check(self, method: str, operation: str, body: Any) -> None:
        schema = _BODIES.get((method, operation))
        if schema is None:
            raise ContractError(f"{method} {operation} is not in the documentation")
        errors = sorted(Draft202012Validator(schema).iter_errors(body), key=str)
        if errors:
            raise ContractError(f"{method} {operation}: {errors[0].json_path}: {errors[0].message[:300]}")
        if "api" not in self.rights:
            raise Fault(403, {"error": "insufficient_scope", "error_description": "…", "scope": "api"})
        if len(body.get("body", "")) > LONGEST:
            raise Fault(400, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}})
        if method == "POST" and self.limits:
            self.limits -= 1
            raise Fault(
                429, {"message": "This endpoint has been requested too many times."}, {"Retry-After": "7"}
            )

    def _write(
        self, method: str, operation: str, thread: str | None, note: str | None, body: Any
    ) -> tuple[int, dict[str, str], Any]:
        if operation == "/discussions":
            position = self._position(body["position"])
            made = self._opened()
            made.notes.append(Note(next(self.ids), self.viewer, body["body"], position))
            return 201, {}, self._shown(made)
        if operation == "/notes":
            made = self._opened()
            made.notes.append(Note(next(self.ids), self.viewer, body["body"]))
            return 201, {}, self._note(made.first)
        found = next(
            (
                one
                for one in self.discussions
                if one.id == thread or any(str(inner.id) == note for inner in one.notes)
            ),
            None,
        )
        if found is None:
            raise Fault(404, {"message": "404 Discussion Not Found"})
        if method == "PUT" and operation == "/discussions/{id}":
            if "developer" not in self.rights:
                raise Fault(403, {"message": "403 Forbidden"})
            found.first.resolved_by = self.viewer if body["resolved"] else None
            return 200, {}, self._shown(found)
        written = next(inner for inner in found.notes if str(inner.id) == note)
        if written.author != self.viewer:
            raise Fault(403, {"message": "403 Forbidden"})
        written.body = body["body"]
        return 200, {}, self._note(written)

    def _position(self, position: dict[str, Any]) -> dict[str, Any]:
        refs = self._refs() or {}
        if {key: position[key] for key in refs} != refs:
            raise ContractError("a position of other commits: GitLab would put the note nowhere")
        change = self._diff().files.get(position["new_path"])
        line = position.get("new_line")
        hunk = change.hunk_at(line) if change and line else None
        fits = (
            change is not None
            and hunk is not None
            and line is not None
            and line != self.refuse_line
            and position["old_path"] == change.old_path
            # An added line has no number in the base, an unchanged one must name it.
            and hunk.context.get(line) == position.get("old_line")
        )
        if not fits:
            raise Fault(
                400,
                {
                    "message": '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}'
                },
            )
        return position

    def _diff(self) -> Diff:
        return read_diff(self.repository, self.repository.merge_base(self.base, self.head), self.head)

    def _refs(self) -> dict[str, str] | None:
        if self.unprepared:
            self.unprepared -= 1
            return None
        start = self.repository.merge_base(self.base, self.head)
        return {"base_sha": start, "start_sha": self.base, "head_sha": self.head}

    def _page(self, query: dict[str, list[str]]) -> tuple[int, dict[str, str], Any]:
        size, page = int(query.get("per_page", ["20"])[0]), int(query.get("page", ["1"])[0])
        if not 1 <= size <= 100:
            raise ContractError("`per_page` is at most 100")
        more = len(self.discussions) > size * page
        shown = [self._shown(one) for one in self.discussions[size * (page - 1) : size * page]]
        return 200, {"X-Next-Page": str(page + 1) if more else ""}, shown

    def _opened(self) -> Discussion:
        made = Discussion(f"{next(self.ids):040x}")
        self.discussions.append(made)
        return made

    def _shown(self, one: Discussion) -> dict[str, Any]:
        alone = one.first.position is None and len(one.notes) == 1
        return {"id": one.id, "individual_note": alone, "notes": [self._note(note) for note in one.notes]}

    def _note(self, note: Note) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": note.id,
            "type": "DiffNote" if note.position else None,
            "body": note.body,
            "attachment": None,
            "author": self._user(note.author),
            "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:00.000Z",
            "system": note.system,
            "noteable_id": 1,
            "noteable_type": "MergeRequest",
            "noteable_iid": 7,
            "project_id": 5,
            "resolvable": note.position is not None,
        }
        if note.position is not None:
            by = None if note.resolved_by is None else self._user(note.resolved_by)
            found |= {"position": note.position, "resolved": by is not None, "resolved_by": by}
        return found

    def _user(self, number: int) -> dict[str, Any]:
        name = f"user{number}"
        return {"id": number, "name": name, "username": name, "state": "active", "avatar_url": None}
