"""Checks one file: runs the enabled rules over one walk. Pure: text in, result out; it knows no other file.

A rule that throws is set aside for that file and named in the result; the other rules go on.
"""

from __future__ import annotations

import ast
import importlib
import sys
from itertools import chain, repeat
from time import perf_counter
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field
from msgspec.structs import replace

from charter.analysis import Coarse
from charter.api import Location, Span
from charter.engine import suppress
from charter.engine.bandit import BanditIssue
from charter.engine.context import FileView, RuleContext
from charter.engine.extract import Extract
from charter.syntax.source import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from charter.analysis import FileAnalysis, ProjectAnalysis
    from charter.api import Fact, Finding
    from charter.engine.bandit import Inspector
    from charter.engine.plan import Entry, Plan
    from charter.engine.suppress import Suppression
    from charter.model.elsewhere import Elsewhere
    from charter.syntax.source import Source


_DEEP = 60
"""Levels of a tree that no part of Charter fails on; what ends without a bottom in a flatter one is Charter's fault."""


class Failure(Struct, frozen=True):
    """A part of Charter that threw an exception on a file.

    Attributes:
        path: the file.
        part: the rule's name, or the analysis's module.
        error: the exception, in one line.
        place: where in Charter it was raised, as `file:line`.
    """

    path: str
    part: str
    error: str
    place: str


class FileResult(Struct):
    """What checking one file gave.

    Attributes:
        path: the file, relative to the project's root.
        lines: its number of lines.
        findings: what the rules found, unordered, before suppressions and without final fingerprints.
        opportunities: how many things each rule looked at, by rule name.
        extracts: what project-scope analyses need of the file, by the analysis's module.
        problems: what did not parse, or is nested too deeply for a rule or an analysis.
        failures: rules and analyses that threw.
        times: seconds spent by phase (`parse`, `walk`, …) and by `rule:NAME`.
        suppressions: the comments that ask for silence.
        asked: names of other files that rules asked for, by rule.
        coarse: what an analysis took with less detail, because it reached a bound, as `path:line name`.
        symbols: the file's functions and classes, as `FileView.symbols` has them; None if nobody noted them.
    """

    path: str
    lines: int = 0
    findings: list[Finding] = field(default_factory=list["Finding"])
    opportunities: dict[str, int] = field(default_factory=dict[str, int])
    extracts: dict[str, Extract] = field(default_factory=dict[str, Extract])
    problems: tuple[Problem, ...] = ()
    failures: list[Failure] = field(default_factory=list[Failure])
    times: dict[str, float] = field(default_factory=dict[str, float])
    suppressions: tuple[Suppression, ...] = ()
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    coarse: tuple[str, ...] = ()
    symbols: Sequence[tuple[int, int, str]] | None = None


def check_source(
    source: Source,
    plan: Plan,
    *,
    python: tuple[int, int] = (3, 11),
    is_test: bool = False,
    pause: Callable[[], None] | None = None,
    elsewhere: Elsewhere | None = None,
    live: bool = False,
) -> FileResult:
    """Run a plan's rules on one file, and take from it what project-scope analyses need.

    Args:
        source: the file.
        plan: the rules.
        python: the oldest Python version that the project supports.
        is_test: whether the file belongs to a test suite.
        pause: called between two rules or analyses; what it raises ends the check.
        elsewhere: the constants of other files; None if nothing is known of them.
        live: whether the extracts stay in this process, so that nobody may ever want their bytes.
    """
    started = perf_counter()
    problems = source.problems
    parsed = perf_counter()
    _ = source.index
    result = FileResult(source.path, len(source.positions.starts), problems=problems)
    result.times["parse"] = parsed - started
    result.times["walk"] = perf_counter() - parsed
    result.suppressions = suppress.read(source)
    view = FileView(source, python, is_test=is_test, elsewhere=elsewhere)
    _run_on_nodes(view, plan, result, pause=pause)
    if plan.inspector is not None:
        _run_bandit(view, plan, plan.inspector, result)
    for analysis in plan.analyses:
        if pause is not None:
            pause()
        if analysis.project:
            _extract(view, analysis.module, result, live=live)
        else:
            facts = _file_facts(view, analysis.module, result)
            run_on_facts(view, plan, facts, result)
    result.symbols = view.symbols
    return result


def check_nodes(
    source: Source,
    plan: Plan,
    nodes: Mapping[type[ast.AST], Sequence[ast.AST]],
    *,
    python: tuple[int, int] = (3, 11),
    is_test: bool = False,
    elsewhere: Elsewhere | None = None,
    present: AbstractSet[str] | None = None,
) -> FileResult:
    """Run a plan's rules on some nodes of a file, given by type; rules on facts and extracts are left out.

    Args:
        source: the whole file; rules may look at all of it.
        plan: the rules.
        nodes: what the rules are asked about.
        python: the oldest Python version that the project supports.
        is_test: whether the file belongs to a test suite.
        elsewhere: the constants of other files; None if nothing is known of them.
        present: what `Plan.mentioned` gives for the file, or more; None to look for it here.
    """
    result = FileResult(source.path, len(source.positions.starts), problems=source.problems)
    view = FileView(source, python, is_test=is_test, elsewhere=elsewhere)
    _run_on_nodes(view, plan, result, only=nodes, present=present)
    return result


