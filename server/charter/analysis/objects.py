"""What happens to objects that are made, configured and then used: TLS contexts and HTTP sessions.

An object is followed in a function, in a module and in a class by the variable or attribute that holds it; through a
function that it is passed to, and from a function that makes and returns it, across files. Events stand in the order
of the code; branches are not told apart, but each event says under which conditions it stands. An object in a container,
or under a second name, is not followed.
"""

from __future__ import annotations

import ast
from operator import itemgetter
from typing import TYPE_CHECKING, Final, cast

from charter.analysis import Solution
from charter.analysis.bodies import surroundings
from charter.analysis.places import Packed, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api import UNKNOWN
from charter.api.facts.objects import Event, ObjectHistory
from charter.model.names import FUNCTIONS, last_name
from charter.model.usual import Usual

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis import ProjectInfo
    from charter.api.facts.objects import Action
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 5

TLS: Final = "tls-context"
OPENSSL: Final = "openssl-context"
SESSION: Final = "http-session"
_MAKERS: Final[dict[str, str]] = {
    "ssl.SSLContext": TLS,
    "ssl.create_default_context": TLS,
    "ssl._create_unverified_context": TLS,
    "ssl._create_stdlib_context": TLS,
    "urllib3.util.ssl_.create_urllib3_context": TLS,
    "OpenSSL.SSL.Context": OPENSSL,
    "requests.Session": SESSION,
    "requests.session": SESSION,
    "requests.sessions.Session": SESSION,
}
_UNVERIFIED: Final = frozenset({"ssl._create_unverified_context", "ssl._create_stdlib_context"})
"""What makes an object that is worth a word whatever happens to it."""
_SET: Final[dict[str, str]] = {
    "check_hostname": TLS, "verify_mode": TLS, "minimum_version": TLS, "options": TLS, "verify": SESSION,
}  # fmt: skip
_TELLING: Final = frozenset({"check_hostname", "verify_mode", "minimum_version"})
"""Attributes that only a TLS context has, so that an object of unknown origin is one."""
_METHODS: Final[dict[str, str]] = {
    "wrap_socket": TLS, "wrap_bio": TLS, "set_options": OPENSSL, "set_verify": OPENSSL,
    "set_min_proto_version": OPENSSL,
}  # fmt: skip
_WORDS: Final = frozenset(
    {
        "SSLContext", "create_default_context", "_create_unverified_context", "_create_stdlib_context",
        "create_urllib3_context", "check_hostname", "verify_mode", "minimum_version", "set_verify",
        "set_min_proto_version",
    }
)  # fmt: skip
"""One of these words, or of the phrases, stands in every file that makes, configures or passes on what is followed."""
_PHRASES: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("SSL", "Context"): ("SSL.Context",), ("requests", "Session"): ("requests.Session(",),
    ("verify",): (".verify =",), ("ssl",): ("ssl=",), ("ssl_context",): ("ssl_context=",),
    ("sslcontext",): ("sslcontext=",), ("urlopen",): ("urlopen(", "context="),
}  # fmt: skip
"""Phrases that must all be there, by words of theirs, which take less time to look for."""
_ACTIONS: Final[dict[type[ast.operator], str]] = {ast.BitOr: "add", ast.BitAnd: "remove"}
_HOPS: Final = 5

Key = tuple[ast.AST, str]
"""What holds an object: a scope, or class, and a name in it."""
Row = tuple[Packed, str, str, list[tuple[str, str]], str, str, str]
"""An event: its place, action, name, arguments, owner, condition and function."""
Record = tuple[str, str, Row | None, list[Row]]
"""An object: what made it, its family, the making, and what happens to it."""
Extract = tuple[list[Record], dict[str, dict[str, list[Row]]], dict[str, Record]]
"""A file's objects; what functions do to their parameters; the objects that functions return."""
_Order = tuple[int, int]
"""When something happens: a line, later for functions, and a column."""
_Making = tuple[_Order, ast.Call]


