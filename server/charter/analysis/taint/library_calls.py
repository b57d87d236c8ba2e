"""Calls of libraries, by their models: what they give, pass on, clean, check and hand to callbacks."""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from charter.analysis.calls import FOREIGN
from charter.analysis.taint.arguments import Arguments, choose, holds
from charter.analysis.taint.checks import both, shown_by_name
from charter.analysis.taint.frame import (
    NO_KILL,
    PLAIN,
    REST,
    Kill,
)
from charter.analysis.taint.natives import NATIVE, made_tuple
from charter.analysis.taint.objects import OBJECT_METHODS
from charter.analysis.taint.sinks import Sinks
from charter.analysis.taint.stored import queried
from charter.analysis.taint.values import (
    ALL_RAW,
    ALL_SEGMENTS,
    EXTERNAL,
    HOLE,
    HOST,
    INSTANCE,
    LANE,
    NO,
    PART,
    PROJECT_INSTANCE,
    RAW,
    UNKNOWN,
    UP,
    Value,
    bits,
    cleaned,
    constant,
    join,
    lanes,
    spread,
    with_marks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.analysis.taint.frame import Cells
    from charter.model.library.index import Entry
    from charter.model.library.values import Callback, Guard

_NUMBERS: Final = frozenset(
    {"builtins.int", "builtins.float", "builtins.bool", "uuid.UUID", "decimal.Decimal"}
)
_ALL_UP: Final = spread(UP)
_PATH: Final = (INSTANCE, "pathlib.Path")
_BEGUN: Final = ("~", HOLE + HOLE)
"""What a text is, or a path, before whose untrusted part stands something else."""
_HEADER_SETTERS: Final = frozenset(
    "set_header setHeader add_header send_header __setitem__ setdefault".split()
)


class LibraryCalls(Sinks, ABC):
    """Calls of what is not the project's."""

    pending = False
    """Whether the call evaluated last left something in `last_kills`."""
    vouches = 0
    """What is safe once this function has returned, by its name."""
    passes = 0
    """The dangers that what this function gives back no longer has, by its name."""
    unused = -1
    """The place of a call of which nobody uses the value."""

    def call_external(self, path: str, receiver: Value | None, arguments: Arguments, position: int) -> Value:
        """The value of a call of something outside the project."""
        if receiver is None and arguments.positional and self._is_of_base(path, arguments.positional[0]):
            receiver, arguments = arguments.positional[0], arguments.after(1)
        entry = self.index.entry(path)
        given = queried(self, path, receiver, arguments, position) if self.engine.stored else None
        if given is not None:
            if entry.sinks:
                self.check_sinks(entry.sinks, entry.name, arguments, receiver)
            return given
        if receiver is not None and path.rpartition(".")[2] in _HEADER_SETTERS:
            self._note_content_type(receiver, arguments)
        if entry.name or receiver is not None:
            given = self._apply_facts(entry, path, receiver, arguments)
        native = NATIVE.get(path)
        if (
            (position == self.unused or self.vouches)
            and not entry.name
            and path.partition(".")[0] not in FOREIGN
        ):
            self.take_for_checked(path.rpartition(".")[2], arguments)
        if receiver is None and native is None and not entry.name:
            unbound = self._unbound(path, arguments, position)
            if unbound is not None:
                return unbound
        if given is not None:
            value = given
        elif native is not None:
            value = native(self, arguments, position)
        else:
            value = self._external_result(entry, path, receiver, arguments, position)
        value = self._called(entry, path, value, receiver, arguments, position)
        reference = value[2]
        if (
            reference is not None
            and reference[0] == INSTANCE
            and not value[3]
            and reference[1][:9] != "builtins."
        ):
            return (value[0], value[1], reference, self._objects_made(reference, arguments, position))
        return value

    def _objects_made(self, reference: Any, arguments: Arguments, position: int) -> Any:
        """The object that a call makes of a class outside the project, with what it is given by name as attributes."""
        known = {
            "." + name: one
            for name, one in arguments.keywords.items()
            if not one[0] and (one[1] is not NO or (one[2] is not None and one[2][0] == EXTERNAL))
        }
        return self.new_object(reference, position, known)[3]

    def take_for_checked(self, name: str, arguments: Arguments) -> None:
        """After `validate_path(path)`, of which nobody uses the value nor knows the code, the path is what it lets pass.

        Likewise inside of a function with such a name, which leaves the check to code that is not known.
        """
        shown = self.vouches or shown_by_name(name)
        if not shown:
            return
        mask = 0
        for value in arguments.positional:
            for lane in lanes(value[0]):
                mask |= shown << LANE * lane
        if mask:
            self.kill((mask, ()))

    def _unbound(self, path: str, arguments: Arguments, position: int) -> Value | None:
        """A method of texts that is called with the text (`str.upper(text)`), or a class of named tuples."""
        if path.startswith(("builtins.str.", "builtins.bytes.")) and arguments.positional:
            name = path.rpartition(".")[2]
            return self.string_method(arguments.positional[0], name, arguments.after(1), position)
        return made_tuple(self, path, arguments, position)

    def _is_of_base(self, path: str, first: Value) -> bool:
        """Whether a method of a library's class is called with an instance of a class of the project's below it: `Base.write(self, data)`."""
        owner = path.rpartition(".")[0]
        return (
            first[2] is not None
            and first[2][0] == PROJECT_INSTANCE
            and owner.rpartition(".")[2][:1].isupper()
            and owner in self.project.externals(first[2][1])
        )

    def _note_content_type(self, receiver: Value, arguments: Arguments) -> None:
        """Keep the type that a response is given, for what is written to it later."""
        name, kind = arguments.position(0), arguments.position(1)
        known = name[1] if name is not None else NO
        text = known.decode("latin-1") if isinstance(known, bytes) else known
        if kind is None or not isinstance(text, str) or text.lower() != "content-type":
            return
        if receiver[3]:
            self.settle_type(receiver, kind)
        elif self.state is not None and not _is_page(kind):
            self.state[PLAIN] = (0, NO, receiver[2], ())

    def settle_type(self, response: Value, kind: Value) -> None:
        """A response is told its type: if that is not HTML, what it was made of is no page after all."""
        is_page = _is_page(kind)
        self.write(response, ".content_type", kind if is_page else constant("text/plain"))
        if is_page:
            return
        places = {identity[1] for identity in response[3] if identity[0] == "a"}
        for key in [one for one in self.hits if one[0].kind == "xss" and one[0].call in places]:
            del self.hits[key]

    def _called(
        self,
        entry: Entry,
        path: str,
        value: Value,
        receiver: Value | None,
        arguments: Arguments,
        position: int,
    ) -> Value:
        """The value of a call after what the models say of its result and of the way on."""
        if entry.registers:
            self.engine.register(self, entry, arguments)
        if entry.sanitizers:
            value = self._sanitized(entry, value, receiver, arguments)
        if entry.sources:
            value = self._with_sources(entry, path, value, arguments, position)
        if entry.call_type and (value[2] is None or not value[3]):
            value = (value[0], value[1], (INSTANCE, entry.call_type), value[3])
        if entry.guards:
            self._guarded(entry, arguments, receiver)
        if entry.exits:
            self.state = None
            return UNKNOWN
        return value

    def _apply_facts(
        self, entry: Entry, path: str, receiver: Value | None, arguments: Arguments
    ) -> Value | None:
        """Check a call's sinks and call what it calls back; the value if it is that of the function called back."""
        if entry.sinks:
            self.check_sinks(entry.sinks, entry.name or path, arguments, receiver)
        elif receiver is not None and not entry.name:
            head, _, last = path.rpartition(".")
            anywhere = self.index.anywhere.get(last) or self.index.anywhere.get(
                f"{head.rpartition('.')[2]}.{last}"
            )
            if anywhere:
                self.check_sinks(anywhere, path, arguments, receiver)
        given: Value | None = None
        for callback in entry.callbacks:
            for function, place in choose(self, callback.function, arguments, receiver):
                if function[2] is not None:
                    passed = self._passed(callback, arguments, receiver, place)
                    value = self.invoke(function, passed, place)
                    if callback.returns:
                        given = value if given is None else join(given, value)
        return given

    def _passed(
        self, callback: Callback, arguments: Arguments, receiver: Value | None, place: int
    ) -> Arguments:
        """The arguments of a function that is called back; those of a mapping go by name."""
        passed = Arguments.of([], place)
        for one in callback.passes:
            if one.path != ("[]",):
                passed.add([value for value, _ in choose(self, one, arguments, receiver)])
                continue
            for value, _ in choose(self, replace(one, path=()), arguments, receiver):
                cells = self.read_names(value)
                exact = self.elements_exactly(value)
                if cells:
                    passed.keywords.update(cells)
                elif exact is not None or value[0] or value[3]:
                    passed.add(exact if exact is not None else [self.elements(value)])
        return passed

    def read_names(self, value: Value) -> dict[str, Value]:
        """What a mapping with known texts for keys holds."""
        cells: Cells = (self.state or {}).get(value[3][0]) or {} if len(value[3]) == 1 else {}
        return {key: one for key, one in cells.items() if isinstance(key, str) and key[0] != "."}

    def _external_result(
        self, entry: Entry, path: str, receiver: Value | None, arguments: Arguments, position: int
    ) -> Value:
        if entry.propagators:
            return self._propagated(entry, receiver, arguments)
        last = path.rpartition(".")[2]
        if receiver is not None:
            return self._external_method(path, last, receiver, arguments, position)
        reference = self._result_reference(entry, path, last)
        return (0, NO, reference, ())

    def _result_reference(self, entry: Entry, path: str, last: str) -> Any:
        if entry.call_type:
            return (INSTANCE, entry.call_type)
        if last[:1].isupper():
            return (INSTANCE, path)
        if last == "__init__":
            return None
        return (EXTERNAL, path + "()") if len(path) < 120 else None

    def _external_method(
        self, path: str, last: str, receiver: Value, arguments: Arguments, position: int
    ) -> Value:
        owner = path.rpartition(".")[0]
        special = OBJECT_METHODS.get(owner)
        if special is not None:
            result = special(self, last, receiver, arguments, position)
            if result is not None:
                return result
        if receiver[3] and owner.startswith(("builtins.", "collections.")):
            result = self.container_method(receiver, last, arguments, position)
            if result is not None:
                return result
        if receiver[0]:
            if last in {"to_dict", "copy"} and not receiver[3]:
                made = self.new(self.index.entry(path).call_type or "builtins.dict", position, {})
                return (receiver[0], NO, made[2], made[3])
            if last in {
                "get",
                "pop",
                "__getitem__",
                "getlist",
                "get_all",
                "getall",
                "getone",
                "getfirst",
                "getvalue",
            }:
                return self._entry_of(receiver, arguments, position)
            text = self.string_method(receiver, last, arguments, position)
            if text is not None:
                return (text[0], text[1], self._result_reference(self.index.entry(path), path, last), text[3])
            return (receiver[0], NO, self._result_reference(self.index.entry(path), path, last), ())
        return (0, NO, self._result_reference(self.index.entry(path), path, last), ())

    def _entry_of(self, receiver: Value, arguments: Arguments, position: int) -> Value:
        """`mapping.get(key, default)` of something untrusted; `get(key, type=int)` gives a number."""
        key = arguments.position(0) or UNKNOWN
        kind = arguments.keyword("type")
        if kind is not None and kind[2] is not None and kind[2][0] == EXTERNAL and kind[2][1] in _NUMBERS:
            return UNKNOWN
        taint = receiver[0]
        held = self.read(receiver, key[1]) if receiver[3] and isinstance(key[1], str) else None
        if held is not None:
            return held
        if isinstance(key[1], str):
            taint = self.derive(taint, key[1], position)
        default = arguments.get(1, "default")
        if default is None:
            return (taint, NO, None, ())
        return (taint | self.deep(default), NO, None, ())

    def _propagated(self, entry: Entry, receiver: Value | None, arguments: Arguments) -> Value:
        value = UNKNOWN
        for rule in entry.propagators:
            if not holds(self, rule.when, arguments, receiver):
                continue
            taint = 0
            given = [one for origin in rule.origins for one, _ in choose(self, origin, arguments, receiver)]
            for one in given:
                taint |= self.deep(one)
            if not rule.segment:
                taint &= ~ALL_SEGMENTS  # decoding brings slashes back
            if rule.drops:
                taint &= ~spread(bits(rule.drops))
            if rule.adds:
                taint = with_marks(taint, bits(rule.adds))
            if rule.target.special == "return":
                text = _BEGUN if taint and _is_begun(given) else value[1]
                value = (value[0] | taint, text, None, ())
            elif taint:
                for target, _ in choose(self, rule.target, arguments, receiver):
                    self.taint_object(target, taint)
        if entry.call_type:
            return (value[0], value[1], (INSTANCE, entry.call_type), ())
        last = entry.name.rpartition(".")[2]
        return (value[0], value[1], (INSTANCE, entry.name), ()) if last[:1].isupper() else value

    def taint_object(self, target: Value, taint: int) -> None:
        """Make the contents of an object untrusted."""
        self.write(target, REST, (taint, NO, None, ()))

    def _sanitized(self, entry: Entry, value: Value, receiver: Value | None, arguments: Arguments) -> Value:
        taint = value[0]
        cleared = 0
        for rule in entry.sanitizers:
            if not holds(self, rule.when, arguments, receiver):
                continue
            for argument in rule.arguments:
                for one, _ in choose(self, argument, arguments, receiver):
                    taint |= self.deep(one)
            cleared |= spread(cleaned(rule.kinds)) if rule.kinds else -1
            for lane in lanes(taint & cleared & _ALL_UP) if rule.kinds else ():
                self.asked_first(lane)
        taint &= ~cleared
        return (taint, NO, value[2], value[3] if taint else ())

    def _with_sources(
        self, entry: Entry, path: str, value: Value, arguments: Arguments, position: int
    ) -> Value:
        taint = value[0]
        for source in entry.sources:
            if holds(self, source.when, arguments, None):
                key = arguments.position(0)
                known = key[1] if key is not None and isinstance(key[1], str) else None
                taint |= self.source(path, source, position, known)
        return (taint, NO, value[2], value[3])

    def _guarded(self, entry: Entry, arguments: Arguments, receiver: Value | None) -> None:
        yes: Kill = NO_KILL
        no: Kill = NO_KILL
        for guard in entry.guards:
            kill = self._cleared_by(guard, arguments, receiver)
            if guard.outcome == "returns":
                self.kill(kill)
            elif guard.outcome == "signs":
                self.signed = both(self.signed, kill)
            elif guard.outcome == "agrees":
                yes = both(yes, self.signed)
            elif guard.outcome == "true":
                yes = both(yes, kill)
            else:
                no = both(no, kill)
        if yes is not NO_KILL or no is not NO_KILL:
            self.last_kills = (yes, no)
            self.pending = True

    def _cleared_by(self, guard: Guard, arguments: Arguments, receiver: Value | None) -> Kill:
        """What a library's check clears: of a mere part of something, the names that hold it."""
        if not holds(self, guard.when, arguments, receiver):
            return NO_KILL
        mask = 0
        names: list[tuple[str, int]] = []
        safe = bits(guard.kinds)
        for argument in guard.arguments:
            for value, _ in choose(self, argument, arguments, receiver):
                taint = self.deep(value)
                shown = safe & ~HOST if self._last_name(value) == "path" else safe  # an address's
                for lane in lanes(taint):
                    own = taint >> LANE * lane
                    cleared = (shown & ~UP if own & RAW and guard.kinds else shown) << LANE * lane
                    if not own & PART:
                        mask |= cleared
                    else:
                        names += [(name, cleared) for name in self.names_of(value)]
        return (mask, tuple(names)) if mask or names else NO_KILL

    def names_of(self, value: Value | None) -> list[str]:
        """The names that hold the very value that was passed, or the path that it was before it was resolved."""
        named = [(name, held) for name, held in (self.state or {}).items() if isinstance(name, str)]
        if value is None or value[2] != _PATH:
            return [name for name, held in named if held is value]
        return [name for name, held in named if held is value or _is_resolved_from(value, held)]


def _is_begun(given: Sequence[Value]) -> bool:
    """Whether something else stands before what is untrusted of the values that make up a text, or a path."""
    if len(given) > 1 and not given[0][0]:
        return True
    known = given[0][1]
    return isinstance(known, tuple) and (known[1][:1] != HOLE or HOLE in known[1][1:])


def _is_resolved_from(path: Value, held: Value) -> bool:
    """Whether a path is what is held, resolved."""
    return held[2] == _PATH and bool(held[0] & ALL_RAW) and held[0] & ~ALL_RAW == path[0]


def _is_page(kind: Value) -> bool:
    """Whether a content type is one that browsers run scripts of, or is not known."""
    known = kind[1].decode("latin-1") if isinstance(kind[1], bytes) else kind[1]
    told = known.lower() if isinstance(known, str) else "html"
    return "html" in told or "svg" in told
