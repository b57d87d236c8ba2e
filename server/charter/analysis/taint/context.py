"""The context in which a function is analysed: what of its parameters matters. It knows no summaries.

Which parameters carry untrusted data counts, and what else of them changes the outcome; callers that agree on it share
one summary.
"""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.frame import LENGTH, PARAMETER, REST
from charter.analysis.taint.values import (
    ALL_DANGERS,
    BOUND,
    INSTANCE,
    LANE,
    NO,
    OBJECT,
    PARTIAL,
    PROJECT_FUNCTION,
    RAW,
    SEGMENT,
    SLASHED,
    UNKNOWN,
    VAGUE,
    Value,
    constant,
    join,
    lanes,
    portable,
)
from charter.model import ir

if TYPE_CHECKING:
    from charter.analysis.taint.arguments import Arguments
    from charter.model.project import Function

Entry = tuple[Any, ...]
"""Descriptions of the parameters, then of the captured names; () for a call that carries nothing of interest."""

_DEEPEST: Final = 2
_MOST_CELLS: Final = 12
_LONGEST: Final = 120
_MARKS: Final = RAW | OBJECT | SLASHED
"""A callee sees its parameter as a whole, whatever it is a part of."""


def _heat(taint: int) -> int:
    """What a callee is told of a tainted value: the marks of any of its lanes, and those that all of them must have."""
    heat = 1
    shared = SEGMENT | VAGUE
    for lane in lanes(taint):
        own = taint >> LANE * lane
        heat |= own & _MARKS
        shared &= own
    return heat | shared


_CALLABLE: Final = frozenset({PROJECT_FUNCTION, BOUND, PARTIAL})
_FIRST: Final = (0, (0, NO, None, None))
"""The first cell of a list, of which nothing is known but that it is there."""


class Binding:
    """The arguments of one call bound to the parameters of the function.

    Attributes:
        entry: the context.
        taints: slot to the taint that the caller passes there.
        objects: slot to the caller's objects there.
        values: what each parameter is given; None where nothing is.
    """

    __slots__ = ("entry", "frame", "hot", "objects", "taints", "values")

    def __init__(
        self, frame: Any, function: Function, receiver: Value | None, arguments: Arguments, captured: Any
    ) -> None:
        self.frame = frame
        self.taints: dict[Any, int] = {}
        self.objects: dict[Any, tuple[Any, ...]] = {}
        values = self.values = bind(frame, function, receiver, arguments)
        frees = self._captured(frame, function, captured) if function.frees else ()
        self.hot = bool(frame.origins) and any(
            value is not None and (value[0] & ALL_DANGERS or (value[3] and frame.deep(value) & ALL_DANGERS))
            for value in (*values, *(value for _, value in frees))
        )
        parts: list[Any] = []
        some = False
        for index, given in enumerate(values):
            value = given
            if given is None and self.hot:
                default = function.parameters[index][2]
                if default is not None and default[0] == ir.CONST:
                    value = constant(default[2])
            part = None
            if value is not None and (self.hot or value[2] is not None):
                part = self._describe(value, (PARAMETER, index), 0)
                if part is not None and not self.hot and self._is_known(part[2], function, index):
                    part = None
            elif value is not None and value[3]:
                self.objects[PARAMETER, index] = value[3]
            some = some or part is not None
            parts.append(part)
        for name, value in frees:
            part = self._describe(value, (PARAMETER, name), 0)
            if part is not None:
                some = True
                parts.append((name, part))
        self.entry: Entry = tuple(parts) if some else ()

    def _is_known(self, reference: Any, function: Function, index: int) -> bool:
        """Whether a function takes a parameter for just that by itself: `request` is known by its name."""
        engine = self.frame.engine
        return (
            reference[0] == INSTANCE
            and function not in engine.handlers
            and engine.roles.parameter_references(function)[index] == reference
        )

    def coarsen(self) -> None:
        """Describe of each argument no more than whether anything of it is untrusted."""
        parts: list[Any] = []
        for index, value in enumerate(self.values):
            slot = (PARAMETER, index)
            taint = 0 if value is None else self.frame.deep(value)
            if not taint & ALL_DANGERS:
                parts.append(None)
                continue
            self.taints[slot] = taint
            inside = value is not None and not value[0] & ALL_DANGERS
            parts.append((_heat(taint) | (VAGUE if inside else 0), NO, None, None))
        self.entry = tuple(parts) if any(part is not None for part in parts) else ()

    def _captured(self, frame: Any, function: Function, captured: Any) -> list[tuple[str, Value]]:
        """The values of the names that a nested function takes from outside, at the call."""
        if function.parent is frame.function and frame.state is not None:
            state = frame.state
            found = [(name, state[name]) for name in function.frees if name in state]
            known = {name for name, _ in found}
            found += [
                (name, frame.captured[name])
                for name in function.frees
                if name not in known and name in frame.captured
            ]
            return found
        return list(captured or ())

    def _describe(self, value: Value, slot: Any, depth: int) -> Any:
        """What of a value matters to the callee; None for nothing."""
        if value[3]:
            self.objects[slot] = value[3]
        if not self.hot:
            reference = value[2]
            if reference is None:
                return None
            if reference[0] in _CALLABLE or (
                reference[0] == INSTANCE and reference[1] in self.frame.engine.carriers
            ):
                return (0, NO, self._portable(reference, slot, depth), () if value[3] else None)
            return None
        if not value[0] and not value[3] and value[1] is NO and value[2] is None:
            return None
        taint = value[0] & ALL_DANGERS and value[0]
        heat = 0
        if taint:
            self.taints[slot] = taint
            heat = _heat(taint)
        cells = None if not value[3] else self._cells(value, slot, depth) if depth < _DEEPEST else ()
        if value[3] and depth >= _DEEPEST and not taint:
            deep = self.frame.deep(value)
            if deep:
                self.taints[slot] = deep
                heat = 1 | VAGUE
        known = value[1]
        if isinstance(known, str) and len(known) > _LONGEST:
            known = ("~", known[:_LONGEST] + "\0")
        elif isinstance(known, tuple) and len(known[1]) > _LONGEST:
            known = ("~", known[1][:_LONGEST] + "\0")
        elif isinstance(known, bytes | float):
            known = NO
        if not heat and known is NO and value[2] is None and not cells:
            return None
        return (heat, known, self._portable(value[2], slot, depth), cells)

    def _portable(self, reference: Any, slot: Any, depth: int) -> Any:
        """A reference as part of a context: what a nested function takes along are slots of their own."""
        if reference is not None and reference[0] == PROJECT_FUNCTION and reference[2] and depth < _DEEPEST:
            taken = [
                (name, part)
                for name, value in reference[2]
                if (part := self._describe(value, (*slot, "^" + name), depth + 1)) is not None
            ]
            return (PROJECT_FUNCTION, reference[1], tuple(taken) or None)
        return portable(reference)

    def _cells(self, value: Value, slot: Any, depth: int) -> tuple[Any, ...]:
        state = self.frame.state
        objects = value[3][:3]
        found: dict[Any, Value] = state.get(objects[0]) or {}
        for identity in objects[1:]:
            found = dict(found)
            for key, one in (state.get(identity) or {}).items():
                found[key] = join(found[key], one) if key in found else one
        result: list[Any] = []
        for key, one in islice(found.items(), _MOST_CELLS):
            part = self._describe(one, (*slot, key), depth + 1)
            if part is not None:
                result.append((key, part))
        if result and 0 in found and result[0][0] != 0:
            result.insert(0, _FIRST)  # the program of a command, whatever stands behind it
        return tuple(result)


