"""Says in words how the values of one line were followed, and where they were lost or made safe. It decides nothing."""

# The values here are nested tuples, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from charter.analysis.taint.bindings import bindings
from charter.analysis.taint.natives import NATIVE
from charter.analysis.taint.report import Places, described
from charter.analysis.taint.sinks import NEEDED
from charter.analysis.taint.trace import body, is_dangerous, kinds_of, sources_of, traced
from charter.analysis.taint.values import LANE, spread
from charter.api import Location, Step
from charter.api.facts.taint import SINK_KINDS
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis.taint.bindings import Binding
    from charter.analysis.taint.engine import Engine
    from charter.analysis.taint.trace import Arrived, Called, Seen, Traced
    from charter.model.ir import Node
    from charter.model.project import Function, Module

_MOST_STEPS: Final = 30
_LONGEST: Final = 60
_NAMES: Final = frozenset({ir.LOCAL, ir.GLOBAL, ir.FREE})


class Explanation(Struct, frozen=True):
    """What became of one value.

    Attributes:
        location: the expression.
        code: its text.
        sink: qualified name of the sink to which it is handed; "" for a value that no sink takes.
        kind: the sink's kind; "" for none.
        verdict: "arrives" (untrusted data reaches the sink), "condition" (it arrives, but the sink counts only under
            a condition that is not met), "safe" (made safe on the way), "lost" (untrusted data went into a call that is
            not known), "trusted" (nothing untrusted is in it) or "untrusted" (it is untrusted, and no known sink takes it).
        summary: the verdict in words.
        steps: how the value came about, from the line backwards.
    """

    location: Location
    code: str
    sink: str
    kind: str
    verdict: str
    summary: str
    steps: tuple[Step, ...]


def explain(engine: Engine, path: str, line: int, text: str) -> list[Explanation]:
    """What became of the values of one line.

    Args:
        engine: the analysis, solved.
        path: the file.
        line: 1-based.
        text: the file's text.

    Returns:
        An explanation for each sink in the line, else for each call or value; nothing if the line has none.
    """
    module = engine.project.modules.get(path)
    if module is None:
        return []
    for function in sorted(module.functions, key=lambda one: -one.line):
        if function.line <= line:
            best = _best(engine, module, function, line, text)
            if best is not None:
                return list(best.explanations())
    return []


def _best(engine: Engine, module: Module, function: Function, line: int, text: str) -> _Line | None:
    """The line in the context that tells most: in which something arrives, else in which something is untrusted."""
    best: _Line | None = None
    for run in traced(engine, function):
        one = _Line(engine, module, run, line, text)
        if one.seen and (best is None or one.heat > best.heat):
            best = one
    return best