def extract(source: Source, names: Names) -> Extract | None:
    """The objects of a file, and what its functions do to objects that they are given."""
    text, words = source.text, source.words
    if _WORDS.isdisjoint(words) and not any(
        words.issuperset(parts) and all(phrase in text for phrase in phrases)
        for parts, phrases in _PHRASES.items()
    ):
        return None
    return _Reader(source, names).extract()


class _Reader:
    """Reads one file."""

    def __init__(self, source: Source, names: Names) -> None:
        self._source = source
        self._names = names
        self._values = Usual(source, names)
        self._events: dict[Key, list[tuple[ast.AST, Row]]] = {}
        self._makings: dict[Key, list[tuple[ast.Call, str]]] = {}
        self._loose: list[tuple[ast.Call, str, list[Row]]] = []
        self._passed: set[Key | None] | None = None
        self._returned: dict[str, Key | ast.Call] = {}

    def extract(self) -> Extract | None:
        self._read_assignments()
        self._read_makings()
        self._read_calls()
        self._read_returns()
        records: list[Record] = []
        by_key: dict[Key, list[Record]] = {}
        for key in {**self._events, **self._makings}:
            by_key[key] = list(self._records(key))
            records.extend(by_key[key])
        by_call = {call: self._record(call, made, rows) for call, made, rows in self._loose}
        records.extend(by_call.values())
        returned: dict[str, Record] = {}
        for function, what in self._returned.items():
            found = [by_call.get(what)] if isinstance(what, ast.Call) else by_key.get(what, [])
            if len(found) == 1 and found[0] is not None:
                returned[function] = found[0]
        records = [record for record in records if record[3] or record[0] in _UNVERIFIED]
        parameters = self._parameters()
        return (records, parameters, returned) if records or parameters or returned else None

    # What holds objects
    def _key(self, expression: ast.AST) -> Key | None:
        if isinstance(expression, ast.Name):
            found = self._names.lookup(expression.id, expression)
            return None if found is None else (found[0], expression.id)
        if isinstance(expression, ast.Attribute):
            text = self._source.segment(expression)
            owner = expression.value
            if isinstance(owner, ast.Name) and owner.id in {"self", "cls"}:
                return self._around(expression, ast.ClassDef) or self._source.tree, text
            return self._names.scope(expression), text
        return None

    def _around(self, node: ast.AST, kinds: type[ast.AST] | tuple[type[ast.AST], ...]) -> ast.AST | None:
        at = self._source.parent(node)
        while at is not None and not isinstance(at, kinds):
            at = self._source.parent(at)
        return at

    def _sort_of_parameter(self, key: Key) -> str:
        """The family of objects that the annotation of a parameter names."""
        scope, name = key
        if isinstance(scope, FUNCTIONS):
            for argument in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs):
                if argument.arg == name and argument.annotation is not None:
                    return _MAKERS.get(self._names.qualified(argument.annotation) or "", "")
        return ""

    # Events
    def _row(
        self, node: ast.AST, action: str, name: str, arguments: list[tuple[str, str]], owner: ast.AST
    ) -> Row:
        tests, function = surroundings(self._source, node)
        text = self._source.segment(owner)
        return pack(self._source, node), action, name, arguments, text, tests, function

    def _note(
        self, node: ast.AST, action: str, name: str, arguments: list[tuple[str, str]], owner: ast.AST
    ) -> None:
        key = self._key(owner)
        if key is not None:
            row = self._row(node, action, name, arguments, owner)
            self._events.setdefault(key, []).append((node, row))

    def _read_assignments(self) -> None:
        for node in self._source.nodes(ast.Assign):
            for target, value in _assignments(node):
                if isinstance(target, ast.Attribute) and target.attr in _SET:
                    self._note(node, "set", target.attr, [("", self._text(value))], target.value)
        for node in self._source.nodes(ast.AugAssign):
            target, action = node.target, _ACTIONS.get(type(node.op))
            if isinstance(target, ast.Attribute) and target.attr == "options" and action:
                value = node.value
                if action == "add":
                    text = self._text(value)
                elif isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Invert):
                    text = self._text(value.operand)
                else:
                    text = ""
                self._note(node, action, "options", [("", text)], target.value)

    def _read_makings(self) -> None:
        wanted = {name.rpartition(".")[2] for name in _MAKERS}
        for call in self._source.nodes(ast.Call):
            last = last_name(call.func)
            made = self._names.qualified(call.func) or ""
            target = self._target(call)
            key = None if target is None else self._key(target)
            if made in _MAKERS:
                if key is not None:
                    self._makings.setdefault(key, []).append((call, made))
                else:
                    self._loose.append((call, made, list(self._rows_of_value(call))))
            elif last not in wanted and "." in made and not made.startswith("builtins."):
                if key is not None and (key in self._events or self._is_passed(key)):
                    self._makings.setdefault(key, []).append((call, made))
                elif key is None:
                    rows = list(self._rows_of_value(call))
                    if any(row[1] == "call" for row in rows):
                        self._loose.append((call, made, rows))

    def _is_passed(self, key: Key) -> bool:
        """Whether some call takes what a name holds as a context."""
        if self._passed is None:
            self._passed = {
                self._key(item.value)
                for call in self._source.nodes(ast.Call)
                for item in call.keywords
                if item.arg in {"context", "ssl", "ssl_context", "sslcontext"}
            }
        return key in self._passed

    def _target(self, call: ast.Call) -> ast.expr | None:
        """What holds the result of a call."""
        parent = self._source.parent(call)
        if isinstance(parent, ast.Assign) and parent.value is call:
            return parent.targets[0]
        if isinstance(parent, (ast.AnnAssign, ast.NamedExpr)) and parent.value is call:
            return parent.target
        return parent.optional_vars if isinstance(parent, ast.withitem) else None

    def _rows_of_value(self, call: ast.Call) -> Iterator[Row]:
        """What happens to an object that nothing holds: a method is called at once, it is passed on, or returned."""
        parent = self._source.parent(call)
        if isinstance(parent, ast.Attribute):
            outer = self._source.parent(parent)
            if isinstance(outer, ast.Call) and outer.func is parent and parent.attr in _METHODS:
                yield self._row(outer, "call", parent.attr, self._arguments(outer), call)
        elif isinstance(parent, ast.Return):
            yield self._row(parent, "return", "", [], call)
            function = self._around(parent, FUNCTIONS)
            if isinstance(function, FUNCTIONS):
                self._returned[self._names.definition(function)] = call
        else:
            outer = self._source.parent(parent) if isinstance(parent, ast.keyword) else parent
            if isinstance(outer, ast.Call) and outer.func is not call:
                place = parent.arg or "" if isinstance(parent, ast.keyword) else str(outer.args.index(call))
                yield self._row(outer, "pass", self._callee(outer), [("", place)], call)

    def _read_calls(self) -> None:
        keys = {**self._events, **self._makings}
        held = {name for _, name in keys}
        last = {name.rpartition(".")[2] for name in held}
        for call in self._source.nodes(ast.Call):
            function = call.func
            if isinstance(function, ast.Attribute) and function.attr in _METHODS:
                self._note(call, "call", function.attr, self._arguments(call), function.value)
            elif isinstance(function, ast.Name) and function.id == "setattr" and len(call.args) == 3:
                owner, named, value = call.args
                if isinstance(named, ast.Constant) and named.value in _SET:
                    self._note(call, "set", str(named.value), [("", self._text(value))], owner)
            places = [(str(place), item) for place, item in enumerate(call.args)]
            places += [(item.arg or "", item.value) for item in call.keywords]
            for place, item in places:
                if isinstance(item, ast.Name):
                    is_held = item.id in held
                elif isinstance(item, ast.Attribute) and item.attr in last:
                    is_held = self._source.segment(item) in held
                else:
                    is_held = False
                if is_held:
                    self._note(call, "pass", self._callee(call), [("", place)], item)

    def _read_returns(self) -> None:
        for node in self._source.nodes(ast.Return):
            key = None if node.value is None else self._key(node.value)
            if node.value is not None and key is not None and (key in self._makings or key in self._events):
                self._note(node, "return", "", [], node.value)
                function = self._around(node, FUNCTIONS)
                if isinstance(function, FUNCTIONS) and key in self._makings:
                    self._returned[self._names.definition(function)] = key

    def _callee(self, call: ast.Call) -> str:
        name = self._names.qualified(call.func)
        if name is None and isinstance(call.func, ast.Attribute):
            return f"*.{call.func.attr}"
        return name or ""

    def _arguments(self, call: ast.Call) -> list[tuple[str, str]]:
        found = [(str(place), self._text(item)) for place, item in enumerate(call.args)]
        return found + [(item.arg or "**", self._text(item.value)) for item in call.keywords]

    def _text(self, expression: ast.expr) -> str:
        """A value as facts carry it."""
        if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.BitOr):
            parts = self._text(expression.left), self._text(expression.right)
            return "|".join(parts) if all(parts) else ""
        name = self._names.qualified(expression)
        if name is None or not name.startswith(("ssl.", "OpenSSL.")):
            origin = self._values.origin(expression)
            if origin is not expression:
                return self._text(origin)
        if name is not None and "." in name:
            return name
        value = self._values.value(expression)
        return repr(value) if value is not UNKNOWN and not isinstance(value, (list, dict, set)) else ""

    # Objects
    def _records(self, key: Key) -> Iterator[Record]:
        """The objects that a variable or attribute holds one after the other."""
        makings = self._makings.get(key, [])
        events = [(self._order(node, key), row) for node, row in self._events.get(key, [])]
        events.sort(key=itemgetter(0))
        if not makings:
            rows = [row for _, row in events]
            sort = self._sort_of_parameter(key)
            if sort or any(row[2] in _TELLING or row[2] in _METHODS for row in rows):
                telling = next((row[2] for row in rows if row[2] in _TELLING or row[2] in _METHODS), "")
                yield "", sort or _METHODS.get(telling, TLS), None, rows
            return
        made_at = [(self._order(call, key), call) for call, _ in makings]
        for making, (call, made) in zip(made_at, makings, strict=True):
            mine = [row for place, row in events if self._belongs(place, making, made_at, key)]
            yield self._record(call, made, mine)

    def _record(self, call: ast.Call, made: str, rows: list[Row]) -> Record:
        creation = self._row(call, "call", made, self._arguments(call), call.func)
        return made, _MAKERS.get(made, ""), creation, rows

    def _belongs(self, place: _Order, making: _Making, makings: list[_Making], key: Key) -> bool:
        """Whether an event happens to the object of one making, not to that of another before or behind it."""
        made_at, call = making
        if isinstance(key[0], FUNCTIONS) and place < made_at:
            return False
        for other_at, other in makings:
            if made_at < other_at < place:
                block = self._source.parent(self._statement(other))
                if block is not None and block in self._ancestors(call):
                    return False
        return True

    def _order(self, node: ast.AST, key: Key) -> _Order:
        """The order in which events happen: what stands in the module or `__init__` comes first."""
        function = self._around(node, FUNCTIONS)
        later = 0
        if isinstance(function, FUNCTIONS) and function is not key[0]:
            later = 0 if isinstance(key[0], ast.ClassDef) and function.name == "__init__" else 1_000_000
        placed = cast("ast.expr", node)
        return later + placed.lineno, placed.col_offset

    def _ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        at = self._source.parent(node)
        while at is not None:
            yield at
            at = self._source.parent(at)

    def _statement(self, node: ast.AST) -> ast.AST:
        return node if isinstance(node, ast.stmt) else self._around(node, ast.stmt) or node

    def _parameters(self) -> dict[str, dict[str, list[Row]]]:
        """What functions do to their parameters, by function, and by position or name of the parameter."""
        found: dict[str, dict[str, list[Row]]] = {}
        for (scope, name), events in self._events.items():
            if isinstance(scope, FUNCTIONS):
                rows = [row for _, row in events if row[1] != "return"]
                bound = self._is_bound_method(scope)
                for place in _places(scope, name, bound=bound):
                    if rows:
                        found.setdefault(self._names.definition(scope), {})[place] = rows
        return found

    def _is_bound_method(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        return isinstance(self._source.parent(function), ast.ClassDef) and not any(
            isinstance(item, ast.Name) and item.id == "staticmethod" for item in function.decorator_list
        )


def _places(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, *, bound: bool) -> Iterator[str]:
    """How calls may name a parameter: by position, without that of a method's object, and by keyword."""
    for place, argument in enumerate((*function.args.posonlyargs, *function.args.args), -bound):
        if argument.arg == name:
            yield str(place)
            yield name
    if any(argument.arg == name for argument in function.args.kwonlyargs):
        yield name


class Solver(KeptSolver[Extract]):
    """Puts together what happens to objects in several functions and files."""

    def __init__(self, project: ProjectInfo) -> None:
        super().__init__(project)
        self._functions: dict[str, tuple[str, dict[str, list[Row]]]] = {}
        self._returned: dict[str, tuple[str, Record]] = {}

    def solution(self) -> Solution:
        """The histories of the project's objects, by the file that makes or holds them."""
        self._functions = {}
        self._returned = {}
        for path, (_, functions, returned) in sorted(self.files.items()):
            self._functions.update({name: (path, rows) for name, rows in functions.items()})
            self._returned.update({name: (path, record) for name, record in returned.items()})
        facts: dict[str, list[ObjectHistory]] = {}
        for path, (records, _, _) in self.files.items():
            found = [fact for record in records if (fact := self._history(path, record)) is not None]
            if found:
                facts[path] = found
        return Solution(facts)

    def _history(self, path: str, record: Record) -> ObjectHistory | None:
        made, sort, creation, rows = record
        events = list(self._spliced(path, rows, _HOPS))
        place = creation or rows[0]
        first = None if creation is None else _event(path, creation)
        hops = 0
        while made and not sort and made in self._returned and hops < _HOPS:
            elsewhere, (made, sort, making, before) = self._returned[made]
            first = None if making is None else _event(elsewhere, making)
            events[:0] = self._spliced(elsewhere, before, _HOPS)
            hops += 1
        if not sort:
            made, first = "", None
            told = next(
                (event.name for event in events if event.name in _TELLING or event.name in _METHODS), ""
            )
            if not told:
                return None
            sort = _METHODS.get(told, TLS)
        return ObjectHistory(unpack(path, place[0]), made, sort, first, tuple(events))

    def _spliced(self, path: str, rows: list[Row], hops: int) -> Iterator[Event]:
        """Events, each call of a function of the project followed by what that does to the object."""
        for row in rows:
            yield _event(path, row)
            if row[1] == "pass" and hops and row[2] in self._functions:
                elsewhere, parameters = self._functions[row[2]]
                yield from self._spliced(elsewhere, parameters.get(row[3][0][1], []), hops - 1)


def _assignments(statement: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets of an assignment and what each gets, also where several get theirs at once: `a.x, a.y = 1, 2`."""
    for target in statement.targets:
        if (
            isinstance(target, ast.Tuple)
            and isinstance(statement.value, ast.Tuple)
            and len(target.elts) == len(statement.value.elts)
        ):
            yield from zip(target.elts, statement.value.elts, strict=True)
        else:
            yield target, statement.value


def _event(path: str, row: Row) -> Event:
    place, action, name, arguments, owner, condition, function = row
    return Event(
        unpack(path, place),
        cast("Action", action),
        name,
        tuple((where, value) for where, value in arguments),
        owner,
        condition,
        function,
    )
