"""Which change to review and where to post, from options, the CI's environment and its event file. It asks nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ForgeName = Literal["auto", "github", "gitlab", "none"]
API: Final = "https://api.github.com"
_LARGEST_EVENT: Final = 32 * 1024 * 1024


class TargetError(Exception):
    """It is not clear what to review or where to post; the message says which option is missing."""


class Target(Struct, frozen=True):
    """A change and its place.

    Attributes:
        forge: where comments go; `none` for nowhere.
        base: the revision to compare with; "" for the default branch.
        head: the revision to review.
        repository: `owner/name` on GitHub, the project's id or path on GitLab.
        number: of the pull or merge request; 0 if it must be looked up.
        token: what to log in with; "" for nothing.
        api: the address of the forge's interface.
        server: the address of the forge's pages.
        source: owner and branch that a pull request from a fork comes from.
        expected: the head commit that the forge's event names; "" if there is no event.
    """

    forge: Literal["github", "gitlab", "none"] = "none"
    base: str = ""
    head: str = "HEAD"
    repository: str = ""
    number: int = 0
    token: str = ""
    api: str = API
    server: str = "https://github.com"
    source: tuple[str, str] = ("", "")
    expected: str = ""


def find_target(
    forge: ForgeName,
    base: str,
    head: str,
    event: Path | None,
    environment: Mapping[str, str],
    remote: str = "",
) -> Target:
    """Put together what options and environment say; options win.

    Args:
        forge: as asked for.
        base: as asked for; "" for what the event says.
        head: as asked for; "" for what the event says.
        event: GitHub's event file, if one was named.
        environment: the process's environment variables.
        remote: the address of the clone's `origin`.

    Raises:
        TargetError: if the event cannot be used or nothing says where to post.
    """
    chosen = forge
    if forge == "auto":
        chosen = "gitlab" if environment.get("GITLAB_CI") else "none"
        if event is not None or environment.get("GITHUB_ACTIONS"):
            chosen = "github"
    if chosen == "gitlab":
        return _gitlab(base, head, environment)
    path = event or _event_of(environment)
    facts = _read_event(path) if path and (chosen == "github" or event) else _Facts()
    target = Target(
        base=base or facts.base,
        head=head or facts.head or "HEAD",
        repository=environment.get("GITHUB_REPOSITORY") or facts.repository or repository_of(remote),
        number=facts.number,
        token=environment.get("CHARTER_TOKEN")
        or environment.get("GITHUB_TOKEN")
        or environment.get("GH_TOKEN", ""),
        api=environment.get("GITHUB_API_URL") or API,
        server=environment.get("GITHUB_SERVER_URL") or "https://github.com",
        source=facts.source,
        expected=facts.head,
        forge="github" if chosen == "github" else "none",
    )
    if target.forge == "github" and not facts.head:
        if forge == "github":
            raise TargetError("no pull request to post to: give `--event`, the event file of a pull request")
        return Target(base=target.base, head=target.head)
    return target


class _Facts(Struct, frozen=True):
    """What an event file says."""

    base: str = ""
    head: str = ""
    repository: str = ""
    number: int = 0
    source: tuple[str, str] = ("", "")


def _event_of(environment: Mapping[str, str]) -> Path | None:
    from pathlib import Path

    name = environment.get("GITHUB_EVENT_PATH", "")
    return Path(name) if name and Path(name).is_file() else None


def _read_event(path: Path) -> _Facts:
    try:
        if path.stat().st_size > _LARGEST_EVENT:
            raise TargetError(f"{path}: the event file has more than {_LARGEST_EVENT} bytes")
        event: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise TargetError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise TargetError(f"{path}: is not a GitHub event: not JSON") from None
    try:
        repository = str(event["repository"]["full_name"])
        if "pull_request" in event:
            pull = event["pull_request"]
            return _Facts(str(pull["base"]["sha"]), str(pull["head"]["sha"]), repository, int(pull["number"]))
        if "workflow_run" in event:
            run = event["workflow_run"]
            owner = str(run["head_repository"]["owner"]["login"])
            return _Facts("", str(run["head_sha"]), repository, 0, (owner, str(run["head_branch"])))
    except (KeyError, TypeError, ValueError) as error:
        reason = (
            f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else "a value is of another kind"
        )
        raise TargetError(f"{path}: is not a GitHub event of a pull request: {reason}") from None
    return _Facts(repository=repository)


def _gitlab(base: str, head: str, environment: Mapping[str, str]) -> Target:
    number = environment.get("CI_MERGE_REQUEST_IID", "")
    if not number.isdigit():
        raise TargetError(
            "no merge request to post to: run the job with `rules: if: $CI_PIPELINE_SOURCE == 'merge_request_event'`"
        )
    return Target(
        forge="gitlab",
        base=base or environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
        head=head
        or environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
        or environment.get("CI_COMMIT_SHA", "HEAD"),
        # In a pipeline of a fork, the project of the merge request is another than that of the job.
        repository=environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", ""),
        number=int(number),
        token=environment.get("CHARTER_TOKEN") or environment.get("GITLAB_TOKEN", ""),
        api=environment.get("CI_API_V4_URL") or "https://gitlab.com/api/v4",
        server=environment.get("CI_MERGE_REQUEST_PROJECT_URL")
        or environment.get("CI_PROJECT_URL")
        or "https://gitlab.com",
    )


def repository_of(url: str) -> str:
    """`owner/name` of a remote's address, as `git@host:owner/name.git` or `https://host/owner/name`; "" if unclear."""
    path = urlsplit(url).path if "://" in url else url.partition(":")[2]
    parts = path.strip("/").removesuffix(".git").split("/")
    return "/".join(parts[-2:]) if len(parts) >= 2 else ""
