"""Finds the regular expressions of a file and what is wrong with them: the file-scope analysis behind `Regex` facts."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, cast

from charter.analysis import Coarse
from charter.analysis.calls import calls_of
from charter.analysis.regex.proof import Proofs
from charter.api import regex
from charter.api.facts.regex import Regex, RegexProblem
from charter.model.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

_METHODS: Final = ("search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split")
_TESTS: Final = (ast.If, ast.IfExp, ast.While, ast.Assert, ast.BoolOp, ast.UnaryOp, ast.Compare)
"""What a match stands in that is only asked for."""
_EDITING: Final = frozenset({"sub", "subn", "split", "findall", "finditer"})
"""Methods that take pieces out of a text, as from both of its ends, and check none."""
_FLAGS: Final = {"compile": 1, "split": 3, "sub": 4, "subn": 4}
_ELSEWHERE: Final[dict[str, tuple[int, str]]] = {
    "django.utils.regex_helper._lazy_re_compile": (0, "regex"),
    "django.urls.re_path": (0, "route"),
    "django.conf.urls.url": (0, "regex"),
    "django.core.validators.RegexValidator": (0, "regex"),
    "django.forms.RegexField": (0, "regex"),
    "django.forms.fields.RegexField": (0, "regex"),
    "rest_framework.serializers.RegexField": (0, "regex"),
    "marshmallow.validate.Regexp": (0, "regex"),
    "wtforms.validators.Regexp": (0, "regex"),
}
_ROOTS: Final = frozenset({"re", "regex", "django", "rest_framework", "marshmallow", "wtforms"})
_LAST_NAMES: Final = frozenset({*_METHODS, "compile", *(name.rpartition(".")[2] for name in _ELSEWHERE)})
_LIBRARIES: Final = ("re", "regex")
_WORDS: Final = frozenset(
    {"re", "regex", "_lazy_re_compile", "re_path", "RegexValidator", "RegexField", "Regexp"}
)
"""Words without one of which there is no pattern in a file."""
_FILTERS: Final = regex(
    r"(?i)strip|clean|sanit|remove|filter|safe|xss|escape|valid|check|allow|block(?:ed|er|ing|_?list)|malicious|dangerous"
)
_ADDRESS: Final = regex(r"(?i)url|uri|host|origin|domain|netloc|referr?er|redirect|next|target|link|address")
_LONGEST: Final = 5_000


def facts(source: Source, names: Names) -> Iterator[Fact | Coarse]:
    """Every regular expression whose pattern is known, with its problems, and where there were too many to prove."""
    if _WORDS.isdisjoint(source.words):
        return
    local = _local_names(source)
    if not local:
        return
    values = Values(source, names)
    matching = _Matching(source)
    proofs = Proofs()
    are_cut = False
    for call in _candidates(source, local):
        name = names.qualified(call.func)
        if name is None:
            continue
        argument = _pattern_argument(call, name)
        if argument is None:
            continue
        pattern = values.value(argument)
        if not isinstance(pattern, (str, bytes)) or len(pattern) > _LONGEST:
            continue
        use = _Use(source, names, values, matching, proofs, call, name)
        text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
        yield Regex(source.location(argument), text, name, tuple(use.problems(pattern, text)))
        if proofs.are_cut and not are_cut:
            are_cut = True
            yield Coarse(source.location(argument), "the regular expressions from here on")


def _local_names(source: Source) -> frozenset[str]:
    """The names that imports bind to modules and functions that may take patterns."""
    found: set[str] = set()
    for statement in source.nodes(ast.Import):
        for alias in statement.names:
            root = alias.name.partition(".")[0]
            if root in _ROOTS:
                found.add(alias.asname or root)
    for statement in source.nodes(ast.ImportFrom):
        root = (statement.module or "").partition(".")[0]
        if root in _ROOTS and not statement.level:
            found.update(alias.asname or alias.name for alias in statement.names)
    return frozenset(found)


def _candidates(source: Source, local: frozenset[str]) -> list[ast.Call]:
    """The calls that may take a pattern, by what they are written as, in source order."""
    found = [call for name in local for call, _ in calls_of(source.reads.get(name, ()), source)]
    for last in _LAST_NAMES:
        for call, function in calls_of(source.gets.get(last, ()), source):
            root = function.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in local:
                found.append(call)
    return cast("list[ast.Call]", source.index.ordered(found))


def _pattern_argument(call: ast.Call, name: str) -> ast.expr | None:
    library, _, function = name.rpartition(".")
    if library in _LIBRARIES and (function in _METHODS or function == "compile"):
        position, keyword = 0, "pattern"
    elif name in _ELSEWHERE:
        position, keyword = _ELSEWHERE[name]
    else:
        return None
    if len(call.args) > position:
        return call.args[position]
    return next((item.value for item in call.keywords if item.arg == keyword), None)


class _Matching:
    """The calls of matching methods in a file, by the name of the variable or attribute whose method is called."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._by_owner: dict[str, list[ast.Call]] | None = None

    def calls(self, owner: str) -> list[ast.Call]:
        """The calls of methods such as `OWNER.match(…)` or `self.OWNER.match(…)`."""
        if self._by_owner is None:
            self._by_owner = {}
            for call in self._source.nodes(ast.Call):
                function = call.func
                if type(function) is ast.Attribute and function.attr in _METHODS:
                    receiver = function.value
                    if type(receiver) is ast.Name:
                        self._by_owner.setdefault(receiver.id, []).append(call)
                    elif type(receiver) is ast.Attribute:
                        self._by_owner.setdefault(receiver.attr, []).append(call)
        return self._by_owner.get(owner, [])


