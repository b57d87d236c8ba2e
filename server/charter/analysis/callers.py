"""What the calls of a project give to its functions' parameters, and what their results are called, for rules that ask.

It knows the calls whose function is certain: by import, by definition, or by the class of an object that the file
makes. Of arguments it keeps constants, names that stand for constants, and names of sensitive data; not what is
computed. Calls in tests are left out when answers are given.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.analysis import Solution
from charter.analysis.bodies import surroundings
from charter.analysis.calls import FOREIGN, named_calls
from charter.analysis.places import Packed, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api import UNKNOWN
from charter.api.facts.names import PassedValue
from charter.api.sensitive import sensitivity
from charter.model.names import BUILTINS, last_name
from charter.model.types import Types
from charter.model.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis import ProjectInfo
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 2

_LONGEST: Final = 100
"""Characters that a literal may have."""
_PARTIAL: Final = "functools.partial"
_ELSEWHERE: Final = BUILTINS | {"self", "cls"}
"""Names of which it is known what they are, so that a call through one either has a known target or none."""
RESULT: Final = "->"
"""Stands for a parameter's place where it is asked what a function's results are called."""
_HOPS: Final = 3
_NAMED: Final = frozenset[type]({ast.Name, ast.Attribute})
_NAMING: Final = frozenset[type]({ast.Assign, ast.keyword})
"""What gives the result of a call a name."""
_TELLING: Final = _NAMED | {ast.JoinedStr, ast.BinOp, ast.Call}
"""Arguments that may be names of constants or of sensitive data, or text put together of such."""

Given = tuple[str, str, str, str]
"""An argument: its place ("0", "name", or `RESULT`), its literal, what it is a name for, its own identifier."""
Row = tuple[Packed, str, str, list[Given]]
"""A call: its place, the tests of the `if`s around it, the function around it, what it gives."""
Extract = tuple[dict[str, list[Row]], dict[str, str], list[str]]
"""The calls by the function's qualified name, what a package passes on from its modules, what the file's rules ask."""


def extract(source: Source, names: Names) -> Extract | None:
    """The telling calls of a file, and what its rules ask about the callers of its own functions."""
    rows = _Reader(source, names).rows()
    asked = sorted(name for name in names.elsewhere.asked if name.endswith(")") and not name.endswith("()"))
    passed_on: dict[str, str] = {}
    if source.path.endswith("__init__.py"):
        for name, bindings in names.table(source.tree).items():
            if len(bindings) == 1 and bindings[0].target:
                passed_on[f"{source.module}.{name}"] = bindings[0].target
    return (rows, passed_on, asked) if rows or passed_on or asked else None


class _Reader:
    """Reads the calls of one file."""

    def __init__(self, source: Source, names: Names) -> None:
        self._source = source
        self._names = names
        self._values = Values(source, names)
        self._types = Types(source, names)

    def rows(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for call, target in self._candidates():
            result = self._result(call)
            if not (result or self._may_tell(call)):
                continue
            callee, skipped = self._callee(call, target)
            if not callee or callee.partition(".")[0] in FOREIGN:
                continue
            given = [*self._given(call, skipped)]
            if result:
                given.append((RESULT, "", "", result))
            if given:
                row = (pack(self._source, call), *surroundings(self._source, call), given)
                found.setdefault(callee, []).append(row)
        return found

    def _candidates(self) -> Iterator[tuple[ast.Call, str]]:
        """The calls that may be of the project's functions, with what they call, or "" where that takes a closer look."""
        named = named_calls(self._source, self._names)
        yield from named.own_and(frozenset({_PARTIAL})).items()
        for call in self._source.nodes(ast.Call):
            func = call.func
            owner = func.value if type(func) is ast.Attribute else func
            if type(owner) is ast.Name and owner.id not in _ELSEWHERE and call not in named.all:
                yield call, ""

    @staticmethod
    def _may_tell(call: ast.Call) -> bool:
        """Whether an argument is written as a constant or as a name that may stand for one; cheap.

        Text alone, without a keyword, tells little and is in most calls.
        """
        for item in call.args:
            if type(item) in _TELLING:
                found = _may_stand(item)
            else:
                found = type(item) is ast.Constant and not isinstance(item.value, str)
            if found:
                return True
        for keyword in call.keywords:
            kind = type(keyword.value)
            if kind is ast.Constant or (kind in _TELLING and _may_stand(keyword.value)):
                return True
        return False

    def _callee(self, call: ast.Call, target: str) -> tuple[str, int]:
        """The function that is called in the end, and how many arguments stand before its own."""
        name = target or self._names.qualified(call.func)
        if name == _PARTIAL and call.args:
            return self._names.qualified(call.args[0]) or "", 1
        if name is None and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            owner = self._types.name(call.func.value)
            name = f"{owner}.{call.func.attr}" if owner and "." in owner else None
        return name or "", 0

    def _given(self, call: ast.Call, skipped: int) -> Iterator[Given]:
        if any(type(item) is ast.Starred for item in call.args):
            places: list[tuple[str, ast.expr]] = []
        else:
            places = [(str(place), item) for place, item in enumerate(call.args[skipped:])]
        places += [(item.arg, item.value) for item in call.keywords if item.arg]
        for place, item in places:
            found = self._value(item)
            if any(found):
                yield place, *found

    def _value(self, item: ast.expr) -> tuple[str, str, str]:
        if isinstance(item, ast.Constant):
            return _literal(item.value), "", ""
        if not isinstance(item, (ast.Name, ast.Attribute)):
            return "", "", self.inside(item)
        last = item.id if isinstance(item, ast.Name) else item.attr
        private = last if sensitivity(last) is not None else ""
        if not last.isupper():
            return "", "", private
        value = self._values.value(item)
        if value is not UNKNOWN:
            return _literal(value), "", private
        return "", self._names.qualified(item) or "", private

    @staticmethod
    def inside(item: ast.expr) -> str:
        """The sensitive name in text that is put together: `"x" + password`, `f"{password}"`, `password.encode()`."""
        if type(item) is ast.JoinedStr:
            parts = [part.value for part in item.values if type(part) is ast.FormattedValue]
        elif type(item) is ast.BinOp:
            parts = [item.left, item.right]
        elif type(item) is ast.Call and type(item.func) is ast.Attribute and item.func.attr == "encode":
            parts = [item.func.value]
        else:
            return ""
        words = [last_name(part) for part in parts]
        return next((word for word in words if word and sensitivity(word) is not None), "")

    def _result(self, call: ast.Call) -> str:
        """What the result of a call is called, if that is the name of something sensitive; else ""."""
        parent = self._source.index.parents[call]
        if type(parent) not in _NAMING:
            return ""
        word = ""
        if type(parent) is ast.Assign:
            word = last_name(parent.targets[0])
        elif type(parent) is ast.keyword:
            word = parent.arg or ""
        return word if word and sensitivity(word) is not None else ""


