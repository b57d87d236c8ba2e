"""From the queries that were met to facts: one for each loop and relation, with what mends it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.analysis.orm import deliberate, fixes, merging
from charter.analysis.orm.frames import OPERATIONS, Event, Repeated
from charter.analysis.orm.values import Query
from charter.analysis.orm.world import Module, Site
from charter.api.facts.queries import QueryInLoop, Station

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.api import Location

_LONGEST = 80
_FARTHEST = {"read": 3, "query": 2, "write": 1, "transaction": 0}
"""Calls between a loop and what it repeats. A relation is loaded at its origin, so it may be read farther away; a query
or write deep inside other work is no longer the loop's to change."""
_SHORT = 15
"""Lines of a function that a loop calls for its query alone."""
_MOST = 1
"""Queries and writes without a fix that one loop may bring; what else it does is a procedure for each row, not a slip."""


def full_path(event: Event) -> tuple[str, ...]:
    """The relations from the rows of the origin to what an event reads."""
    row = event.row
    if row is None:
        return ()
    base = row.path
    query = row.query
    while query is not None and query.parent is not None and query.relation is not None:
        base = (*query.parent.path, query.relation.name, *base)
        query = query.parent.query
    return (*base, event.relation.name) if event.relation else (*base, event.method)


def origin_of(event: Event) -> Query | None:
    """The query that loads the rows whose reading runs the event's query."""
    query = event.row.query if event.row is not None else None
    while query is not None and query.parent is not None and query.parent.query is not None:
        query = query.parent.query
    return query


def gather(events: Iterable[Event], home: str) -> list[Repeated]:
    """Events of one file's entry points, those that are one finding brought together."""
    found: dict[object, Repeated] = {}
    for event in events:
        if _far(event):
            continue
        key = _key(event)
        present = found.get(key)
        if present is None:
            present = found[key] = Repeated(_home(event, home), event)
        present.events.append(event)
    return _chains(list(found.values()))


def _far(event: Event) -> bool:
    """Whether a query or write is so deep inside what the loop calls that it is no longer the loop's to change."""
    if event.loop is None:
        return False
    operation = OPERATIONS[event.kind]
    distance = len(event.calls) - event.loop.depth
    if distance and operation != "read" and deliberate.is_same_row(event):
        return True
    if distance == 0 or (operation == "read" and distance == 1):
        return False
    return distance > _FARTHEST[operation] or _length(event.site) > _SHORT


def _length(site: Site) -> int:
    """The number of lines of the function around a place; 0 outside functions and in templates."""
    if not isinstance(site.file, Module) or site.node is None:
        return 0
    function = site.file.function(site.node)
    return (function.end_lineno or function.lineno) - function.lineno if function is not None else 0


def _home(event: Event, home: str) -> str:
    return event.site.file.path if isinstance(event.site.file, Module) else home


def _place(site: Site | None) -> tuple[str, int, int] | None:
    if site is None:
        return None
    span = site.span
    return (site.file.path, span.start, span.end)


def _key(event: Event) -> object:
    loop = _place(event.loop.site) if event.loop else None
    if event.kind in {"relation", "column", "immediate"} or (
        event.kind == "related" and event.method == "all"
    ):
        query = origin_of(event)
        origin = _place(query.head) if query else _place(event.site)
        path = full_path(event)
        if query is None:
            return (event.kind, loop, event.subject, path)
        return ("read", loop, origin, path)
    return (event.kind, loop, _place(event.site))


def _chains(found: list[Repeated]) -> list[Repeated]:
    """Reads of one line that lead from one to the next (`item.order.customer`) are one finding, the last link."""
    kept: list[Repeated] = []
    for item in found:
        longer = next((o for o in found if o is not item and _continues(item.event, o.event)), None)
        if longer is None:
            kept.append(item)
            continue
        while (
            further := next((o for o in found if o is not longer and _continues(longer.event, o.event)), None)
        ) is not None:
            longer = further
        longer.count += 1
        longer.events.extend(item.events)
    return kept


def _continues(first: Event, second: Event) -> bool:
    if first.kind != "relation" or second.kind != "relation" or first.loop is None or second.loop is None:
        return False
    if _place(first.loop.site) != _place(second.loop.site) or first.site.file is not second.site.file:
        return False
    short, long = full_path(first), full_path(second)
    if len(long) <= len(short) or long[: len(short)] != short:
        return False
    one, other = first.site.span, second.site.span
    same_line = first.site.file.text.count("\n", *sorted((one.start, other.start))) == 0
    first_origin, second_origin = origin_of(first), origin_of(second)
    return same_line and first_origin is not None and first_origin is second_origin