class _Use:
    """One place where a pattern is given to a function."""

    def __init__(
        self,
        source: Source,
        names: Names,
        values: Values,
        matching: _Matching,
        proofs: Proofs,
        call: ast.Call,
        name: str,
    ) -> None:
        self._source = source
        self._matching = matching
        self._names = names
        self._values = values
        self._proofs = proofs
        self._call = call
        library, _, function = name.rpartition(".")
        if function == "_lazy_re_compile":
            function = "compile"
        elif library not in _LIBRARIES:
            function = "match"
        self._function = function

    def problems(self, pattern: str | bytes, text: str) -> Iterator[RegexProblem]:
        """What is wrong with the pattern as it is used here."""
        from charter.analysis.regex import backtracking, lint

        flags = self._flags()
        methods = self._methods()
        method = next(iter(methods)) if len(methods) == 1 and methods <= {"match", "fullmatch"} else "search"
        exponential = backtracking.exponential_witness(pattern, flags, method, self._proofs)
        if exponential is not None:
            yield RegexProblem("exponential", "", str(exponential))
        if not flags & re.VERBOSE:
            yield from lint.ranges(text)
            yield from lint.hosts(text)
            if not methods or not methods <= _EDITING:
                yield from lint.anchors(text, from_start=method != "search")
            known = any(True for _ in self._calls_of())
            searched = known and "fullmatch" not in methods and not self._only_asks()
            yield from lint.alternatives(text, searched=searched, whole_texts=methods == {"fullmatch"})
        if isinstance(pattern, str) and exponential is None and self._filters(methods):
            only_taken_out = methods <= {"sub", "subn"}
            says_so = _FILTERS.search(self._names.symbol(self._call)) is not None
            yield from lint.tags(pattern, flags, comments=only_taken_out and says_so)
        if method == "match" and self._checks_address():
            yield from lint.open_ends(text)
        if methods == {"search"} and self._checks_address():
            yield from lint.open_starts(text)

    def _flags(self) -> int:
        position = _FLAGS.get(self._function, 2)
        argument = self._call.args[position] if len(self._call.args) > position else None
        for item in self._call.keywords:
            if item.arg == "flags":
                argument = item.value
        value = self._values.value(argument) if argument is not None else 0
        return value & 0xFFFF if isinstance(value, int) else 0

    def _name(self) -> str:
        """The variable that a compiled pattern is bound to; "" if it is used at once."""
        parent = self._source.parent(self._call)
        if isinstance(parent, (ast.Assign, ast.AnnAssign)):
            target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
            if isinstance(target, ast.Name):
                return target.id
            return target.attr if isinstance(target, ast.Attribute) else ""
        return ""

    def _calls_of(self) -> Iterator[ast.Call]:
        """The calls by which the pattern is matched."""
        if self._function != "compile":
            yield self._call
            return
        parent = self._source.parent(self._call)
        if isinstance(parent, ast.Attribute):
            outer = self._source.parent(parent)
            if isinstance(outer, ast.Call):
                yield outer
        name = self._name()
        if name:
            yield from self._matching.calls(name)

    def _methods(self) -> set[str]:
        return {
            call.func.attr if isinstance(call.func, ast.Attribute) else self._function
            for call in self._calls_of()
        } or {"search"}

    def _only_asks(self) -> bool:
        """Whether nobody looks at what was matched, only at whether something was."""
        return all(map(self._is_asked, self._calls_of()))

    def _is_asked(self, call: ast.Call) -> bool:
        parent = self._source.parent(call)
        if isinstance(parent, ast.comprehension):
            return parent.iter is not call
        if isinstance(parent, ast.Call):
            return parent.func is not call and self._names.qualified(parent.func) == "builtins.bool"
        return isinstance(parent, _TESTS)

    def _subjects(self) -> Iterator[ast.expr]:
        """The texts that the pattern is matched against."""
        for call in self._calls_of():
            direct = call is self._call
            method = call.func.attr if isinstance(call.func, ast.Attribute) else self._function
            position = (2 if method in {"sub", "subn"} else 1) - (not direct)
            if len(call.args) > position:
                yield call.args[position]

    def _filters(self, methods: set[str]) -> bool:
        """Whether the pattern takes text out, or stands in code that says that it makes text safe."""
        if methods & {"sub", "subn"}:
            return True
        return bool(_FILTERS.search(f"{self._name()} {self._names.symbol(self._call)}"))

    def _checks_address(self) -> bool:
        return any(_ADDRESS.search(ast.unparse(subject)) for subject in self._subjects()) and any(
            self._is_asked(call) or isinstance(self._source.parent(call), ast.Return)
            for call in self._calls_of()
        )
