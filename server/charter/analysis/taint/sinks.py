"""Where data becomes dangerous: the check of a call or assignment against the models' sinks."""

from __future__ import annotations

import re
from abc import ABC
from typing import TYPE_CHECKING, Final

from charter.analysis.taint.arguments import choose, holds
from charter.analysis.taint.containers import Containers
from charter.analysis.taint.frame import KEYS, LENGTH, PLAIN, Cells, Hit, SinkSite
from charter.analysis.taint.own import is_own
from charter.analysis.taint.slow import suspicion
from charter.analysis.taint.values import (
    AUTHORITY,
    BIT,
    FULL,
    HOLE,
    INSTANCE,
    LANE,
    NO,
    OBJECT,
    OPEN_FILE,
    PART,
    PROJECT_INSTANCE,
    SEGMENT,
    SLASHES,
    UNKNOWN,
    VAGUE,
    WHOLE,
    Value,
    lanes,
    references,
    spread,
    text_of,
    whole,
)
from charter.api import regex
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.analysis.taint.arguments import Arguments
    from charter.model.library.values import Sink
    from charter.model.project import Class, Function

_SQL: Final = regex(
    r"\s*\(?\s*(?:select\b.*\bfrom|insert\s+(?:or\s+\w+\s+)?into|update\b.+\bset|delete\s+from|create\s+(?:\w+\s+)?"
    r"(?:table|index|view|user|database|schema|role|extension)|drop\s+(?:table|index|view|user|database|schema|role)|"
    r"alter\s+(?:table|user|role|database)|replace\s+into|truncate\s+table|grant\b|with\b.+\bas\s*\(|pragma\b|"
    r"explain\b|merge\s+into|call\b|exec(?:ute)?\s)",
    re.IGNORECASE | re.DOTALL,
)
_MARKUP: Final = regex(r"<\s*[a-zA-Z!/]")
_ADDRESS: Final = regex(r"\s*https?://", re.IGNORECASE)
_PACKAGE: Final = regex(rf"[^.{HOLE}]*{HOLE}")
_LIKE: Final = {"sql": _SQL, "html": _MARKUP, "url": _ADDRESS, "package": _PACKAGE}

_SYSTEM: Final = frozenset({"system", "developer"})
_BRACES: Final = regex(r"\{\d*(?:!([rsa]))?(?::[^{}]*)?\}")
"""Placeholders of loggers that write `{}` for what is given beside their text."""
_PLACEHOLDER: Final = regex(r"%(?:\(\w+\))?[-+ #0-9.*]*([a-zA-Z%])")

_BY_KEY: Final = regex(r"(?is)\s*select\b.*[^<>!]=\s*(?:\?|%s|%\(\w+\)s|:\w+|\$\d)")
"""A query for rows in which something equals what is passed beside it."""
_VAGUELY: Final = regex(r"(?i)\b(?:i?like|or|union)\b")
"""What gives rows, too, in which it does not."""

_SLOW: Final = spread(BIT["redos"])
NEEDED: Final = dict(BIT.items())
NEEDED["path"] |= BIT["path-absolute"]
NEEDED["ssrf"] |= BIT["ssrf-part"]
NEEDED["redirect"] |= AUTHORITY | SLASHES

_OF_FOLDERS: Final = frozenset(
    "rmtree copytree move rename renames replace symlink listdir scandir walk fwalk iterdir glob iglob rglob rmdir removedirs mkdir makedirs chdir make_archive "
    "extractall isdir is_dir static_file send_from_directory".split()
)
"""Functions that take a folder, or make one."""

_OF_ALL_ANSWERS: Final = ("__init__", "set_default_headers", "prepare", "finish")
"""Methods that make a response, or that every answer of a handler goes through."""
_VERBS: Final = ("get", "post", "put", "patch", "delete")
"""Methods with which the answers of a handler begin."""
_DATA: Final = (b"application/json", b"application/javascript", b"text/plain", b"text/event-stream")

