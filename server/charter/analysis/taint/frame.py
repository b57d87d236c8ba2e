"""The state of one function under analysis: names, heap cells, origins and what was checked. It evaluates nothing."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import compress
from operator import is_not
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct, field

from charter.analysis.taint.values import (
    ALL_DANGERS,
    BIT,
    DANGERS,
    EXTERNAL,
    FULL,
    HOST,
    INSTANCE,
    LANE,
    MOST_LANES,
    NO,
    UNKNOWN,
    Value,
    cleaned,
    fresh_bits,
    join,
    lane_mask,
    lanes,
    spread,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.analysis.taint.engine import Engine
    from charter.model.ir import Node
    from charter.model.library.values import Source
    from charter.model.project import Function

State = dict[Any, Any]
"""Names (text) to values; ids of heap objects (tuples) to their cells; `KILLED` to the bits that checks cleared."""

Cells = dict[Any, Value]
"""The contents of one heap object by key: ".name" for attributes, constants for keys and positions, `REST` for what is
not known exactly, `LENGTH` for a list whose length is known. Never changed in place."""

KILLED: Final = 0
REST: Final = ("*",)
LENGTH: Final = ("#",)
PLAIN: Final = "!plain"
"""In a state: the class whose instances, of which no more is known, were told a content type that is no page."""
PIECES: Final = ".pieces"
"""Cell that a list has which holds one element for each character of a whole text."""
KEYS: Final = ("k",)
"""Cell that holds what the keys of a mapping may be."""

OF_MODULE: Final = ("::",)
"""Slot of the variables of the function's module."""

PARAMETER: Final = "p"
SOURCE: Final = "s"
DERIVED: Final = "d"
OF_ADDRESS: Final = ".path"
"""Which part of an address a lane stands for that is derived from that of the whole."""


class SourceSite(NamedTuple):
    """Where untrusted data enters; `part` as for sources of the models, or "segment": one piece of a path, without a slash."""

    name: str
    kind: str
    says: str
    key: Any
    function: Any
    position: int
    part: str = ""


class SinkSite(NamedTuple):
    """Where data becomes dangerous."""

    kind: str
    name: str
    function: Any
    position: int
    call: int
    severity: str
    detail: str


class Hit(NamedTuple):
    """Data of one origin that reaches a sink with these dangers: through the calls of `chain`, outermost first."""

    site: SinkSite
    bits: int
    chain: tuple[tuple[Any, int], ...]


class Flow(NamedTuple):
    """A source that reaches a sink, as found in one function."""

    source: SourceSite
    site: SinkSite
    bits: int
    function: Any
    chain: tuple[tuple[Any, int], ...]
    steps: tuple[tuple[int, str], ...]


Kill = tuple[int, tuple[tuple[str, int], ...]]
"""What a check shows to be safe: bits to clear wherever the origin occurs, and bits to clear of single names."""

_ALL_SSRF: Final = spread(BIT["ssrf"] | BIT["ssrf-part"])

NO_KILL: Final[Kill] = (0, ())


class Summary(Struct):
    """What callers need to know of a function in one context.

    Attributes:
        value: the returned value, in terms of `origins`.
        origins: the origin of each lane.
        heap: cells of the objects that the returned value consists of.
        hits: slots of parameters to the sinks that their data reaches.
        effects: cells of parameters' objects that were written.
        killed: bits of parameters that are safe whenever the function returns.
        killed_if_true: bits that are safe if the result is true.
        killed_if_false: bits that are safe if the result is false.
        signed: bits of parameters of which a signature was made.
        returns: whether it can return at all.
        flows: the flows found inside.
        steps: stations by which tainted values moved inside, for explanations.
        own: places of calls that are given text which the program itself has made.
        trivial: whether a call of it changes nothing and gives nothing.
    """

    value: Value = UNKNOWN
    origins: tuple[Any, ...] = ()
    heap: dict[Any, Cells] = field(default_factory=dict)
    hits: dict[tuple[Any, int], tuple[Hit, ...]] = field(default_factory=dict)
    effects: tuple[tuple[Any, Any, Value], ...] = ()
    killed: int = 0
    killed_if_true: int = 0
    killed_if_false: int = 0
    signed: int = 0
    returns: bool = True
    flows: tuple[Flow, ...] = ()
    steps: tuple[tuple[int, int, str], ...] = ()
    own: tuple[int, ...] = ()
    trivial: bool = True

    def same_for_callers(self, other: Summary) -> bool:
        """Whether callers cannot tell the two apart."""
        return (
            self.value == other.value
            and self.origins == other.origins
            and self.heap == other.heap
            and self.hits == other.hits
            and self.effects == other.effects
            and self.killed == other.killed
            and self.killed_if_true == other.killed_if_true
            and self.killed_if_false == other.killed_if_false
            and self.signed == other.signed
            and self.returns == other.returns
        )


