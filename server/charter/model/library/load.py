"""Reads a library's model from TOML and says in which line a mistake is. It knows the format, not the analysis."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import tomli

from charter.api import regex
from charter.api.facts.taint import SINK_KINDS, SOURCE_KINDS
from charter.model.library.values import (
    Argument,
    Callback,
    Condition,
    Guard,
    Handler,
    Library,
    Propagator,
    Registration,
    Sanitizer,
    Sink,
    Source,
)
from charter.syntax.toml import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARKS = ("object", "path-raw", "redirect-slashes")
"""Properties of untrusted data beside the kinds: it may be a dictionary or list; is not normalised yet; hides a host behind slashes."""

_NAME = regex(r"(\?|[A-Za-z_]\w*)(\.[A-Za-z_]\w*(\(\))?)*(\(\))?(\.\*)?")
_CLASS = regex(rf"\*\w+|{_NAME.pattern}")
_FUNCTION = regex(r"(\*|\w+)(\(\w+(, \w+)*\))?")
_ARGUMENT = regex(r"(?P<what>\d+\*|\d+|\*\*keys|\*\*|\*|[A-Za-z_]\w*)(?P<or>(\|[A-Za-z_]\w*)*)")
_STEP = regex(r"\.[A-Za-z_]\w*|\[[^\]]*\]|:(body|program|arguments|shell)")
_SPECIAL = {"self": "self", "return": "return", "*": "all", "**": "keywords", "**keys": "keyword-names"}
_SYNTAXES = ("", "flask", "django", "regex", "braces", "colon", "pyramid")

_KEYS: dict[str, frozenset[str]] = {
    "library": frozenset({"name", "packages", "requires"}),
    "source": frozenset({"names", "kind", "value", "says", "without", "when", "unless", "part"}),
    "sink": frozenset({"names", "kind", "args", "when", "unless", "like", "severity"}),
    "sanitizer": frozenset({"names", "for", "args", "when", "unless"}),
    "guard": frozenset({"names", "for", "args", "outcome", "when", "unless"}),
    "propagator": frozenset({"names", "from", "to", "drops", "adds", "segment", "when", "unless"}),
    "callback": frozenset({"names", "function", "passes", "returns"}),
    "field": frozenset({"names", "for"}),
    "exit": frozenset({"names"}),
    "validator": frozenset({"names"}),
    "injector": frozenset({"names"}),
    "bag": frozenset({"names"}),
    "handler": frozenset(
        {
            "decorators", "calls", "classes", "methods", "functions", "route", "syntax", "parameters",
            "types", "tainted", "kind", "returns", "html", "redirect", "value", "without",
        }
    ),
}  # fmt: skip

T = TypeVar("T")


class LibraryError(ValueError):
    """A model that cannot be used; the message names the file, the line and the remedy.

    Attributes:
        line: 1-based; 0 where no line can be named.
        problem: what is wrong and what to do.
    """

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}:{line}: {problem}" if line else f"{file}: {problem}")
        self.line: int = line
        self.problem: str = problem


@lru_cache(maxsize=512)
def header(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read only which packages a model is for and which models it requires, without parsing all of it.

    Args:
        text: the model's TOML.

    Returns:
        The import names and the required libraries; both empty where the text has none.
    """
    start = text.find("[library]")
    end = text.find("\n[", start + 1)
    head = text[start : end if end >= 0 else len(text)] if start >= 0 else ""
    found: list[tuple[str, ...]] = []
    for key in ("packages", "requires"):
        match = re.search(rf"^{key}\s*=\s*\[([^\]]*)\]", head, re.MULTILINE)
        found.append(tuple(re.findall(r"[\"']([^\"']+)[\"']", match[1])) if match else ())
    return found[0], found[1]


@lru_cache(maxsize=512)
def load(text: str, file: str) -> Library:
    """Read one model.

    Args:
        text: TOML as the schema describes it.
        file: the file's name, for messages.

    Returns:
        The library's model.

    Raises:
        LibraryError: for TOML that does not parse, unknown tables, keys, kinds or malformed names and arguments.
    """
    try:
        document = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        raise LibraryError(file, error.lineno, f"is not valid TOML: {problem}") from error
    return tables(document, file, text)


def tables(document: Mapping[str, Any], file: str, text: str, prefix: tuple[str, ...] = ()) -> Library:
    """Make a model from TOML that is parsed already, such as the `taint` table of a project's settings.

    Args:
        document: the tables.
        file: the file's name, for messages.
        text: the file's text, to find the lines of mistakes.
        prefix: the tables in which the document's tables stand, such as `("tool", "charter", "taint")`.

    Returns:
        The library's model.

    Raises:
        LibraryError: as for `load`.
    """
    return _Reader(document, file, text, prefix).library()


