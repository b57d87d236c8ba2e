"""Which rules run on a file, arranged for dispatch by node type. It reads no settings file and runs nothing."""

from __future__ import annotations

import ast
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from charter.analysis import ANALYSES, provider
from charter.api.facts.names import ImportedConstant, PassedValue
from charter.engine import bandit
from charter.syntax.source import words_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from charter.analysis import Analysis
    from charter.api import AnyRule, Finding, Principle, Severity
    from charter.engine.context import RuleContext
    from charter.engine.registry import Registry
    from charter.engine.settings import Override, Settings


_VOCABULARY: Final = 100_000
"""How many words of texts are remembered."""


class SelectionError(ValueError):
    """A selector names nothing. The message says which and offers the nearest names."""


class Entry(Struct, frozen=True, dict=True):
    """A rule as it is to run on a file.

    Attributes:
        rule: the rule.
        options: its options, the settings laid over its defaults.
        severity: what the settings make of its severity; None to leave it.
    """

    rule: AnyRule
    options: Mapping[str, object]
    severity: Severity | None = None

    @cached_property
    def name(self) -> str:
        """The rule's name, which is asked for on every file."""
        return self.rule.name

    @cached_property
    def check(self) -> Callable[[object, RuleContext], Iterable[Finding]]:
        """The rule's function, for whatever it is handed."""
        return cast("Callable[[object, RuleContext], Iterable[Finding]]", self.rule.check)

    @cached_property
    def label(self) -> str:
        """What the seconds that the rule takes are noted under."""
        return f"rule:{self.name}"


