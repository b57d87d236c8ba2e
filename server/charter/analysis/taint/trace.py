"""One function run once more with a record of every value, call, check and sink, for explanations. It uses no words."""

# The values here are nested tuples, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any, NamedTuple

from charter.analysis.taint.arguments import choose, holds
from charter.analysis.taint.frame import KILLED, SOURCE
from charter.analysis.taint.run import Run
from charter.analysis.taint.sinks import NEEDED
from charter.analysis.taint.values import ALL_DANGERS, BIT, DANGERS, FULL, KINDS, LANE, lanes, spread
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from charter.analysis.taint.arguments import Arguments
    from charter.analysis.taint.checks import Test
    from charter.analysis.taint.context import Entry
    from charter.analysis.taint.engine import Engine
    from charter.analysis.taint.frame import Kill
    from charter.analysis.taint.values import Value
    from charter.model.ir import Node
    from charter.model.library.index import Entry as Facts
    from charter.model.library.values import Sink
    from charter.model.project import Function

Place = tuple[int, int]
"""An expression: its opcode and its packed place."""


class Seen(NamedTuple):
    """What an expression was found to be when it was evaluated last.

    Attributes:
        node: the expression.
        taint: its own and that of all it consists of.
        value: the value.
        killed: what earlier checks had shown to be safe.
    """

    node: Node
    taint: int
    value: Value
    killed: int


class Called(NamedTuple):
    """What a call was found to call.

    Attributes:
        path: the qualified name of something outside the project; "" where that is not known.
        function: the project's function; None for anything else.
        entry: what the models say of it; None for nothing.
    """

    path: str
    function: Function | None
    entry: Facts | None


class Arrived(NamedTuple):
    """What arrived at a sink.

    Attributes:
        kind: the sink's kind.
        name: its qualified name.
        position: the argument's packed place.
        call: the call's packed place.
        taint: what of the argument is untrusted in any way.
        reaches: what of it is dangerous for this kind of sink.
        counts: whether the conditions of the sink's model are met.
        killed: what earlier checks had shown to be safe.
    """

    kind: str
    name: str
    position: int
    call: int
    taint: int
    reaches: int
    counts: bool
    killed: int