def _run_bandit(view: FileView, plan: Plan, inspector: Inspector, result: FileResult) -> None:
    """Let the rules that stand for bandit's tests speak on what the tests report."""
    started = perf_counter()
    try:
        outcome = inspector.inspect(view.source)
    except Exception as error:  # noqa: BLE001 (as for rules)
        _note(view, result, "bandit", error)
        return
    run_on_facts(view, plan, outcome.issues, result)
    for entry in plan.fact_entries.get(BanditIssue, ()):
        count = sum(outcome.opportunities[kind] for kind in entry.rule.kinds)
        if count:
            result.opportunities[entry.rule.name] = count
    result.times["bandit"] = perf_counter() - started


def run_on_facts(view: FileView, plan: Plan, facts: Iterable[Fact], result: FileResult) -> None:
    """Run a plan's rules on facts of a file, adding to its result."""
    by_type: dict[type, list[Fact]] = {}
    for fact in facts:
        by_type.setdefault(type(fact), []).append(fact)
    context = RuleContext(view, plan.purpose)
    for kind, items in by_type.items():
        for entry in plan.fact_entries.get(kind, ()):
            kinds = entry.rule.kinds
            wanted = [fact for fact in items if fact.kind in kinds] if kinds else items
            if wanted:
                _run(context, entry, wanted, result)


def run_again(view: FileView, plan: Plan, rules: Container[str], result: FileResult) -> None:
    """Run some rules on a whole file once more; what they find takes the place of what they found before."""
    result.findings = [finding for finding in result.findings if finding.rule not in rules]
    result.failures = [failure for failure in result.failures if failure.part not in rules]
    for name in [name for name in result.opportunities if name in rules]:
        del result.opportunities[name]
    _run_on_nodes(view, plan, result, rules=rules)


def _run_on_nodes(
    view: FileView,
    plan: Plan,
    result: FileResult,
    *,
    only: Mapping[type[ast.AST], Sequence[ast.AST]] | None = None,
    rules: Container[str] | None = None,
    present: AbstractSet[str] | None = None,
    pause: Callable[[], None] | None = None,
) -> None:
    source = view.source
    if present is None:
        present = plan.mentioned(source.text, source.words)
    of_type = source.index.by_type if only is None else only
    context = RuleContext(view, plan.purpose)

    def is_wanted(entry: Entry) -> bool:
        rule = entry.rule
        return (
            (not rule.mentions or not present.isdisjoint(rule.mentions))
            and rule.in_tests is not (not view.is_test)
            and (rules is None or entry.name in rules)
        )

    def run(entry: Entry, nodes: Sequence[ast.AST]) -> None:
        if pause is not None:
            pause()
        if nodes:
            _run(context, entry, nodes, result)

    calls = cast("Sequence[ast.Call]", of_type.get(ast.Call, ()))
    prepares = "partial" in source.words
    prepared = view.prepared(calls, plan.calls) if prepares else ()
    for entry, same in _wanted_calls(view, plan, [*calls, *prepared]):
        if is_wanted(entry):
            run(entry, same)
    for ready, finished in view.finished(calls, plan.calls) if prepares else ():
        for entry, _ in _wanted_calls(view, plan, [finished]):
            if is_wanted(entry):
                _run_on_finished(context, entry, ready, finished, result)
    for kind, nodes in of_type.items():
        for entry in plan.by_kind.get(kind, ()):
            if is_wanted(entry):
                wanted = entry.rule.attributes if kind is ast.Attribute else ()
                run(entry, _wanted_attributes(source, wanted, only) if wanted else nodes)


def _run_on_finished(
    context: RuleContext, entry: Entry, ready: ast.Call, finished: ast.Call, result: FileResult
) -> None:
    """Run a rule on a call that gives the rest to a prepared one, if it has nothing to say of that.

    It mends nothing here, as what it would change may stand in the prepared call.
    """
    before = FileResult(result.path)
    _run(context, entry, [ready], before)
    if not before.findings:
        last = len(result.findings)
        _run(context, entry, [finished], result)
        result.findings[last:] = [replace(found, fixes=()) for found in result.findings[last:]]


def _wanted_attributes(
    source: Source, wanted: frozenset[str], only: Mapping[type[ast.AST], Sequence[ast.AST]] | None
) -> Sequence[ast.AST]:
    """The attributes with some identifiers that are read: all of the file's, or those of some nodes."""
    found = [node for name in source.gets.keys() & wanted for node in source.gets[name]]
    if only is None or not found:
        return found
    asked = set(only.get(ast.Attribute, ()))
    return [node for node in found if node in asked]


