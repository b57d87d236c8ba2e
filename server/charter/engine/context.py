"""What a rule may ask about its file: the fulfilment of `api.Context`. It runs no rule and reaches no disk."""

from __future__ import annotations

import ast
import hashlib
import re
from bisect import bisect_right
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace

from charter.api import (
    Edit,
    Finding,
    InsertStatement,
    Related,
    RemoveArgument,
    RemoveStatement,
    SetKeyword,
    Span,
    regex,
)
from charter.model.names import COMPREHENSIONS, FUNCTIONS, Names, last_name
from charter.model.questions import about_parameter, about_result

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from charter.api import AnyRule, Confidence, Fix, Location, Severity, Step
    from charter.api.context import FunctionNode
    from charter.api.facts.names import PassedValue
    from charter.model.elsewhere import Elsewhere
    from charter.model.types import Types
    from charter.model.usual import Usual
    from charter.model.values import Values
    from charter.syntax.source import Source

N = TypeVar("N", bound=ast.AST)
T = TypeVar("T")
Place = "ast.AST | Span | Location"

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_TELLING = frozenset({*_LOOPS, ast.comprehension, *COMPREHENSIONS, *FUNCTIONS, ast.Lambda, ast.ClassDef})
"""The nodes that can tell whether what stands in them is repeated."""
_SPACE = regex(r"\s+")


class FileView:
    """One file with its names, values and types, shared by the contexts of all rules.

    Args:
        source: the file.
        python: the oldest Python version that the project supports.
        is_test: whether the file belongs to a test suite.
        elsewhere: the constants of other files; None if nothing is known of them.
        symbols: what `symbols` gave before for the same text.

    Attributes:
        made: what rules have made of the file for all of them, by the functions that made it.
    """

    def __init__(
        self,
        source: Source,
        python: tuple[int, int] = (3, 11),
        *,
        is_test: bool = False,
        elsewhere: Elsewhere | None = None,
        symbols: Sequence[tuple[int, int, str]] | None = None,
    ) -> None:
        if symbols is not None:
            self.__dict__["symbols"] = symbols  # in the place where `cached_property` looks
        self.source = source
        self.python = python
        self.is_test = is_test
        self.names = Names(source, elsewhere)
        self.made: dict[object, Any] = {}

    @cached_property
    def values(self) -> Values:
        """Constants of the file."""
        from charter.model.values import Values

        return Values(self.source, self.names)

    @cached_property
    def usual(self) -> Usual:
        """Constants of the file where nobody says otherwise."""
        from charter.model.usual import Usual

        return Usual(self.source, self.names)

    @cached_property
    def types(self) -> Types:
        """Classes of the file's values."""
        from charter.model.types import Types

        return Types(self.source, self.names)

    @cached_property
    def symbols(self) -> Sequence[tuple[int, int, str]]:
        """The file's functions and classes: first and last line, 1-based, and qualified name, those inside last."""
        spans = [
            (node.lineno, -(node.end_lineno or 0), node.name)
            for kind in (*FUNCTIONS, ast.ClassDef)
            for node in self.source.nodes(kind)
        ]
        found: list[tuple[int, int, str]] = []
        around: list[tuple[int, str]] = []
        for first, last, name in sorted(spans):
            # No definition begins on the line where another one ends.
            while around and around[-1][0] < first:
                around.pop()
            symbol = f"{around[-1][1]}.{name}" if around else name
            around.append((-last, symbol))
            found.append((first, -last, symbol))
        return found

    def symbol_at(self, line: int) -> str:
        """The qualified name, within the module, of the innermost definition whose lines hold a 1-based line."""
        at = bisect_right(self.symbols, line, key=_first)
        return next((name for _, last, name in reversed(self.symbols[:at]) if last >= line), "")

    def calls_by_name(self, calls: Iterable[ast.Call], wanted: Container[str]) -> dict[str, list[ast.Call]]:
        """Those of some calls whose called name has a wanted last part, import aliases undone, by that part."""
        found: dict[str, list[ast.Call]] = {}
        aliases = self._aliases()
        for call in calls:
            function = call.func
            if type(function) is ast.Attribute:
                name = function.attr
            elif type(function) is ast.Name:
                name = aliases.get(function.id, function.id)
            else:
                continue
            if name in wanted:
                found.setdefault(name, []).append(call)
        return found

    def prepared(self, calls: Iterable[ast.Call], wanted: Container[str]) -> Iterator[ast.Call]:
        """Calls of names with a wanted last part that `functools.partial` makes ready: each is given more arguments later."""
        for call in self.calls_by_name(calls, {"partial"}).get("partial", ()):
            if not call.args or last_name(call.args[0]) not in wanted:
                continue
            if self.names.qualified(call.func) == "functools.partial":
                yield self.source.index.stand_in(call, _later)

    def finished(
        self, calls: Iterable[ast.Call], wanted: Container[str]
    ) -> Iterator[tuple[ast.Call, ast.Call]]:
        """Those of some calls that give the rest to a prepared call which is kept under a name: each behind the prepared one."""
        kept: dict[str, tuple[ast.expr, ast.Call]] = {}
        for ready in self.prepared(self.source.nodes(ast.Call), wanted):
            statement = self.source.parent(ready)
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                kept[statement.targets[0].id] = (statement.value, ready)
        for call in calls if kept else ():
            if isinstance(call.func, ast.Name) and call.func.id in kept:
                value, ready = kept[call.func.id]
                found = self.names.lookup(call.func.id, call.func)
                if found is not None and [binding.value for binding in found[1]] == [value]:
                    yield ready, self.source.index.stand_in(call, partial(_together, ready))

    def _aliases(self) -> dict[str, str]:
        """Local names of things that are called otherwise where they come from: their last name there."""
        found: dict[str, str] = {}
        for kind in (ast.Import, ast.ImportFrom):
            for statement in self.source.nodes(kind):
                for alias in statement.names:
                    if alias.asname:
                        found[alias.asname] = alias.name.rpartition(".")[2]
        for assignment in self.source.nodes(ast.Assign):
            target = assignment.targets[0]
            if type(assignment.value) is ast.Attribute and type(target) is ast.Name:
                found.setdefault(target.id, assignment.value.attr)
        return found


