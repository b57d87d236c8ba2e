"""Proves fixes before anyone sees them: a fix must change something, parse, remove its finding and bring no new one.

A SAFE fix must also lose no comment and leave the tree outside its edits equal; one that is doubted becomes a
suggestion and says which doubt. Nothing is written here.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from charter.api import Grade
from charter.engine.plan import wanted_analyses
from charter.engine.project import finish, settle
from charter.mend.compile import EditError, apply_edits, compile_edits
from charter.mend.inert import is_inert, is_silent_alike
from charter.mend.same import lost_comments, same_outside
from charter.syntax.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from charter.api import AnyEdit, Edit, Fact, Finding, Fix
    from charter.engine.check import FileResult
    from charter.engine.plan import Plan
    from charter.engine.project import Project
    from charter.engine.reduce import ProjectFacts, Reducer


_REMEMBERED: Final = 3
"""So many states of the project are remembered by who is asked: proofs of many fixes come back to what holds already."""

Pair = tuple["Finding", "Fix"]
"""A finding and one of its fixes."""

_State = tuple["dict[str, FileResult]", "ProjectFacts"]
"""What checking changed files gave, and what analyses said of it."""

_Counts = Counter[tuple[str, str, str]]
"""Numbers of findings by path, rule and symbol."""


class Objection(Struct, frozen=True):
    """What speaks against changes.

    Attributes:
        reason: in words for a person.
        rule: the rule whose findings remain or come.
        places: how many findings remain or come, by path and symbol, as far as they can be told from others.
    """

    reason: str
    rule: str
    places: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


class Draft(Struct, frozen=True):
    """Fixes made into new texts, not proved yet.

    Attributes:
        pairs: the fixes and their findings.
        edits: the text edits by path, ordered; they do not meet.
        new: the changed files as they would be.
        inert: whether only those that can tell docstrings or causes need to look at it.
    """

    pairs: tuple[Pair, ...]
    edits: Mapping[str, tuple[Edit, ...]]
    new: Mapping[str, Source]
    inert: bool = False

    def unread(self) -> Draft:
        """The same, with nothing kept of what was read out of the new texts: trees of many files take much memory."""
        return replace(self, new={path: source.anew(source.text) for path, source in self.new.items()})


class Proved(Struct, frozen=True):
    """A fix that may be offered.

    Attributes:
        fix: the fix, downgraded if it was doubted.
        edits: the text edits by path, ordered; they do not meet.
        texts: the changed files' new texts by path.
    """

    fix: Fix
    edits: Mapping[str, tuple[Edit, ...]]
    texts: Mapping[str, str]


class Refused(Struct, frozen=True):
    """A fix that must not be offered.

    Attributes:
        fix: the fix.
        reason: why, in words for a person.
        places: where, as `Objection` has them.
    """

    fix: Fix
    reason: str
    places: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


class Prover:
    """Proves fixes against one state of a project.

    Args:
        project: the project.
        results: what checking its files gave; files that are not among them are checked when needed.
        reducer: the solvers, holding every file of the project, for findings that need the whole; None if no
            enabled rule does.
        source_of: gives a file as the rules saw it; by default the project's.
        complete: whether what checking changed files gives is to be complete, for somebody who goes on with it. If
            not, changes that most checks cannot tell are shown only to the others.
    """

    def __init__(
        self,
        project: Project,
        results: Mapping[str, FileResult] | None = None,
        reducer: Reducer | None = None,
        source_of: Callable[[str], Source] | None = None,
        *,
        complete: bool = False,
    ) -> None:
        self._project = project
        self._results = dict(results or {})
        self._reducer = reducer
        self._source_of = source_of or project.source
        self._complete = complete
        self._sources: dict[str, Source] = {}
        self._facts: ProjectFacts | None = None
        self._lately: dict[frozenset[str] | None, deque[_State]] = defaultdict(
            lambda: deque(maxlen=_REMEMBERED)
        )
        self._counts: dict[tuple[str, bool, bool], tuple[FileResult, Sequence[Fact], _Counts]] = {}

    def prove(self, finding: Finding, fix: Fix) -> Proved | Refused:
        """Prove one fix of one finding."""
        return self.prove_together([(finding, fix)])

    def prove_together(self, pairs: Sequence[Pair]) -> Proved | Refused:
        """Prove that fixes, applied at once, remove all their findings and bring no new one.

        Returns:
            A proof whose fix is the first one, with the lowest grade of all.
        """
        draft = self.draft(pairs)
        if isinstance(draft, Refused):
            return draft
        fresh = self.check(draft)
        wrong = self.wrong_in_files(draft, fresh) or self.wrong_in_project([draft], fresh).get(0)
        return Refused(pairs[0][1], wrong.reason, wrong.places) if wrong else self.graded(draft)

    def draft(self, pairs: Sequence[Pair]) -> Draft | Refused:
        """Make fixes into texts; refused if they do not fit, change nothing or do not parse."""
        first = pairs[0][1]
        if any(self._is_notebook_on_disk(finding.path) for finding, _ in pairs):
            return Refused(first, "a notebook is mended in its editor")
        try:
            edits = self.edits(pairs)
        except EditError as error:
            return Refused(first, str(error))
        texts = {path: apply_edits(self.source(path).text, made) for path, made in edits.items()}
        texts = {path: text for path, text in texts.items() if text != self.source(path).text}
        if not texts:
            return Refused(first, "it changes nothing")
        new = {path: self.source(path).anew(text) for path, text in texts.items()}
        for path, source in new.items():
            if len(source.problems) > len(self._result(path).problems):
                return Refused(first, "its result does not parse")
        made = {path: edits[path] for path in texts}
        return Draft(tuple(pairs), made, new, not self._complete and self._is_inert(pairs, made, new))

    def _is_inert(
        self, pairs: Sequence[Pair], edits: Mapping[str, Sequence[Edit]], new: Mapping[str, Source]
    ) -> bool:
        rules = {finding.rule for finding, _ in pairs}
        return all(
            not source.problems
            and rules <= {entry.rule.name for entry in self._inert_plan(path).entries}
            and is_inert(source, edits[path])
            and is_silent_alike(self.source(path), self._result(path).suppressions, source, edits[path])
            for path, source in new.items()
        )

    def _inert_plan(self, path: str) -> Plan:
        return self._project.planner.plan(path).inert

    def check(self, draft: Draft) -> dict[str, FileResult]:
        """What checking the changed files gives, each by itself; of an inert draft the extracts are put together."""
        if not draft.inert:
            return {path: self._project.check(source) for path, source in draft.new.items()}
        results: dict[str, FileResult] = {}
        for path, source in draft.new.items():
            plan = self._inert_plan(path)
            result = results[path] = self._project.check(source, plan)
            asked = {analysis.module for analysis in plan.analyses}
            known = self._result(path).extracts
            result.extracts.update({module: data for module, data in known.items() if module not in asked})
        return results

    def wrong_in_files(self, draft: Draft, fresh: Mapping[str, FileResult]) -> Objection | None:
        """What speaks against a draft, as far as the changed files tell by themselves; None if nothing."""
        before = self._count(draft, draft.new, self._result, None)
        after = self._count(draft, draft.new, fresh.__getitem__, None, draft.new)
        # What is only found in the whole project is for `wrong_in_project` to judge.
        return _compared(_counted_in(before, draft.pairs), before, after)

    def wrong_in_project(
        self,
        drafts: Sequence[Draft],
        fresh: Mapping[str, FileResult],
        besides: Mapping[str, FileResult] | None = None,
        rules: Iterable[str] | None = None,
    ) -> dict[int, Objection]:
        """What speaks against drafts that change different files, all made at once, by the draft's number.

        Args:
            drafts: what is to be judged.
            fresh: what checking the files that they change gave.
            besides: likewise of files that are changed already; where a draft changes one, it counts as it was.
            rules: only the analyses that these rules hear are asked, which spares the dear ones; None for all.
        """
        if self._reducer is None:
            return {}
        among = None if rules is None else self._heard(rules)
        new = {path: source for draft in drafts for path, source in draft.new.items()}
        besides = {path: result for path, result in (besides or {}).items() if path not in new}
        known = self._facts_with(besides, among)
        changed = self._facts_with({**besides, **{path: fresh[path] for path in new}}, among)

        def result_of(path: str) -> FileResult:
            return fresh[path] if path in new else self._result(path)

        wrong: dict[int, Objection] = {}
        for number, draft in enumerate(drafts):
            paths = self._concerned(finding for finding, _ in draft.pairs) | set(draft.new)
            before = self._count(draft, paths, self._result, known)
            after = self._count(draft, paths, result_of, changed, new)
            pairs = draft.pairs if among is None else _counted_in(before, draft.pairs)
            objection = _compared(pairs, before, after)
            if objection:
                wrong[number] = objection
        return wrong

    def _heard(self, rules: Iterable[str]) -> frozenset[str]:
        """The modules of the analyses that rules hear."""
        known = self._project.registry.by_name
        facts = {fact for rule in rules if rule in known for fact in known[rule].subscribes}
        return frozenset(analysis.module for analysis in wanted_analyses(facts))

    def graded(self, draft: Draft) -> Proved:
        """A draft that nothing speaks against, with the lowest grade of its fixes, downgraded if it is doubted."""
        grade = min((fix.grade for _, fix in draft.pairs), key=_TRUST.index)
        fix = self._doubted(replace(draft.pairs[0][1], grade=grade), draft.edits, draft.new)
        return Proved(fix, draft.edits, {path: source.text for path, source in draft.new.items()})

    def _is_notebook_on_disk(self, path: str) -> bool:
        """Whether edits of a file's text would not be edits of the file: an editor's cells are text, its file is JSON."""
        if not path.endswith(".ipynb"):
            return False
        from charter.syntax.notebook import Notebook

        return isinstance(self.source(path), Notebook)

    def source(self, path: str) -> Source:
        """A file as the rules saw it."""
        if path not in self._sources:
            self._sources[path] = self._source_of(path)
        return self._sources[path]

    def edits(self, pairs: Sequence[Pair]) -> dict[str, tuple[Edit, ...]]:
        """The text edits of some fixes by path.

        Raises:
            EditError: if one of them does not fit the text, or two of them meet.
        """
        by_path: dict[str, list[AnyEdit]] = {}
        for finding, fix in pairs:
            for edit in fix.edits:
                by_path.setdefault(edit.path or finding.path, []).append(edit)
        try:
            return {path: compile_edits(self.source(path), edits) for path, edits in by_path.items()}
        except (OSError, ValueError) as error:
            raise EditError(f"a file that it changes cannot be read: {error}") from error

    def _concerned(self, findings: Iterable[Finding]) -> set[str]:
        """The files whose results may hold the findings: one in a template is found with the code that renders it."""
        paths: set[str] = set()
        for finding in findings:
            if finding.path in self._project.modules or finding.path.endswith((".py", ".pyi", ".ipynb")):
                paths.add(finding.path)
            else:
                related = (place.location.path for place in finding.related)
                paths.update(path for path in related if path in self._project.modules)
        return paths

    def _count(
        self,
        draft: Draft,
        paths: Iterable[str],
        result_of: Callable[[str], FileResult],
        facts: ProjectFacts | None,
        sources: Mapping[str, Source] | None = None,
    ) -> _Counts:
        counts: _Counts = Counter()
        for path in paths:
            source = (sources or {}).get(path) or self.source(path)
            counts.update(self._counted(result_of(path), source, facts, inert=draft.inert))
        return counts

    def _counted(
        self, result: FileResult, source: Source, facts: ProjectFacts | None, *, inert: bool
    ) -> _Counts:
        """The number of findings of one file; counted again only if the project says other things of it.

        Of the states that drafts give a file only the last one is remembered: there are as many as fixes.
        """
        path = result.path
        own = () if facts is None else facts.facts.get(path, ())
        key = (path, inert, result is self._results.get(path))
        kept = self._counts.get(key)
        if kept is not None and kept[0] is result and kept[1] == own:
            return kept[2]
        plan = self._inert_plan(path) if inert else self._project.planner.plan(path)
        whole = result if facts is None else finish(self._project, result, facts, source, plan)
        found = [*chain.from_iterable(settle(self._project, whole, source))]
        rules = {entry.rule.name for entry in plan.entries} if inert else None
        counts = Counter(
            (one.path, one.rule, one.symbol) for one in found if rules is None or one.rule in rules
        )
        self._counts[key] = (result, own, counts)
        return counts

    def _result(self, path: str) -> FileResult:
        if path not in self._results:
            self._results[path] = self._project.check(self.source(path))
        return self._results[path]

    def _facts_with(
        self, fresh: Mapping[str, FileResult], among: frozenset[str] | None
    ) -> ProjectFacts | None:
        """The project's facts if some files were otherwise; the reducer is as before afterwards.

        Args:
            fresh: what checking these files gave.
            among: the modules of the analyses that are asked; None for all.
        """
        reducer = self._reducer
        if reducer is None:
            return None
        fresh = {path: one for path, one in fresh.items() if one.extracts != self._result(path).extracts}
        if not fresh and among is None:
            if self._facts is None:
                self._facts = reducer.solve()
            return self._facts
        for asked, facts in self._lately[among]:
            if asked.keys() == fresh.keys() and all(asked[path] is one for path, one in fresh.items()):
                return facts
        for path, result in fresh.items():
            reducer.update(path, result.extracts, self._result(path).extracts)
        try:
            facts = reducer.solve(to_judge=True, among=among)
        finally:
            for path, result in fresh.items():
                reducer.update(path, self._result(path).extracts, result.extracts)
        self._lately[among].append((fresh, facts))
        return facts

    def _doubted(self, fix: Fix, edits: Mapping[str, tuple[Edit, ...]], new: Mapping[str, Source]) -> Fix:
        if fix.grade is not Grade.SAFE:
            return fix
        for path, source in new.items():
            lost = lost_comments(self.source(path), source)
            if lost:
                return replace(
                    fix, grade=Grade.SUGGESTION, doubt=f"the comment `{lost[0][:60]}` would be lost"
                )
            if not same_outside(self.source(path), source, edits[path]):
                return replace(
                    fix, grade=Grade.SUGGESTION, doubt="code outside of the change would be read otherwise"
                )
        return fix


def _by_rule(counts: _Counts) -> Counter[tuple[str, str]]:
    """Numbers of findings by path and rule."""
    sums: Counter[tuple[str, str]] = Counter()
    for (path, rule, _), number in counts.items():
        sums[path, rule] += number
    return sums


def _counted_in(counts: _Counts, pairs: Iterable[Pair]) -> list[Pair]:
    """Those of the fixes whose findings are among what was counted."""
    pairs = list(pairs)
    had, asked = _by_rule(counts), Counter((finding.path, finding.rule) for finding, _ in pairs)
    return [pair for pair in pairs if had[key := (pair[0].path, pair[0].rule)] >= asked[key]]


def _compared(pairs: Iterable[Pair], before: _Counts, after: _Counts) -> Objection | None:
    """What speaks against fixes that are to remove their findings, by the numbers of findings; None if nothing."""
    removed = Counter((finding.path, finding.rule, finding.symbol) for finding, _ in pairs)
    had, has = _by_rule(before), _by_rule(after)
    for key, number in _by_rule(removed).items():
        if has[key] > had[key] - number:
            return Objection("the finding would remain", key[1], _places(key, before - removed, after))
    risen = next((key for key, number in has.items() if number > had[key]), None)
    if risen is None:
        return None
    return Objection(f"it would bring a finding of `{risen[1]}`", risen[1], _places(risen, before, after))


def _places(key: tuple[str, str], fewer: _Counts, more: _Counts) -> dict[tuple[str, str], int]:
    """How many more findings of a path and rule there are, by path and symbol."""
    return {
        (path, symbol): number
        for (path, rule, symbol), number in (more - fewer).items()
        if (path, rule) == key
    }


_TRUST = (Grade.SUGGESTION, Grade.UNSAFE, Grade.SAFE)
