"""One open document in the checking process: its statements and the findings in them, kept right through edits.

It knows the engine, not the protocol. Findings of statements that were not touched move along with the text; what
was touched is checked at once, and the whole file when there is time.
"""

from __future__ import annotations

import itertools
import os
import pickle
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from charter.analysis import provider
from charter.api import Span
from charter.api.facts.names import ImportedConstant, PassedValue
from charter.engine import suppress
from charter.engine.check import FileResult, check_nodes, check_source
from charter.engine.project import elsewhere_of, finish, says_less, settle
from charter.engine.reduce import ProjectFacts
from charter.lsp.marks import move
from charter.lsp.rows import SYNTAX_RULE, Row
from charter.syntax.document import Document
from charter.syntax.source import words_in

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable

    from charter.api import Fact, Finding, Related, Step
    from charter.engine.check import Failure
    from charter.engine.extract import Extract
    from charter.engine.plan import Plan
    from charter.lsp.homes import Home
    from charter.syntax.source import Source

_MAX_BYTES = 2_000_000
"""Characters above which a document is not checked while it is edited: generated data, not code that someone reads."""

Edits = tuple[tuple[int, int, str], ...]


class Held(Struct):
    """A finding at its place in the newest text.

    Attributes:
        start: offset of its first character.
        end: offset behind its last.
        finding: the finding; its own places are those of the text that it was found in.
        key: names it as long as the document is open.
        silent: whether a comment silences it.
        row: the finding as the server gets it, once it was made.
    """

    start: int
    end: int
    finding: Finding
    key: int
    silent: bool = False
    row: tuple[Any, ...] = ()