def _later(call: ast.Call) -> ast.Call:
    """The call `function(1, *more, key=2, **more)` for `partial(function, 1, key=2)`."""
    more = ast.Name("**more", ast.Load())
    arguments: list[ast.expr] = [*call.args[1:], ast.Starred(more, ast.Load())]
    keywords = [*call.keywords, ast.keyword(None, more)]
    made = ast.Call(call.args[0], arguments, keywords)
    for node in (more, arguments[-1], keywords[-1], made):
        ast.copy_location(node, call)
    return made


def _together(ready: ast.Call, call: ast.Call) -> ast.Call:
    """The call `function(1, 3, key=2, other=4)` for `later(3, other=4)`, where `later` is `partial(function, 1, key=2)`."""
    given = {keyword.arg for keyword in call.keywords}
    kept = [keyword for keyword in ready.keywords[:-1] if keyword.arg is None or keyword.arg not in given]
    made = ast.Call(ready.func, [*ready.args[:-1], *call.args], [*kept, *call.keywords])
    return ast.copy_location(made, call)


class RuleContext:
    """One file as a rule sees it; the documentation of its members is that of `api.Context`.

    The rules run one after the other, so one context serves all of them. What they ask for most often is kept as it is
    asked for: a function in between would be felt.

    Args:
        view: the file.

    Attributes:
        view: the file.
        purpose: what the project's metadata say that it is for.
        declined: how often the rule has said that what it was handed is none of its business.
    """

    def __init__(self, view: FileView, purpose: str = "") -> None:
        source = view.source
        self.purpose = purpose
        self.view = view
        self._source = source
        self._rule = cast("AnyRule", object())  # until it serves one
        self.options: Mapping[str, object] = {}
        self._severity: Severity | None = None
        self.declined = 0
        self.path = source.path
        self.text = source.text
        self.module = source.module
        self.python = view.python
        self.is_test = view.is_test
        self.span = source.span
        self.location = source.location
        self.source = source.segment

    def serve(self, rule: AnyRule, options: Mapping[str, object], severity: Severity | None = None) -> None:
        """Be the context of a rule from now on.

        Args:
            rule: the rule.
            options: the rule's options for this file.
            severity: the severity that the settings give the rule, if they do.
        """
        self._rule = rule
        self._severity = severity
        self.options = options
        self.declined = 0

    def option(self, name: str, kind: type[T]) -> T:
        value: Any = self.options[name]
        if type(value) is kind:
            return value
        if kind is not float or type(value) is not int:
            raise TypeError(f"the option `{name}` of `{self._rule.name}` is no {kind.__name__}")
        return kind(value)  # as numbers without a fraction are written in the settings

    @cached_property
    def tree(self) -> ast.Module:
        return self._source.tree

    # Places
    def name_span(self, node: ast.AST) -> Span:
        span = self._source.span(node)
        text = self._source.text
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            match = re.compile(r"(?:async\s+def|def|class)[\s\\]+").match(text, span.start, span.end)
            start = match.end() if match else span.start
            return Span(start, start + len(node.name))
        if isinstance(node, ast.Attribute):
            return Span(span.end - len(node.attr), span.end)
        if isinstance(node, ast.alias) and node.asname:
            return Span(span.end - len(node.asname), span.end)
        if isinstance(node, ast.ExceptHandler) and node.name:
            start = text.find(node.name, self._source.span(node.type).end if node.type else span.start)
            return Span(start, start + len(node.name))
        if isinstance(node, ast.arg):
            return Span(span.start, span.start + len(node.arg))
        return span

    # Structure
    @cached_property
    def parent(self) -> Callable[[ast.AST], ast.AST | None]:
        return self._source.index.parents.get

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        outer = self.parent
        parent = outer(node)
        while parent is not None:
            yield parent
            parent = outer(parent)

    def statement(self, node: ast.AST) -> ast.stmt:
        at: ast.AST | None = node
        while at is not None and not isinstance(at, ast.stmt):
            at = self.parent(at)
        if at is None:
            raise ValueError(f"{type(node).__name__} stands in no statement")
        return at

    def function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        outer = self.parent
        parent = outer(node)
        while parent is not None:
            kind = type(parent)
            if kind in FUNCTIONS:
                return parent  # pyright: ignore[reportReturnType]
            if kind is ast.ClassDef:
                return None
            parent = outer(parent)
        return None

    def class_(self, node: ast.AST) -> ast.ClassDef | None:
        for parent in self.ancestors(node):
            if type(parent) is ast.ClassDef:
                return parent
        return None

    def symbol(self, node: ast.AST) -> str:
        return self.view.names.symbol(node)

    def loop(self, node: ast.AST) -> ast.For | ast.AsyncFor | ast.While | ast.comprehension | None:
        outer = self.parent
        child, parent = node, outer(node)
        in_iterable = False
        while parent is not None:
            if type(parent) not in _TELLING:
                pass
            elif isinstance(parent, _LOOPS):
                once = parent.orelse if isinstance(parent, ast.While) else [parent.iter, *parent.orelse]
                if child not in once:
                    return parent
            elif isinstance(parent, ast.comprehension):
                in_iterable = child is parent.iter
            elif isinstance(parent, COMPREHENSIONS):
                # The first iterable is evaluated once, each later one for every item of the one before.
                last = len(parent.generators) - 1
                at = (
                    parent.generators.index(child) - in_iterable
                    if isinstance(child, ast.comprehension)
                    else last
                )
                if at >= 0:
                    return parent.generators[at]
            else:
                return None
            child, parent = parent, outer(parent)
        return None

    def nodes(self, kind: type[N], /, *, within: ast.AST | None = None) -> Sequence[N]:
        if within is None:
            return self._source.nodes(kind)
        return self._source.index.of_type_below(within, kind)  # pyright: ignore[reportReturnType]

    @cached_property
    def reads(self) -> Mapping[str, Sequence[ast.Name]]:
        return self._source.reads

    @cached_property
    def binds(self) -> Mapping[str, Sequence[ast.Name]]:
        return self._source.binds

    @cached_property
    def comments(self) -> Sequence[Span]:
        return [comment.span for comment in self._source.comments]

    @cached_property
    def strings(self) -> Sequence[tuple[str, ast.Constant]]:
        return self._source.strings

    @cached_property
    def gets(self) -> Mapping[str, Sequence[ast.Attribute]]:
        return self._source.gets

    @cached_property
    def sets(self) -> Mapping[str, Sequence[ast.Attribute]]:
        return self._source.sets

    def once(self, make: Callable[[RuleContext], T]) -> T:
        made: dict[object, Any] = self.view.made
        if make not in made:
            made[make] = make(self)
        return made[make]

    def says(self, pattern: re.Pattern[str]) -> bool:
        made: dict[object, Any] = self.view.made
        if pattern not in made:
            made[pattern] = pattern.search(self.text) is not None
        return made[pattern]

    def walk(self, root: ast.AST, *, into_functions: bool = True) -> Iterator[ast.AST]:
        index = self._source.index
        if into_functions:
            return iter(index.below(root))
        return iter(index.below_within(root, (*FUNCTIONS, ast.ClassDef, ast.Lambda)))

    # Meaning
    def name(self, expression: ast.AST) -> str | None:
        names = self.view.names
        name = names.qualified(expression)
        return name if name is None else names.elsewhere.target(name)

    def type_name(self, expression: ast.AST) -> str | None:
        return self.view.types.name(expression)

    def value(self, expression: ast.AST) -> object:
        return self.view.values.value(expression)

    def usual(self, expression: ast.AST) -> object:
        return self.view.usual.value(expression)

    def origin(self, expression: ast.expr, *, usual: bool = False) -> ast.expr:
        return (self.view.usual if usual else self.view.values).origin(expression)

    def overrides(self, expression: ast.expr) -> Sequence[ast.expr]:
        return self.view.values.overrides(expression)

    def passed(self, parameter: ast.expr, keyword: str = "") -> Sequence[PassedValue]:
        names = self.view.names
        question = about_parameter(names, self.view.values.origin(parameter), keyword)
        return names.elsewhere.passed(question) if question else ()

    def results(self, function: FunctionNode) -> Sequence[PassedValue]:
        names = self.view.names
        return names.elsewhere.passed(about_result(names, function))

    def made_by(self, expression: ast.expr) -> str:
        made = self.view.values.origin(expression)
        names = self.view.names
        name = (names.qualified(made.func) or "") if isinstance(made, ast.Call) else ""
        return (names.elsewhere.result(name) or name) if name else ""

    def argument(self, call: ast.Call, position: int | None, keyword: str = "") -> ast.expr | None:
        if position is not None and position < len(call.args):
            before = call.args[: position + 1]
            if not any(isinstance(argument, ast.Starred) for argument in before):
                return call.args[position]
        if keyword:
            return next((item.value for item in call.keywords if item.arg == keyword), None)
        return None

    def is_bound(self, name: str, at: ast.AST) -> bool:
        return self.view.names.is_bound(name, at)

    # Results
    def finding(
        self,
        at: ast.AST | Span | Location,
        message: str,
        *,
        fix: Fix | None = None,
        fixes: Iterable[Fix] = (),
        related: Iterable[Related] = (),
        flow: Iterable[Step] = (),
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        tags: tuple[str, ...] = (),
    ) -> Finding:
        rule = self._rule
        location = self._source.location(at)
        return Finding(
            rule=rule.name,
            code=rule.code,
            location=location,
            message=message,
            severity=self._severity
            if self._severity is not None
            else rule.severity
            if severity is None
            else severity,
            confidence=rule.confidence if confidence is None else confidence,
            principles=rule.principles,
            cwe=rule.cwe,
            related=tuple(related),
            flow=tuple(flow),
            fixes=(fix, *fixes) if fix is not None else tuple(fixes),
            symbol=self._symbol_at(at, location),
            tags=tags,
            fingerprint=anchor_digest(self._source.text, location.span),
        )

    def _symbol_at(self, at: ast.AST | Span | Location, location: Location) -> str:
        if isinstance(at, ast.AST):
            return self.view.names.symbol(at)
        return self.view.symbol_at(location.line)

    def related(self, at: ast.AST | Span | Location, message: str) -> Related:
        return Related(self._source.location(at), message)

    def not_an_opportunity(self) -> None:
        self.declined += 1

    # Edits
    def replace(self, place: ast.AST | Span, text: str) -> Edit:
        return Edit(place if isinstance(place, Span) else self._source.span(place), text)

    def insert(self, offset: int, text: str) -> Edit:
        return Edit(Span(offset, offset), text)

    def set_keyword(self, call: ast.Call, name: str, value: str) -> SetKeyword:
        return SetKeyword(self._source.span(call), name, value)

    def remove_argument(self, call: ast.Call, argument: str | int) -> RemoveArgument:
        return RemoveArgument(self._source.span(call), argument)

    def remove_statement(self, statement: ast.stmt) -> RemoveStatement:
        return RemoveStatement(self._source.span(statement))

    def insert_before(self, statement: ast.stmt, text: str) -> InsertStatement:
        return InsertStatement(self._source.span(statement), text)

    def insert_after(self, statement: ast.stmt, text: str) -> InsertStatement:
        return InsertStatement(self._source.span(statement), text, after=True)


def _first(symbol: tuple[int, int, str]) -> int:
    return symbol[0]


def anchor_digest(text: str, span: Span) -> str:
    """A digest of what a finding points at, white space folded, so that moving and re-indenting keep it."""
    anchor = _SPACE.sub(" ", text[span.start : min(span.end, span.start + 400)])
    return hashlib.blake2b(anchor.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def with_fingerprints(findings: list[Finding]) -> list[Finding]:
    """Give the findings of one file, in order, their final fingerprints.

    A fingerprint is made of rule, path, enclosing symbol, anchor text and, among equals, the occurrence; no line
    number enters, so that it outlives edits elsewhere in the file.
    """
    seen: dict[tuple[str, str, str], int] = {}
    result: list[Finding] = []
    for finding in findings:
        key = (finding.rule, finding.symbol, finding.fingerprint)
        occurrence = seen.get(key, 0)
        seen[key] = occurrence + 1
        identity = "\0".join(
            (finding.rule, finding.path, finding.symbol, finding.fingerprint, str(occurrence))
        )
        digest = hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        result.append(replace(finding, fingerprint=digest))
    return result
