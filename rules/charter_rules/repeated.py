"""Words for queries that a loop repeats, shared by the rules about them. It decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Related
    from charter.api.facts.queries import QueryInLoop

_STATEMENTS = {
    "create": "INSERT INTO",
    "get_or_create": "SELECT and INSERT INTO",
    "update_or_create": "SELECT and UPDATE",
    "save": "UPDATE",
    "update": "UPDATE",
    "delete": "DELETE FROM",
    "delete_instance": "DELETE FROM",
    "merge": "SELECT and UPDATE",
}


def message(fact: QueryInLoop) -> str:
    """What happens, what it costs and where the rows come from."""
    if fact.loop is None:
        return f"`{fact.subject}` runs one more query for each row to load `{fact.method}`"
    place = f"line {fact.loop.line}"
    if fact.loop.path != fact.location.path:
        place = f"{fact.loop.path}:{fact.loop.line}"
    where = (
        f"for each {fact.rows} in the loop at {place}"
        if fact.rows
        else f"in each round of the loop at {place}"
    )
    return f"`{fact.subject}` runs {_cost(fact)} {where}{_origin(fact)}"


def _cost(fact: QueryInLoop) -> str:
    if fact.method in {"commit", "flush", "begin_nested"}:
        return f"one {fact.method.upper()}"
    if fact.operation == "write":
        verb = _STATEMENTS.get(fact.method, "")
        return f"one `{verb} {fact.reads}`" if fact.reads and verb else "one write"
    if fact.count > 1:
        return f"{fact.count} queries"
    source = f" FROM {fact.reads}`" if fact.reads else "`"
    return ("the same `SELECT …" if fact.invariant else "one `SELECT …") + source


def _origin(fact: QueryInLoop) -> str:
    if fact.origin is None or not fact.origin_symbol:
        return ""
    place = fact.origin
    if place.path == fact.location.path and fact.loop is not None and place.line == fact.loop.line:
        return ""
    return f"; its rows come from `{fact.origin_symbol}` at {place.path}:{place.line}"


def places(fact: QueryInLoop, ctx: Context) -> Iterator[Related]:
    """The loop, the calls on the way and the query that loads the rows."""
    if fact.loop is not None:
        yield ctx.related(fact.loop, f"for {'each ' + fact.rows if fact.rows else 'each round'} of this loop")
    for station in fact.calls:
        yield ctx.related(station.location, f"`{station.text}` leads to the query")
    if fact.rendered is not None:
        yield ctx.related(fact.rendered, "the template is rendered here")
    if fact.origin is not None:
        yield ctx.related(fact.origin, "the rows are loaded here")
    for other in fact.also:
        yield from _also(other, ctx)


def _also(fact: QueryInLoop, ctx: Context) -> Iterator[Related]:
    """Another loop, or other rows, for which the same code runs a query."""
    rows = f"each {fact.rows}" if fact.rows else "each round"
    place = fact.loop or fact.rendered or fact.origin
    if place is not None:
        yield ctx.related(place, f"and for {rows} of {'this loop' if fact.loop else 'what is loaded here'}")
    if fact.loop is not None and fact.rendered is not None:
        yield ctx.related(fact.rendered, "where the template is rendered here")