class Traced(Run):
    """A run that keeps a record.

    Attributes:
        context: what its caller passes; () for none.
        seen: every expression with its value.
        called: the calls by their packed place.
        arrived: everything that came to a sink.
        checks: packed place of a check with the bits that it cleared.
    """

    def __init__(self, engine: Engine, function: Function, context: Entry) -> None:
        super().__init__(engine, function, 0)
        self.context = context
        self.seen: dict[Place, Seen] = {}
        self.called: dict[int, dict[Any, Called]] = {}
        self.arrived: list[Arrived] = []
        self.checks: list[tuple[int, int]] = []
        self._testing = 0
        self._tests: dict[Kill, int] = {}

    def value(self, node: Node) -> Value:
        """Evaluate an expression and keep its value; of several rounds that in which most was untrusted."""
        value = super().value(node)
        taint = self.deep(value)
        known = self.seen.get((node[0], node[1]))
        if known is None or taint & ALL_DANGERS or not known.taint:
            killed = self.state[KILLED] if self.state is not None else 0
            self.seen[node[0], node[1]] = Seen(node, taint, value, killed)
        return value

    def test(self, node: Node) -> Test:
        """Evaluate a condition and remember which checks are its doing."""
        self._testing = node[1]
        tested = super().test(node)
        self._tests[tested[1]] = self._tests[tested[2]] = node[1]
        return tested

    def kill(self, kill: Kill) -> None:
        """Clear what a check has shown to be safe, and keep which check it was."""
        if kill[0] or kill[1]:
            mask = kill[0]
            for name, own in kill[1]:
                held = self.state.get(name) if self.state is not None else None
                mask |= own & held[0] if held is not None else 0
            self.checks.append((self._tests.get(kill, self._testing), mask))
        super().kill(kill)

    def call_external(self, path: str, receiver: Value | None, arguments: Arguments, position: int) -> Value:
        """Call something outside the project, and keep what it was."""
        self._testing = position
        self._note(position, Called(path, None, self.index.entry(path)))
        return super().call_external(path, receiver, arguments, position)

    def call_function(
        self, function: Function, receiver: Value | None, arguments: Arguments, position: int, captured: Any
    ) -> Value:
        """Call a function of the project, and keep which it was."""
        self._testing = position
        self._note(position, Called("", function, self.engine.modelled.get(function)))
        return super().call_function(function, receiver, arguments, position, captured)

    def _note(self, position: int, called: Called) -> None:
        self.called.setdefault(position, {})[called.function or called.path] = called

    def check_sinks(
        self, sinks: Iterable[Sink], name: str, arguments: Arguments, receiver: Value | None
    ) -> None:
        """Record what reaches the sinks of a call, and what does not."""
        known = tuple(sinks)
        for sink in known:
            for argument in sink.arguments:
                for value, place in choose(self, argument, arguments, receiver):
                    taint = self.deep(value)
                    reaches = self._operators(value, taint) if sink.kind == "nosql" else taint
                    counts = self.looks_like(sink.like, value) and holds(self, sink.when, arguments, receiver)
                    self._arrive(sink.kind, name, place, arguments.place, taint, reaches, counts=counts)
        super().check_sinks(known, name, arguments, receiver)

    def reach(
        self, kind: str, name: str, taint: int, place: int, call: int, severity: str, value: Value
    ) -> None:
        """Record that data reaches a sink that is no call: a handler's return value, an assigned attribute."""
        if not any(one.position == place and one.kind == kind for one in self.arrived):
            self._arrive(kind, name, place, call, taint, taint, counts=True)
        super().reach(kind, name, taint, place, call, severity, value)

    def _arrive(
        self, kind: str, name: str, place: int, call: int, taint: int, reaches: int, *, counts: bool
    ) -> None:
        killed = self.state[KILLED] if self.state is not None else 0
        found = reaches & spread(NEEDED[kind])
        self.arrived.append(Arrived(kind, name, place, call, taint, found, counts, killed))

    def safe_for(self, kind: str, killed: int, taint: int) -> Iterator[tuple[int, int]]:
        """The checks because of which what once had a taint is safe for a kind of sink: packed place and lane."""
        wanted = BIT[kind]
        for lane in lanes(taint):
            if killed >> LANE * lane & wanted:
                place = next(
                    (place for place, mask in reversed(self.checks) if mask >> LANE * lane & wanted), None
                )
                if place is not None:
                    yield place, lane


def traced(engine: Engine, function: Function) -> Iterator[Traced]:
    """A function run in each context in which it is known."""
    for key in engine.contexts(function):
        run = Traced(engine, function, key[1])
        run.execute(key[1])
        yield run


def body(function: Function) -> tuple[Node, ...]:
    """A function's statements."""
    return marshal.loads(function.record[ir.BODY])  # noqa: S302 (our own lowering)


def kinds_of(taint: int) -> tuple[str, ...]:
    """The kinds of sinks for which a taint is still dangerous."""
    found = 0
    for lane in lanes(taint):
        found |= taint >> LANE * lane & FULL
    return tuple(kind for kind in KINDS if found & BIT[kind])


def is_dangerous(taint: int) -> bool:
    """Whether anything of a taint is dangerous for any sink."""
    return bool(taint & spread(DANGERS))


def sources_of(run: Traced, taint: int) -> Iterator[Any]:
    """The origins of a taint: source sites and parameters' slots."""
    for lane in lanes(taint):
        origin = run.origins[run.root(lane)] if lane < len(run.origins) else None
        if origin is not None:
            yield origin[1] if origin[0] == SOURCE else origin
