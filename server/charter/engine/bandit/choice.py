"""Chooses the nodes of a file on which bandit's tests can have something to say. It runs no test."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from charter.engine.bandit.needs import CANDIDATE, SQL_VERB, reorders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from charter.engine.bandit.selection import BoundTest, Selection
    from charter.syntax.source import Source

_BUILDERS = frozenset({ast.BinOp, ast.Attribute, ast.JoinedStr})
"""What a string stands in where text is built of it."""
_NAMING = frozenset({ast.Assign, ast.Compare, ast.Dict, ast.Subscript})
"""What a string stands in where a name says what it is."""
_EVERYWHERE = "0.0.0.0"  # noqa: S104 (looked for, not bound to)


class Asked(Struct):
    """What is to be asked about a node.

    Attributes:
        kind: the kind of node that the tests take it for, in bandit's words.
        tests: the tests.
        qualified: whether some of them still depend on the whole name of the function called.
    """

    kind: str
    tests: list[BoundTest]
    qualified: bool = False


class Choice:
    """The nodes of a file and the tests to call on them.

    Args:
        source: the file.
        tests: the selected tests.

    Attributes:
        asked: what is to be asked about each node.
        about_file: the tests to call on the file as a whole.
    """

    def __init__(self, source: Source, tests: Selection) -> None:
        self.source = source
        self.tests = tests
        self.asked: dict[ast.AST, Asked] = {}
        self._ask_about_calls()
        self._ask_about_strings()
        self._ask_about_functions()
        self._ask_about_handlers()
        self._ask_about_imports()
        self._ask("Assert", source.nodes(ast.Assert), tests.by_kind.get("Assert", ()))
        for kind, foreign in tests.foreign_kinds.items():
            self._ask_foreign(kind, foreign)
        self.about_file = self._file_tests()

    def _ask(self, kind: str, nodes: Iterable[ast.AST], tests: Iterable[BoundTest]) -> None:
        wanted = list(tests)
        if wanted:
            for node in nodes:
                asked = self.asked.get(node)
                if asked is None:
                    self.asked[node] = Asked(kind, list(wanted))
                else:
                    asked.tests += [test for test in wanted if test not in asked.tests]

    def _ask_about_calls(self) -> None:
        tests = self.tests
        calls = self.source.nodes(ast.Call)
        self._ask("Call", calls, tests.everywhere)
        renamed = self._renamed()
        by_name = tests.by_name
        for call in calls:
            function = call.func
            if isinstance(function, ast.Attribute):
                found = by_name[function.attr]
            elif isinstance(function, ast.Name):
                found = by_name[function.id]
                if function.id in renamed:
                    found = (*found, *(test for other in renamed[function.id] for test in by_name[other]))
            else:
                continue
            if found:
                self._ask("Call", (call,), dict.fromkeys(found))
                self.asked[call].qualified = True
        by_keyword = tests.by_keyword
        for keyword in self.source.nodes(ast.keyword):
            found = by_keyword[keyword.arg]
            if found:
                call = self.source.parent(keyword)
                if isinstance(call, ast.Call):
                    self._ask("Call", (call,), found)

    def _renamed(self) -> dict[str, set[str]]:
        """What a bare name may stand for anywhere in the file, by `as`: the last parts of whole names."""
        renamed: dict[str, set[str]] = {}
        for kind in (ast.Import, ast.ImportFrom):
            for node in self.source.nodes(kind):
                for alias in node.names:
                    if alias.asname:
                        renamed.setdefault(alias.asname, set()).add(alias.name.rpartition(".")[2])
        return renamed

    def _ask_about_strings(self) -> None:
        known, others = self.tests.strings()
        if not known and not others:
            return
        strings = self._strings()
        if others:
            self._ask("Str", [node for _, node in strings], others)
        words, folders = known.get("B108"), ()
        if words is not None:
            folders = _folders(words)
            if folders is None:
                self._ask("Str", [node for _, node in strings], (words,))
                folders = ()
        begins = (*folders, _EVERYWHERE) if "B104" in known else folders
        passwords = known.get("B105")
        built: list[ast.Constant] = []
        parents = self.source.index.parents
        for value, node in strings:
            if value.startswith(begins):
                if value == _EVERYWHERE:
                    self._ask("Str", (node,), (known["B104"],))
                elif words is not None and value.startswith(folders):
                    self._ask("Str", (node,), (words,))
            parent = parents[node]
            kind = type(parent)
            if kind in _BUILDERS:
                built.append(node)
            elif kind in _NAMING and passwords is not None and _is_password_place(value, parent):
                self._ask("Str", (node,), (passwords,))
        if "B608" in known and built:
            self._ask("Str", self._possible_sql(built), (known["B608"],))

    def _possible_sql(self, nodes: Sequence[ast.Constant]) -> Iterator[ast.Constant]:
        """Strings in built text of which some part, or the whole of an f-string, holds a verb of SQL."""
        parent = self.source.parent
        verbs = SQL_VERB.search
        in_sums = any(verbs(cast("str", node.value)) for node in nodes if isinstance(parent(node), ast.BinOp))
        for node in nodes:
            above = parent(node)
            if isinstance(above, ast.BinOp):
                wanted = in_sums
            elif isinstance(above, ast.JoinedStr):
                parts = [part.value for part in above.values if isinstance(part, ast.Constant)]
                wanted = verbs("".join(part for part in parts if isinstance(part, str))) is not None
            else:
                method = cast("ast.Attribute", above).attr
                wanted = method in {"format", "replace"} and verbs(cast("str", node.value)) is not None
            if wanted:
                yield node

    def _strings(self) -> list[tuple[str, ast.Constant]]:
        """The strings that are no statements, which bandit takes for documentation, as `Source.strings` has them."""
        parents = self.source.index.parents
        return [pair for pair in self.source.strings if type(parents[pair[1]]) is not ast.Expr]

    def _ask_about_functions(self) -> None:
        known, others = self.tests.functions()
        functions = self.source.nodes(ast.FunctionDef)
        self._ask("FunctionDef", functions, others)
        speaking = [
            function for function in functions if function.args.defaults and _has_telling_default(function)
        ]
        self._ask("FunctionDef", speaking, known.values())

    def _ask_about_handlers(self) -> None:
        known, others = self.tests.handlers()
        handlers = self.source.nodes(ast.ExceptHandler)
        self._ask("ExceptHandler", handlers, others)
        mute = [
            handler
            for handler in handlers
            if len(handler.body) == 1 and isinstance(handler.body[0], (ast.Pass, ast.Continue))
        ]
        self._ask("ExceptHandler", mute, known.values())

    def _ask_about_imports(self) -> None:
        concerns = self.tests.by_import
        by_kind = self.tests.by_kind
        for node in self.source.nodes(ast.Import):
            if any(concerns[alias.name] for alias in node.names):
                self._ask("Import", (node,), by_kind.get("Import", ()))
        for node in self.source.nodes(ast.ImportFrom):
            # Bandit takes `from . import x` for `import x`.
            kind, owner = ("Import", "") if node.module is None else ("ImportFrom", f"{node.module}.")
            if any(concerns[owner + alias.name] for alias in node.names):
                self._ask(kind, (node,), by_kind.get(kind, ()))

    def _ask_foreign(self, kind: str, tests: list[BoundTest]) -> None:
        """Ask about nodes of a kind that only tests of other packages look at."""
        if kind == "Bytes":
            constants = self.source.nodes(ast.Constant)
            nodes: list[ast.AST] = [
                node
                for node in constants
                if isinstance(node.value, bytes) and not isinstance(self.source.parent(node), ast.Expr)
            ]
        elif kind in {"ClassDef", "Constant"}:
            return  # bandit's visitor has its own plans for these and calls no test
        else:
            nodes = list(self.source.nodes(cast("type[ast.AST]", getattr(ast, kind, ast.Interactive))))
        self._ask(kind, nodes, tests)

    def _file_tests(self) -> list[BoundTest]:
        """The tests of the whole file; bandit's own looks for characters that reorder text."""
        tests = self.tests.by_kind.get("File", ())
        return [test for test in tests if not test.known or reorders(self.source.text)]


