"""A project and what is known of it: files, plans, and how results and facts become a report. It starts no process."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from charter.analysis import ProjectInfo
from charter.api.facts.names import ImportedConstant, PassedValue
from charter.engine import suppress
from charter.engine.check import Failure, FileResult, check_source, failure, problem, run_again, run_on_facts
from charter.engine.context import FileView, with_fingerprints
from charter.engine.libraries import own_libraries
from charter.engine.plan import Planner
from charter.engine.reduce import ProjectFacts, Reducer
from charter.model.elsewhere import Elsewhere
from charter.model.library.load import header
from charter.model.modules import ModuleNames
from charter.syntax.notebook import source_of_notebook
from charter.syntax.source import Problem, Source, decode

if TYPE_CHECKING:
    from pathlib import Path

    from charter.api import AnyRule, Fact, Finding, Principle
    from charter.engine.plan import Plan
    from charter.engine.registry import Registry
    from charter.engine.settings import Settings
    from charter.model.library import Library

Reader = Callable[[str], bytes]
"""Gives the bytes of a file by its path relative to the root; raises OSError if it cannot."""


class Project(Struct, frozen=True):
    """Everything that stands before a check begins.

    Attributes:
        settings: the project's settings.
        registry: every rule there is.
        principles: the charter.
        planner: the plans of its files.
        paths: every Python file of the project, relative to the root.
        others: files that analyses may want to read (templates).
        read: gives a file's bytes.
        names: the dotted names of its Python files.
        select: selectors that replace those of the settings; None for none.
        ignore: selectors to take away besides.
        libraries: the project's own models.
    """

    settings: Settings
    registry: Registry
    principles: tuple[Principle, ...]
    planner: Planner
    paths: tuple[str, ...]
    read: Reader
    others: tuple[str, ...] = ()
    names: ModuleNames = field(default_factory=lambda: ModuleNames(()))
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    libraries: tuple[Library, ...] = ()

    @classmethod
    def of(
        cls,
        settings: Settings,
        registry: Registry,
        principles: Sequence[Principle],
        paths: Iterable[str],
        read: Reader,
        *,
        others: Iterable[str] = (),
        select: Sequence[str] | None = None,
        ignore: Sequence[str] = (),
    ) -> Project:
        """Put a project together.

        Args:
            settings: its settings.
            registry: every rule there is.
            principles: the charter.
            paths: its Python files, relative to the root.
            read: gives a file's bytes.
            others: its files that are not Python.
            select: selectors that replace those of the settings.
            ignore: selectors to take away besides.

        Raises:
            SelectionError: if a selector means nothing.
            SettingsError: if the project's own models cannot be used.
        """
        known = tuple(sorted(paths))
        planner = Planner(registry, settings, principles, select=select, ignore=ignore)
        chosen = None if select is None else tuple(select)
        return cls(
            settings,
            registry,
            tuple(principles),
            planner,
            known,
            read,
            tuple(others),
            module_names(known, registry),
            chosen,
            tuple(ignore),
            own_libraries(settings),
        )

    @property
    def modules(self) -> Mapping[str, str]:
        """The dotted name of each Python file, by path."""
        return self.names.by_path

    @property
    def info(self) -> ProjectInfo:
        """What solvers may know of the project."""
        settings = self.settings
        return ProjectInfo(
            root=str(settings.root),
            python=settings.oldest_python,
            modules=self.modules,
            files=self.others,
            read=self._text_of_other,
            settings={
                "threats": settings.threats,
                "layers": settings.layers,
                "conventions": settings.conventions,
            },
            data=self.registry.data("models"),
            libraries=self.libraries,
            names=self.names,
        )

    def source(self, path: str) -> Source:
        """A file of the project as a source; what cannot be read is an empty one.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if its bytes are no text.
        """
        data = self.read(path)
        if path.endswith(".ipynb"):
            return source_of_notebook(path, data)
        return Source(path, decode(data).text, self.modules.get(path, ""), self.names.meant(path))

    def check_file(self, path: str, *, live: bool = False) -> FileResult:
        """Check one file by itself. What keeps it from being read is a problem in the result.

        Args:
            path: the file.
            live: whether its extracts stay in this process, so that nobody may ever want their bytes.
        """
        try:
            source = self.source(path)
        except OSError as error:
            return unreadable(
                path, f"cannot be read: {error.strerror or error}", "check that it exists and may be read"
            )
        except ValueError as error:
            return unreadable(path, str(error), f"{way_to_mend(path)}, or exclude it in the settings")
        try:
            return self.check(source, live=live)
        except Exception as error:  # noqa: BLE001 (one file must not cost the others; the fault is named)
            return FileResult(path, failures=[failure(path, "the check of this file", error)])

    def check(self, source: Source, plan: Plan | None = None, *, live: bool = False) -> FileResult:
        """Check one source by itself.

        Args:
            source: the file.
            plan: the rules to run; by default those of its path.
            live: whether its extracts stay in this process.
        """
        settings = self.settings
        plan = plan or self.planner.plan(source.path)
        return check_source(
            source, plan, python=settings.oldest_python, is_test=settings.is_test(source.path), live=live
        )

    def _text_of_other(self, path: str) -> str | None:
        try:
            return self.read(path).decode("utf-8", "replace")
        except OSError:
            return None


def module_names(paths: Collection[str], registry: Registry) -> ModuleNames:
    """The names of a project's modules, which are never mistaken for those of libraries that the models know.

    Args:
        paths: the project's Python files.
        registry: what has the models.
    """
    texts = registry.data("models").values
    return ModuleNames(paths, lambda: {package for text in texts() for package in header(text)[0]})


class Report(Struct):
    """What checking a project gave.

    Attributes:
        root: absolute path of the project's root.
        paths: the files that were checked, in order.
        findings: what counts, ordered by path, place and rule, with fingerprints.
        suppressed: what comments in the code suppress.
        problems: what could not be read or parsed.
        failures: parts of Charter that threw.
        opportunities: how many things each rule looked at, by path and rule name.
        lines: number of lines, by path.
        rules: the rules that may have spoken, by name.
        principles: the charter.
        times: seconds spent, by phase, analysis and rule.
        coarse: functions, as `path:line name`, that an analysis took with less detail, because they reached a bound.
        read: gives a file's bytes, for snippets.
        results: gives what checking each file by itself gave, for proofs of fixes.
        reducer: gives the solvers that hold the whole project, for proofs of fixes; None if no enabled rule needs it.
        state: a digest of everything that the report depends on; empty if nothing is kept in a cache.
    """

    root: Path
    paths: tuple[str, ...]
    findings: list[Finding]
    suppressed: list[Finding]
    problems: list[Problem]
    failures: list[Failure]
    opportunities: dict[str, dict[str, int]]
    lines: dict[str, int]
    rules: Mapping[str, AnyRule]
    principles: tuple[Principle, ...]
    times: dict[str, float]
    read: Reader
    results: Callable[[], Mapping[str, FileResult]] = dict
    reducer: Callable[[], Reducer | None] = lambda: None
    state: bytes = b""
    coarse: tuple[str, ...] = ()

    def text_of(self, path: str) -> str | None:
        """A file's text as the rules saw it, for snippets; None if it cannot be read any more."""
        try:
            return text_of(path, self.read(path))
        except (OSError, ValueError):
            return None