def takes(method: Function, arguments: Arguments) -> bool:
    """Whether a call may mean a method: there is a place for each of its arguments, and none is missing."""
    if method.record[ir.DECORATORS]:
        return True  # which may take others
    sorts = {parameter[3] for parameter in method.parameters}
    plain = [parameter for parameter in method.parameters[1:] if parameter[3] == ir.POSITIONAL]
    given = len(arguments.positional)
    if given > len(plain) and ir.VARIADIC not in sorts:
        return False
    left = plain[given:] + [parameter for parameter in method.parameters if parameter[3] == ir.KEYWORD]
    if ir.KEYWORDS not in sorts and not arguments.keywords.keys() <= {parameter[0] for parameter in left}:
        return False
    return bool(arguments.unpacked()) or all(
        parameter[2] is not None or parameter[0] in arguments.keywords for parameter in left
    )


def bind(frame: Any, function: Function, receiver: Value | None, arguments: Arguments) -> list[Value | None]:
    """The value of each parameter; None where none is passed."""
    positional = arguments.positional if receiver is None else [receiver, *arguments.positional]
    keywords = arguments.keywords
    star = arguments.star
    double = arguments.double
    values: list[Value | None] = []
    taken = 0
    used: set[str] = set()
    for parameter in function.parameters:
        name, sort = parameter[0], parameter[3]
        if sort == ir.POSITIONAL:
            if taken < len(positional):
                values.append(positional[taken])
                taken += 1
            elif name in keywords:
                values.append(keywords[name])
                used.add(name)
            else:
                values.append(_unpacked(frame, name, taken - len(positional), star, double))
                taken += 1
        elif sort == ir.KEYWORD:
            used.add(name)
            values.append(keywords[name] if name in keywords else _unpacked(frame, name, -1, None, double))
        elif sort == ir.VARIADIC:
            unpacked = max(taken - len(positional), 0)
            values.append(_rest(frame, positional[taken:], star, unpacked, arguments.place))
            taken = len(positional)
        else:
            more = {key: value for key, value in keywords.items() if key not in used}
            values.append(_mapping(frame, more, double, arguments.place))
    return values


def _unpacked(frame: Any, name: str, index: int, star: Value | None, double: Value | None) -> Value | None:
    if double is not None:
        found = frame.read(double, name) if double[3] else None
        if found is not None:
            return found
        if double[0]:
            return (double[0], NO, None, ())
    if star is not None and index >= 0:
        found = frame.read(star, index) if star[3] else None
        if found is not None:
            return found
        element = frame.elements(star)
        return element if element is not UNKNOWN else None
    return None


def _rest(frame: Any, values: list[Value], star: Value | None, unpacked: int, place: int) -> Value | None:
    """What `*rest` takes: of what is given by `*star` all but what named parameters have taken of it."""
    if not values and star is None:
        return None
    exact = None if star is None else frame.elements_exactly(star)
    if exact is not None:
        values = [*values, *exact[unpacked:]]
    cells: dict[Any, Value] = dict(enumerate(values))
    if star is None or exact is not None:
        cells[LENGTH] = constant(len(values))
    else:
        held: dict[Any, Value] = {} if values or unpacked else frame.cells(star) or {}
        first = held.get(0)
        if first is not None:
            cells[0] = first  # the program of a command, whatever stands behind it
        cells[REST] = frame.elements(star)
    identity = ("v", place)
    if frame.state is not None:
        frame.state[identity] = cells
    return (0, NO, (INSTANCE, "builtins.tuple"), (identity,))


def _mapping(frame: Any, values: dict[str, Value], double: Value | None, place: int) -> Value | None:
    if not values and double is None:
        return None
    identity = ("w", place)
    if frame.state is not None:
        frame.state[identity] = dict(values)
    result: Value = (0, NO, (INSTANCE, "builtins.dict"), (identity,))
    if double is not None:
        frame.merge(result, double)
    return result