class Sheet:
    """One open document.

    Args:
        uri: its identifier.
        file: its absolute path; "" for a document that is no file.
        language: the client's name of its language.
        version: the version of its text.
        text: its text.
        home: its project.
        keys: gives names to findings; that of the document's former life, if it had one.
    """

    def __init__(
        self,
        uri: str,
        file: str,
        language: str,
        version: int,
        text: str,
        home: Home,
        keys: itertools.count[int] | None = None,
    ) -> None:
        self.uri = uri
        self.file = file
        self.language = language
        self.version = version
        self.home = home
        self.keys = keys or itertools.count(1)
        self.dirty = True
        self.complete = False
        self.touched = time.monotonic()
        self.result: FileResult | None = None
        self._held: list[Held] = []
        self._facts: ProjectFacts | None = None
        self._present: set[str] | None = None
        self._elsewhere: list[Fact] = []
        self._state = 0
        self._failures: list[Failure] = []
        self._told_failures: set[str] = set()
        self._extracts: dict[str, Extract] | None = None
        self._last_extracts: dict[str, Extract] | None = None
        self.move_to(home, text)

    def move_to(self, home: Home, text: str | None = None) -> None:
        """Check under other settings, or a fresh text."""
        text = self.text if text is None else text
        self.home = home
        self.path = home.relative(self.file) if self.file else "untitled.py"
        module, meant = (home.module(self.file), home.meant(self.file)) if self.file else ("", None)
        self.document = Document(self.path, text, module, meant)
        self.result = None
        self.dirty = True
        self.complete = False
        self._present = None
        self._off = self._is_off(text)

    @property
    def text(self) -> str:
        """The newest text."""
        return self.document.text

    @property
    def plan(self) -> Plan:
        """The rules for this file."""
        return self.home.project.planner.plan(self.path)

    def edit(self, version: int, edits: Edits) -> None:
        """Take edits; nothing is checked yet."""
        for start, end, new in edits:
            self.document.replace(start, end, new)
            delta = len(new) - (end - start)
            self._held = [held for held in self._held if move(held, start, end, delta)]
        self.version = version
        self.touched = time.monotonic()
        self.dirty = True
        self.complete = False

    def check_touched(self, pause: Callable[[], None]) -> None:
        """The first step: check the statements that edits touched."""
        refreshed = self.document.refresh()
        self.dirty = False
        if self._off:
            self.complete = True
        elif refreshed.whole:
            # There is nothing yet to fall back upon: what is newest is done first and whole.
            self.dirty = True
            self.check_whole(pause, settle_first=False)
        elif refreshed.nodes:
            self._check_nodes(refreshed.nodes, refreshed.lines)

    def check_whole(self, pause: Callable[[], None], *, settle_first: bool = True) -> None:
        """The second step: check the whole file.

        Args:
            pause: called now and then; what it raises ends the step.
            settle_first: whether to see if a text that was broken in parts parses as a whole after all.
        """
        if settle_first:
            self.document.settle()
        settings = self.home.project.settings
        source = self.document.source
        result = check_source(
            source,
            self.plan,
            python=settings.oldest_python,
            is_test=settings.is_test(self.path),
            pause=pause,
            elsewhere=elsewhere_of(self._elsewhere, settings.is_test),
        )
        self._failures += result.failures
        if result.extracts != self._last_extracts:
            self._extracts = self._last_extracts = result.extracts
            self._facts = None
            self._state += 1
        self._take(result)
        self.dirty = False
        self.complete = True

    def give_up(self) -> None:
        """Leave it at the findings there are, until the text changes."""
        self.dirty = False
        self.complete = True

    def take_facts(self, number: int, data: bytes) -> bool:
        """Take what only the whole project could tell of this file.

        Args:
            number: the state of the file that it is about.
            data: facts and opportunities, pickled by our own indexing process.

        Returns:
            Whether findings may have changed.
        """
        if number != self._state:
            return False
        facts, opportunities = pickle.loads(data)  # noqa: S301 (written by our own process)
        self._elsewhere = [fact for fact in facts if isinstance(fact, (ImportedConstant, PassedValue))]
        self._facts = ProjectFacts({self.path: facts}, {self.path: opportunities})
        if self.complete and self.result is not None:
            self._take(self.result)
            return True
        return False

    def rows(self) -> list[tuple[Any, ...]]:
        """The findings for the server: start, end and what was found."""
        shown = self.shown()
        for held in shown:
            held.row = held.row or row_of(held.finding, held.key, self.home.root, self.path)
        rows = [(held.start, held.end, held.row) for held in shown]
        problems = () if self._off or self.document.unread else self.document.source.problems
        if problems:
            first = problems[0]
            row = Row(0, SYNTAX_RULE, "", first.message, 3)
            rows.insert(0, (first.location.span.start, first.location.span.end, tuple(row)))
        return rows

    def held(self, key: int) -> Held | None:
        """The finding of this name; None also where the code does not parse now, so that nothing can be proved."""
        found = next((held for held in self._held if held.key == key), None)
        broken = _spans(self.document.source, self.document.broken_lines)
        return None if found is None or _within(broken, found) else found

    def findings(self) -> list[Held]:
        """All findings that are not silenced."""
        return [held for held in self._held if not held.silent]

    def shown(self) -> list[Held]:
        """The findings that are shown: those that another one says better are left out."""
        return _distinct(self.findings())

    def take_failures(self) -> list[Failure]:
        """Rules and analyses that threw and were not told of yet."""
        fresh = [failure for failure in self._failures if failure.part not in self._told_failures]
        self._told_failures.update(failure.part for failure in fresh)
        self._failures = []
        return list({failure.part: failure for failure in fresh}.values())

    def take_extracts(self) -> tuple[int, dict[str, bytes]] | None:
        """What the project needs to know of this file, with a number that names the state, if that changed."""
        extracts, self._extracts = self._extracts, None
        if extracts is None:
            return None
        return self._state, {module: extract.data for module, extract in extracts.items()}

    def repeat_extracts(self) -> None:
        """Give what the project needs to know of this file once more, for an index that starts anew."""
        self._last_extracts = None
        self.complete = self.complete and self._off

    def _is_off(self, text: str) -> bool:
        return len(text) > _MAX_BYTES or bool(self.file and self.home.excludes(self.file))

    def _check_nodes(self, nodes: dict[type[ast.AST], list[ast.AST]], lines: list[tuple[int, int]]) -> None:
        settings = self.home.project.settings
        self.document.recover()
        source = self.document.source
        plan = self.plan
        spans = _spans(source, lines)
        result = check_nodes(
            source,
            plan,
            nodes,
            python=settings.oldest_python,
            is_test=settings.is_test(self.path),
            elsewhere=elsewhere_of(self._elsewhere, settings.is_test),
            present=self._words(plan, spans),
        )
        self._failures += result.failures
        on_nodes = {entry.rule.name for entry, _ in plan.node_entries}
        kept = [held for held in self._held if held.finding.rule not in on_nodes or not _within(spans, held)]
        known = {(held.start, held.end, held.finding.rule, held.finding.message) for held in kept}
        fresh = [
            finding
            for finding in result.findings
            if (*finding.location.span, finding.rule, finding.message) not in known
        ]
        sorted_ = suppress.apply(source, fresh, self.home.project.registry) if fresh else suppress.Sorted()
        names = {_identity(held): held.key for held in self._held}
        kept += self._hold(sorted_.kept, names=names)
        kept += self._hold(sorted_.silenced, silent=True, names=names)
        kept.sort(key=lambda held: (held.start, held.end, held.finding.code))
        self._held = kept

    def _words(self, plan: Plan, spans: list[Span]) -> set[str]:
        """The words that rules ask for and that are in the text, or were: what is new is looked for in what was edited."""
        if self._present is None:
            self._present = plan.mentioned(self.text, words_in(self.text))
        for span in spans:
            edited = self.text[span.start : span.end]
            self._present |= plan.mentioned(edited, words_in(edited))
        return self._present

    def _take(self, result: FileResult) -> None:
        """Take the findings of a check of the whole file; those known before keep their names.

        Of a statement that does not parse now, what was found while it did stays: half of it says less than all of it.
        """
        project = self.home.project
        source = self.document.source
        broken = _spans(source, self.document.broken_lines) if self.result is not None else []
        self.result = result
        waiting: list[Held] = []
        if self._facts is not None:
            result = finish(project, result, self._facts, source)
        else:
            # Until the project was solved anew, its older findings stay where they moved to.
            late = project_rules(self.plan)
            waiting = [held for held in self._held if held.finding.rule in late]
        kept, silenced = settle(project, result, source)
        names = {_identity(held): held.key for held in self._held}
        fresh = self._hold(kept, names=names) + self._hold(silenced, silent=True, names=names) + waiting
        if broken:
            older = [held for held in self._held if _within(broken, held)]
            fresh = [held for held in fresh if not _within(broken, held)] + older
        self._held = fresh
        self._held.sort(key=lambda held: (held.start, held.end, held.finding.code))

    def _hold(
        self,
        findings: Iterable[Finding],
        *,
        names: dict[tuple[int, int, str, str], int],
        silent: bool = False,
    ) -> list[Held]:
        made: list[Held] = []
        for finding in findings:
            span = span_in(self.path, finding)
            if span is None:
                continue
            held = Held(*span, finding, 0, silent)
            key = names.get(_identity(held))
            held.key = next(self.keys) if key is None else key
            made.append(held)
        return made


