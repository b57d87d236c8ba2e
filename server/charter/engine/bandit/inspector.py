"""Runs bandit's tests on one file. It chooses the nodes; bandit's own tester runs the tests and weighs `# nosec`."""

from __future__ import annotations

import ast
import io
import re
from collections import Counter
from functools import cached_property
from tokenize import detect_encoding
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct, field

from charter.api import Confidence, Severity, Span, regex
from charter.engine.bandit.catalog import BanditIssue, among
from charter.engine.bandit.choice import Asked, Choice
from charter.engine.bandit.configuration import RANKING
from charter.engine.bandit.core import load
from charter.engine.bandit.needs import BIDIRECTIONAL, is_compared, is_silent
from charter.engine.bandit.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.engine.bandit.configuration import Configuration
    from charter.engine.bandit.selection import BoundTest
    from charter.syntax.source import Source

_SEVERITIES = {"LOW": Severity.LOW, "MEDIUM": Severity.MEDIUM, "HIGH": Severity.HIGH}
_CONFIDENCES = {"LOW": Confidence.LOW, "MEDIUM": Confidence.MEDIUM, "HIGH": Confidence.HIGH}
_NOSEC = regex(r"#\s*nosec")
_LINKS = ("_bandit_parent", "_bandit_sibling", "_bandit_linerange", "_bandit_linerange_stripped")
_AMONG: dict[str, tuple[type[ast.AST], ...]] = {
    "calls": (ast.Call,),
    "checks": (ast.Assert, ast.If),
    "handlers": (ast.ExceptHandler,),
    "imports": (ast.Import, ast.ImportFrom),
    "strings": (ast.Constant,),
}


class Outcome(Struct):
    """What bandit's tests said of one file.

    Attributes:
        issues: what they report, in the order of the tree.
        opportunities: how many nodes each test was asked about, by its id.
    """

    issues: list[BanditIssue] = field(default_factory=list[BanditIssue])
    opportunities: Counter[str] = field(default_factory=Counter[str])


class Inspector:
    """Bandit, configured for one project.

    Args:
        configuration: how the project has configured it.
        wanted: ids of the tests that anybody listens to; None for all.
        filtering: whether tests are called only where they can speak; without, on every node of their type.
    """

    def __init__(
        self,
        configuration: Configuration,
        wanted: frozenset[str] | None = None,
        *,
        filtering: bool = True,
    ) -> None:
        self.configuration = configuration
        self._filtering = filtering
        self._wanted = wanted if filtering and configuration.is_plain and is_compared() else None

    @cached_property
    def tests(self) -> Selection:
        """The selected tests; the first use loads bandit.

        Raises:
            ConfigurationError: if bandit refuses the configuration.
        """
        return Selection(self.configuration, filtering=self._filtering)

    def inspect(self, source: Source) -> Outcome:
        """Run the tests on a file; where no wanted one can speak, bandit is not even loaded.

        Raises:
            ConfigurationError: if bandit refuses the configuration.
        """
        if not self.configuration.covers(source.path) or (
            self._wanted is not None and all(is_silent(id_, source) for id_ in self._wanted)
        ):
            return Outcome()
        return _Inspection(self, source).run()


