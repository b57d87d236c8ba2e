"""What a project nearly always does, learned by counting, and where it does otherwise.

Nothing is prescribed: for each topic the ways in which the project does a thing are counted, and only where one way
has at least `STRONG` of at least `ENOUGH` uses is it a convention, whose few breaks are reported with the evidence.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from charter.analysis import Solution, habits, paths
from charter.analysis.calls import calls_of
from charter.analysis.places import Packed, name_places, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api import Span, regex
from charter.api.facts.docs import ConventionBreak
from charter.model.names import imported_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charter.analysis import ProjectInfo
    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 6
STRONG: Final = 0.95
ENOUGH: Final = 30

_is_others: Final = paths.any_of("migrations", "third_party", *paths.COPIED, *paths.GENERATED)
_FROM: Final = regex(r"from\s+\S+\s+import\b")
_PATH_CALLS: Final = frozenset(
    {
        "os.path.join",
        "os.path.exists",
        "os.path.isfile",
        "os.path.isdir",
        "os.path.dirname",
        "os.path.basename",
    }
)
_PATH_NAMES: Final = frozenset(name.rpartition(".")[2] for name in _PATH_CALLS)
_ERRORS: Final = frozenset(
    {
        "builtins.Exception",
        "builtins.ValueError",
        "builtins.RuntimeError",
        "builtins.TypeError",
        "builtins.KeyError",
        "builtins.OSError",
    }
)

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "logger-name": ("a logger is named `{way}`", "loggers"),
    "exception-name": ("an exception's name ends in {way}", "exceptions"),
    "own-imports": ("the project's own modules are imported {way}", "imports"),
    "optional-types": ("a type that may be None is written {way}", "annotations"),
    "paths": ("paths are handled with {way}", "places"),
    "text-formatting": ("text is put together with {way}", "places"),
    "test-style": ("tests are {way}", "tests"),
    "test-files": ("test files are named {way}", "files"),
    "module-names": ("modules are named {way}", "modules"),
    "class-names": ("classes are named {way}", "classes"),
    "constant-names": ("constants of a module are named {way}", "constants"),
    "docstring-style": ("docstrings are written in the {way} style", "docstrings with sections"),
    "messages": ("messages go through {way}", "messages"),
    "exception-base": ("the project's exceptions derive from {way}", "exceptions"),
    "records": ("records are {way}", "records"),
    "async-library": ("asynchronous code uses {way}", "modules"),
    "own-import-form": ("from the project's own packages {way} imported", "imports"),
}
"""How each topic is spoken of, and what is counted."""

_LEARNED_ONLY: Final = frozenset({"class-names", "module-names", "own-import-form"})
"""What is printed, and held to only if the settings say so: decorators, descriptors and C structures have their own names,
and a module is imported as a whole where its names would say too little, or a cycle or a test asks for it."""

Use = tuple[str, str, Packed, str]
"""Topic, way, place, text that would follow each other way ("" if that takes more thought)."""


class Convention(Struct, frozen=True):
    """One thing that a project nearly always does alike.

    Attributes:
        topic: what it is about, a key of `WORDS`.
        way: how it is done.
        count: how often it is done so.
        total: how often it is done at all.
        pinned: whether the settings say so, whatever the counts are.
    """

    topic: str
    way: str
    count: int
    total: int
    pinned: bool = False

    @property
    def sentence(self) -> str:
        """The convention in words, with the evidence."""
        words, counted = WORDS[self.topic]
        pinned = "set in the settings; " if self.pinned else ""
        return f"{words.format(way=self.way)} ({pinned}{self.count} of {self.total} {counted})"


def extract(source: Source, names: Names) -> list[Use] | None:
    """How a file does what conventions are about."""
    if _is_others(source.path):
        return None
    is_test = paths.is_test(source.path)
    found: list[Use] = []
    if is_test:
        found.extend(_tests(source, names))
    found.extend(_loggers(source, names))
    found.extend(_exceptions(source, names))
    found.extend(_imports(source))
    found.extend(_optionals(source, names))
    if not is_test:
        found.extend(_paths(source, names))
        found.extend(_formatting(source))
        found.extend(habits.uses(source, names))
    found.sort(key=_place)
    return found or None


def _place(use: Use) -> Packed:
    return use[2]


def _loggers(source: Source, names: Names) -> Iterator[Use]:
    for statement in source.tree.body if "getLogger" in source.words else ():
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Call)
            and isinstance(statement.targets[0], ast.Name)
            and names.qualified(statement.value.func) == "logging.getLogger"
            and len(statement.value.args) == 1
            and isinstance(statement.value.args[0], ast.Name)
            and statement.value.args[0].id == "__name__"
        ):
            target = statement.targets[0]
            yield ("logger-name", target.id, pack(source, target), "")


def _exceptions(source: Source, names: Names) -> Iterator[Use]:
    for node in source.nodes(ast.ClassDef):
        bases = [names.qualified(base) or "" for base in node.bases]
        if any(base in _ERRORS or base.endswith(("Error", "Exception")) for base in bases):
            way = next(
                (f"`{word}`" for word in ("Error", "Exception", "Warning") if node.name.endswith(word)),
                "something else",
            )
            if way != "`Warning`":
                yield ("exception-name", way, name_places(source)[node], "")


def _imports(source: Source) -> Iterator[Use]:
    package = source.module.partition(".")[0]
    if not package or "." not in source.module:
        return
    for statement in source.tree.body:
        if type(statement) is not ast.ImportFrom:
            continue
        module = imported_module(statement, source) or ""
        if not statement.level and module.partition(".")[0] != package:
            continue
        start = source.positions.offset(statement.lineno, statement.col_offset)
        head = _FROM.match(source.text, start)
        if head is None:
            continue
        way = "by relative names" if statement.level else "by absolute names"
        other = ""
        if (
            statement.level and module and source.meant is None
        ):  # else the module may be imported by another name
            other = f"from {module} import"
        yield ("own-imports", way, pack(source, Span(start, head.end())), other)


def _optionals(source: Source, names: Names) -> Iterator[Use]:
    for name in (*source.reads.get("Optional", ()), *source.gets.get("Optional", ())):
        node = source.parent(name)
        if (
            type(node) is ast.Subscript
            and node.value is name
            and names.qualified(name) == "typing.Optional"
            and _is_plain(node, source)
        ):
            inner = source.segment(node.slice)
            simple = (
                type(node.slice) is ast.Name
                or type(node.slice) is ast.Attribute
                or type(node.slice) is ast.Subscript
            ) and "\n" not in inner
            yield ("optional-types", "`Optional[X]`", pack(source, node), f"{inner} | None" if simple else "")
    for operation in source.nodes(ast.BinOp):
        if (
            type(operation.op) is ast.BitOr
            and type(operation.right) is ast.Constant
            and operation.right.value is None
        ):
            yield ("optional-types", "`X | None`", pack(source, operation), "")


def _is_plain(node: ast.Subscript, source: Source) -> bool:
    """Whether an `Optional` is an annotation that could as well be a union: no alias, nothing quoted inside."""
    if any(isinstance(inner, ast.Constant) and isinstance(inner.value, str) for inner in ast.walk(node)):
        return False
    parent = source.parent(node)
    while isinstance(parent, ast.expr):
        parent = source.parent(parent)
    return isinstance(parent, (ast.arg, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef))


def _paths(source: Source, names: Names) -> Iterator[Use]:
    for last in _PATH_NAMES:
        for call, function in calls_of(source.gets.get(last, ()), source):
            owner = function.value
            if (
                isinstance(owner, ast.Attribute)
                and owner.attr == "path"
                and names.qualified(function) in _PATH_CALLS
            ):
                yield ("paths", "`os.path`", pack(source, call), "")
    for call, function in calls_of(source.reads.get("Path", ()), source):
        if names.qualified(function) == "pathlib.Path":
            yield ("paths", "`pathlib`", pack(source, call), "")


def _formatting(source: Source) -> Iterator[Use]:
    for node in source.nodes(ast.JoinedStr):
        if any(isinstance(value, ast.FormattedValue) for value in node.values):
            yield ("text-formatting", "f-strings", pack(source, node), "")
    for call, function in calls_of(source.gets.get("format", ()), source):
        text = function.value
        if (
            isinstance(text, ast.Constant)
            and isinstance(text.value, str)
            and text.lineno == text.end_lineno
            and not any(isinstance(argument, ast.Starred) for argument in call.args)
            and all(keyword.arg for keyword in call.keywords)
        ):
            yield ("text-formatting", "`str.format`", pack(source, call), "")


def _tests(source: Source, names: Names) -> Iterator[Use]:
    stem = source.path.rpartition("/")[2].removesuffix(".py")
    start = pack(source, Span(0, 0))
    if stem.startswith("test_"):
        yield ("test-files", "`test_….py`", start, "")
    elif stem.endswith("_test"):
        yield ("test-files", "`…_test.py`", start, "")
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
        for node in source.nodes(kind):
            if not node.name.startswith("test_"):
                continue
            parent = source.parent(node)
            if not isinstance(parent, (ast.Module, ast.ClassDef)):
                continue  # a helper of the function around it
            bases = (
                [names.qualified(base) or "" for base in parent.bases]
                if isinstance(parent, ast.ClassDef)
                else []
            )
            if isinstance(parent, ast.ClassDef) and not bases and not parent.name.startswith("Test"):
                continue  # a mixin, for classes that say what they are
            is_unittest = any(base.endswith("TestCase") for base in bases)
            if is_unittest or not bases:
                way = "methods of a `TestCase`" if is_unittest else "plain pytest functions and classes"
                yield ("test-style", way, name_places(source)[node], "")


class Solver(KeptSolver[list[Use]]):
    """Counts the ways of the whole project."""

    def __init__(self, project: ProjectInfo) -> None:
        super().__init__(project)
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def added(self, path: str, extract: list[Use]) -> None:
        """Count how a file does things."""
        del path
        for topic, way, *_ in extract:
            self._counts[topic][way] += 1

    def removed(self, path: str, extract: list[Use]) -> None:
        """Count no longer how a file did things."""
        del path
        for topic, way, *_ in extract:
            self._counts[topic][way] -= 1

    def learned(self) -> list[Convention]:
        """The conventions that the project has: strong enough to be held to, or set in the settings."""
        settings = cast("Mapping[str, str | bool]", self.project.settings.get("conventions", {}))
        found: list[Convention] = []
        for topic, ways in sorted(self._resolved().items()):
            total = sum(ways.values())
            wanted = settings.get(topic, True)
            if wanted is False or not total:
                continue
            if isinstance(wanted, str):
                way = next((way for way in ways if _same(way, wanted)), wanted)
                found.append(Convention(topic, way, ways.get(way, 0), total, pinned=True))
            elif total >= ENOUGH:
                way, count = ways.most_common(1)[0]
                if count >= STRONG * total and way != "something else":
                    found.append(Convention(topic, way, count, total))
        return found

    def _resolved(self) -> dict[str, Counter[str]]:
        """The counts, where those that only the whole project can name are named."""
        resolved: dict[str, Counter[str]] = {}
        for topic, ways in self._counts.items():
            counter = resolved.setdefault(topic, Counter())
            for way, count in ways.items():
                if count:
                    name = self._way(topic, way)
                    if name:
                        counter[name] += count
        return resolved

    def _way(self, topic: str, way: str) -> str:
        """How a way is called; "" for what turns out to be none."""
        if topic == "own-import-form":
            return "modules are" if way in self._modules else "names are"
        return self._base(way) if topic == "exception-base" else way

    def _base(self, way: str) -> str:
        """The project's topmost class above an exception, given as `class<base`; "" for that class itself."""
        class_, _, base = way.partition("<")
        bases = self._bases
        seen: set[str] = set()
        while base in bases and base not in seen:
            seen.add(base)
            class_, base = base, bases[base]
        if seen:
            return f"`{class_.rpartition('.')[2]}`"
        return "" if class_ in bases.values() else "something else"

    @cached_property
    def _modules(self) -> frozenset[str]:
        return frozenset(self.project.modules.values())

    @property
    def _bases(self) -> dict[str, str]:
        counts = self._counts.get("exception-base", Counter[str]())
        pairs = (way.partition("<") for way, count in counts.items() if count)
        return {class_: base for class_, _, base in pairs}

    def solution(self) -> Solution:
        """The breaks of the conventions that the project has."""
        conventions = {convention.topic: convention for convention in self.learned()}
        examples: dict[str, tuple[str, Packed]] = {}
        facts: dict[str, list[Fact]] = {}
        opportunities: dict[str, dict[tuple[type[Fact], str], int]] = {}
        for path, uses in sorted(self.files.items()):
            for topic, way, place, _ in uses:
                if (
                    topic in conventions
                    and topic not in examples
                    and self._way(topic, way) == conventions[topic].way
                ):
                    examples[topic] = (path, place)
        for path, uses in self.files.items():
            counts: Counter[str] = Counter()
            for topic, way, place, other in uses:
                convention = conventions.get(topic)
                if convention is None or (topic in _LEARNED_ONLY and not convention.pinned):
                    continue
                name = self._way(topic, way)
                if not name:
                    continue
                counts[topic] += 1
                if name != convention.way:
                    replacement = other if self._can_write(topic) else ""
                    example = unpack(*examples[topic]) if topic in examples else None
                    facts.setdefault(path, []).append(
                        ConventionBreak(unpack(path, place), topic, convention.sentence, example, replacement)
                    )
            if counts:
                opportunities[path] = {(ConventionBreak, topic): count for topic, count in counts.items()}
        return Solution(facts, opportunities)

    def _can_write(self, topic: str) -> bool:
        return topic != "optional-types" or self.project.python >= (3, 10)


def _same(way: str, wanted: str) -> bool:
    """Whether the settings name a way, with or without its backticks."""
    return way.replace("`", "") == wanted.replace("`", "")