_PARTICULAR: Final = frozenset(
    {"deserialization", "xxe", "nosql", "prompt", "log", "xss", "redos", "attribute"}
)
"""Kinds of sinks that look at more of a value than its text."""
_PLACED: Final = frozenset({"path", "sql", "ssrf", "command", "code"})
"""Kinds of sinks where it tells something where in the text the data stands."""
_OF_DOCUMENTS: Final = frozenset({"deserialization", "xxe"})
_OF_OWN: Final = _OF_DOCUMENTS | {"command"}
"""Kinds of sinks to which it matters, too, that a document or a command is the program's own."""


class Sinks(Containers, ABC):
    """The recording of what reaches sinks."""

    def check_sinks(
        self, sinks: Iterable[Sink], name: str, arguments: Arguments, receiver: Value | None
    ) -> None:
        """Record what reaches the sinks of a call."""
        for sink in sinks:
            if not self.origins and sink.kind not in _OF_OWN:
                continue
            for argument in sink.arguments:
                for value, place in choose(self, argument, arguments, receiver):
                    # Of an object that is redirected to, its class says the address, not its fields.
                    taint = value[0] if not value[3] or sink.kind == "redirect" else self.deep(value)
                    if sink.kind == "sql":
                        self._note_query(value, arguments)
                    elif sink.kind == "command":
                        self._note_command(value, taint, place, arguments)
                    elif sink.kind in _PARTICULAR:
                        taint = self._arriving(sink, name, value, taint, place, arguments, receiver)
                    if (
                        taint & spread(NEEDED[sink.kind])
                        and self.looks_like(sink.like, value)
                        and holds(self, sink.when, arguments, receiver)
                    ):
                        self.reach(sink.kind, name, taint, place, arguments.place, sink.severity, value)

    def _arriving(
        self,
        sink: Sink,
        name: str,
        value: Value,
        taint: int,
        place: int,
        arguments: Arguments,
        receiver: Value | None,
    ) -> int:
        """What of a value's taint matters to a sink that looks at more than its text; 0 if nothing does."""
        kind = sink.kind
        if kind in _OF_DOCUMENTS:
            self._note_document(value, taint, place, arguments, receiver)
            return taint
        if kind == "attribute":
            return 0 if self._is_bare(arguments.position(0) or UNKNOWN) else taint
        if kind == "nosql":
            return taint if sink.like == "code" else self._operators(value, taint)
        if kind == "prompt":
            return self._prompts(value, sink, name, place, arguments.place) if value[3] else taint
        if kind == "log":
            return 0 if _is_quoted(arguments, place) or self._logs_json() else self.stringed(value)[0]
        if kind == "xss":
            is_json = value[3] and value[2] == (INSTANCE, "builtins.dict")
            if is_json or self.is_plain(receiver) or any(map(self.says_plain, arguments.everything())):
                return 0
            return value[0] if value[2] == OPEN_FILE else taint  # its name is not sent
        self._reach_pattern(name, taint, place, arguments, receiver)
        return 0

    def _logs_json(self) -> bool:
        """Whether a handler of the project's own writes each record as JSON, in which line breaks are escaped."""
        return any(
            method.cls is not None
            and b"dumps" in method.record[ir.BODY]
            and any(base.startswith("logging.") for base in self.project.externals(method.cls))
            for method in self.project.methods_named("emit")
        )

    def _is_bare(self, owner: Value) -> bool:
        """Whether an object has nothing but what is put into it: of a class without anything of its own."""
        reference = owner[2]
        if reference is None or reference[0] != PROJECT_INSTANCE:
            return False
        cls: Class = reference[1]
        own = cls.methods or cls.annotations or (cls.body is not None and cls.body.record[ir.STORES])
        return not (own or cls.lineage != (cls,) or self.project.externals(cls))

    def _note_document(
        self, value: Value, taint: int, place: int, arguments: Arguments, receiver: Value | None
    ) -> None:
        """Note for a call that reads a document, and for what makes and sets up its parser, whether it is the program's own."""
        own = not taint and (isinstance(value[1], str | bytes) or is_own(self, place))
        places = [arguments.place]
        for parser in (*arguments.everything(), receiver or UNKNOWN):
            for identity in parser[3]:
                if identity[0] == "a":
                    places += [identity[1], *self.set_up.get(identity, ())]
        for one in places:
            self.documents[one] = self.documents.get(one, True) and own

    def _note_query(self, text: Value, arguments: Arguments) -> None:
        """Note what a query seeks its rows by; which stand in the database if there are any."""
        self.sought = 0
        if isinstance(text[1], str) and _BY_KEY.match(text[1]) and not _VAGUELY.search(text[1]):
            for one in arguments.everything():
                self.sought |= whole(self.deep(one))

    def _note_command(self, value: Value, taint: int, place: int, arguments: Arguments) -> None:
        """Note for a call that runs a command whether nothing of it was another's and is still unchecked."""
        own = not taint & spread(NEEDED["command"]) and (
            isinstance(value[1], str | bytes) or is_own(self, place, "command")
        )
        self.documents[arguments.place] = self.documents.get(arguments.place, True) and own

    def is_plain(self, receiver: Value | None) -> bool:
        """Whether a response was told a type that is no page, or its class tells all of them so."""
        if receiver is None or receiver[2] is None:
            return False
        kind = self.read(receiver, ".content_type") if receiver[3] else None
        if kind is not None and isinstance(kind[1], str) and "html" not in kind[1] and "svg" not in kind[1]:
            return True
        told = self.state.get(PLAIN) if self.state is not None and not receiver[3] else None
        if told is not None and told[2] == receiver[2]:
            return True
        own: list[Class] = [one[1] for one in references(receiver[2]) if one[0] == PROJECT_INSTANCE]
        return bool(own) and all(map(self._answers_with_data, own))

    def content_type(self, headers: Value) -> str:
        """The type that a mapping of headers names; "" if it is not known."""
        cells = self.cells(headers) or {}
        kinds = (cells[key][1] for key in cells if isinstance(key, str) and key.lower() == "content-type")
        return next((kind for kind in kinds if isinstance(kind, str)), "")

    def says_plain(self, headers: Value) -> bool:
        """Whether a response's headers name a type that is not HTML."""
        kind = self.content_type(headers)
        return bool(kind) and "html" not in kind and "svg" not in kind

    def _answers_with_data(self, cls: Class) -> bool:
        """Whether the methods of a class that make a response, or that all of its answers begin with, name a type that is no page."""
        if any(_names_data(self.project.method(cls, name)) for name in _OF_ALL_ANSWERS):
            return True
        begun = [cls.methods[name] for name in _VERBS if name in cls.methods]
        return bool(begun) and all(map(_names_data, begun))

    def _reach_pattern(
        self, name: str, taint: int, place: int, arguments: Arguments, receiver: Value | None
    ) -> None:
        """Record that tainted text is matched against a pattern that may be slow."""
        detail = suspicion(self, name, arguments, receiver) if taint & _SLOW else ""
        if detail:
            site = SinkSite("redos", name, self.function, place, arguments.place, "", detail)
            self._reach_site(site, taint, BIT["redos"])

    def _operators(self, value: Value, taint: int) -> int:
        """Of a query's taint that of objects, which may hold operators, and that of the code in `$where`."""
        code = self.read(value, "$where") if value[3] else None
        found = 0 if code is None else self.deep(code)
        if value[3]:
            taint = self._outside_equality(value, 0)
        for lane in lanes(taint):
            own = taint >> LANE * lane & FULL
            if own & OBJECT:
                found |= own << LANE * lane
        return found

    def _outside_equality(self, value: Value, depth: int) -> int:
        """The taint of a query's parts but for what `$eq` and `$in` compare as it is."""
        taint = value[0]
        for identity in value[3] if depth < 4 else ():
            cells: Cells = (self.state or {}).get(identity) or {}
            for key, one in cells.items():
                if key not in {"$eq", "$in"}:
                    taint |= self._outside_equality(one, depth + 1)
        return taint

    def _prompts(self, value: Value, sink: Sink, name: str, place: int, call: int) -> int:
        """Of a list of messages the taint of those of users; that of the system's is recorded as instructions."""
        taint = value[0]
        for message in self.elements_of(value):
            role = self.read(message, "role") if message[3] else None
            own = self.deep(message)
            if role is None or role[1] not in _SYSTEM:
                taint |= own
            elif own:
                self.reach("instructions", name, own, place, call, sink.severity, message)
        return taint

    def elements_of(self, value: Value) -> list[Value]:
        """The elements of a value's containers, one by one."""
        found: list[Value] = []
        for identity in value[3]:
            cells: Cells = (self.state or {}).get(identity) or {}
            found += [one for key, one in cells.items() if key is not LENGTH and key is not KEYS]
        return found

    def looks_like(self, like: str, value: Value) -> bool:
        """Whether the known part of a text looks like SQL, HTML or an address, or leaves the package open."""
        return like not in _LIKE or bool(_LIKE[like].match(text_of(value)))

    def reach(
        self, kind: str, name: str, taint: int, place: int, call: int, severity: str, value: Value
    ) -> None:
        """Record that tainted data reaches a sink here."""
        site = SinkSite(kind, name, self.function, place, call, severity, _detail(kind, value))
        self._reach_site(site, taint, NEEDED[kind])

    def _reach_site(self, site: SinkSite, taint: int, wanted: int) -> None:
        for lane in lanes(taint):
            own = taint >> LANE * lane & FULL
            bits = own & wanted
            if bits and own & SEGMENT and not own & PART and not _takes_folders(site):
                continue  # of one name only `..` leads up, and that is a folder
            if bits and not own & VAGUE:
                self.hit(lane, Hit(site, bits, ()))

    def hit(self, lane: int, hit: Hit) -> None:
        """Record a hit of one lane; of several ways to one site the shortest is kept."""
        if lane >= len(self.origins):
            return
        lane = self.root(lane)
        known = self.hits.get((hit.site, lane))
        if known is None or len(hit.chain) < len(known.chain):
            if known is None and len(self.hits) > 200:
                return
            self.hits[hit.site, lane] = hit