def project_rules(plan: Plan) -> frozenset[str]:
    """The names of a plan's rules that wait for what only the whole project can tell."""
    late: set[str] = set()
    for kind, entries in plan.fact_entries.items():
        analysis = provider(kind)
        if analysis is not None and analysis.project:
            late.update(entry.rule.name for entry in entries)
    return frozenset(late)


def _distinct(findings: list[Held]) -> list[Held]:
    """The findings without those that say less of a place than a flow that was followed to it does."""
    flows = [held for held in findings if held.finding.flow]

    def said(held: Held) -> bool:
        return any(
            flow.start < held.end and held.start < flow.end and says_less(held.finding, flow.finding)
            for flow in flows
        )

    return [held for held in findings if not said(held)] if flows else findings


def span_in(path: str, finding: Finding) -> Span | None:
    """Where a file shows a finding: at its place, or for one in a template at the code that leads there."""
    if finding.path == path:
        return finding.location.span
    return next((place.location.span for place in finding.related if place.location.path == path), None)


def row_of(finding: Finding, key: int, root: Path, path: str) -> tuple[Any, ...]:
    """A finding as `rows.Row`, for the server to show in a file."""
    at = finding.location
    return tuple(
        Row(
            key,
            finding.rule,
            finding.code,
            finding.message if finding.path == path else f"{finding.path}:{at.line}: {finding.message}",
            int(finding.severity),
            int(finding.confidence),
            finding.principles,
            finding.tags,
            tuple(_place(str(root), related) for related in finding.related),
            tuple(_place(str(root), step) for step in finding.flow),
            tuple((fix.title, fix.grade.value) for fix in finding.fixes),
            None if finding.path == path else _place(str(root), finding),
        )
    )


def _spans(source: Source, lines: Iterable[tuple[int, int]]) -> list[Span]:
    """The text of whole lines, given by the first and the last of each range."""
    at = source.positions.at
    return [Span(at(first, 0), at(last + 1, 0)) for first, last in lines]


def _within(spans: Iterable[Span], held: Held) -> bool:
    return any(span.start <= held.start < max(span.end, span.start + 1) for span in spans)


def _identity(held: Held) -> tuple[int, int, str, str]:
    return held.start, held.end, held.finding.rule, held.finding.message


def _place(root: str, place: Related | Step | Finding) -> tuple[str, int, int, int, int, str]:
    at = place.location
    return f"{root}{os.sep}{at.path}", at.line, at.column, at.end_line, at.end_column, place.message
