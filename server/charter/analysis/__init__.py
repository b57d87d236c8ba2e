"""Facts computed from the model, published for rules to subscribe to. It knows no rule.

An analysis is a module, named in `ANALYSES` and imported only when an enabled rule subscribes to one of its facts.
It takes one of two shapes.

*File scope*: `facts(source, names) -> Iterator[Fact | Coarse]`. Pure.

*Project scope* (map and reduce, so that it parallelises, caches and goes incremental):

- `VERSION: int`, to be raised whenever what `extract` gives changes;
- `extract(source, names) -> object | None`: what the rest of the project needs to know of one file. Pure, run in
  worker processes, cached by content: it must be made of what `marshal` can write (None, bool, int, float, str,
  bytes, tuple, list, dict, set, frozenset);
- `Solver(project)` with `update(path, extract)` (None takes a file out) and `solve() -> Solution`. A solver is kept
  between edits: after an `update`, `solve` redoes only what that touches. It never changes an extract: others hold it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from charter.model.modules import ModuleNames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from charter.api import Fact, Location
    from charter.model.library import Library
    from charter.model.names import Names
    from charter.syntax.source import Source


class Solution(Struct, frozen=True):
    """What a project-scope analysis found out.

    Attributes:
        facts: the facts by file.
        opportunities: how many things of a fact type and kind were looked at, by file; facts that are themselves
            the things looked at need not be listed.
        coarse: the functions, as `path:line name`, on which the work reached its bound, so that they were analysed with
            less detail.
        failures: exceptions that cost a part of the analysis, each with the file of that part.
    """

    facts: Mapping[str, Sequence[Fact]]
    opportunities: Mapping[str, Mapping[tuple[type[Fact], str], int]] = field(
        default_factory=dict[str, "Mapping[tuple[type[Fact], str], int]"]
    )
    coarse: tuple[str, ...] = ()
    failures: tuple[tuple[str, Exception], ...] = ()


class ProjectInfo(Struct, frozen=True):
    """What a solver may know of the project besides the extracts. It gives a snapshot, never the disk.

    Attributes:
        root: absolute path of the project's root, for messages only.
        python: the oldest Python version supported.
        modules: the dotted name of each Python file, by path.
        files: paths of files that are not Python (templates), relative to the root.
        read: the text of one of `files`; None if it cannot be read.
        settings: what the settings say to analyses, by name (`threats`, `layers`).
        data: TOML texts that rule packs bring along (models of libraries), by name.
        libraries: the project's own models.
        names: tells which modules imports mean where several have one name.
    """

    root: str
    python: tuple[int, int]
    modules: Mapping[str, str]
    files: Sequence[str]
    read: Callable[[str], str | None]
    settings: Mapping[str, object]
    data: Mapping[str, str]
    libraries: Sequence[Library] = ()
    names: ModuleNames = field(default_factory=lambda: ModuleNames(()))


class Coarse(Struct, frozen=True):
    """A part of a file that a file-scope analysis took with less detail, since the work on it reached its bound.

    Attributes:
        location: where it begins.
        name: what it is.
    """

    location: Location
    name: str


class FileAnalysis(Protocol):
    """The module of a file-scope analysis."""

    def facts(self, source: Source, names: Names, /) -> Iterator[Fact | Coarse]:
        """The facts of one file."""
        ...


class Solver(Protocol):
    """The stateful half of a project-scope analysis."""

    def update(self, path: str, extract: object | None, /) -> None:
        """Take in a new or changed file's extract, or take the file out."""
        ...

    def solve(self) -> Solution:
        """The facts of the whole project as it now is."""
        ...


class ProjectAnalysis(Protocol):
    """The module of a project-scope analysis."""

    VERSION: int

    def extract(self, source: Source, names: Names, /) -> object | None:
        """What the rest of the project needs to know of one file."""
        ...

    def Solver(self, project: ProjectInfo, /) -> Solver:  # noqa: N802 (a class, seen through its module)
        """Start with no files."""
        ...


class Analysis(Struct, frozen=True):
    """One analysis and what it publishes.

    Attributes:
        module: dotted name of its module.
        facts: dotted names of its fact types.
        project: whether it is of project scope.
        inert: whether what it publishes is the same, but for places, with docstrings and without, and whether or not
            `raise` names a cause.
        judges: whether what it newly says speaks against a fix; that two places are alike now does not.
    """

    module: str
    facts: tuple[str, ...]
    project: bool = False
    inert: bool = False
    judges: bool = True


ANALYSES: tuple[Analysis, ...] = (
    Analysis("charter.analysis.metrics", ("charter.api.facts.metrics.FunctionMetrics",)),
    Analysis("charter.analysis.cohesion", ("charter.api.facts.metrics.ClassMetrics",)),
    Analysis(
        "charter.analysis.blocking",
        (
            "charter.api.facts.concurrency.BlockingCall",
            "charter.api.facts.concurrency.UnawaitedCoroutine",
        ),
        project=True,
        inert=True,
    ),
    Analysis(
        "charter.analysis.orm.solver",
        (
            "charter.api.facts.queries.QueryInLoop",
            "charter.api.facts.queries.RowsInsteadOfAnswer",
            "charter.api.facts.queries.UnindexedColumn",
        ),
        project=True,
        inert=True,
    ),
    Analysis("charter.analysis.stars", ("charter.api.facts.names.StarImport",), project=True, inert=True),
    Analysis("charter.analysis.unused", ("charter.api.facts.names.UnusedName",), project=True, inert=True),
    Analysis(
        "charter.analysis.public", ("charter.api.facts.names.UnusedPublicName",), project=True, inert=True
    ),
    Analysis(
        "charter.analysis.docs",
        ("charter.api.facts.docs.PublicSymbol", "charter.api.facts.docs.DocstringProblem"),
        project=True,
    ),
    Analysis(
        "charter.analysis.taint",
        ("charter.api.facts.taint.TaintFlow", "charter.api.facts.taint.OwnText"),
        project=True,
        inert=True,
    ),
    Analysis("charter.analysis.regex.patterns", ("charter.api.facts.regex.Regex",), inert=True),
    Analysis("charter.analysis.clones", ("charter.api.facts.structure.Clone",), project=True, judges=False),
    Analysis(
        "charter.analysis.imports",
        ("charter.api.facts.structure.ImportCycle", "charter.api.facts.structure.LayerBreak"),
        project=True,
        inert=True,
    ),
    Analysis(
        "charter.analysis.deprecation",
        ("charter.api.facts.deprecation.DeprecatedUse",),
        project=True,
        inert=True,
    ),
    Analysis("charter.analysis.conventions", ("charter.api.facts.docs.ConventionBreak",), project=True),
    Analysis(
        "charter.analysis.contracts",
        ("charter.api.facts.contracts.WrongCall", "charter.api.facts.contracts.BrokenInheritance"),
        project=True,
        inert=True,
    ),
    Analysis(
        "charter.analysis.objects", ("charter.api.facts.objects.ObjectHistory",), project=True, inert=True
    ),
    Analysis("charter.analysis.callers", ("charter.api.facts.names.PassedValue",), project=True, inert=True),
    Analysis(
        "charter.analysis.constants", ("charter.api.facts.names.ImportedConstant",), project=True, inert=True
    ),
)
"""Every analysis. Order is the order in which they run; what rules asked for is known when all others are done."""


def provider(fact: type) -> Analysis | None:
    """The analysis that publishes a fact type; None if nothing does."""
    name = f"{fact.__module__}.{fact.__qualname__}"
    return next((analysis for analysis in ANALYSES if name in analysis.facts), None)