def _folders(test: BoundTest) -> tuple[str, ...] | None:
    """The folders for which B108 looks; None if its configuration is odd."""
    config = test.config
    if config is None or (isinstance(config, dict) and "tmp_dirs" not in config):
        return ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 (what bandit looks for)
    try:
        folders = tuple(cast("dict[str, list[str]]", config)["tmp_dirs"])
    except TypeError:
        return None
    return folders if all(type(folder) is str for folder in folders) else None


def _is_password_place(value: str, parent: ast.AST) -> bool:
    """Whether a string stands where B105 looks for passwords, given one of `_NAMING`."""
    if isinstance(parent, ast.Assign):
        return any(
            CANDIDATE.search(target.id if isinstance(target, ast.Name) else target.attr)
            for target in parent.targets
            if isinstance(target, (ast.Name, ast.Attribute))
        )
    if isinstance(parent, ast.Compare):
        left = parent.left
        name = left.id if isinstance(left, ast.Name) else left.attr if isinstance(left, ast.Attribute) else ""
        return CANDIDATE.search(name) is not None
    return CANDIDATE.search(value) is not None


def _has_telling_default(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(default, ast.Attribute)
        or (isinstance(default, ast.Constant) and isinstance(default.value, str))
        for default in function.args.defaults
    )