class _Reader:
    """Reads one document; keeps where it is, for messages."""

    def __init__(self, document: Mapping[str, Any], file: str, text: str, prefix: tuple[str, ...]) -> None:
        self.document = document
        self.file = file
        self.text = text
        self.prefix = prefix
        self.table = ""
        self.index = -1

    def fail(self, problem: str, key: str = "") -> NoReturn:
        table = (self.table, self.index) if self.index >= 0 else (self.table,)
        raise LibraryError(
            self.file, line_of(self.text, (*self.prefix, *table, *((key,) if key else ()))) or 1, problem
        )

    def library(self) -> Library:
        known = set(_KEYS) | {"types", "aliases", "bases", "parameters"}
        for table in self.document:
            self.table = table
            if table not in known:
                self.fail(f"unknown table `{table}`; there are {', '.join(sorted(known))}")
        self.table = "library"
        head = self._table("library")
        self._known_keys(head)
        fields = {name: kinds for names, kinds in self._each("field", self._field) for name in names}
        return Library(
            name=self._text(head, "name", default=self.file),
            packages=self._texts(head, "packages"),
            requires=self._texts(head, "requires"),
            types=self._mapping("types"),
            aliases=self._mapping("aliases"),
            bases=self._bases(),
            fields=fields,
            parameters=self._mapping("parameters"),
            sources=tuple(one for many in self._each("source", self._sources) for one in many),
            sinks=tuple(one for many in self._each("sink", self._sinks) for one in many),
            sanitizers=tuple(one for many in self._each("sanitizer", self._sanitizers) for one in many),
            guards=tuple(one for many in self._each("guard", self._guards) for one in many),
            propagators=tuple(one for many in self._each("propagator", self._propagators) for one in many),
            callbacks=tuple(one for many in self._each("callback", self._callbacks) for one in many),
            exits=self._all_names("exit"),
            validators=self._all_names("validator"),
            injectors=self._all_names("injector"),
            bags=self._all_names("bag"),
            handlers=tuple(self._each("handler", self._handler)),
        )

    def _table(self, table: str) -> Mapping[str, Any]:
        found = self.document.get(table, {})
        if not isinstance(found, dict):
            self.fail(f"`{table}` is a table; write `[{'.'.join((*self.prefix, table))}]`")
        return found

    def _each(self, table: str, read: Any) -> Iterator[Any]:
        self.table = table
        rows = self.document.get(table, [])
        if not isinstance(rows, list):
            self.index = -1
            self.fail(f"`{table}` is a list of tables; write `[[{'.'.join((*self.prefix, table))}]]`")
        for index, row in enumerate(rows):
            self.table, self.index = table, index
            if not isinstance(row, dict):
                self.fail(f'`{table}` is a list of tables such as {{ names = ["package.function"], … }}')
            self._known_keys(row)
            yield read(row)

    def _all_names(self, table: str) -> tuple[str, ...]:
        """The names of tables that hold nothing else."""
        return tuple(one for many in self._each(table, self._names) for one in many)

    def _known_keys(self, row: Mapping[str, Any]) -> None:
        for key in row:
            if key not in _KEYS[self.table]:
                keys = ", ".join(sorted(_KEYS[self.table]))
                self.fail(f"unknown key `{key}` in `{self.table}`; there are {keys}", key)

    # Plain values
    def _text(self, row: Mapping[str, Any], key: str, default: str = "") -> str:
        value = row.get(key, default)
        if not isinstance(value, str):
            self.fail(f"`{key}` must be a string", key)
        return value

    def _texts(self, row: Mapping[str, Any], key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = row.get(key, list(default))
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail(f"`{key}` must be a string or a list of strings", key)
        return tuple(value)

    def _choice(self, row: Mapping[str, Any], key: str, choices: tuple[str, ...], default: str) -> str:
        value = self._text(row, key, default)
        if value not in choices:
            self.fail(
                f"`{key}` is {value!r}; choose one of {', '.join(repr(choice) for choice in choices)}", key
            )
        return value

    def _names(
        self,
        row: Mapping[str, Any],
        key: str = "names",
        *,
        needed: bool = True,
        pattern: re.Pattern[str] = _NAME,
    ) -> tuple[str, ...]:
        names = tuple(name for braced in self._texts(row, key) for name in _expand(braced))
        if needed and not names:
            self.fail(f"`{key}` is missing: list the qualified names", key)
        for name in names:
            if not pattern.fullmatch(name):
                self.fail(f"{name!r} is not a qualified name such as `package.Class.method`", key)
        return names

    def _mapping(self, table: str) -> dict[str, str]:
        self.table, self.index = table, -1
        result: dict[str, str] = {}
        for name, value in self._table(table).items():
            if not isinstance(value, str):
                self.fail(f"`{name}` must be a string", name)
            for one in _expand(name):
                if not _NAME.fullmatch(one):
                    self.fail(f"{one!r} is not a qualified name such as `package.function()`", name)
                result[one] = value[:-1] + one.rpartition(".")[2] if value.endswith(".*") else value
        return result

    def _bases(self) -> dict[str, tuple[str, ...]]:
        self.table, self.index = "bases", -1
        rows = self._table("bases")
        return {one: self._texts(rows, name) for name in rows for one in _expand(name)}

    # Parts
    def _argument(self, text: str, key: str) -> Argument:
        match = _ARGUMENT.match(text)
        path: list[str] = []
        at = match.end() if match else 0
        while at < len(text) and (step := _STEP.match(text, at)):
            path.append(step[0])
            at = step.end()
        if match is None or at != len(text):
            self.fail(
                f"{text!r} names no argument; write a position (`0`), a keyword (`sql`), both (`0|sql`), `1*` (from "
                "position 1 on), `*`, `**`, `**keys` or `self`, then perhaps `[key]`, `[]`, `.name` or `:body`",
                key,
            )
        what, names = match["what"], tuple(name for name in match["or"].split("|") if name)
        if what in _SPECIAL:
            return Argument(special=_SPECIAL[what], path=tuple(path))
        if what.endswith("*"):
            return Argument(int(what[:-1]), special="rest", path=tuple(path))
        if what.isdigit():
            return Argument(int(what), names, path=tuple(path))
        return Argument(keywords=(what, *names), path=tuple(path))

    def _arguments(self, row: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[Argument, ...]:
        return tuple(self._argument(text, key) for text in self._texts(row, key, default))

    def _conditions(
        self, row: Mapping[str, Any], keys: tuple[tuple[str, bool], ...] = (("when", False), ("unless", True))
    ) -> tuple[Condition, ...]:
        result: list[Condition] = []
        for key, negated in keys:
            table = row.get(key, {})
            if not isinstance(table, dict):
                self.fail(f"`{key}` must be a table such as {{ shell = true }}", key)
            for argument, wanted in table.items():
                values: tuple[object, ...] = tuple(wanted) if isinstance(wanted, list) else (wanted,)
                result.append(Condition(self._argument(argument, key), values, negated))
        return tuple(result)

    def _kind(self, row: Mapping[str, Any], kinds: Mapping[str, str], default: str = "") -> str:
        kind = self._text(row, "kind", default)
        if kind not in kinds:
            problem = f"unknown kind {kind!r}" if kind else "`kind` is missing"
            self.fail(f"{problem}; there are {', '.join(kinds)}", "kind")
        return kind

    def _kinds(self, row: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """Kinds of sinks, () for all of them."""
        kinds = self._texts(row, key)
        if kinds in ((), ("*",)):
            if key == "for" and not kinds:
                self.fail('`for` is missing: list the kinds it makes safe, or "*"', key)
            return ()
        for kind in kinds:
            if kind not in SINK_KINDS and kind not in MARKS:
                self.fail(f"unknown kind {kind!r}; there are {', '.join((*SINK_KINDS, *MARKS))}", key)
        return kinds

    # Tables
    def _field(self, row: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self._names(row), self._kinds(row, "for")

    def _sources(self, row: Mapping[str, Any]) -> list[Source]:
        kind = self._kind(row, SOURCE_KINDS)
        value = self._choice(row, "value", ("text", "object"), "text")
        says, when = self._text(row, "says"), self._conditions(row)
        without = self._kinds(row, "without")
        part = self._choice(row, "part", ("", "parameters", "path", "address", "fields"), "")
        return [Source(name, kind, value, says, without, when, part) for name in self._names(row)]

    def _sinks(self, row: Mapping[str, Any]) -> list[Sink]:
        kind = self._kind(row, SINK_KINDS)
        arguments, when = self._arguments(row, "args", ("0",)), self._conditions(row)
        like = self._choice(row, "like", ("", "sql", "html", "url", "code", "package"), "")
        severity = self._choice(row, "severity", ("", "info", "low", "medium", "high", "critical"), "")
        return [Sink(name, kind, arguments, when, like, severity) for name in self._names(row)]

    def _sanitizers(self, row: Mapping[str, Any]) -> list[Sanitizer]:
        kinds, when = self._kinds(row, "for"), self._conditions(row)
        arguments = self._arguments(row, "args", ("*", "self"))
        return [Sanitizer(name, kinds, arguments, when) for name in self._names(row)]

    def _guards(self, row: Mapping[str, Any]) -> list[Guard]:
        kinds, when = self._kinds(row, "for"), self._conditions(row)
        arguments = self._arguments(row, "args", ("0",))
        outcome = self._choice(row, "outcome", ("true", "false", "returns", "signs", "agrees"), "true")
        return [Guard(name, kinds, arguments, outcome, when) for name in self._names(row)]

    def _propagators(self, row: Mapping[str, Any]) -> list[Propagator]:
        origins, when = self._arguments(row, "from", ("*", "self")), self._conditions(row)
        target = self._argument(self._text(row, "to", "return"), "to")
        drops, adds = self._kinds(row, "drops"), self._kinds(row, "adds")
        segment = self._flag(row, "segment")
        return [Propagator(name, origins, target, drops, adds, when, segment) for name in self._names(row)]

    def _flag(self, row: Mapping[str, Any], key: str) -> bool:
        value = row.get(key, False)
        if not isinstance(value, bool):
            self.fail(f"`{key}` must be true or false", key)
        return value

    def _callbacks(self, row: Mapping[str, Any]) -> list[Callback]:
        function = self._argument(self._text(row, "function", "0"), "function")
        passes, returns = self._arguments(row, "passes", ()), self._flag(row, "returns")
        return [Callback(name, function, passes, returns) for name in self._names(row)]

    def _registrations(self, row: Mapping[str, Any], key: str) -> Iterator[Registration]:
        if not isinstance(row, dict) or not {"call", "function"} <= set(row) <= {"call", "function", "route"}:
            self.fail('a registration is written { call = "…", function = "1", route = "0" }', key)
        function = self._argument(self._text(row, "function"), key)
        route = self._route(row, key)
        for call in _expand(self._text(row, "call")):
            if not _NAME.fullmatch(call):
                self.fail(f"{call!r} is not a qualified name such as `package.Class.method`", key)
            yield Registration(call, function, route)

    def _route(self, row: Mapping[str, Any], key: str) -> Argument | None:
        return self._argument(self._text(row, "route"), key) if "route" in row else None

    def _handler(self, row: Mapping[str, Any]) -> Handler:
        types = row.get("types", {})
        if not isinstance(types, dict) or not all(isinstance(value, str) for value in types.values()):
            self.fail('`types` is a table such as { request = "django.http.HttpRequest" }', "types")
        calls = row.get("calls", [])
        if not isinstance(calls, list):
            self.fail('`calls` is a list of registrations, each { call = "…", function = "1" }', "calls")
        return Handler(
            decorators=self._names(row, "decorators", needed=False),
            calls=tuple(one for call in calls for one in self._registrations(call, "calls")),
            classes=self._names(row, "classes", needed=False, pattern=_CLASS),
            methods=tuple(name for braced in self._texts(row, "methods") for name in _expand(braced)),
            functions=self._names(row, "functions", needed=False, pattern=_FUNCTION),
            route=self._route(row, "route"),
            syntax=self._choice(row, "syntax", _SYNTAXES, ""),
            parameters=self._choice(row, "parameters", ("route", "all", "typed", "none"), "route"),
            types=types,
            tainted=self._texts(row, "tainted"),
            kind=self._kind(row, SOURCE_KINDS, "http"),
            returns=self._choice(
                row, "returns", ("html", "json", "response", "redirect", "gateway", "wsgi"), "response"
            ),
            html=self._conditions(row, (("html", False),)),
            redirect=self._conditions(row, (("redirect", False),)),
            value=self._choice(row, "value", ("text", "object"), "text"),
            without=self._kinds(row, "without"),
        )


def _expand(name: str) -> Iterator[str]:
    """All names that a name with `{a,b}` groups stands for."""
    start = name.find("{")
    end = name.find("}", start)
    if start < 0 or end < 0:
        yield name
        return
    for middle in name[start + 1 : end].split(","):
        for rest in _expand(name[end + 1 :]):
            yield name[:start] + middle.strip() + rest