def _may_stand(item: ast.expr) -> bool:
    """Whether an argument's own name is that of a constant or of sensitive data."""
    if type(item) is ast.Name:
        last = item.id
    elif type(item) is ast.Attribute:
        last = item.attr
    else:
        return bool(_Reader.inside(item))
    return last.isupper() or sensitivity(last) is not None


def _literal(value: object) -> str:
    if value is None or isinstance(value, (bool, int, bytes, str)):
        text = repr(value)
        return text if len(text) <= _LONGEST else ""
    return ""


class Solver(KeptSolver[Extract]):
    """Answers what files ask about the callers of their functions."""

    def __init__(self, project: ProjectInfo) -> None:
        super().__init__(project)
        self._calls: dict[str, dict[str, list[Row]]] = {}
        self._passed_on: dict[str, str] = {}

    def added(self, path: str, extract: Extract) -> None:
        """Count in a file's calls, by the function that they call."""
        rows, passed_on, _ = extract
        for callee, calls in rows.items():
            self._calls.setdefault(callee, {})[path] = calls
        self._passed_on.update(passed_on)

    def removed(self, path: str, extract: Extract) -> None:
        """Count out a file's calls."""
        rows, passed_on, _ = extract
        for callee in rows:
            self._calls[callee].pop(path, None)
        for name in passed_on:
            self._passed_on.pop(name, None)

    def solution(self) -> Solution:
        """The answers, by the file that asks."""
        aliases: dict[str, list[str]] = {}
        if any(asked for _, _, asked in self.files.values()):
            for name, target in self._passed_on.items():
                aliases.setdefault(self._meant(target), []).append(name)
        facts: dict[str, list[PassedValue]] = {}
        for path, (_, _, asked) in self.files.items():
            folder = self.project.modules.get(path, "").rpartition(".")[0]
            found = [fact for question in asked for fact in self._answers(question, aliases, folder)]
            if found:
                facts[path] = found
        return Solution(facts)

    def _meant(self, name: str) -> str:
        """What a name means that a package passes on from one of its modules."""
        for _ in range(_HOPS):
            name = self._passed_on.get(name, name)
        return name

    def _answers(self, question: str, aliases: dict[str, list[str]], folder: str) -> Iterator[PassedValue]:
        """What calls give to a parameter; scripts beside the asking file import from its folder too."""
        function, _, place = question.removesuffix(")").partition("(")
        position, _, keyword = place.partition(":")
        wanted = {position, keyword} - {""}
        made = function.removesuffix(".__init__")
        for name in (made, *aliases.get(made, ())):
            for path, rows in self._calls.get(name, {}).items():
                yield from _of_rows(path, rows, wanted, question)
        beside = made.removeprefix(f"{folder}.") if folder else made
        if beside != made:
            for path, rows in self._calls.get(beside, {}).items():
                if self.project.modules.get(path, "").rpartition(".")[0] == folder:
                    yield from _of_rows(path, rows, wanted, question)


def _of_rows(path: str, rows: list[Row], wanted: set[str], question: str) -> Iterator[PassedValue]:
    for at, condition, around, given in rows:
        for where, literal, target, identifier in given:
            if where in wanted:
                place = unpack(path, at)
                yield PassedValue(place, question, literal, target, identifier, condition, around)
