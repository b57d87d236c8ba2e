"""One run of `charter review`: from options to an exit status. It knows the steps, not how each is done."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
from msgspec import Struct, field

from charter.api import Severity
from charter.report.escape import visible
from charter.review.apply import Outcome, apply_review, summary_action
from charter.review.catalogue import PackCatalogue
from charter.review.degrade import workflow_commands, write_job_summary
from charter.review.document import DocumentError, dump, load
from charter.review.escape import plain
from charter.review.forge import DeniedError, ForgeError, State
from charter.review.gate import fails, moved
from charter.review.git import Repository
from charter.review.merge import merged
from charter.review.plan import Limits, make_plan
from charter.review.render import Renderer
from charter.review.target import Target, TargetError, find_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from charter.api import Principle
    from charter.engine.registry import Registry
    from charter.review.document import Review
    from charter.review.forge import Forge
    from charter.review.gate import FailOn
    from charter.review.homes import Home
    from charter.review.plan import Resolve
    from charter.review.target import ForgeName

PASSED, FAILED, BROKEN = 0, 1, 2


class Options(Struct, frozen=True):
    """What the command line asks for; the fields are its options.

    Attributes:
        root: a folder of the repository.
        base: revision to compare with.
        head: revision to review.
        staged: whether to review what is staged against the last commit.
        event: GitHub's event file.
        forge: where to post.
        dry_run: where to write the review instead of posting.
        report: where to write the review besides whatever else is done.
        from_file: a review to post instead of making one.
        resolve: whether threads may be resolved.
        max_comments: how many open comments there may be.
        min_severity: the smallest severity told.
        fail_on: what makes the run fail.
        form: how the review is printed where it is not posted.
        jobs: how many processes; 0 for one a core.
        cache: whether results are kept between runs.
        environment: the process's environment variables.
    """

    root: Path
    base: str = ""
    head: str = ""
    staged: bool = False
    event: Path | None = None
    forge: ForgeName = "auto"
    dry_run: Path | None = None
    report: Path | None = None
    from_file: Path | None = None
    resolve: Resolve = "auto"
    max_comments: int = 20
    min_severity: Severity = Severity.INFO
    fail_on: FailOn = "new"
    form: str = "markdown"
    jobs: int = 0
    cache: bool = True
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def run(options: Options, out: TextIO, err: TextIO) -> int:
    """Review a change.

    Args:
        options: what is asked for.
        out: where the review is printed.
        err: where problems are told.

    Returns:
        0 if the change may pass, 1 if not.

    Raises:
        GitError, TargetError, DocumentError, and all of `UserError`: with what to do about it.
    """
    if options.from_file is not None:
        return _publish_document(options, out, err)
    repository = Repository(options.root)
    target = _target(options, repository)
    base, head = _revisions(options, repository, target)
    review, renderer, failed = _make(options, repository, base, head)
    if options.report is not None:
        options.report.write_bytes(dump(review))
    if options.dry_run is not None:
        _write_document(options, target, review, renderer, options.dry_run, err)
    elif target.forge == "none":
        _print(options, review, renderer, out)
    else:
        _publish(options, target, review, renderer, out, err)
    return FAILED if failed else PASSED


def _target(options: Options, repository: Repository | None) -> Target:
    if options.staged:
        return Target()
    remote = repository.remote_url() if repository else ""
    return find_target(options.forge, options.base, options.head, options.event, options.environment, remote)


def _revisions(options: Options, repository: Repository, target: Target) -> tuple[str, str]:
    if options.staged:
        return repository.last_tree(), repository.index_tree()
    head = repository.commit(target.head)
    base = repository.commit(target.base or repository.default_base())
    return repository.merge_base(base, head), head


def _make(options: Options, repository: Repository, base: str, head: str) -> tuple[Review, Renderer, bool]:
    """The review of every project that the change touches, and whether one of them must not pass."""
    from charter.engine import registry
    from charter.engine.settings import DEFAULT_EXCLUDE
    from charter.review.homes import homes, touched
    from charter.review.snapshot import settings_of

    rules = registry.load()
    # Before the first commit there is no base to ask, and what is staged is the user's own.
    trusted = head if options.staged and not repository.files(base) else base
    with settings_of(repository, trusted) as settings:
        found = homes(repository, trusted, DEFAULT_EXCLUDE + settings.exclude)
    made = [
        _make_one(options, repository, (base, head, trusted), home, rules)
        for home in touched(repository, found, base, head)
    ]
    principles = {principle.slug: principle for one in made for principle in one.principles}
    reviews = {one.home.folder: one.review for one in made}
    failed = any(fails(one.review, options.fail_on, one.threshold) for one in made)
    return merged(reviews), _renderer(rules, principles.values()), failed


class _Made(Struct, frozen=True):
    """The review of one project, with what its settings say of it."""

    home: Home
    review: Review
    principles: tuple[Principle, ...]
    threshold: float


def _make_one(
    options: Options, repository: Repository, trees: tuple[str, str, str], home: Home, rules: Registry
) -> _Made:
    from charter.engine import constitution
    from charter.engine.cache import Cache
    from charter.engine.opening import check_names
    from charter.engine.run import default_jobs
    from charter.review.analyse import Tools, analyse
    from charter.review.build import Builder
    from charter.review.snapshot import settings_of

    base, head, trusted = trees
    with settings_of(repository, trusted, home) as settings:
        charter = constitution.load(rules, settings)
        check_names(settings, rules, charter)
        principles = charter.principles
        cache = None
        folder = repository.root / home.folder / settings.cache_dir
        # A link that the change put there could lead what is written anywhere.
        if options.cache and settings.cache and not _leads_away(repository.root, folder):
            cache = Cache(folder)
        tools = Tools(settings, rules, principles, options.jobs or default_jobs(), cache)
        analysis = analyse(repository, base, head, tools, home)
        builder = Builder(analysis, options.min_severity, max(options.max_comments, 1))
        return _Made(
            home, builder.review(base, head, moved(analysis)), tuple(principles), settings.fail_under
        )


def _leads_away(root: Path, folder: Path) -> bool:
    """Whether a symbolic link stands on the way from the repository's root to a folder, or in the folder."""
    way = [place for place in (folder, *folder.parents) if root in place.parents]
    return any(place.is_symlink() for place in way) or any(
        place.is_symlink() for place in (folder.glob("*") if folder.is_dir() else ())
    )