def text_of(path: str, data: bytes) -> str:
    """The text that findings in a file point into.

    Raises:
        ValueError: if the bytes are no text, or no notebook.
    """
    return source_of_notebook(path, data).text if path.endswith(".ipynb") else decode(data).text


def way_to_mend(path: str) -> str:
    """What to do about a file whose bytes are no text."""
    return "save it with a current Jupyter" if path.endswith(".ipynb") else "save it as UTF-8"


def unreadable(path: str, message: str, remedy: str) -> FileResult:
    """The result of a file that cannot be checked at all."""
    return FileResult(path, problems=(problem(path, message, remedy),))


def reduce_all(
    project: Project, results: Mapping[str, FileResult], reducer: Reducer | None = None
) -> ProjectFacts:
    """Run the project-scope analyses from scratch, in a new reducer or one that holds nothing yet."""
    reducer = reducer or Reducer(project.planner.analyses, project.info)
    for path in sorted(results):
        reducer.update(path, results[path].extracts)
    return reducer.solve()


def assemble(project: Project, results: Mapping[str, FileResult], facts: ProjectFacts) -> Report:
    """Let the rules speak on the project's facts, and put all findings into order."""
    report = Report(
        root=project.settings.root,
        paths=tuple(results),
        findings=[],
        suppressed=[],
        problems=[],
        failures=list(facts.failures),
        opportunities={},
        lines={path: result.lines for path, result in results.items()},
        rules=project.registry.by_name,
        principles=project.principles,
        times=dict(facts.times),
        read=project.read,
        coarse=tuple(facts.coarse),
    )
    for path in sorted(results):
        result = finish(project, results[path], facts)
        kept, suppressed = settle(project, result)
        report.findings.extend(told_once(kept, suppressed))
        report.suppressed.extend(suppressed)
        report.problems.extend(result.problems)
        report.failures.extend(result.failures)
        report.coarse += result.coarse
        report.opportunities[path] = result.opportunities
        for name, seconds in result.times.items():
            report.times[name] = report.times.get(name, 0.0) + seconds
    return report


