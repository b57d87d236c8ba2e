"""One run of a function from its context to its summary."""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint import handlers
from charter.analysis.taint.checks import asks_for_address, shown_by_name
from charter.analysis.taint.frame import (
    DERIVED,
    KILLED,
    LENGTH,
    NO_KILL,
    OF_MODULE,
    PARAMETER,
    SOURCE,
    Cells,
    Flow,
    Hit,
    Summary,
    join_cells,
)
from charter.analysis.taint.statements import Statements
from charter.analysis.taint.values import (
    ALL_DANGERS,
    DANGERS,
    EXTERNAL,
    FULL,
    HOST,
    INSTANCE,
    JSON_TEXT,
    LANE,
    NO,
    OBJECT,
    PROJECT_FUNCTION,
    TUPLE,
    UNKNOWN,
    Value,
    join,
    lanes,
)
from charter.model import ir

if TYPE_CHECKING:
    from charter.analysis.taint.context import Entry

_MOST_HITS: Final = 60
_MOST_STEPS: Final = 40

_JSON: Final = (JSON_TEXT, (EXTERNAL, f"{JSON_TEXT[1]}.encode()"))
"""What a text in JSON is, and its bytes."""


class Run(Statements):
    """A function's run."""

    use: handlers.Use | None = None

    def execute(self, entry: Entry) -> Summary:
        """Run the function and say what callers need to know."""
        self._enter(entry)
        self.vouches = shown_by_name(self.function.short)
        # What `validate_return_url(url)` gives back has passed, however it was checked.
        self.passes = HOST if asks_for_address(self.function.short) else 0
        self.run(marshal.loads(self.function.record[ir.BODY]))  # noqa: S302 (our own lowering)
        if self.state is not None:
            self.returned.append(((0, None, None, ()), self.state[KILLED], NO_KILL, NO_KILL))
            self.exits.append(self.state)
        return self._summary()

    # Entry
    def _enter(self, entry: Entry) -> None:
        function = self.function
        state = self.state
        assert state is not None
        references = self.engine.roles.parameter_references(function)
        for index, (parameter, typed) in enumerate(zip(function.parameters, references, strict=True)):
            part = entry[index] if index < len(entry) else None
            slot = (PARAMETER, index)
            if part is None:
                state[slot] = {}
                self.entered[slot] = state[slot]
                state[parameter[0]] = (0, NO, typed, (slot,))
            else:
                value = self._made(slot, part)
                if value[2] is None and typed is not None:
                    value = (value[0], value[1], typed, value[3])
                state[parameter[0]] = value
        for name, part in entry[len(function.parameters) :]:
            self.captured[name] = self._made((PARAMETER, name), part)
        if not entry:
            self.use = self.engine.handlers.get(function)
            if self.use is not None:
                handlers.seed(self, function, self.use)

    def _made(self, slot: Any, part: Any) -> Value:
        """The value that a context describes."""
        heat, known, reference, cells = part
        if reference is not None and reference[0] == PROJECT_FUNCTION and reference[2]:
            taken = tuple([(name, self._made((*slot, "^" + name), inner)) for name, inner in reference[2]])
            reference = (PROJECT_FUNCTION, reference[1], taken)
        state = self.state
        assert state is not None
        taint = 0
        if heat:
            marks = heat & ~1
            taint = self.fresh((PARAMETER, slot), DANGERS | marks)
        if cells is None:
            return (taint, known, reference, ())
        made = {key: self._made((*slot, key), inner) for key, inner in cells}
        state[slot] = made
        self.entered[slot] = made
        return (taint, known, reference, (slot,))

    # Results
    def on_return(self, value: Value, position: int) -> None:
        """What a handler returns is a page, unless the framework sends it as something else."""
        returns = "" if self.use is None else self.use.handler.returns
        if returns in {"redirect", "gateway", "wsgi"}:
            self._send(returns, value, position)
        if returns != "html" or self.function.flags & ir.GENERATOR:
            return
        exact = self.elements_exactly(value)
        if value[3]:
            if not exact or value[2] is None or value[2][1] != "builtins.tuple":
                return
            value = exact[0]
            if len(exact) > 1 and self.says_plain(exact[-1]):
                return
        if value[3] or not value[0] & ALL_DANGERS:
            return
        if value[2] is not None and value[2] != (INSTANCE, "builtins.str") and value[2][0] != "x":
            return
        if value[2] in _JSON and self._tells_json():
            return
        if not self._is_parsed(value):
            self.reach("xss", "return value", value[0], position, position, "", value)

    def _tells_json(self) -> bool:
        """Whether the function, or another one of its class, tells the browser that an answer is JSON."""
        cls = self.function.cls
        functions = (self.function,) if cls is None else cls.methods.values()
        return any(b"application/json" in one.record[ir.BODY] for one in functions)

    def _is_parsed(self, value: Value) -> bool:
        """Whether a value is a whole parsed document, which goes back as JSON."""
        return all(
            value[0] >> LANE * lane & OBJECT
            and self.origins[lane][0] == SOURCE
            and self.origins[lane][1].key is None
            for lane in lanes(value[0])
        )

    def _send(self, returns: str, value: Value, position: int) -> None:
        """What a handler returns that is an address, a gateway's dictionary or the parts of a page."""
        if returns == "redirect":
            self.reach("redirect", "return value", value[0], position, position, "", value)
        elif returns == "wsgi":
            part = self.elements(value)
            if self.looks_like("html", part):
                self.reach("xss", "return value", part[0], position, position, "", part)
        else:
            body, headers = self.read(value, "body"), self.read(value, "headers")
            if body is not None and headers is not None and self.content_type(headers)[:9] == "text/html":
                self.reach("xss", "return value", self.deep(body), position, position, "", body)

    def _summary(self) -> Summary:
        value = self._returned_value()
        origins = tuple([self._plain(origin) for origin in self.origins])
        killed, yes, no = self._kills()
        signed = self.signed[0] & self._of_parameters()
        effects = self._effects()
        heap: dict[Any, Cells] = {}
        if value[3]:
            self._collect(value, heap)
        hits, flows = self._sorted_hits()
        returns = bool(self.returned) or self.function.cls is not None or self.function.index == 0
        trivial = not (
            value[0] or value[3] or hits or effects or killed or yes or no or signed or not returns
            or self.function.flags & ir.GENERATOR
            or (value[2] is not None and value[2][0] in {PROJECT_FUNCTION, "p", "b", "u"})
        )  # fmt: skip
        return Summary(
            value,
            origins,
            heap,
            hits,
            effects,
            killed,
            yes,
            no,
            signed,
            returns,
            flows,
            tuple(self.steps),
            tuple([place for place, own in self.documents.items() if own]),
            trivial,
        )

    def _plain(self, origin: Any) -> Any:
        while origin[0] == DERIVED:
            origin = self.origins[origin[1]]
        return origin

    def _returned_value(self) -> Value:
        result: Value | None = None
        for value, *_ in self.returned:
            result = value if result is None else join(result, value)
        if result is None:
            return UNKNOWN
        if result[2] == TUPLE and self._is_sometimes_tuple():
            result = (result[0], result[1], None, result[3])
        vague = result[2] is None or (result[2][0] == EXTERNAL and "()" in result[2][1])
        annotation = self.function.record[ir.RETURNS]
        if vague and annotation is not None and result[1] is NO and not result[3]:
            reference = self.engine.roles.type_of(self.module, annotation)
            if reference is not None:
                result = (result[0], result[1], reference, result[3])
        return result

    def _is_sometimes_tuple(self) -> bool:
        """Whether some returns give a tuple and others None, so that callers ask whether there is one."""
        returned = [value for value, *_ in self.returned]
        return any(value[2] == TUPLE for value in returned) and any(value[1] is None for value in returned)

    def _of_parameters(self) -> int:
        """All bits of the lanes of parameters."""
        mask = 0
        for lane, origin in enumerate(self.origins):
            if origin[0] == PARAMETER:
                mask |= FULL << LANE * lane
        return mask

    def _kills(self) -> tuple[int, int, int]:
        """What is safe on every return, on those with a true and on those with a false result."""
        mask = self._of_parameters()
        if not mask or not self.returned:
            return 0, 0, 0
        always = yes_all = no_all = mask
        sometimes = self._is_sometimes_tuple()
        for value, killed, yes, no in self.returned:
            always &= killed
            if sometimes and value[2] == TUPLE:
                yes_all &= killed  # it is asked for as a whole, not for its first element
                continue
            truth = self.truth_of(value)
            if truth is not False:
                yes_all &= killed | yes[0]
            if truth is not True:
                no_all &= killed | no[0]
        always |= self.looked_up & mask  # what looks at an address's range decides about it
        return always & ALL_DANGERS, yes_all & ~always & ALL_DANGERS, no_all & ~always & ALL_DANGERS

    def _final(self, identity: Any) -> Cells:
        """An object's cells where the function is left."""
        result: Cells | None = None
        for state in self.exits:
            cells = state.get(identity)
            if cells is not None:
                if result is None:
                    result = cells
                elif result is not cells:
                    result = join_cells(result, cells)
        return result or {}

    def _effects(self) -> tuple[tuple[Any, Any, Value], ...]:
        found: list[tuple[Any, Any, Value]] = []
        for slot, before in self.entered.items():
            after = self._final(slot)
            if after is before:
                continue
            known = len(found)
            for key, value in after.items():
                if key is LENGTH or before.get(key) == value:
                    continue
                if value[3] and all(identity[0] == PARAMETER for identity in value[3]):
                    found.append((slot, key, value))  # it was given what it keeps
                    continue
                taint = value[0] | self._deep_final(value)
                if taint or value[2] is not None or value[1] is not NO:
                    found.append((slot, key, (taint, value[1] if not taint else NO, value[2], ())))
            if len(found) > known and LENGTH in before and before[LENGTH] != after.get(LENGTH):
                found.append((slot, LENGTH, after.get(LENGTH, UNKNOWN)))
        found += [(OF_MODULE, name, (one[0], NO, one[2], ())) for name, one in self.global_effects.items()]
        return tuple(found[:40])

    def _deep_final(self, value: Value) -> int:
        taint = value[0]
        seen: set[Any] = set()
        stack = list(value[3])
        while stack and len(seen) < 40:
            identity = stack.pop()
            if identity not in seen:
                seen.add(identity)
                for one in self._final(identity).values():
                    taint |= one[0]
                    stack.extend(one[3])
        return taint

    def _collect(self, value: Value, heap: dict[Any, Cells]) -> None:
        """The cells of all objects that a value consists of."""
        stack = list(value[3])
        while stack and len(heap) < 40:
            identity = stack.pop()
            if identity in heap or identity[0] == PARAMETER:
                continue
            cells = self._final(identity)
            heap[identity] = cells
            for one in cells.values():
                stack.extend(one[3])

    def _sorted_hits(self) -> tuple[dict[tuple[Any, int], tuple[Hit, ...]], tuple[Flow, ...]]:
        """Hits of parameters, for callers; and flows, which begin in this function or below it."""
        slots: dict[tuple[Any, int], list[Hit]] = {}
        flows: list[Flow] = []
        for (site, lane), hit in self.hits.items():
            origin = self._plain(self.origins[lane])
            if origin[0] == PARAMETER:
                slots.setdefault((origin[1], 0), []).append(hit)
            elif origin[0] == SOURCE:
                steps = tuple(
                    (position, message)
                    for taint, position, message in self.steps
                    if taint >> LANE * lane & hit.bits
                )
                flows.append(Flow(origin[1], site, hit.bits, self.function, hit.chain, steps[:_MOST_STEPS]))
        return {slot: tuple(hits[:_MOST_HITS]) for slot, hits in slots.items()}, tuple(flows)