def _wanted_calls(
    view: FileView, plan: Plan, calls: Sequence[ast.Call]
) -> Iterable[tuple[Entry, Sequence[ast.Call]]]:
    """The rules that want calls of some functions, each with those among some of the file's calls."""
    found: dict[str, tuple[Entry, list[ast.Call]]] = {}
    wanted = plan.calls
    # A name's first part stands in an import, or is the file's own package.
    words = view.source.words
    own = {view.source.module.partition(".")[0], "builtins", "*"}
    qualified = view.names.qualified
    for last, same in view.calls_by_name(calls, wanted).items():
        for entry, names, firsts in wanted[last]:
            if firsts.isdisjoint(own) and firsts.isdisjoint(words):
                continue
            any_receiver = "*" in names
            for call in same:
                if (any_receiver and type(call.func) is ast.Attribute) or qualified(call.func) in names:
                    found.setdefault(entry.name, (entry, []))[1].append(call)
    return found.values()


def _run(
    context: RuleContext, entry: Entry, items: Sequence[ast.AST] | Sequence[Fact], result: FileResult
) -> None:
    """Run one rule on all that it wants of a file."""
    rule, name = entry.rule, entry.name
    started = perf_counter()
    context.serve(rule, entry.options, entry.severity)
    try:
        if rule.when is not None:
            items = list(filter(rule.when, cast("Sequence[ast.AST]", items)))
        if items:
            result.findings.extend(chain.from_iterable(map(entry.check, items, repeat(context))))
    except Exception as error:  # noqa: BLE001 (a rule may throw anything; the run goes on and names it)
        _note(context.view, result, name, error)
    if items:
        asked = context.view.names.elsewhere.take_recent()
        if asked:
            result.asked[name] = tuple(sorted(asked.union(result.asked.get(name, ()))))
        looked_at = len(items) - context.declined
        if looked_at > 0:
            result.opportunities[name] = result.opportunities.get(name, 0) + looked_at
    times, key = result.times, entry.label
    times[key] = times.get(key, 0.0) + perf_counter() - started


def _file_facts(view: FileView, module: str, result: FileResult) -> list[Fact]:
    started = perf_counter()
    analysis = cast("FileAnalysis", _module(module))
    facts: list[Fact] = []
    try:
        for fact in analysis.facts(view.source, view.names):
            if isinstance(fact, Coarse):
                result.coarse += (f"{result.path}:{fact.location.line} {fact.name}",)
            else:
                facts.append(fact)
    except Exception as error:  # noqa: BLE001 (as for rules)
        _note(view, result, module, error)
    result.times[_label(module)] = perf_counter() - started
    return facts


def _extract(view: FileView, module: str, result: FileResult, *, live: bool) -> None:
    started = perf_counter()
    analysis = cast("ProjectAnalysis", _module(module))
    try:
        value = analysis.extract(view.source, view.names)
        if value is not None:
            extract = Extract(value=value)
            if not live:
                _ = extract.data  # what it is made of is the analysis's business
            result.extracts[module] = extract
    except Exception as error:  # noqa: BLE001 (as for rules)
        _note(view, result, module, error)
    result.times[_label(module)] = perf_counter() - started


def _module(name: str) -> object:
    """A module that is imported already after the first file; asking `importlib` each time takes long."""
    return sys.modules.get(name) or importlib.import_module(name)


def _label(module: str) -> str:
    return "analysis:" + module.removeprefix("charter.analysis.")


def problem(path: str, message: str, remedy: str) -> Problem:
    """What keeps a file, or a part of it, from being checked; its place is the file's beginning."""
    return Problem(Location(path, Span(0, 0), 1, 0, 1, 0), message, remedy)


def _note(view: FileView, result: FileResult, part: str, error: Exception) -> None:
    """Note that a part threw on a file: a fault of Charter's, unless the file is nested too deeply for it."""
    if isinstance(error, RecursionError) and view.source.index.depth() > _DEEP:
        message = f"the code is nested too deeply for `{part}`, which has left it out"
        found = problem(result.path, message, "break up the longest expression")
        result.problems = (*result.problems, found)
    else:
        result.failures.append(failure(result.path, part, error))


def failure(path: str, part: str, error: Exception) -> Failure:
    """Describe an exception of one of Charter's parts without its local values, which may hold secrets."""
    frame = error.__traceback__
    place = ""
    while frame is not None:
        code = frame.tb_frame.f_code
        place = f"{'/'.join(code.co_filename.replace(chr(92), '/').split('/')[-3:])}:{frame.tb_lineno}"
        frame = frame.tb_next
    text = str(error).partition("\n")[0][:200]
    return Failure(path, part, f"{type(error).__name__}: {text}" if text else type(error).__name__, place)