class Plan(Struct, frozen=True, eq=False, dict=True):
    """The enabled rules of a file.

    Attributes:
        entries: the rules, ordered by code.
        key: a digest of rules, options and severities, for caches.
        project_analyses: the analyses of project scope that run on every file of the project, whatever its overrides.
        inspector: runs bandit's tests; None if none of the rules wants what they report.
        purpose: what the project's metadata say that it is for.
    """

    entries: tuple[Entry, ...]
    key: str = ""
    project_analyses: tuple[Analysis, ...] | None = None
    inspector: bandit.Inspector | None = None
    purpose: str = ""

    @cached_property
    def node_entries(self) -> tuple[tuple[Entry, tuple[type[ast.AST], ...]], ...]:
        """The rules on nodes of the tree, each with its node types."""
        found: list[tuple[Entry, tuple[type[ast.AST], ...]]] = []
        for entry in self.entries:
            kinds = tuple(kind for kind in entry.rule.subscribes if issubclass(kind, ast.AST))
            if kinds:
                found.append((entry, kinds))
        return tuple(found)

    def mentioned(self, text: str, vocabulary: frozenset[str]) -> set[str]:
        """What a text with some words holds of that which rules on nodes must see before they are asked."""
        parts, phrases = self._mentions
        seen, telling = self._vocabulary
        if len(seen) > _VOCABULARY:
            # Emptied, they would be missed by another thread that is about to look into them.
            seen, telling = vars(self)["_vocabulary"] = set[str](), dict[str, list[str]]()
        # A project's files share most of their words: each is looked through once.
        fresh = vocabulary - seen
        together = " ".join(fresh)
        for part in [part for part in parts if part in together]:
            for word in fresh:
                if part in word:
                    telling.setdefault(word, []).append(part)
        seen |= fresh
        present = {part for word in telling.keys() & vocabulary for part in telling[word]}
        present.update(
            [phrase for phrase, word in phrases if (not word or word in present) and phrase in text]
        )
        return present

    @cached_property
    def _vocabulary(self) -> tuple[set[str], dict[str, list[str]]]:
        """Words that were met, and of some of them what rules must see."""
        return set(), {}

    @cached_property
    def _mentions(self) -> tuple[Sequence[str], Sequence[tuple[str, str]]]:
        """What some rule on nodes must see in the text: parts of words, and what reaches beyond one word with its longest."""
        parts: set[str] = set()
        phrases: list[tuple[str, str]] = []
        for mention in {mention for entry, _ in self.node_entries for mention in entry.rule.mentions}:
            word = max(words_in(mention), key=lambda word: (len(word), word), default="")
            if word:
                parts.add(word)
            if word != mention:
                phrases.append((mention, word))
        return tuple(parts), tuple(phrases)

    @cached_property
    def by_kind(self) -> Mapping[type[ast.AST], tuple[Entry, ...]]:
        """The rules on nodes by the types of nodes, but for calls that a rule chooses by what is called."""
        found: dict[type[ast.AST], list[Entry]] = {}
        for entry, kinds in self.node_entries:
            for kind in kinds:
                if kind is not ast.Call or not entry.rule.calls:
                    found.setdefault(kind, []).append(entry)
        return {kind: tuple(entries) for kind, entries in found.items()}

    @cached_property
    def calls(self) -> Mapping[str, tuple[tuple[Entry, frozenset[str], frozenset[str]], ...]]:
        """The calls that rules want, by the last part of the called name: the rule, full names, and their first parts.

        The full name "*" means any receiver.
        """
        table: dict[str, dict[str, tuple[Entry, set[str]]]] = {}
        for entry, kinds in self.node_entries:
            for name in entry.rule.calls if ast.Call in kinds else ():
                owner, _, last = name.rpartition(".")
                _, names = table.setdefault(last, {}).setdefault(entry.name, (entry, set()))
                names.add("*" if owner == "*" else name)
        return {
            last: tuple(
                (entry, frozenset(names), frozenset(name.partition(".")[0] for name in names))
                for entry, names in rules.values()
            )
            for last, rules in table.items()
        }

    @cached_property
    def fact_entries(self) -> Mapping[type, tuple[Entry, ...]]:
        """The rules on facts, by fact type."""
        found: dict[type, tuple[Entry, ...]] = {}
        for entry in self.entries:
            for kind in entry.rule.subscribes:
                if not issubclass(kind, ast.AST):
                    found[kind] = (*found.get(kind, ()), entry)
        return found

    @cached_property
    def excusable(self) -> tuple[Entry, ...]:
        """The rules of which facts of the project may take findings back."""
        return tuple(entry for entry, _ in self.node_entries if entry.rule.excused_by)

    @cached_property
    def repeatable(self) -> tuple[Entry, ...]:
        """The rules on nodes whose findings do not also come from facts about the file alone."""
        return tuple(
            entry
            for entry, _ in self.node_entries
            if all(
                issubclass(kind, ast.AST) or ((analysis := provider(kind)) is not None and analysis.project)
                for kind in entry.rule.subscribes
            )
        )

    @cached_property
    def inert(self) -> Plan:
        """What can tell a change that only begins docstrings or names the causes of exceptions."""
        return _inert(self)

    @cached_property
    def telling_facts(self) -> frozenset[type]:
        """The fact types that the rules speak about; any rule on nodes may ask what other files tell."""
        answers: set[type] = {ImportedConstant, PassedValue} if self.node_entries else set()
        return frozenset({*self.fact_entries, *answers})

    @cached_property
    def wanted_facts(self) -> frozenset[type]:
        """The fact types that the rules need: those that they speak about, and those that take findings back."""
        return self.telling_facts.union(kind for entry in self.excusable for kind in entry.rule.excused_by)

    @cached_property
    def analyses(self) -> tuple[Analysis, ...]:
        """The analyses that run on the file: those of project scope, and those whose facts a rule here wants."""
        own = wanted_analyses(self.wanted_facts)
        if self.project_analyses is None:
            return own
        return (*(analysis for analysis in own if not analysis.project), *self.project_analyses)


def wanted_analyses(facts: Iterable[type]) -> tuple[Analysis, ...]:
    """The analyses that publish some facts, in the order in which they run."""
    wanted = {analysis.module for fact in facts if (analysis := provider(fact)) is not None}
    return tuple(analysis for analysis in ANALYSES if analysis.module in wanted)


_CONCERNED: Final[frozenset[type]] = frozenset(
    {
        ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.If, ast.For, ast.AsyncFor, ast.While,
        ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.ExceptHandler, ast.Match, ast.match_case, ast.Expr,
        ast.Constant, ast.Raise, ast.Name,
    }
)  # fmt: skip
"""The nodes that docstrings and causes are made of, and those that they may lie in."""