class _Line:
    """One line of a function in one context."""

    def __init__(self, engine: Engine, module: Module, run: Traced, line: int, text: str) -> None:
        self.engine = engine
        self.run = run
        self.function = run.function
        self.text = text
        self.line = line
        self.places = Places()
        self.bindings = bindings(body(run.function), [one.node for one in run.seen.values()])
        self.arrived = [one for one in run.arrived if self._covers(one.position) or self._covers(one.call)]
        self.seen = [one for (_, place), one in run.seen.items() if self._covers(place)]
        self.heat = (
            any(one.reaches and one.counts for one in self.arrived),
            any(is_dangerous(one.taint) for one in self.seen),
            any(is_dangerous(one.taint) for one in run.seen.values()),
            not run.context,
        )

    def location(self, position: int) -> Location:
        """The place of an expression."""
        return self.places.location(self.function, position)

    def _covers(self, position: int) -> bool:
        place = self.location(position)
        return place.line <= self.line <= place.end_line

    def code(self, position: int) -> str:
        """The text of an expression, in one line and not too long."""
        span = self.location(position).span
        code = " ".join(self.text[span.start : span.end].split())
        return code if len(code) <= _LONGEST else f"{code[: _LONGEST - 1]}…"

    def explanations(self) -> Iterator[Explanation]:
        """An explanation for each sink, else for each outermost expression."""
        arrived: dict[tuple[str, int], Arrived] = {}
        for one in self.arrived:
            known = arrived.get((one.kind, one.position))
            if known is None or (one.reaches, one.counts) > (known.reaches, known.counts):
                arrived[one.kind, one.position] = one
        for one in sorted(arrived.values(), key=lambda one: (one.position, one.kind)):
            yield self._of_sink(one)
        if not arrived:
            for one in self._outermost():
                yield self._of_value(one)

    def _outermost(self) -> list[Seen]:
        """The expressions that are in no other expression of the line."""
        inside: set[int] = set()
        spans = sorted(
            ((self.location(one.node[1]).span, one) for one in self.seen),
            key=lambda pair: (pair[0].start, -pair[0].end),
        )
        result: list[Seen] = []
        end = -1
        for span, one in spans:
            if span.end > end and one.node[0] != ir.CONST and one.node[1] not in inside:
                inside.add(one.node[1])
                result.append(one)
                end = span.end
        return result

    def _of_sink(self, one: Arrived) -> Explanation:
        steps = _Steps(self, one.kind)
        steps.follow_place(one.position)
        is_checked = steps.checks(one.killed)
        verdict, words = self._verdict(one, steps, is_checked=is_checked)
        return Explanation(
            self.location(one.position),
            self.code(one.position),
            one.name,
            one.kind,
            verdict,
            words,
            steps.result(),
        )

    def _verdict(self, one: Arrived, steps: _Steps, *, is_checked: bool) -> tuple[str, str]:
        wanted, sources = SINK_KINDS[one.kind], self.sources(one.taint)
        if one.reaches and one.counts:
            return "arrives", f"{sources} arrives at `{one.name}` as {wanted}"
        if one.reaches:
            return (
                "condition",
                f"{sources} arrives at `{one.name}`, but not as {wanted}: the conditions of its model are not met",
            )
        if is_dangerous(one.taint):
            others = _listed(kinds_of(one.taint))
            return "safe", f"{sources} arrives at `{one.name}`, made safe as {wanted} (not for {others})"
        if steps.lost:
            return (
                "lost",
                f"what arrives at `{one.name}` as {wanted} counts as trusted, since it was lost on the way",
            )
        if is_checked or steps.cleaned:
            return "safe", f"what arrives at `{one.name}` was made safe as {wanted}"
        return "trusted", f"nothing untrusted arrives at `{one.name}` as {wanted}"

    def _of_value(self, one: Seen) -> Explanation:
        position = one.node[1]
        steps = _Steps(self, "")
        steps.follow(one.node, 0)
        if is_dangerous(one.taint):
            kinds = _listed(kinds_of(one.taint))
            verdict = "untrusted"
            words = f"{self.sources(one.taint)} is in it, dangerous for {kinds}; no known sink takes it here"
        elif steps.lost:
            verdict, words = "lost", "it counts as trusted, since untrusted data was lost on the way"
        else:
            verdict, words = "trusted", "nothing untrusted comes out of it"
        return Explanation(
            self.location(position), self.code(position), "", "", verdict, words, steps.result()
        )

    def sources(self, taint: int) -> str:
        """Where a taint comes from, in words."""
        found = dict.fromkeys(self._source(one) for one in sources_of(self.run, taint))
        return _listed(tuple(found)) if found else "nothing"

    def _source(self, origin: Any) -> str:
        if hasattr(origin, "says"):
            return described(origin)
        slot = origin[1][1]
        name = self.function.parameters[slot][0] if isinstance(slot, int) else slot
        return f"parameter `{name}`"

    def source_of_lane(self, lane: int) -> str:
        """What a lane holds, in words."""
        return self.sources(1 << LANE * lane)


