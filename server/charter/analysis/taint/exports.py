"""Values that outlive the function that made them: taken out of its lanes, and into those of another. It keeps none."""

# The values here are nested tuples, which only their tags type.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.frame import DERIVED, LENGTH, PARAMETER, SOURCE, Cells, Frame
from charter.analysis.taint.values import FULL, LANE, NO, Value, constant, join_references, lanes, portable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis.taint.frame import SourceSite

_MOST_CELLS: Final = 64

_EMPTY: Final[Cells] = {LENGTH: constant(0)}
"""The cells of an empty list: one that outlives its function is to be filled elsewhere, so its length is not known."""

Exported = tuple[
    tuple[tuple[Any, int], ...],
    Any,
    Any,
    tuple[tuple[Any, tuple[tuple[Any, Any], ...]], ...],
    tuple[Any, ...],
]
"""A value that outlives its function: sources with their bits, constant, reference, heap, objects."""


def export(frame: Frame, value: Value) -> Exported:
    """A value without its function's lanes: only what comes from sources is kept."""
    if not value[3]:
        return _exported(frame, value, {})
    heap: dict[Any, tuple[tuple[Any, Any], ...]] = {}
    taint, known, reference, _, objects = _exported(frame, value, heap)
    return (taint, known, reference, tuple(heap.items()), objects)


def _exported(frame: Frame, value: Value, heap: dict[Any, tuple[tuple[Any, Any], ...]]) -> Exported:
    objects = _export_objects(frame, value, heap) if value[3] else ()
    taint = _export_taint(frame, value[0]) if value[0] else ()
    return (taint, value[1], portable(value[2]), (), objects)


def _export_taint(frame: Frame, taint: int) -> tuple[tuple[Any, int], ...]:
    found: dict[Any, int] = {}
    for lane in lanes(taint):
        origin = frame.origins[lane] if lane < len(frame.origins) else None
        while origin is not None and origin[0] == DERIVED:
            origin = frame.origins[origin[1]]
        if origin is not None and origin[0] == SOURCE:
            found[origin[1]] = found.get(origin[1], 0) | taint >> LANE * lane & FULL
    return tuple(found.items())


def _export_objects(
    frame: Frame, value: Value, heap: dict[Any, tuple[tuple[Any, Any], ...]]
) -> tuple[Any, ...]:
    state = frame.last_state()
    own = (frame.function.module.path, frame.function.name)
    result: list[Any] = []
    for identity in value[3]:
        if identity[0] == PARAMETER:
            continue
        name = identity if identity[0] == "g" else ("g", own, identity)
        result.append(name)
        if name not in heap and len(heap) < 12:
            cells: Cells = state.get(identity) or {}
            heap[name] = ()
            if len(cells) <= _MOST_CELLS and cells != _EMPTY:
                heap[name] = tuple([(key, _exported(frame, one, heap)) for key, one in cells.items()])
    return tuple(result)


def imported(frame: Frame, exported: Exported) -> Value:
    """An exported value as a value of a function."""
    taint = 0
    for site, own in exported[0]:
        taint |= frame.fresh((SOURCE, site, 0), own)
    if exported[3] and frame.state is not None:
        for name, cells in exported[3]:
            if name not in frame.state:
                frame.state[name] = {}
                frame.state[name] = {key: imported(frame, one) for key, one in cells}
    return (taint, exported[1], exported[2], exported[4])


def joined(first: Exported, second: Exported) -> Exported:
    """What holds of a name that two functions store into."""
    taints = dict(first[0])
    for site, own in second[0]:
        taints[site] = taints.get(site, 0) | own
    constant = first[1] if type(first[1]) is type(second[1]) and first[1] == second[1] else NO
    heap = dict(first[3])
    heap.update({name: cells for name, cells in second[3] if name not in heap})
    objects = tuple(dict.fromkeys((*first[4], *second[4])))[:6]
    return (
        tuple(taints.items())[:8],
        constant,
        join_references(first[2], second[2]),
        tuple(heap.items()),
        objects,
    )


def sites(exported: Exported) -> Iterator[SourceSite]:
    """The sources from which a value and what it consists of come."""
    for site, _ in exported[0]:
        yield site
    for _, cells in exported[3]:
        for _, one in cells:
            for site, _ in one[0]:
                yield site


def references_in(exported: Exported) -> Iterator[Any]:
    """The references of a value and of what it consists of."""
    if exported[2] is not None:
        yield exported[2]
    for _, cells in exported[3]:
        for _, one in cells:
            if one[2] is not None:
                yield one[2]
