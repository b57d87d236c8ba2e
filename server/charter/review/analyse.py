"""Checking base and head of a change, each as a whole project, and what differs. It posts nothing.

What both trees share is checked once: a file's own result is taken over where path, content and module are the same.
"""

from __future__ import annotations

import gc
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from charter.engine import codec
from charter.engine.cache import key
from charter.engine.project import Project, Report, assemble
from charter.engine.reduce import ProjectFacts, Reducer
from charter.engine.work import keys_of, results_of
from charter.mend.offer import offers
from charter.mend.prove import Prover
from charter.review.diff import read_diff
from charter.review.homes import WHOLE, Home
from charter.review.identity import Comparison, compare, identify
from charter.review.snapshot import take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from charter.api import Finding, Principle
    from charter.engine.cache import Cache
    from charter.engine.check import FileResult
    from charter.engine.registry import Registry
    from charter.engine.settings import Settings
    from charter.mend.offer import Offer
    from charter.review.diff import Diff
    from charter.review.git import Repository
    from charter.review.snapshot import Snapshot

_KEPT: Final = ("paths", "findings", "suppressed", "problems", "opportunities", "lines")
"""The parts of a report that are kept in the cache."""


class Tools(Struct, frozen=True):
    """What a check is made with.

    Attributes:
        settings: of the base.
        registry: every rule there is.
        principles: the charter.
        jobs: how many processes may work.
        cache: where results are kept; None to keep none.
    """

    settings: Settings
    registry: Registry
    principles: tuple[Principle, ...]
    jobs: int = 1
    cache: Cache | None = None


class Solvers:
    """The solvers of one or both trees: they hold one at a time, and going over to the other costs what differs.

    Args:
        projects: the trees, which call the files that they share by the same module names.
    """

    def __init__(self, *projects: Project) -> None:
        first = projects[0]
        modules = {path: name for project in projects for path, name in project.modules.items()}
        others = sorted({path for project in projects for path in project.others})
        self._read: Callable[[str], str | None] = first.info.read
        info = replace(first.info, modules=modules, files=others, read=self._text)
        self._reducer: Reducer = Reducer(first.planner.analyses, info)
        self._held: Mapping[str, FileResult] = {}

    def holding(self, project: Project, results: Mapping[str, FileResult]) -> Reducer:
        """The solvers with this tree.

        Args:
            project: the tree.
            results: what checking each of its files gave.
        """
        for path in sorted({*self._held, *results}):
            old, new = self._held.get(path), results.get(path)
            if old is not new and (old is None or new is None or old.extracts != new.extracts):
                self._reducer.update(path, new.extracts if new else {})
        self._held = results
        self._read = project.info.read
        return self._reducer

    def _text(self, path: str) -> str | None:
        return self._read(path)