class _Steps:
    """How a value came about, collected backwards."""

    def __init__(self, line: _Line, kind: str) -> None:
        self.line = line
        self.run = line.run
        self.kind = kind
        self.lost = False
        self.cleaned = False
        self._found: list[Step] = []
        self._taints = 0
        self._done: set[tuple[int, int]] = set()

    def say(self, position: int, words: str) -> None:
        """Add a step."""
        self._found.append(Step(self.line.location(position), words))

    def result(self) -> tuple[Step, ...]:
        """The steps, each once."""
        return tuple(dict.fromkeys(self._found))[:_MOST_STEPS]

    def code(self, position: int) -> str:
        """The text of an expression, in backticks."""
        return f"`{self.line.code(position)}`"

    def checks(self, killed: int) -> bool:
        """Say which checks made safe for the kind what was followed; whether there is one."""
        found = list(self.run.safe_for(self.kind, killed, self._taints))
        for place, lane in found:
            words = f"{self.code(place)}: after this check {self.line.source_of_lane(lane)} is safe here"
            self._found.insert(0, Step(self.line.location(place), words))
        return bool(found)

    def follow_place(self, position: int) -> None:
        """Follow the expression at a place."""
        found = [one for (_, place), one in self.run.seen.items() if place == position]
        if found:
            self.follow(found[-1].node, 0)

    def follow(self, node: Node, depth: int) -> None:
        """Say where an expression's value comes from."""
        key = (node[0], node[1])
        if key in self._done or depth > 12 or node[0] == ir.CONST:
            return
        self._done.add(key)
        self._taints |= self._taint(node)
        opcode = node[0]
        if opcode in _NAMES:
            self._name(node, depth)
        elif opcode == ir.CALL:
            self._call(node, depth)
        elif opcode in {ir.ATTR, ir.ITEM}:
            self._part(node, depth)
        else:
            for child in _children(node):
                self.follow(child, depth)

    def _taint(self, node: Node) -> int:
        seen = self.run.seen.get((node[0], node[1]))
        return seen.taint if seen is not None else 0

    def _state(self, taint: int) -> str:
        if not is_dangerous(taint):
            return "nothing untrusted"
        if self.kind and not taint & spread(NEEDED[self.kind]):
            return f"safe as {SINK_KINDS[self.kind]}"
        return "untrusted"

    def _name(self, node: Node, depth: int) -> None:
        name = node[2].partition("~")[0]
        taint = self._taint(node)
        given = self._given(node)
        for one in given:
            self.say(one.position, f"`{name}` {one.how}: {self._state(self._taint(one.source))}")
            self.follow(one.source, depth + 1)
        if given:
            return
        if any(parameter[0] == node[2] for parameter in self.run.function.parameters):
            self._parameter(name, taint)
        elif node[0] == ir.FREE:
            self.say(node[1], f"`{name}` belongs to the function around: {self._state(taint)}")
        elif node[0] == ir.GLOBAL and self.run.seen.get((node[0], node[1])):
            reference = self.run.seen[node[0], node[1]].value[2]
            if is_dangerous(taint):
                self.say(node[1], f"`{name}`: {self.line.sources(taint)} comes in here")
            elif reference is None:
                self.say(node[1], f"`{name}` belongs to the module: nothing untrusted is stored in it")

    def _given(self, node: Node) -> list[Binding]:
        """What a name holds: the last assignment above it (in a loop perhaps one below), and what was added since."""
        found = self.line.bindings.get(node[2], [])
        given: list[Binding] = []
        above = [one for one in found if self._is_above(one, node[1])]
        for one in reversed(above or found):
            given.append(one)
            if one.whole:
                break
        return given[:4]

    def _is_above(self, binding: Binding, position: int) -> bool:
        """Whether a name was bound before a place, and not by the statement around it."""
        use, bound = self.line.location(position).span, self.line.location(binding.position).span
        source = self.line.location(binding.source[1]).span
        return bound.start < use.start and not (source.start <= use.start and use.end <= source.end)

    def _parameter(self, name: str, taint: int) -> None:
        function = self.run.function
        place = next(one[4] for one in function.parameters if one[0].partition("~")[0] == name)
        callers = self.line.engine.callers(function)
        named = [f"`{one.name or one.module.name}` ({one.module.path}:{one.line})" for one in callers]
        if function in self.line.engine.handlers and not self.run.context:
            self.say(
                place,
                f"`{name}` is a parameter of a handler, which the framework calls: {self._state(taint)}",
            )
        elif named:
            more = f" and {len(named) - 3} more" if len(named) > 3 else ""
            self.say(
                place,
                f"`{name}` is a parameter; passed by {', '.join(named[:3])}{more}: {self._state(taint)}",
            )
        else:
            self.say(
                place,
                f"`{name}` is a parameter, and no call of `{function.name}` is known; if a framework calls it, a "
                "`handler` in the settings says so",
            )

    def _call(self, node: Node, depth: int) -> None:
        operands = _operands(node)
        hot = [one for one in operands if is_dangerous(self._taint(one))]
        called = self.run.called.get(node[1], {})
        out = self._taint(node)
        for one in called.values() or (None,):
            words = self._said_of_call(one, out, hot=bool(hot))
            if words:
                self.say(node[1], f"{self.code(node[1])}: {words}")
        for operand in hot or operands:
            self.follow(operand, depth + 1)

    def _said_of_call(self, called: Called | None, out: int, *, hot: bool) -> str:
        state = self._state(out)
        if called is None:
            if not hot:
                return "what is called here is not known, and nothing untrusted is passed to it"
            return (
                f"what is called here is not known; its result counts as {state}"
                if is_dangerous(out)
                else self._loss("what is called is not known, so its result counts as trusted")
            )
        if called.function is not None:
            return self._said_of_function(called.function, out, hot=hot)
        return self._said_of_library(called, out, hot=hot)

    def _said_of_function(self, function: Function, out: int, *, hot: bool) -> str:
        where = f"`{function.name}` ({function.module.path}:{function.line})"
        if hot and not is_dangerous(out):
            self.cleaned = True
            return f"{where} is passed untrusted data, and gives back nothing untrusted"
        return f"the result of {where}: {self._state(out)}"

    def _said_of_library(self, called: Called, out: int, *, hot: bool) -> str:
        entry, name = called.entry, f"`{called.path}`"
        if entry is not None and entry.sources and is_dangerous(out):
            return f"{name} is a source: what it gives is untrusted"
        if entry is not None and entry.sanitizers:
            self.cleaned = True
            kinds = tuple(dict.fromkeys(kind for one in entry.sanitizers for kind in one.kinds))
            return f"{name} makes data safe {'for ' + _listed(kinds) if kinds else 'for every sink'}"
        if is_dangerous(out):
            return f"{name} hands its data on: {self._state(out)}"
        if not hot:
            return ""
        if called.path in NATIVE:
            self.cleaned = True
            return f"{name}: nothing untrusted is left in its result"
        if entry is not None and entry.name:
            return f"{name} is known, and its result does not carry what is passed to it"
        return self._loss(
            f"{name} is not known, so its result counts as trusted; if it hands its arguments on, a `propagator` in "
            "the settings says so"
        )

    def _loss(self, words: str) -> str:
        self.lost = True
        return f"lost here: {words}"

    def _part(self, node: Node, depth: int) -> None:
        owner = node[2]
        taint, inside = self._taint(node), self._taint(owner)
        if is_dangerous(taint) and not is_dangerous(inside):
            self.say(node[1], f"{self.line.sources(taint)} comes in here")
        elif is_dangerous(inside) and not is_dangerous(taint):
            self.say(node[1], f"{self.code(node[1])}: this part holds nothing untrusted")
        elif not is_dangerous(taint):
            seen = self.run.seen.get((owner[0], owner[1]))
            if seen is not None and seen.value[2] is None and owner[0] != ir.CONST:
                self.say(
                    node[1],
                    f"{self.code(node[1])}: nothing is known of {self.code(owner[1])}, so it counts as trusted",
                )
        self.follow(owner, depth + 1)


def _operands(node: Node) -> list[Node]:
    """What a call works on: the object whose method is called, and the arguments."""
    function = node[2]
    owner = [function[2]] if function[0] == ir.ATTR else []
    return [*owner, *node[3], *(value for _, value in node[4])]


def _children(node: Node) -> Iterator[Node]:
    """The expressions inside of an operator, a literal, a choice or a comprehension."""
    for part in node[2:]:
        yield from _nodes(part)


def _nodes(part: Any) -> Iterator[Node]:
    if isinstance(part, tuple) and part:
        if len(part) > 2 and type(part[0]) is int and type(part[1]) is int:
            yield part
        else:
            for one in part:
                yield from _nodes(one)


def _listed(words: tuple[str, ...]) -> str:
    if len(words) > 4:
        return f"{', '.join(words[:3])} and {len(words) - 3} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