def finish(
    project: Project,
    result: FileResult,
    facts: ProjectFacts,
    source: Source | None = None,
    plan: Plan | None = None,
) -> FileResult:
    """A file's result together with what the rules say of the project's facts about it; the argument is kept.

    Args:
        project: the project.
        result: what checking the file by itself gave.
        facts: the project's facts.
        source: the file; read anew if not given.
        plan: the rules that may speak; by default those of its path.
    """
    path = result.path
    own = facts.facts.get(path, ())
    counts = facts.opportunities.get(path, {})
    if not own and not counts:
        return result
    plan = plan or project.planner.plan(path)
    whole = replace(
        result,
        findings=list(result.findings),
        opportunities=dict(result.opportunities),
        failures=list(result.failures),
        times=dict(result.times),
    )
    if own:
        try:
            source = source or project.source(path)
        except (OSError, ValueError):
            return whole
        _speak(project, plan, source, own, whole)
    for (kind, word), number in counts.items():
        for entry in plan.fact_entries.get(kind, ()):
            if not entry.rule.kinds or word in entry.rule.kinds:
                whole.opportunities[entry.rule.name] = max(
                    number, whole.opportunities.get(entry.rule.name, 0)
                )
    return whole


def _speak(project: Project, plan: Plan, source: Source, facts: Sequence[Fact], result: FileResult) -> None:
    """Let the rules say of a file what the project's facts about it are: into its result."""
    settings = project.settings
    view = FileView(
        source,
        settings.oldest_python,
        is_test=settings.is_test(source.path),
        elsewhere=elsewhere_of(facts, settings.is_test),
        symbols=result.symbols,
    )
    again = _to_run_again(plan, result, facts)
    if again:
        run_again(view, plan, again, result)
    run_on_facts(view, plan, facts, result)
    _excuse(plan, facts, result)


def _excuse(plan: Plan, facts: Iterable[Fact], result: FileResult) -> None:
    """Take out the findings of places of which the project's facts say that they are harmless."""
    for entry in plan.excusable:
        places = {fact.location.span for fact in facts if isinstance(fact, entry.rule.excused_by)}
        if places:
            name = entry.rule.name
            result.findings = [
                one for one in result.findings if one.rule != name or one.location.span not in places
            ]


def elsewhere_of(facts: Iterable[Fact], is_test: Callable[[str], bool]) -> Elsewhere:
    """What the facts about a file tell of the constants and calls of other files, calls in tests left out."""
    constants = [fact for fact in facts if isinstance(fact, ImportedConstant)]
    passed: dict[str, list[PassedValue]] = {}
    for fact in facts:
        if isinstance(fact, PassedValue) and not is_test(fact.location.path):
            passed.setdefault(fact.name, []).append(fact)
    return Elsewhere(
        {fact.name: ast.literal_eval(fact.literal) for fact in constants if fact.literal},
        {fact.name: fact.target for fact in constants if fact.target},
        passed,
    )


def _to_run_again(plan: Plan, result: FileResult, facts: Iterable[Fact]) -> frozenset[str]:
    """The rules that asked about other files what is known now."""
    known = {fact.name for fact in facts if isinstance(fact, (ImportedConstant, PassedValue))}
    asking = frozenset(rule for rule, names in result.asked.items() if not known.isdisjoint(names))
    return asking and asking.intersection(entry.rule.name for entry in plan.repeatable)


def order(finding: Finding) -> tuple[str, int, int, str, str]:
    """The key by which findings are put into order: path, place, rule."""
    span = finding.location.span
    return finding.path, span.start, span.end, finding.code, finding.message


def settle(
    project: Project, result: FileResult, source: Source | None = None
) -> tuple[list[Finding], list[Finding]]:
    """The findings of one file in order and with fingerprints, parted into those that count and the suppressed.

    Args:
        project: the project.
        result: all that was found in the file.
        source: the file; read anew if it is needed and not given.
    """
    kept = _distinct(result.findings)
    silenced: list[Finding] = []
    if result.suppressions:
        try:
            source = source or project.source(result.path)
        except (OSError, ValueError):
            return with_fingerprints(kept), silenced
        plan = project.planner.plan(result.path)
        enabled = {entry.rule.name for entry in plan.entries}
        done = suppress.apply(
            source, kept, project.registry, enabled=enabled, suppressions=result.suppressions
        )
        kept, silenced = done.kept, done.silenced
        if done.useless:
            extra = FileResult(result.path)
            run_on_facts(FileView(source, project.settings.oldest_python), plan, done.useless, extra)
            kept = _distinct([*kept, *extra.findings])
    return with_fingerprints(kept), silenced


def told_once(kept: list[Finding], suppressed: Iterable[Finding]) -> list[Finding]:
    """The findings that count, without those that say less of a place than a flow to it does, suppressed or not."""
    flows = [finding for finding in (*kept, *suppressed) if finding.flow]

    def said(finding: Finding) -> bool:
        span = finding.location.span
        return any(span.overlaps(flow.location.span) and says_less(finding, flow) for flow in flows)

    return [finding for finding in kept if not said(finding)] if flows else kept


def says_less(finding: Finding, flow: Finding) -> bool:
    """Whether a finding tells nothing that a flow which was followed to its place does not tell better."""
    return (
        not finding.flow
        and finding.path == flow.path
        and bool(finding.principles)
        and finding.principles[0] in flow.principles
        and finding.severity <= flow.severity
        and bool(flow.fixes or not finding.fixes)
    )


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in order, each once."""
    found = {(finding.rule, finding.location, finding.message): finding for finding in findings}
    return sorted(found.values(), key=order)