def _inert(plan: Plan) -> Plan:
    """The part of a plan that can tell a docstring or a cause: rules and analyses, and what these rules need besides.

    Of the other project-scope analyses what is known of the file stays true, so that nothing is taken from it anew.
    """
    analyses = {one.module for one in plan.analyses if one.judges and not one.inert}
    providers = [[one for kind in entry.rule.subscribes if (one := provider(kind))] for entry in plan.entries]
    kept: tuple[Entry, ...] = ()
    while True:
        found = [
            (entry, own)
            for entry, own in zip(plan.entries, providers, strict=True)
            if not _CONCERNED.isdisjoint(entry.rule.subscribes) or any(one.module in analyses for one in own)
        ]
        if len(found) == len(kept):
            break
        kept = tuple(entry for entry, _ in found)
        analyses.update(one.module for _, own in found for one in own if not one.project)
    wanted = plan.project_analyses
    asked = any(bandit.BanditIssue in entry.rule.subscribes for entry in kept)
    return Plan(
        kept,
        plan.key + "-inert",
        None if wanted is None else tuple(one for one in wanted if one.module in analyses),
        plan.inspector if asked else None,
        plan.purpose,
    )


class Selector:
    """Chooses rules by name, code, code prefix, principle, pillar or another tool's id.

    Args:
        rules: every rule there is.
        principles: every principle there is.
    """

    def __init__(self, rules: Sequence[AnyRule], principles: Sequence[Principle] = ()) -> None:
        self._rules = tuple(rules)
        self._ids = {principle.id.lower(): principle.slug for principle in principles}
        self._pillars: dict[str, set[str]] = {}
        for principle in principles:
            self._pillars.setdefault(principle.pillar.value, set()).add(principle.slug)

    def matches(self, text: str) -> frozenset[str]:
        """The names of the rules that a selector means.

        Args:
            text: `all`, a rule's name or code, the beginning of a code (`SEC`), a principle's slug or id, a pillar,
                or an id that a rule stands for (`B506`).

        Raises:
            SelectionError: if it means nothing.
        """
        key = text.strip().lower().replace("_", "-")
        if key == "all":
            return frozenset(rule.name for rule in self._rules)
        slug = self._ids.get(key, key)
        slugs = self._pillars.get(key, {slug})
        chosen = {
            rule.name
            for rule in self._rules
            if key in {rule.name, rule.code.lower()}
            or key in {alias.lower() for alias in rule.aliases}
            or slugs.intersection(rule.principles)
        }
        if not chosen and key.isalnum():
            chosen = {rule.name for rule in self._rules if rule.code.lower().startswith(key)}
        if not chosen and slug not in self._known_slugs():
            raise SelectionError(f"`{text}` is no rule, code, principle or pillar{self._guess(key)}")
        return frozenset(chosen)

    def choose(
        self, select: Iterable[str] | None, extend: Iterable[str], ignore: Iterable[str]
    ) -> frozenset[str]:
        """The names of the enabled rules.

        Args:
            select: what to start from; None for the rules that are on by default.
            extend: what to add.
            ignore: what to take away; a rule that is selected by its own name or code stays.
        """
        chosen: set[str] = set()
        exact: set[str] = set()
        if select is None:
            chosen.update(rule.name for rule in self._rules if rule.default)
        for text in (*(select or ()), *extend):
            matched = self.matches(text)
            if len(matched) == 1:
                exact |= matched
            chosen |= matched
        for text in ignore:
            matched = self.matches(text)
            chosen -= matched if len(matched) == 1 else matched - exact
        return frozenset(chosen)

    def _known_slugs(self) -> set[str]:
        return {slug for slugs in self._pillars.values() for slug in slugs}

    def _guess(self, key: str) -> str:
        from difflib import get_close_matches

        known = [name for rule in self._rules for name in (rule.name, rule.code.lower())]
        known += [*self._ids, *self._known_slugs(), *self._pillars]
        close = get_close_matches(key, known, n=1)
        return f"; did you mean `{close[0]}`?" if close else "; `charter rules` lists them"


