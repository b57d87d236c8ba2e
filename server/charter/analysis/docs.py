"""The public interface of a project and what its docstrings say: missing, empty or contradicting the code.

Public is what a user of the package can reach by names without a leading underscore, in modules without one, or what
`__all__` lists. Tests, migrations, examples and scripts are not part of it. A method that overrides one of a base
class inherits its docstring; where a base lies outside of the project, its methods are not judged.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from charter.analysis import Solution, paths
from charter.analysis.bodies import FUNCTIONS, by_owner
from charter.analysis.docstrings import Outline, Parameter, Style, parse, skeleton, speaks, summary_of
from charter.analysis.places import Packed, name_places, pack, unpack
from charter.analysis.promises import broken
from charter.analysis.solver import KeptSolver
from charter.api import Span, regex
from charter.api.facts.docs import DocstringProblem, PublicSymbol
from charter.model.names import decorator_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.analysis.bodies import FunctionNode
    from charter.analysis.docstrings import Docstring
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 6

_is_private: Final = paths.any_of(
    *paths.TESTS, *paths.COPIED, *paths.GENERATED, "migrations", "versions", "examples?", "docs?", "benchmarks?",
    "scripts?", "tools", "locale", "_[^/_][^/]*",
    *(rf"{name}\.py" for name in ["setup", "noxfile", "manage", "tasks", "__main__"]),
)  # fmt: skip
_OPEN_BASES: Final = frozenset(
    {
        "builtins.object", "builtins.Exception", "builtins.ValueError", "builtins.TypeError", "builtins.RuntimeError",
        "builtins.KeyError", "builtins.LookupError", "builtins.OSError", "abc.ABC", "typing.Generic",
        "typing.Protocol", "typing_extensions.Protocol", "enum.Enum", "enum.IntEnum", "enum.StrEnum",
        "typing.NamedTuple", "builtins.AttributeError", "builtins.IndexError", "builtins.NotImplementedError",
    }
)  # fmt: skip
"""Bases whose few methods are special ones, so that what a class adds is its own."""
_ENOUGH: Final = 30
"""A package with fewer definitions has no habit yet, and few enough to document them all."""
_SELF_EXPLAINING: Final = frozenset(
    {"builtins.Exception", "builtins.ValueError", "builtins.TypeError", "builtins.KeyError"}
)

Entry = tuple[str, str, str, Packed, str, int, str, str, "RawOutline | None", int, str]
"""Sort, name, qualified name, place, state, weight, class, style, outline, offset, indent."""
RawOutline = tuple[tuple[tuple[str, str, str], ...], "str | None", "str | None", tuple[str, ...]]
"""Parameters (name, annotation, default), returns, yields, raises."""
Problem = tuple[str, str, str, Packed, str, tuple[str, ...]]
Extract = tuple[str, list[Entry], list[Problem], dict[str, list[str]], dict[str, int], list[str]]
"""Module, symbols, contradictions, bases by class, docstring styles, `__all__`."""


def extract(source: Source, names: Names) -> Extract | None:
    """The documented and undocumented definitions of a file."""
    if _is_private(source.path) or not source.module:
        return None
    reader = _Reader(source, names)
    reader.read()
    bases = {
        names.definition(node): [names.qualified(_plain(base)) or "?" for base in node.bases]
        for node in source.nodes(ast.ClassDef)
    }
    return (
        source.module,
        reader.entries,
        reader.problems,
        bases,
        dict(reader.styles),
        sorted(_exported(source)),
    )


def _asks_if_main(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _plain(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


def _exported(source: Source) -> Iterator[str]:
    for statement in source.tree.body if "__all__" in source.words else ():
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in statement.targets
        ):
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


class _Reader:
    """Reads the definitions of one file."""

    def __init__(self, source: Source, names: Names) -> None:
        self.source = source
        self.names = names
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        self.styles: Counter[str] = Counter()
        self._ends = by_owner(source, ast.Return, ast.Yield, ast.YieldFrom)
        self._raised = by_owner(source, ast.Raise)
        self._places = name_places(source)

    def read(self) -> None:
        """Collect what stands at module level and in classes."""
        self._body(self.source.tree.body, None, self.source.module)

    def _body(self, body: list[ast.stmt], owner: ast.ClassDef | None, qualified: str) -> None:
        seen: set[str] = set()
        for node in body:
            if isinstance(node, FUNCTIONS):
                if node.name not in seen:
                    seen.add(node.name)
                    sort = self._sort(node, owner)
                    if sort:
                        self._definition(node, owner, sort, qualified)
            elif type(node) is ast.ClassDef:
                self._definition(node, owner, "class", qualified)
                if not node.name.startswith("_"):
                    self._body(node.body, node, self.names.definition(node))
            elif type(node) is ast.Try or (type(node) is ast.If and not _asks_if_main(node.test)):
                self._body(node.body, owner, qualified)

    def _sort(self, node: FunctionNode, owner: ast.ClassDef | None) -> str:
        """What a function is; "" for one that needs no docstring of its own (setters, overloads, overrides)."""
        sort = "function" if owner is None else "method"
        for decorator in node.decorator_list:
            last = decorator_name(decorator)
            if last in {
                "overload",
                "setter",
                "deleter",
                "override",
                "register",
                "singledispatch",
                "validator",
            }:
                return ""
            if "property" in last:
                sort = "property"
        return sort

    def _definition(
        self,
        node: FunctionNode | ast.ClassDef,
        owner: ast.ClassDef | None,
        sort: str,
        qualified: str,
    ) -> None:
        literal = _docstring(node)
        doc = self._parsed(literal) if literal is not None else None
        if doc is not None and doc.style is not None:
            self.styles[doc.style] += 1
        if doc is not None and isinstance(node, FUNCTIONS):
            self._compare(node, doc, literal, owner)
        if node.name.startswith("_") or (isinstance(node, FUNCTIONS) and not _has_body(node)):
            return
        state = "missing" if doc is None else "placeholder" if doc.is_placeholder else "documented"
        style = doc.style or "" if doc is not None else ""
        self.entries.append(self._entry(node, owner, sort, state, style, qualified))

    def _parsed(self, literal: ast.Constant) -> Docstring:
        text = str(literal.value)
        # Places in a docstring are those of the file, and few docstrings name anything.
        return parse(_inner(self.source, literal) if speaks(text) else text)

    def _entry(
        self,
        node: FunctionNode | ast.ClassDef,
        owner: ast.ClassDef | None,
        sort: str,
        state: str,
        style: str,
        qualified: str,
    ) -> Entry:
        outline: RawOutline | None = None
        offset, indent = -1, ""
        weight = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
        if isinstance(node, FUNCTIONS):
            parameters = [each for each in _arguments(node, owner) if not each[0].arg.startswith("_")]
            weight += 2 * len(parameters)
            if state == "missing" and sort != "property":
                ends = self._ends.get(node, ())
                outline = (
                    tuple(_parameter(*each, self.source) for each in parameters),
                    *_results(node, ends, self.source),
                    _raises(self._raised.get(node, ())),
                )
        if state == "missing" and node.body[0].lineno != node.lineno:
            first = node.body[0]
            line = min([first.lineno, *[d.lineno for d in getattr(first, "decorator_list", ())]])
            offset = self.source.positions.starts[line - 1]
            indent = self.source.text[offset : offset + first.col_offset]
        place = self._places[node]
        return (
            sort,
            node.name,
            f"{qualified}.{node.name}",
            place,
            state,
            weight,
            qualified if owner is not None else "",
            style,
            outline,
            offset,
            indent,
        )

    def _compare(
        self,
        node: FunctionNode,
        doc: Docstring,
        literal: ast.Constant | None,
        owner: ast.ClassDef | None,
    ) -> None:
        """Note where a docstring names parameters that the function does not have, or in another order."""
        assert literal is not None
        documented = [entry.name for entry in (*doc.parameters, *doc.others)]
        start = self._inner_start(literal) if doc.style is not None else 0
        if doc.returns is not None or doc.raises:
            ends, raised = self._ends.get(node, ()), self._raised.get(node, ())
            self.problems.extend(broken(node, doc, start, ends, raised, self.source, self.names))
        if not documented:
            return
        real = [argument.arg for argument, _, _ in _arguments(node, owner)]
        loose = node.args.kwarg is not None or node.args.vararg is not None or self._is_wrapped(node)
        has_keys = any(_KEYED.search(name) for name in real) or (
            not real and owner is not None and _is_interface(owner)
        )
        if not loose and not has_keys:
            self._note_unknown(node, doc, start, real, documented)
        all_known = set(documented) <= set(real)
        if all_known:
            self._note_order(node, doc, start, real, documented)
        missing = [name for name in real if name not in documented and not name.startswith("_")]
        if (
            len(missing) == 1
            and missing != real[:1]  # what a function is about may be told by its summary
            and len(real) >= 3
            and all_known
            and not loose
        ):
            place = self._places[node]
            self.problems.append((node.name, "missing-parameter", missing[0], place, "", ()))

    def _note_unknown(
        self, node: FunctionNode, doc: Docstring, start: int, real: list[str], documented: list[str]
    ) -> None:
        """Note the documented parameters that the function does not have, each with the one that may be meant."""
        missing = [name for name in real if name not in documented]
        for entry in doc.parameters:
            if entry.name in real or "." in entry.name or entry.name in {"self", "cls", "args", "kwargs"}:
                continue
            close = get_close_matches(entry.name, missing, n=1, cutoff=0.6)
            nearest = close[0] if close else missing[0] if len(missing) == 1 else ""
            place = pack(self.source, Span(start + entry.start, start + entry.end))
            self.problems.append((node.name, "unknown-parameter", entry.name, place, nearest, ()))

    def _note_order(
        self, node: FunctionNode, doc: Docstring, start: int, real: list[str], documented: list[str]
    ) -> None:
        """Note the first of the parameters that callers pass by position that stands elsewhere in the code.

        The order of the others misleads nobody.
        """
        required = _required(node, real)
        known = [name for name in documented if name in required]
        in_code = [name for name in required if name in known]
        if known == in_code or len(set(known)) != len(known):
            return
        entries = [entry for entry in (*doc.parameters, *doc.others) if entry.name in required]
        entry = next(entry for entry, name in zip(entries, in_code, strict=False) if entry.name != name)
        place = pack(self.source, Span(start + entry.start, start + entry.end))
        self.problems.append((node.name, "order", entry.name, place, "", tuple(in_code)))

    @staticmethod
    def _is_wrapped(node: FunctionNode) -> bool:
        """Whether a decorator may give the function parameters that it does not show."""
        return any(
            decorator_name(decorator)
            not in {
                "staticmethod",
                "classmethod",
                "property",
                "abstractmethod",
                "contextmanager",
                "lru_cache",
                "cache",
            }
            for decorator in node.decorator_list
        )

    def _inner_start(self, literal: ast.Constant) -> int:
        span = self.source.span(literal)
        text = self.source.text[span.start : span.end]
        match = _QUOTES.match(text)
        return span.start + (match.end() if match else 0)


_KEYED: Final = regex(r"(^|_)(dict|data|params|options|config|settings|payload|body|query)$")
"""Names of parameters whose keys a docstring may describe as if they were parameters."""
_QUOTES: Final = regex(r"[rRuUbB]*(\"\"\"|'''|\"|')")


def _docstring(node: FunctionNode | ast.ClassDef) -> ast.Constant | None:
    first = node.body[0]
    if type(first) is ast.Expr and type(first.value) is ast.Constant and isinstance(first.value.value, str):
        return first.value
    return None


def _inner(source: Source, literal: ast.Constant) -> str:
    """The text of a docstring without prefix and quotes, so that offsets are those of the file."""
    text = source.segment(literal)
    match = _QUOTES.match(text)
    if match is None:
        return text
    return text[match.end() : -len(match[1])]


def _has_body(node: FunctionNode) -> bool:
    """Whether a function does anything; a declaration in a protocol or stub says all it has to say."""
    for item in node.body:
        value = item.value if type(item) is ast.Expr else None
        is_ellipsis = type(value) is ast.Constant and value.value is ...
        if not is_ellipsis and type(item) is not ast.Pass:
            return True
    return False


def _arguments(node: FunctionNode, owner: ast.ClassDef | None) -> list[tuple[ast.arg, ast.expr | None, str]]:
    """The parameters that a caller sees, each with its default and its stars."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = len(positional) - len(arguments.defaults)
    found: list[tuple[ast.arg, ast.expr | None, str]] = [(a, None, "") for a in positional[:needed]]
    found += [(a, d, "") for a, d in zip(positional[needed:], arguments.defaults, strict=True)]
    if owner is not None and not (
        node.decorator_list
        and any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    ):
        names_itself = bool(found) and found[0][0].arg == "self"
        if names_itself or not _is_interface(owner):
            del found[:1]
    if arguments.vararg is not None:
        found.append((arguments.vararg, None, "*"))
    found += [(a, d, "") for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    if arguments.kwarg is not None:
        found.append((arguments.kwarg, None, "**"))
    return found


def _required(node: FunctionNode, real: list[str]) -> list[str]:
    """The parameters that must be given and may be given by position, in order."""
    positional = [*node.args.posonlyargs, *node.args.args]
    names = [argument.arg for argument in positional[: len(positional) - len(node.args.defaults)]]
    return [name for name in names if name in real]


def _is_interface(class_: ast.ClassDef) -> bool:
    """Whether a class declares an interface of zope's, whose methods have no `self`."""
    return any(decorator_name(base).endswith("Interface") for base in class_.bases)


def _parameter(
    argument: ast.arg, default: ast.expr | None, stars: str, source: Source
) -> tuple[str, str, str]:
    annotation = source.segment(argument.annotation) if argument.annotation is not None else ""
    value = source.segment(default) if default is not None else ""
    is_short = "\n" not in value and len(value) <= 30
    return (
        stars + argument.arg,
        annotation if "\n" not in annotation else "",
        value if is_short and value != "None" else "",
    )


def _results(node: FunctionNode, ends: Sequence[ast.AST], source: Source) -> tuple[str | None, str | None]:
    """What a function returns and yields: the annotation, "" if it is not annotated, None if it does neither."""
    annotation = source.segment(node.returns) if node.returns is not None else ""
    annotation = "" if "\n" in annotation else annotation
    if any(type(item) is ast.Yield or type(item) is ast.YieldFrom for item in ends):
        match = re.match(r"(?:\w+\.)*(?:Async)?(?:Iterator|Iterable|Generator)\[(\w[\w.]*)[,\]]", annotation)
        return None, match[1] if match else ""
    returns = any(type(item) is ast.Return and item.value is not None for item in ends)
    return (annotation if returns and annotation != "None" else None), None


def _raises(raised: Sequence[ast.AST]) -> tuple[str, ...]:
    """The exceptions that a function's own `raise` statements name, in order."""
    found: list[str] = []
    for item in raised:
        if isinstance(item, ast.Raise) and item.exc is not None:
            target = item.exc.func if isinstance(item.exc, ast.Call) else item.exc
            name = target.id if isinstance(target, ast.Name) else ast.unparse(target)
            if name.rpartition(".")[2][:1].isupper() and name != "NotImplementedError":
                found.append(name)
    return tuple(dict.fromkeys(found))


_STATES: Final[tuple[tuple[type[Fact], str], ...]] = (
    (PublicSymbol, "missing"),
    (PublicSymbol, "placeholder"),
)
"""What every public name may be found to be."""


class Solver(KeptSolver[Extract]):
    """Knows the whole public interface, its conventions and who inherits from whom."""

    def solution(self) -> Solution:
        """Every public name without documentation, and every contradiction."""
        habits, styles = self._habits()
        bases = {name: found for file in self.files.values() for name, found in file[3].items()}
        documented = {
            entry[2] for file in self.files.values() for entry in file[1] if entry[4] == "documented"
        }
        facts: dict[str, list[Fact]] = {}
        opportunities: dict[str, dict[tuple[type[Fact], str], int]] = {}
        for path, (module, entries, problems, _, _, exported) in self.files.items():
            package = module.partition(".")[0]
            found: list[Fact] = [
                DocstringProblem(unpack(path, place), name, problem, subject, nearest, actual)
                for name, problem, subject, place, nearest, actual in problems
            ]
            public = [
                entry
                for entry in entries
                if _is_public(entry, module, exported) and not _inherits(entry, bases, documented)
            ]
            habit, style = habits.get(package, 0.0), styles.get(package, "google")
            found += [_fact(path, entry, habit, style) for entry in public if entry[4] != "documented"]
            if found:
                facts[path] = found
            if public:
                opportunities[path] = dict.fromkeys(_STATES, len(public))
        return Solution(facts, opportunities)

    def _habits(self) -> tuple[dict[str, float], dict[str, Style]]:
        """For each top-level package, the share of documented definitions and the prevailing convention."""
        total: Counter[str] = Counter()
        good: Counter[str] = Counter()
        styles: dict[str, Counter[str]] = {}
        for module, entries, _, _, found, _ in self.files.values():
            package = module.partition(".")[0]
            total[package] += len(entries)
            good[package] += sum(entry[4] == "documented" for entry in entries)
            styles.setdefault(package, Counter()).update(found)
        habits = {
            package: good[package] / count if count >= _ENOUGH else 1.0
            for package, count in total.items()
            if count
        }
        prevailing: dict[str, Style] = {}
        for package, found in styles.items():
            if found:
                prevailing[package] = cast("Style", found.most_common(1)[0][0])
        return habits, prevailing


def _is_public(entry: Entry, module: str, exported: list[str]) -> bool:
    within = entry[2][len(module) + 1 :]
    return (
        not (exported and within.partition(".")[0] not in exported)
        and within[0] != "_"
        and "._" not in within
    )


def _inherits(entry: Entry, bases: dict[str, list[str]], documented: set[str]) -> bool:
    """Whether a method may take its docstring from a base class, or a class explains itself (an exception)."""
    sort, name, qualified, _, _, _, owner = entry[:7]
    if sort == "class":
        return any(
            base in _SELF_EXPLAINING or base.endswith(("Error", "Exception", "Warning"))
            for base in bases.get(qualified, ())
        )
    if not owner:
        return False
    todo, seen = [owner], {owner}
    while todo:
        for base in bases.get(todo.pop(), ["?"]):
            if f"{base}.{name}" in documented:
                return True
            if base in seen or base in _OPEN_BASES:
                continue
            if base not in bases:
                return True  # a base we cannot see may document it
            seen.add(base)
            todo.append(base)
    return False


def _fact(path: str, entry: Entry, habit: float, style: Style) -> PublicSymbol:
    sort, name, _, place, state, weight, _, _, raw, offset, indent = entry
    begins = state == "missing" and offset >= 0
    return PublicSymbol(
        location=unpack(path, place),
        name=name,
        sort=sort,
        state=state,  # pyright: ignore[reportArgumentType]
        habit=habit,
        weight=weight,
        skeleton=_Skeleton(name, raw, style) if begins else str,
        offset=offset,
        indent=indent,
    )


class _Skeleton(Struct, frozen=True):
    """Gives the docstring with which to begin."""

    name: str
    raw: RawOutline | None
    style: Style

    def __call__(self) -> str:
        outline = Outline(summary_of(self.name))
        if self.raw is not None:
            parameters = tuple([Parameter(*parameter) for parameter in self.raw[0]])
            outline = Outline(outline.summary, parameters, *self.raw[1:])
        return skeleton(outline, self.style)