class Side:
    """One of the two trees, checked when it is asked for.

    Args:
        snapshot: its files.
        tools: what to check with.

    Attributes:
        solvers: the solvers that it is held by when its facts are needed.
        twin: the other tree; whichever is checked later takes results over where they are the same.
    """

    def __init__(self, snapshot: Snapshot, tools: Tools) -> None:
        self.snapshot: Snapshot = snapshot
        self._tools: Tools = tools
        self.project: Project = Project.of(
            tools.settings,
            tools.registry,
            tools.principles,
            snapshot.python,
            snapshot.read,
            others=snapshot.others,
        )
        self.solvers: Solvers = Solvers(self.project)
        self.twin: Side | None = None

    def join(self, other: Side) -> None:
        """Let two trees share what they have in common."""
        self.twin, other.twin = other, self
        own, others = self.project.names, other.project.names
        names = others.by_path.items()
        if own.homes == others.homes and all(own.by_path.get(path, name) == name for path, name in names):
            self.solvers = other.solvers = Solvers(self.project, other.project)

    @cached_property
    def results(self) -> dict[str, FileResult]:
        """What checking each file by itself gave."""
        project = self.project
        shared = dict(self._shared())
        missing = [path for path in project.paths if path not in shared]
        fresh = results_of(project, missing, jobs=self._tools.jobs, cache=self._tools.cache)
        return {path: shared.get(path) or fresh[path] for path in project.paths}

    @property
    def reducer(self) -> Reducer | None:
        """The solvers, holding every file of this tree; None if no enabled rule needs the whole."""
        if not self.project.planner.analyses:
            return None
        return self.solvers.holding(self.project, self.results)

    @cached_property
    def report(self) -> Report:
        """What checking the tree gave; taken from the cache if the very same tree was checked before."""
        name = self._key()
        if self._tools.cache is not None and name is not None:
            data = self._tools.cache.get_many([name]).get(name)
            known = _read_report(self.project, data) if data else None
            if known:
                return known
        reducer = self.reducer
        report = assemble(self.project, self.results, reducer.solve() if reducer else ProjectFacts())
        if self._tools.cache is not None and name is not None and not report.failures:
            self._tools.cache.put_many({name: codec.dumps([getattr(report, field) for field in _KEPT])})
        return report

    def _key(self) -> bytes | None:
        if self._tools.cache is None:
            return None
        files = keys_of(self.project, self.project.paths)
        others = [f"{path}:{self.snapshot.blobs[path]}" for path in self.snapshot.others]
        return key("tree", *(name for _, name in sorted(files.items())), *others)

    def _shared(self) -> Iterator[tuple[str, FileResult]]:
        other = self.twin
        if other is None or "results" not in vars(other):
            return
        for path in self.project.paths:
            if other.snapshot.blobs.get(path) == self.snapshot.blobs[path] and self._is_known_alike(
                other, path
            ):
                yield path, other.results[path]

    def _is_known_alike(self, other: Side, path: str) -> bool:
        """Whether a file, and what it imports, has the same names in another tree."""
        own, others = self.project.names, other.project.names
        if own.by_path[path] != others.by_path.get(path):
            return False
        data = self.snapshot.read(path)
        return own.state(data) == others.state(data)

    def text(self, path: str) -> str:
        """A file's text; "" if it cannot be read."""
        return self.report.text_of(path) or ""


class Analysis(Struct):
    """A change and what it did.

    Attributes:
        diff: the change.
        base: the tree before.
        head: the tree after.
        comparison: new, old and fixed findings.
        cache: where proofs are kept.
    """

    diff: Diff
    base: Side
    head: Side
    comparison: Comparison
    cache: Cache | None = None

    def offers(self, findings: Sequence[Finding]) -> Mapping[str, tuple[Offer, ...]]:
        """The proved fixes of some findings of the head, by the engine's fingerprint, the best first."""
        report = replace(self.head.report, findings=list(findings))

        def prover() -> Prover:
            return Prover(self.head.project, self.head.results, self.head.reducer)

        return offers(self.head.project, report, cache=self.cache, prover=prover).by_finding

    def silenced(self) -> int:
        """How many findings the head's comments suppress and the base's did not."""
        return len(self.head.report.suppressed) - len(self.base.report.suppressed)

    def unread(self) -> list[str]:
        """The changed files of the head that could not be analysed as a whole."""
        wrong = {problem.location.path for problem in self.head.report.problems}
        wrong.update(self.head.snapshot.left_out)
        wrong.update(failure.path for failure in self.head.report.failures if failure.path)
        return sorted(wrong & self.diff.files.keys())


def analyse(repository: Repository, base: str, head: str, tools: Tools, home: Home = WHOLE) -> Analysis:
    """Check both trees of a project and compare.

    Args:
        repository: where they are.
        base: hash of the commit or tree before; of the repository, as is the next.
        head: hash of the commit or tree after.
        tools: what to check with.
        home: the project.
    """
    base, head = repository.folder(base, home.folder), repository.folder(head, home.folder)
    diff = read_diff(repository, base, head, home)
    after = take(repository, head, tools.settings)
    before = take(repository, base, tools.settings, after)
    was_enabled = gc.isenabled()
    gc.disable()  # as in engine.run: trees hold no cycles
    try:
        base_side, head_side = Side(before, tools), Side(after, tools)
        base_side.join(head_side)
        # The base is solved first: the solvers then hold the head, which proofs of its fixes ask about.
        identified = (
            identify(base_side.report.findings, base_side.text, diff, head=False),
            identify(head_side.report.findings, head_side.text, diff, head=True),
        )
    finally:
        if was_enabled:
            gc.enable()
    return Analysis(diff, base_side, head_side, compare(*identified), tools.cache)


def _read_report(project: Project, data: bytes) -> Report | None:
    try:
        values = dict(zip(_KEPT, codec.loads(data), strict=True))
    except ValueError:
        return None
    return Report(
        root=project.settings.root,
        failures=[],
        rules=project.registry.by_name,
        principles=project.principles,
        times={},
        read=project.read,
        **values,
    )
