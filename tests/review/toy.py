"""A charter of three rules, so that the tests of this folder do not change when the shipped rules do."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING

from charter.api import Context, Finding, Fix, Grade, Severity, rule
from charter.engine.registry import registry
from charter.review.analyse import Tools, analyse
from charter.review.apply import Outcome, apply_review
from charter.review.build import Builder
from charter.review.document import Anchor, Item, Review
from charter.review.git import Repository
from charter.review.github import GitHub
from charter.review.plan import Limits
from charter.review.render import Page, Renderer
from charter.review.snapshot import settings_of
from review.github_double import REPO, TOKEN, GitHubDouble

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from review.git_project import Project


@rule(
    ast.Call, code="TOY001", principles=("code-injection",), severity=Severity.HIGH, calls=("builtins.eval",)
)
def call_of_eval(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Run no text as code."""
    argument = ctx.source(call.args[0])
    fix = Fix("Parse with `int`", (ctx.replace(call.func, "int"),), Grade.UNSAFE)
    yield ctx.finding(call, f"`eval({argument})` runs text as code", fix=fix)


@rule(ast.Global, code="TOY002", principles=("no-hidden-state",), severity=Severity.LOW)
def global_statement(node: ast.Global, ctx: Context) -> Iterator[Finding]:
    """Change no globals; no fix."""
    yield ctx.finding(node, f"`{node.names[0]}` is changed for all")


@rule(
    ast.Call, code="TOY003", principles=("code-injection",), severity=Severity.LOW, calls=("builtins.eval",)
)
def eval_of_form(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Say of one name what the first rule says of every text."""
    if ctx.source(call.args[0]) == "form":
        yield ctx.finding(call, "`form` runs as code")


RULES = registry([call_of_eval, global_statement, eval_of_form])


class ToyCatalogue:
    """Pages of the rules."""

    def rule(self, name: str) -> Page | None:
        return (
            Page("Run no text as code", "Text that runs can do anything.", "https://x.test/eval")
            if "eval" in name
            else None
        )

    def principle(self, slug: str) -> Page | None:
        return Page("Never evaluate untrusted text") if slug == "code-injection" else None


def review_of(project: Project, base: str, head: str, least: Severity = Severity.INFO) -> Review:
    repository = Repository(project.root)
    start = repository.merge_base(base, head)
    with settings_of(repository, start) as settings:
        analysis = analyse(repository, start, head, Tools(settings, RULES, ()))
        return Builder(analysis, least).review(start, head)


class Bot:
    """Charter on a pull request of the double."""

    def __init__(self, project: Project, double: GitHubDouble) -> None:
        self.project = project
        self.double = double
        self.slept: list[float] = []

    def run(self, *, comments: int = 20, resolve: str = "auto") -> Outcome:
        """Review the pull request as it stands."""
        review = review_of(self.project, self.double.base, self.double.head)
        return self.publish(review, comments=comments, resolve=resolve)

    def publish(self, review: Review, *, comments: int = 20, resolve: str = "auto") -> Outcome:
        forge = GitHub(
            REPO, 7, head=review.head, token=TOKEN, api=self.double.address, sleep=self.slept.append
        )
        try:
            renderer = Renderer(ToyCatalogue(), forge.permalink, forge.suggestion)
            return apply_review(review, forge, renderer, Limits(comments=comments), resolve)  # pyright: ignore[reportArgumentType]
        finally:
            forge.close()


@contextmanager
def bot(project: Project, base: str, head: str) -> Generator[tuple[Bot, GitHubDouble]]:
    with GitHubDouble(project.root, base, head) as double:
        yield Bot(project, double), double


COMMIT = "a" * 40
OFFLINE = Renderer(ToyCatalogue())


def item_of(number: int, *, inline: bool = True, message: str = "`x` is wrong") -> Item:
    path = f"f{number % 3}.py"
    place = Anchor(path=path, old_path=path, start=number + 1, end=number + 1) if inline else None
    return Item(
        fingerprint=f"{number:016x}",
        kin=f"{number + 1000:016x}",
        rule="call-of-eval",
        code="TOY001",
        severity="high",
        message=message,
        path=path,
        line=number + 1,
        anchor=place,
    )


def document_of(items: Sequence[Item], old: Sequence[int] = ()) -> Review:
    marks = tuple(f"{number:016x}" for number in old)
    return Review(charter_review=1, tool="0", base="b" * 40, head=COMMIT, items=tuple(items), old=marks)