class _Inspection:
    """One file being inspected."""

    def __init__(self, inspector: Inspector, source: Source) -> None:
        self.tests = inspector.tests
        self.configuration = inspector.configuration
        self.source = source
        self.core = load()
        self.choice = Choice(source, inspector.tests)
        self.asked = self.choice.asked
        self.outcome = Outcome()
        self.imports: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.filename = f"./{source.path}"

    def run(self) -> Outcome:
        if self.asked or self.choice.about_file:
            self._run_all(self.choice.about_file)
        self._count_among()
        return self.outcome

    def _count_among(self) -> None:
        """Say how rare it is what was found; a file where a test found nothing says nothing about it."""
        for id_ in {issue.test for issue in self.outcome.issues} & among().keys():
            kinds = _AMONG[among()[id_]]
            self.outcome.opportunities[id_] = sum(len(self.source.nodes(kind)) for kind in kinds)

    def _run_all(self, file_tests: list[BoundTest]) -> None:
        shelf = _Shelf()
        tester = self.core.tester(shelf, False, self._nosec(), _NoMetrics())
        marked: list[ast.AST] = []
        try:
            for node in self._in_order():
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    self._note_import(node)
                asked = self.asked.get(node)
                if asked is not None:
                    self._link(node, marked)
                    self._run_on(node, asked, tester, shelf)
            if file_tests:
                self._run_on_file(file_tests, tester, shelf)
        finally:
            for node in marked:
                _unlink(node)

    def _in_order(self) -> list[ast.AST]:
        """The nodes that matter, in the order in which bandit visits them: imports work from where they stand."""
        source = self.source
        return source.index.ordered({*self.asked, *source.nodes(ast.Import), *source.nodes(ast.ImportFrom)})

    def _note_import(self, node: ast.Import | ast.ImportFrom) -> None:
        owner = f"{node.module}." if isinstance(node, ast.ImportFrom) and node.module is not None else ""
        for alias in node.names:
            if alias.asname:
                self.aliases[alias.asname] = owner + alias.name
            elif owner:
                self.aliases[alias.name] = owner + alias.name
            self.imports.add(owner + alias.name)

    def _run_on(self, node: ast.AST, asked: Asked, tester: Any, shelf: _Shelf) -> None:
        context = self._context(node, asked.kind)
        shelf.tests = asked.tests
        if asked.qualified:
            name = context["qualname"]
            shelf.tests = [test for test in asked.tests if _concerns(test, name)]
        if not shelf.tests:
            return
        self.outcome.opportunities.update(
            test.id for test in shelf.tests if test.id not in {"B001", *among()}
        )
        results = tester.results
        tester.run_tests(context, asked.kind)
        for result in results:
            self._report(node, result)
        results.clear()

    def _run_on_file(self, tests: list[BoundTest], tester: Any, shelf: _Shelf) -> None:
        shelf.tests = tests
        context = {
            "file_data": self._bytes,
            "filename": self.filename,
            "lineno": 0,
            "linerange": [0, 1],
            "col_offset": 0,
        }
        tester.run_tests(context, "File")
        for result in tester.results:
            self._report(self.source.tree, result)

    def _context(self, node: ast.AST, kind: str) -> dict[str, Any]:
        """What bandit tells a test about a node."""
        utils = self.core.utils
        context: dict[str, Any] = {
            "imports": self.imports,
            "import_aliases": self.aliases,
            "node": node,
            "linerange": utils.linerange(node),
            "filename": self.filename,
            "file_data": None if self.tests.are_known else self._bytes,
        }
        for place in ("lineno", "col_offset", "end_col_offset"):
            if hasattr(node, place):
                context[place] = getattr(node, place)
        if isinstance(node, ast.Call):
            name = utils.get_call_name(node, self.aliases)
            context.update(call=node, qualname=name, name=name.split(".")[-1])
        elif isinstance(node, ast.FunctionDef):
            context.update(function=node, qualname=self._qualified(node), name=node.name)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            context.update(module=node.module, name=node.names[-1].name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            context["module"] = node.names[-1].name
        elif isinstance(node, ast.Constant):
            context["str" if kind == "Str" else "bytes"] = node.value
            parent = self.source.parent(node)
            context["linerange"] = utils.linerange(parent)
        return context

    def _qualified(self, node: ast.FunctionDef) -> str:
        names = [node.name]
        above = self.source.parent(node)
        while above is not None:
            if isinstance(above, (ast.ClassDef, ast.FunctionDef)):
                names.append(above.name)
            above = self.source.parent(above)
        module = self.source.module or self.source.path.rpartition("/")[2].removesuffix(".py")
        return ".".join((module, *reversed(names)))

    @cached_property
    def _bytes(self) -> io.BytesIO:
        """The file's bytes, in the encoding that its first lines name."""
        data = self.source.text.encode("utf-8", "surrogatepass")
        encoding, _ = detect_encoding(io.BytesIO(data).readline)
        if encoding not in {"utf-8", "utf-8-sig"}:
            data = self.source.text.encode(encoding, "replace")
        return io.BytesIO(data)

    def _nosec(self) -> dict[int, set[str] | None]:
        """The tests that comments silence, by line; an empty set for all tests, as bandit has it."""
        if self.configuration.ignore_nosec or not _NOSEC.search(self.source.text):
            return {}
        return {
            comment.line: self.core.nosec_of(comment.text)
            for comment in self.source.comments
            if "nosec" in comment.text
        }

    def _link(self, node: ast.AST, marked: list[ast.AST]) -> None:
        """Put the links on a node, and on those around it, that bandit's tests follow; they are taken off again."""
        parents = self.source.index.parents
        above = parents.get(node)
        while above is not None:
            links = node.__dict__
            if "_bandit_parent" in links:
                return
            links["_bandit_parent"] = above
            if not self.tests.are_known:  # bandit's own tests do not look aside
                links["_bandit_sibling"] = _sibling(node, above)
            marked.append(node)
            node, above = above, parents.get(above)

    def _report(self, node: ast.AST, result: Any) -> None:
        ranks = RANKING.index(result.severity), RANKING.index(result.confidence)
        wanted = RANKING.index(self.configuration.severity), RANKING.index(self.configuration.confidence)
        if ranks[0] < wanted[0] or ranks[1] < wanted[1]:
            return
        issue = BanditIssue(
            self.source.location(self._place(node, result.lineno)),
            str(result.test_id),
            " ".join(str(result.text).split()).removesuffix("."),
            _SEVERITIES.get(result.severity, Severity.INFO),
            _CONFIDENCES.get(result.confidence, Confidence.LOW),
        )
        self.outcome.issues.append(issue)

    def _place(self, node: ast.AST, line: int) -> Span:
        """Where to point for a report on a line: the node, its name, an argument, or else the line."""
        source = self.source
        if isinstance(node, ast.Module):
            found = BIDIRECTIONAL.search(source.text)
            return Span(*found.span()) if found else Span(0, 0)
        spans: list[Callable[[], Span]] = [lambda: source.span(node)]
        if isinstance(node, ast.FunctionDef):
            spans = [lambda: _name_span(source, node)]
        elif isinstance(node, ast.Call):
            spans += [
                lambda value=value: source.span(value)
                for keyword in node.keywords
                for value in (keyword, keyword.value)
            ]
        for span in spans:
            place = span()
            if source.positions.place(place.start)[0] == line:
                return place
        start = source.positions.at(line, 0)
        text = source.positions.line_text(line)
        return Span(start + len(text) - len(text.lstrip()), start + len(text))


class _Shelf:
    """The tests that bandit's tester is to run next."""

    def __init__(self) -> None:
        self.tests: list[BoundTest] = []

    def get_tests(self, _kind: str) -> list[BoundTest]:
        return self.tests


class _NoMetrics:
    """Bandit counts what comments silence; nobody asks here."""

    def note_nosec(self) -> None:
        """Count nothing."""

    def note_skipped_test(self) -> None:
        """Count nothing."""


def _concerns(test: BoundTest, name: str) -> bool:
    """Whether a test can have something to say about a call of a function with this whole name."""
    need = test.need
    if need is None or need.keywords or need.passwords or need.qualified is None:
        return True
    return need.qualified(name)


def _sibling(node: ast.AST, parent: ast.AST) -> object:
    """The node that follows in the list of its parent that holds a node."""
    for name in parent._fields:
        value = getattr(parent, name, None)
        if isinstance(value, list) and node in value:
            nodes = cast("list[object]", value)
            at = nodes.index(node) + 1
            return nodes[at] if at < len(nodes) else None
    return None


def _unlink(node: ast.AST) -> None:
    """Take off a node what bandit and `_link` put on it."""
    links = node.__dict__
    for name in _LINKS:
        links.pop(name, None)
    if "lineno" not in links:
        for below in ast.walk(node):
            below.__dict__.pop("_bandit_linerange", None)


def _name_span(source: Source, node: ast.FunctionDef) -> Span:
    """The name in a definition, or the definition if the name is not beside its keyword."""
    span = source.span(node)
    match = re.compile(r"def[ \t]+(\w+)").match(source.text, span.start)
    return Span(*match.span(1)) if match else span