def _renderer(rules: Registry, principles: Iterable[Principle]) -> Renderer:
    return Renderer(PackCatalogue(rules, principles))


def _print(options: Options, review: Review, renderer: Renderer, out: TextIO) -> None:
    if options.form == "json":
        out.write(dump(review).decode())
        return
    if options.form == "concise":
        out.writelines(f"{line}\n" for line in _concise(review))
        return
    plan = make_plan(review, State(review.head), renderer, _limits(options), options.resolve)
    text = renderer.whole(review, plan.placement)
    if review.items or review.unread:
        out.write(text)
    _job_summary(options, text if review.items else "")


def _concise(review: Review) -> list[str]:
    return [
        f"{visible(item.path)}:{item.line}:{item.column}: {item.code} {item.rule}: {visible(item.message)}"
        for item in review.items
    ]


def _limits(options: Options) -> Limits:
    return Limits(comments=options.max_comments)


def _job_summary(options: Options, text: str) -> None:
    place = options.environment.get("GITHUB_STEP_SUMMARY")
    if place and text:
        write_job_summary(Path(place), text)


def _write_document(
    options: Options, target: Target, review: Review, renderer: Renderer, place: Path, err: TextIO
) -> None:
    """Write the review with what would be done, as far as the forge can be asked."""
    state = State(review.head)
    if target.forge != "none" and target.token:
        try:
            forge, renderer = _forge(target, review, renderer)
            state = forge.state()
            forge.close()
        except ForgeError as error:
            err.write(f"charter: the plan assumes that nothing was posted yet: {error}\n")
    plan = make_plan(review, state, renderer, _limits(options), options.resolve)
    actions = plan.actions(summary_action(review, state, plan, renderer))
    place.write_bytes(dump(msgspec.structs.replace(review, actions=actions)))
    _job_summary(options, renderer.whole(review, plan.placement) if review.items else "")


def _publish_document(options: Options, out: TextIO, err: TextIO) -> int:
    """Post a review that another, less trusted job has made."""
    from charter.engine import constitution, registry

    assert options.from_file is not None
    try:
        review = _distrust(load(options.from_file.read_bytes()))
    except DocumentError as error:
        raise DocumentError(f"{options.from_file}: {error}") from None
    if options.report is not None:
        options.report.write_bytes(dump(review))
    rules = registry.load()
    charter = constitution.load(rules)
    renderer = _renderer(rules, charter.principles)
    target = _target(options, None)
    if target.forge == "none":
        _print(options, review, renderer, out)
    else:
        _publish(options, target, review, renderer, out, err)
    return FAILED if fails(review, options.fail_on, 80.0) else PASSED


def _distrust(review: Review) -> Review:
    """The review with its fixes as diffs only: whoever made the file could make a reader commit anything with a click."""
    items = tuple(msgspec.structs.replace(item, suggestion=None) for item in review.items)
    return msgspec.structs.replace(review, items=items, notes=(), actions=())


