"""A rule as a value: a typed function with its metadata. It knows not how rules are found or run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, field

from charter.api.principle import Pillar
from charter.api.regex import regex
from charter.api.severity import Confidence, Severity

if TYPE_CHECKING:
    from charter.api.context import Context
    from charter.api.facts import Fact
    from charter.api.finding import Finding

S = TypeVar("S")
"""What a rule subscribes to: an `ast` node type or a fact type."""

_CODE = regex(r"[A-Z]{1,6}\d{3}")
_PILLARS = {"SEC": Pillar.SECURITY, "MNT": Pillar.MAINTAINABILITY, "PRF": Pillar.PERFORMANCE}


class Rule(Struct, Generic[S], frozen=True, eq=False):
    """A check of one kind of fact.

    Attributes:
        check: the function; called with each fact and the context, it yields findings.
        subscribes: the exact types of the facts it wants; `ast` node types or fact types.
        code: the short handle, such as `SEC031`.
        principles: slugs of the principles it is evidence for, the main one first.
        severity: how bad its findings are unless they say otherwise.
        confidence: how sure it is unless a finding says otherwise.
        cwe: numbers of the weaknesses.
        calls: qualified names of calls it wants, for rules on `ast.Call`; `*.execute` for a method of any
            receiver. () wants every call.
        attributes: identifiers of the attributes it wants, for rules on `ast.Attribute`; only those that are read
            are looked at then. None given wants every attribute.
        mentions: identifiers of which at least one must stand in the file's text; () for no condition.
        when: a cheap look at a node alone; those for which it is false are not looked at, and are no opportunities.
            None wants every node.
        in_tests: for rules on nodes: True if it is about tests only, so that other files are not looked at, False if
            it is about other files only; None for both.
        kinds: kinds of the fact it wants, for fact types that have a `kind`; () wants all.
        default: whether it is on unless the settings say otherwise.
        excused_by: fact types; where one of them is published for the place of a finding, there is none.
        aliases: ids of other tools' rules that it stands for (`B506`, `S506`), honoured in `# nosec` and `# noqa`.
        options: its options with their default values.
        references: addresses to read on.
        module: dotted name of the Python module that defines it.
        docstring: its documentation as it stands in the module, Markdown, with the example blocks.
    """

    check: Callable[[S, Context], Iterable[Finding]]
    subscribes: tuple[type[S], ...]
    code: str
    principles: tuple[str, ...]
    severity: Severity = Severity.MEDIUM
    confidence: Confidence = Confidence.HIGH
    cwe: tuple[int, ...] = ()
    calls: tuple[str, ...] = ()
    attributes: frozenset[str] = frozenset()
    mentions: tuple[str, ...] = ()
    when: Callable[[S], bool] | None = None
    in_tests: bool | None = None
    kinds: tuple[str, ...] = ()
    default: bool = True
    excused_by: tuple[type[Fact], ...] = ()
    aliases: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    references: tuple[str, ...] = ()
    module: str = ""
    docstring: str = ""

    def __post_init__(self) -> None:
        """Refuse what can never work.

        Raises:
            ValueError: for a malformed code, or no principle.
        """
        if not _CODE.fullmatch(self.code):
            raise ValueError(f"rule `{self.name}`: code {self.code!r} is not of the form SEC031")
        if not self.principles:
            raise ValueError(f"rule `{self.name}` serves no principle")

    @property
    def name(self) -> str:
        """The rule's identity, in kebab case: its function's name."""
        return self.check.__name__.replace("_", "-")

    @property
    def doc(self) -> str:
        """Its documentation, without the indentation that it has in the module."""
        import inspect

        return inspect.cleandoc(self.docstring)

    @property
    def title(self) -> str:
        """The first line of its documentation, without the full stop."""
        return self.docstring.lstrip().partition("\n")[0].rstrip().rstrip(".")

    @property
    def pillar(self) -> Pillar | None:
        """The pillar that the code's letters name; None for a team's own letters."""
        return _PILLARS.get(self.code[:-3])


def rule(
    *subscribes: type[S],
    code: str,
    principles: tuple[str, ...],
    severity: Severity = Severity.MEDIUM,
    confidence: Confidence = Confidence.HIGH,
    cwe: tuple[int, ...] = (),
    calls: tuple[str, ...] = (),
    attributes: tuple[str, ...] = (),
    mentions: tuple[str, ...] = (),
    when: Callable[[S], bool] | None = None,
    in_tests: bool | None = None,
    kinds: tuple[str, ...] = (),
    default: bool = True,
    excused_by: tuple[type[Fact], ...] = (),
    aliases: tuple[str, ...] = (),
    options: Mapping[str, object] | None = None,
    references: tuple[str, ...] = (),
) -> Callable[[Callable[[S, Context], Iterable[Finding]]], Rule[S]]:
    """Make a function into a rule; the arguments are `Rule`'s attributes of the same names.

    Returns:
        A decorator. The function's name gives the rule's name, its docstring the documentation.
    """

    def decorate(check: Callable[[S, Context], Iterable[Finding]]) -> Rule[S]:
        return Rule(
            check=check,
            subscribes=subscribes,
            code=code,
            principles=principles,
            severity=severity,
            confidence=confidence,
            cwe=cwe,
            calls=calls,
            attributes=frozenset(attributes),
            mentions=mentions,
            when=when,
            in_tests=in_tests,
            kinds=kinds,
            default=default,
            excused_by=excused_by,
            aliases=aliases,
            options=dict(options or {}),
            references=references,
            module=check.__module__,
            docstring=check.__doc__ or "",
        )

    return decorate


AnyRule = Rule[Any]
"""A rule of any subscription."""