def facts(found: Iterable[Repeated], schema: fixes.Knowledge) -> dict[str, list[QueryInLoop]]:
    """The facts of repeated queries, by the file they are published with."""
    items = list(found)
    planned = fixes.plan(items, schema)
    result: dict[str, list[QueryInLoop]] = {}
    for item, made in zip(items, planned, strict=True):
        if deliberate.is_meant(item.event, mended=bool(made)):
            continue
        fact = _fact(item, made)
        result.setdefault(item.home, []).append(fact)
    return merging.one_for_each_place({path: _distinct(values) for path, values in result.items()})


def _distinct(values: list[QueryInLoop]) -> list[QueryInLoop]:
    """The facts in order, each place and loop once: what several callers bring is mended for all of them together."""
    seen: dict[object, QueryInLoop] = {}
    for value in values:
        key = (value.location, value.loop, value.method)
        present = seen.get(key)
        seen[key] = (
            value if present is None else replace(present, fixes=merging.together(present.fixes, value.fixes))
        )
    ordered = sorted(seen.values(), key=lambda v: (v.location, v.loop or v.location))
    unmended: dict[object, int] = {}
    kept: list[QueryInLoop] = []
    for value in ordered:
        if not value.fixes and value.operation != "read":
            group = (value.loop, value.operation == "transaction")
            unmended[group] = unmended.get(group, 0) + 1
            if unmended[group] > _MOST:
                continue
        kept.append(value)
    return kept


def _fact(item: Repeated, made: tuple[object, ...]) -> QueryInLoop:
    event = item.event
    query = origin_of(event) or (event.query if event.kind in {"immediate", "broken"} else None)
    over = event.loop.over if event.loop else event.query
    origin: Location | None = None
    symbol = ""
    if query is not None and query.head.node is not None:
        origin = query.tail.location
        symbol = _symbol(query.head)
    reads = _reads(event)
    loop = event.loop
    return QueryInLoop(
        event.site.location,
        OPERATIONS[event.kind] if not (event.kind == "related" and event.method == "all") else "read",
        _short(event.subject),
        reads,
        event.method,
        loop.site.location if loop else None,
        over.model.name if isinstance(over, Query) else (loop.what if loop else ""),
        origin,
        symbol,
        _stations(event),
        item.count,
        _invariant(event),
        _rendered(event),
        tuple(made),  # pyright: ignore[reportArgumentType]
    )


def _rendered(event: Event) -> Location | None:
    """The last place of code on the way into a template."""
    if isinstance(event.site.file, Module):
        return None
    sites = [site for site in event.calls if isinstance(site.file, Module)]
    return sites[-1].location if sites else None


def _reads(event: Event) -> str:
    """The model that an event's query loads or writes."""
    if event.relation is not None and event.kind != "column":
        return event.relation.target.name if event.relation.target else ""
    return event.model.name if event.model else ""


def _stations(event: Event) -> tuple[Station, ...]:
    if event.loop is None:
        return ()
    return tuple(Station(site.location, _short(site.source)) for site in event.calls[event.loop.depth :])


def _invariant(event: Event) -> bool:
    """Whether a query of its own is the same in every round, as far as its row and its arguments tell."""
    row, loop, node = event.row, event.loop, event.site.node
    if event.kind != "related" or row is None or loop is None or row.varies:
        return False
    plain = node is None or not any(
        isinstance(n, ast.Call) and (n.args or n.keywords) for n in ast.walk(node)
    )
    return plain or (len(event.calls) == loop.depth and not _names(loop.site) & _names(event.site))


def _names(site: Site) -> set[str]:
    """The names that a loop assigns, or that an expression reads."""
    if site.node is None:
        return set()
    kind = ast.Load if isinstance(site.node, ast.expr) else ast.Store
    return {n.id for n in ast.walk(site.node) if isinstance(n, ast.Name) and isinstance(n.ctx, kind)}


def _symbol(site: Site) -> str:
    """The innermost definitions around a place."""
    module = site.file
    if not isinstance(module, Module) or not isinstance(site.node, ast.expr):
        return ""
    names: list[str] = []
    body: list[ast.stmt] = module.tree.body
    line = site.node.lineno
    while True:
        inner = next(
            (
                s
                for s in body
                if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
                and s.lineno <= line <= (s.end_lineno or 0)
            ),
            None,
        )
        if inner is None:
            return ".".join(names)
        names.append(inner.name)
        body = inner.body


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