def _names_data(method: Function | None) -> bool:
    """Whether a method names a type of answers that is no page."""
    body = b"" if method is None else method.record[ir.BODY]
    named = b"Content-Type" in body or b"content_type" in body or b"media_type" in body
    return named and any(kind in body for kind in _DATA)


def _takes_folders(site: SinkSite) -> bool:
    """Whether a sink does something with a folder; what is no path, may as well be one."""
    return site.kind != "path" or site.name.rpartition(".")[2] in _OF_FOLDERS


def _is_quoted(arguments: Arguments, place: int) -> bool:
    """Whether an argument of a log call is written as `%r`, `{!r}` or as a number, so that it cannot begin a line."""
    shape = arguments.position(0)
    if shape is None or not isinstance(shape[1], str) or place not in arguments.places[1:]:
        return False
    written = [one for one in _PLACEHOLDER.findall(shape[1]) if one != "%"]
    if not written:
        written = [one or "s" for one in _BRACES.findall(shape[1])]
    index = arguments.places.index(place) - 1
    return index < len(written) and written[index] != "s"


def _detail(kind: str, value: Value) -> str:
    """Where in an SQL text the data stands, as far as that is known; of others, whether it is all that there is."""
    if kind not in _PLACED:
        return ""
    text = HOLE if value[1] is NO else text_of(value)
    before, hole, behind = text.partition(HOLE)
    if kind != "sql":
        return WHOLE if hole and not before and HOLE not in behind else ""
    if not hole or not before:
        return ""
    if before.count("'") % 2 or before.count('"') % 2:
        return "quoted"
    if re.search(
        r"(?:=|<|>|\bin\s*\(|\blike|\bvalues\s*\(|,|\blimit|\boffset)\s*\(?\s*\Z", before, re.IGNORECASE
    ):
        return "value"
    return "name"