def _forge(target: Target, review: Review, renderer: Renderer) -> tuple[Forge, Renderer]:
    if not target.token:
        raise ForgeError(
            f"there is no token; set {target.forge.upper()}_TOKEN (or CHARTER_TOKEN) for this step"
        )
    try:
        import httpx
    except ImportError:
        raise ForgeError("posting needs httpx; install `charter-lint[review]`") from None
    assert httpx
    if target.expected and target.expected != review.head:
        raise ForgeError(f"the review is of {review.head[:12]}, but the event is of {target.expected[:12]}")
    if target.forge == "gitlab":
        from charter.review.gitlab import GitLab

        forge: Forge = GitLab(
            target.repository,
            target.number,
            head=review.head,
            token=target.token,
            api=target.api,
            server=target.server,
        )
    else:
        forge = _github(target, review)
    return forge, Renderer(renderer.catalogue, forge.permalink, forge.suggestion)


def _github(target: Target, review: Review) -> Forge:
    from charter.review.github import GitHub, connect, find_pull

    number = target.number
    if not number:
        owner, branch = target.source
        client = connect(target.token, target.api)
        try:
            number = find_pull(client, target.repository, owner, branch, review.head)
        finally:
            client.close()
    return GitHub(
        target.repository, number, head=review.head, token=target.token, api=target.api, server=target.server
    )


def _publish(
    options: Options, target: Target, review: Review, renderer: Renderer, out: TextIO, err: TextIO
) -> None:
    try:
        forge, renderer = _forge(target, review, renderer)
        try:
            outcome = apply_review(review, forge, renderer, _limits(options), options.resolve)
        finally:
            forge.close()
    except ForgeError as error:
        reason = "denied" if isinstance(error, DeniedError) or not target.token else "failed"
        placement = {item.fingerprint: reason for item in review.items}
        outcome = Outcome(placement=placement, problems=[str(error)], denied=True)
    err.writelines(f"charter: {plain(problem)}\n" for problem in outcome.problems)
    if outcome.denied:
        out.writelines(
            f"{line}\n"
            for line in (workflow_commands(review.items) if target.forge == "github" else _concise(review))
        )
    if review.items and not outcome.moved:
        _job_summary(options, renderer.overview(review, outcome.placement))
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(outcome.done.items()))
    err.write(f"charter: {len(review.items)} new findings{f' ({said})' if said else ''}\n")


def main(asked: dict[str, Any]) -> int:
    """Run with the command line's options, and tell what went wrong in one line.

    Args:
        asked: the options by their names there.

    Returns:
        The exit status: as `run`, and 2 where the review could not be made.
    """
    from charter.engine.opening import UserError
    from charter.review.git import GitError

    expected = (*UserError, DocumentError, GitError, TargetError)
    if asked["pushed"] and _has_no_range(os.environ):
        sys.stderr.write(
            "charter: there is nothing to compare with, as on a first push; `charter check` tells all findings\n"
        )
        return PASSED
    try:
        return run(_options(asked), sys.stdout, sys.stderr)
    except OSError as error:
        sys.stderr.write(f"charter: error: {error.filename or 'system'}: {error.strerror or error}\n")
    except expected as error:
        sys.stderr.write(f"charter: error: {error}\n")
    return BROKEN


def _options(asked: dict[str, Any]) -> Options:
    _refuse_two_answers(asked)
    values = dict(asked)
    if values.pop("pushed"):
        values |= {"base": _pushed("FROM"), "head": _pushed("TO"), "forge": "none"}
    severity = str(values["min_severity"]).upper()
    if severity not in Severity.__members__:
        raise TargetError(f"{severity.lower()!r} is no severity; say info, low, medium, high or critical")
    values["min_severity"] = Severity[severity]
    return Options(root=Path.cwd(), **values)


def _refuse_two_answers(asked: dict[str, Any]) -> None:
    """Refuse options of which one would say in vain what to review."""
    hooks = [f"--{name}" for name in ("staged", "pushed") if asked[name]]
    others = [f"--{name}" for name in ("base", "head", "event") if asked[name]]
    others += ["--forge"] if asked["forge"] in {"github", "gitlab"} else []
    others += ["--from"] if asked["from_file"] else []
    if hooks and len(hooks + others) > 1:
        first, second = (hooks + others)[:2]
        raise TargetError(f"`{first}` says what to review, and so does `{second}`; leave one of them out")


def _has_no_range(environment: Mapping[str, str]) -> bool:
    """Whether a hook runs without a range of commits: pre-commit names none when the remote has no commit yet."""
    return bool(environment.get("PRE_COMMIT")) and not environment.get("PRE_COMMIT_FROM_REF")


def _pushed(end: str) -> str:
    name = f"PRE_COMMIT_{end}_REF"
    if not os.environ.get(name):
        raise TargetError(f"--pushed needs {name}, which pre-commit sets in a pre-push hook")
    return os.environ[name]