class Frame(ABC):
    """One run of one function in one context.

    Args:
        engine: what all frames share.
        function: the function.
        depth: how many calls deep it is.

    Attributes:
        documents: by place of a call that reads a document, makes or sets up its parser, or runs a command: whether that is
            the program's own.
        sought: what the last SQL query has sought its rows by: bits that are safe if there are any.
        signed: what signatures have been made of: safe if one is what came in with it.
        set_up: by parser the places of the calls that set it up.
        moved: the objects of a callee that have been taken over, while a value of it is: each may be in many others.
    """

    def __init__(self, engine: Engine, function: Function, depth: int) -> None:
        self.engine = engine
        self.index = engine.index
        self.project = engine.project
        self.function = function
        self.module = function.module
        self.depth = depth
        self.state: State | None = {KILLED: 0}
        self.origins: list[Any] = []
        self.lane_of: dict[Any, int] = {}
        self.fields: set[str] = set()
        self.captured: dict[str, Value] = {}
        self.hits: dict[tuple[SinkSite, int], Hit] = {}
        self.steps: list[tuple[int, int, str]] = []
        self.returned: list[tuple[Value, int, Kill, Kill]] = []
        self.entered: dict[Any, Cells] = {}
        self.exits: list[State] = []
        self.jumps: list[list[State]] = []
        self.looked_up: int = 0
        self.sought: int = 0
        self.signed: Kill = NO_KILL
        self.documents: dict[int, bool] = {}
        self.set_up: dict[Any, list[int]] = {}
        self.global_effects: dict[str, Value] = {}
        self.loops = 0
        self.moved: set[Any] = set()
        self.budget = engine.most_steps

    # Origins
    def lane(self, origin: Any) -> int:
        """The lane of an origin; those beyond the most that are told apart share the last."""
        known = self.lane_of.get(origin)
        if known is None:
            known = len(self.origins)
            if known >= MOST_LANES:
                known = MOST_LANES - 1
            else:
                self.origins.append(origin)
            self.lane_of[origin] = known
        return known

    def fresh(self, origin: Any, bits: int) -> int:
        """The taint of an origin, less what was checked of it before."""
        taint = bits << LANE * self.lane(origin)
        state = self.state
        if state is not None and state[KILLED]:
            taint &= ~state[KILLED]
        return taint

    def source(self, name: str, source: Source, position: int, key: Any = None) -> int:
        """The taint of data that enters here; none if nobody asks for its threat. The same thing read twice is one origin."""
        if not self.engine.follows(source.kind):
            return 0
        bits = fresh_bits(source)
        for lane, origin in enumerate(self.origins):
            if origin[0] == SOURCE and origin[1].name == name and origin[1].key == key:
                return bits << LANE * lane & ~(self.state or {KILLED: 0})[KILLED]
        site = SourceSite(name, source.kind, source.says, key, self.function, position, source.part)
        return self.fresh((SOURCE, site), bits)

    def is_of_request(self, value: Value, part: str) -> bool:
        """Whether a value is this part of what a request asks for, as the models have it: its path, or its whole address."""
        return all(
            lane < len(self.origins)
            and self.origins[lane][0] == SOURCE
            and self.origins[lane][1].part == part
            for lane in lanes(value[0])
        )

    def root(self, lane: int) -> int:
        """The lane from which a lane is derived, or itself."""
        origin = self.origins[lane]
        while origin[0] == DERIVED:
            lane = origin[1]
            origin = self.origins[lane]
        return lane

    def derive(self, taint: int, key: Any, position: int) -> int:
        """The taint of one part of a tainted mapping.

        It has an origin of its own, so that a check of one part says nothing about another.
        """
        result = 0
        for lane in lanes(taint):
            bits = taint >> LANE * lane & FULL
            origin = self.origins[lane]
            if origin[0] == SOURCE and origin[1].key is None:
                site = origin[1]
                if site.part == "parameters":
                    bits &= ~self.engine.safe_by_route(self.function, key)
                named = (
                    SOURCE,
                    SourceSite(site.name, site.kind, site.says, key, self.function, position, site.part),
                )
                for known, other in enumerate(self.origins):
                    if other[0] == SOURCE and other[1].name == site.name and other[1].key == key:
                        result |= self.unchecked(bits << LANE * known)
                        break
                else:
                    result |= self.fresh(named, bits)
            else:
                result |= self._derived(lane, key, bits)
        return result

    def path_of(self, taint: int) -> int:
        """The taint of an address's path, a check of which says nothing about its query."""
        result = 0
        for lane in lanes(taint):
            result |= self._derived(lane, OF_ADDRESS, taint >> LANE * lane & FULL)
        return result

    def lane_of_field(self, lane: int, name: str) -> int:
        """The lane of what a field of an untrusted object holds, from now on: a check of it says nothing about other fields."""
        if self.origins[lane][0] == DERIVED or len(self.origins) >= MOST_LANES - 4:
            return lane
        self.fields.add(name)
        return self.lane((DERIVED, lane, "." + name))

    def of_field(self, taint: int, name: str) -> int:
        """The taint of a field of an untrusted object, one that was checked."""
        result = 0
        for lane in lanes(taint):
            origin, bits = (DERIVED, lane, "." + name), taint >> LANE * lane & FULL
            result |= self.fresh(origin, bits) if origin in self.lane_of else bits << LANE * lane
        return result

    def _derived(self, lane: int, key: Any, bits: int) -> int:
        """The taint of a part of what has a lane, on a lane of its own if there is one left."""
        if self.origins[lane][0] == DERIVED or len(self.origins) >= MOST_LANES - 4:
            return bits << LANE * lane
        return self.fresh((DERIVED, lane, key), bits)

    def unchecked(self, taint: int) -> int:
        """What of a taint no check has cleared so far."""
        return taint & ~self.state[KILLED] if self.state is not None else taint

    # Checks
    def kill(self, kill: Kill) -> None:
        """Clear what a check has shown to be safe, in the current state."""
        state = self.state
        mask, names = kill
        if state is None or not (mask or names):
            return
        if mask:
            mask = self._with_derived(mask)
            state[KILLED] |= mask
            keep = ~mask
            for key, entry in state.items():
                if key == KILLED:
                    continue
                if isinstance(key, str):
                    if entry[0] & mask:
                        state[key] = (entry[0] & keep, entry[1], entry[2], entry[3])
                else:
                    for value in entry.values():
                        if value[0] & mask:
                            state[key] = {
                                cell: (one[0] & keep, one[1], one[2], one[3]) for cell, one in entry.items()
                            }
                            break
        for name, bits in names:
            entry = state.get(name)
            if entry is not None and entry[0] & bits:
                state[name] = (entry[0] & ~bits, entry[1], entry[2], entry[3])

    def look_up(self, address: Value) -> None:
        """Note that the range of an address was asked for: what looks at it decides about it."""
        self.looked_up |= lane_mask(address[0]) & _ALL_SSRF
        self.kill((self.looked_up, ()))

    def _with_derived(self, mask: int) -> int:
        """The mask extended to the lanes that are derived from the lanes in it, and of paths to where their addresses lead."""
        for lane, origin in enumerate(self.origins):
            if origin[0] == DERIVED:
                if origin[2] is OF_ADDRESS:
                    mask |= (mask >> LANE * lane & HOST) << LANE * origin[1]
                bits = mask >> LANE * origin[1] & DANGERS
                if bits:
                    mask |= bits << LANE * lane
        return mask

    # States
    @staticmethod
    def joined(first: State | None, second: State | None) -> State | None:
        """The state where two paths meet."""
        if first is None or first is second:
            return second
        if second is None:
            return first
        result = dict(first)
        get = first.get
        # Two paths leave most of a state as it was, and this is asked of every name and object where they meet.
        for key, other in compress(second.items(), map(is_not, map(get, second), second.values())):
            own = get(key)
            if key == KILLED:
                result[KILLED] = own & other
            elif own is None:
                result[key] = other
            elif isinstance(key, str):
                if key[0] != "?":
                    result[key] = join(own, other)
                elif own != other:
                    del result[key]
            elif own != other:
                result[key] = join_cells(own, other)
        return result

    # Heap
    def new(self, sort: str, position: int, cells: Cells) -> Value:
        """A new heap object of a built-in class."""
        return self.new_object((INSTANCE, sort), position, cells)

    def new_object(self, reference: Any, position: int, cells: Cells) -> Value:
        """A new heap object; in a loop the objects of one place are one."""
        identity = ("a", position)
        state = self.state
        if state is not None:
            if self.loops and identity in state and cells and not self._is_replaced(identity):
                cells = join_cells(state[identity], cells)
            state[identity] = cells
        return (0, NO, reference, (identity,))

    def _is_replaced(self, identity: Any) -> bool:
        """Whether of the objects of one place in a loop the last one is forgotten where the next is made: one name alone means it."""
        state = self.state
        if state is None or not any(one[0] for one in state[identity].values()):
            return False
        names = 0
        for key, entry in state.items():
            if key == KILLED:
                continue
            if isinstance(key, str):
                names += identity in entry[3]
            elif any(identity in one[3] for one in entry.values()):
                return False
        return names <= 1

    def read(self, value: Value, key: Any) -> Value | None:
        """What a cell of a value's objects holds; None if nothing is known."""
        state = self.state
        if state is None:
            return None
        result: Value | None = None
        for identity in value[3]:
            cells = state.get(identity)
            if not cells:
                continue
            found = cells.get(key)
            if key is not KEYS and not (isinstance(key, str) and key.startswith(".")) and REST in cells:
                found = cells[REST] if found is None else join(found, cells[REST])
            if found is not None:
                result = found if result is None else join(result, found)
        return result

    def has_cells(self, value: Value) -> bool:
        """Whether anything is known of what a value's objects hold."""
        return self.state is not None and any(self.state.get(identity) for identity in value[3])

    def elements(self, value: Value) -> Value:
        """What any element of a value's containers may be."""
        state = self.state
        result: Value | None = None
        if state is not None:
            for identity in value[3]:
                for key, found in (state.get(identity) or {}).items():
                    if key is LENGTH or key is KEYS or (isinstance(key, str) and key.startswith(".")):
                        continue
                    result = found if result is None else join(result, found)
        if result is None:
            result = UNKNOWN
        if value[0]:
            result = (result[0] | value[0], NO, result[2], result[3])
        return result

    def write(self, value: Value, key: Any, new: Value) -> None:
        """Store into a cell; exactly if the object is known and single."""
        state = self.state
        if state is None:
            return
        single = len(value[3]) == 1
        for identity in value[3]:
            cells = dict(state.get(identity) or ())
            if single and key is not REST:
                cells[key] = new
            else:
                cells[key] = join(cells[key], new) if key in cells else new
            state[identity] = cells

    def resize(self, objects: tuple[Any, ...], length: Value) -> None:
        """A list has another length now, which is known if it is a single one and the length is a constant."""
        state = self.state
        if state is None:
            return
        for identity in objects:
            cells: Cells = dict(state.get(identity) or ())
            cells.pop(LENGTH, None)
            if len(objects) == 1 and isinstance(length[1], int):
                cells[LENGTH] = length
            state[identity] = cells

    def deep(self, value: Value) -> int:
        """The taint of a value and of all that it consists of."""
        taint = value[0]
        if not value[3] or not self.origins or self.state is None:
            return taint
        seen: set[Any] = set()
        stack = list(value[3])
        while stack and len(seen) < 60:
            identity = stack.pop()
            if identity in seen:
                continue
            seen.add(identity)
            for one in (self.state.get(identity) or {}).values():
                taint |= one[0]
                if one[3]:
                    stack.extend(one[3])
        return taint

    def step(self, taint: int, position: int, message: str) -> None:
        """Remember where tainted data passed, for explanations."""
        if taint & ALL_DANGERS and len(self.steps) < 400:
            self.steps.append((taint, position, message))

    def last_state(self) -> State:
        """The current state, or one in which the function was left."""
        if self.state is not None:
            return self.state
        return self.exits[-1] if self.exits else {}

    # What the subclasses provide
    @abstractmethod
    def value(self, node: Node) -> Value:
        """The value of an expression."""

    @abstractmethod
    def test(self, node: Node) -> tuple[bool | None, Kill, Kill]:
        """Whether a condition holds, and what is safe if it does and if it does not."""

    @abstractmethod
    def invoke(self, function: Value, arguments: Any, position: int) -> Value:
        """The value of a call."""

    @abstractmethod
    def attribute(self, value: Value, name: str, position: int) -> Value:
        """The value of an attribute."""

    def any_key(self, value: Value) -> Value:
        """What any of a dictionary's keys may be."""
        keys = self.read(value, KEYS)
        taint = value[0] | (keys[0] if keys is not None else 0)
        if value[0] and value[2] is not None and value[2][0] == EXTERNAL:
            for rule in self.index.entry(f"{value[2][1]}.keys").sanitizers:
                taint &= ~spread(cleaned(rule.kinds))
        return (taint, NO, None, ())

    @abstractmethod
    def assign(self, target: Node, value: Value) -> None:
        """Bind a target."""

    @abstractmethod
    def bound(self, targets: Sequence[Node], source: Node) -> Value:
        """The value of an expression, once it is assigned; the name of a check's result says what the check has shown."""

    @abstractmethod
    def reach(
        self, kind: str, name: str, taint: int, place: int, call: int, severity: str, value: Value
    ) -> None:
        """Record that tainted data reaches a sink here."""


def join_cells(first: Cells, second: Cells) -> Cells:
    """The cells of an object where two paths meet. A cell that one path lacks may be absent; it is kept."""
    result = dict(first)
    for key, other in second.items():
        own = first.get(key)
        result[key] = other if own is None else own if own is other else join(own, other)
    if LENGTH in result and (
        LENGTH not in first or LENGTH not in second or first[LENGTH][1] != second[LENGTH][1]
    ):
        del result[LENGTH]
    return result