class Planner:
    """Makes the plans of a project's files; files under the same overrides share one.

    Args:
        registry: every rule there is.
        settings: the project's settings.
        principles: every principle there is, for selection by principle and pillar.
        select: selectors from the command line that replace those of the settings; None to keep them.
        ignore: selectors from the command line to take away besides.
        excuses: whether findings may be taken back by facts that say nothing else.

    Attributes:
        analyses: the analyses of project scope that some file of the project needs.
        excusable: the names of the rules whose findings facts of the project may take back.

    Raises:
        SelectionError: if a selector means nothing.
        ConfigurationError: of `bandit`, if the project's configuration of it cannot be followed.
    """

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        principles: Sequence[Principle] = (),
        *,
        select: Sequence[str] | None = None,
        ignore: Sequence[str] = (),
        excuses: bool = True,
    ) -> None:
        self._registry = registry
        self._settings = settings
        self._principles = tuple(principles)
        self._selector = Selector(registry.rules, principles)
        self._select = tuple(select) if select is not None else None
        self._ignore = tuple(ignore)
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._bandit = bandit.read(settings.root) if settings.bandit else None
        self.analyses: tuple[Analysis, ...] = ()
        self._suffix = "" if excuses else "-unexcused"
        self._retired = frozenset(principle.slug for principle in principles if principle.weight == 0)
        # An unknown selector is an error at once, not at the first file.
        plans = [
            self._make("", ()),
            *(self._make("", (override,)) for override in settings.per_file.values()),
        ]
        wanted = wanted_analyses({fact for plan in plans for fact in plan.wanted_facts})
        telling = wanted_analyses({fact for plan in plans for fact in plan.telling_facts})
        self.analyses = tuple(one for one in (wanted if excuses else telling) if one.project)
        self.excusable = frozenset(entry.name for plan in plans for entry in plan.excusable)
        self._excusing = frozenset(self.analyses).difference(telling)

    def without_excuses(self) -> Planner | None:
        """The same plans without the analyses that can only take findings back; None if each analysis does more."""
        if not self._excusing:
            return None
        return Planner(
            self._registry,
            self._settings,
            self._principles,
            select=self._select,
            ignore=self._ignore,
            excuses=False,
        )

    def plan(self, path: str) -> Plan:
        """The enabled rules of a file, given relative to the root."""
        overrides = self._settings.overrides(path) if path else ()
        key = tuple(map(id, overrides))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._make(path, overrides)
        return plan

    def _make(self, path: str, overrides: Sequence[Override]) -> Plan:
        settings = self._settings
        select, ignore = settings.select, [*settings.ignore, *self._ignore]
        for override in overrides:
            select = override.select if override.select is not None else select
            ignore.extend(override.ignore)
        if self._select is not None:
            select = self._select
        chosen = self._selector.choose(select, settings.extend_select, ignore)
        entries = tuple(
            Entry(
                rule,
                {**rule.options, **settings.rules.get(rule.name, {})},
                settings.severity_of(rule.name, path),
            )
            for rule in self._registry.rules
            if rule.name in chosen
            and not self._retired.issuperset(rule.principles)
            and (self._bandit is not None or bandit.BanditIssue not in rule.subscribes)
        )
        inspector = self._inspector(entries)
        purpose = self._settings.purpose
        key = plan_key(entries, inspector, purpose) + self._suffix
        return Plan(entries, key, self.analyses, inspector, purpose)

    def _inspector(self, entries: Iterable[Entry]) -> bandit.Inspector | None:
        listening = [entry.rule for entry in entries if bandit.BanditIssue in entry.rule.subscribes]
        if self._bandit is None or not listening:
            return None
        wanted = frozenset[str]().union(*(rule.kinds for rule in listening))
        return bandit.Inspector(self._bandit, wanted if all(rule.kinds for rule in listening) else None)


def plan_key(entries: Iterable[Entry], inspector: bandit.Inspector | None = None, purpose: str = "") -> str:
    """A digest of what can change a plan's findings, for caches; the rules' own code is in the cache's version."""
    digest = blake2b(purpose.encode(), digest_size=16)
    if inspector is not None:
        digest.update(inspector.configuration.digest.encode())
    for entry in entries:
        digest.update(
            f"{entry.rule.module}:{entry.rule.code}:{sorted(entry.options.items())}:{entry.severity}".encode()
        )
    return digest.hexdigest()
