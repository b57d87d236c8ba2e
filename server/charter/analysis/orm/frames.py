"""The state of a run through the code: scopes, running loops and the queries met on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.analysis.orm.mapping import Model, Relation
from charter.analysis.orm.world import Site

if TYPE_CHECKING:
    import ast

    from charter.analysis.orm.values import Query, Row


Place = tuple[str, str, int, int]
"""What is looked at (the kind of the fact that it would be), the path, and line and column or offsets."""
Uses = dict[str, dict[tuple[Model, str], dict[int, Site]]]
"""By file: a model and a column of it, with a place on each line that looks rows up by it."""
OPERATIONS = {
    "relation": "read",
    "column": "read",
    "immediate": "read",
    "broken": "read",
    "related": "query",
    "query": "query",
    "fetch": "query",
    "refresh": "query",
    "write": "write",
    "commit": "write",
    "transaction": "transaction",
}
"""The operation of each kind of event."""


class Loop(Struct, frozen=True, eq=False):
    """A loop that is running.

    Attributes:
        site: its statement, comprehension or the call that loops (`sorted`, `map`).
        bounded: whether the number of its rounds is fixed and small.
        what: what it iterates over, in words.
        depth: the number of calls around it.
        carried: a `while` loop: only rows that the loop itself moves along count.
    """

    number: int
    site: Site
    bounded: bool
    what: str = ""
    carried: bool = False
    over: Query | None = None
    rows: bool = False
    depth: int = 0


class Event(Struct, eq=False):
    """A query that runs in every round of a loop.

    Attributes:
        kind: `relation`, `related`, `query`, `write`, `column`, `commit`, `refresh`, `fetch`, `immediate`, `broken`.
        site: the expression that runs it.
        loop: the innermost loop in each round of which it runs; None if loading the rows alone runs it.
        row: the row whose attribute is read.
        query: the query that is run, where it is one of its own.
        calls: the call sites between the loop's function and the expression, outermost first.
        method: the method or attribute.
    """

    kind: str
    site: Site
    loop: Loop | None
    subject: str
    model: Model | None = None
    relation: Relation | None = None
    row: Row | None = None
    query: Query | None = None
    calls: tuple[Site, ...] = ()
    method: str = ""
    node: ast.AST | None = None
    loops: tuple[Loop, ...] = ()


class Repeated(Struct):
    """A repeated query: events of one loop that are the same or links of one chain.

    Attributes:
        home: the Python file with which it is published.
        event: the event that is reported.
        count: the queries per round.
        events: all that it stands for.
    """

    home: str
    event: Event
    count: int = 1
    events: list[Event] = field(default_factory=list[Event])


class Note(Struct, frozen=True, eq=False):
    """Rows that are loaded for what the database could answer.

    Attributes:
        question: what is asked of them.
        site: the expression that asks.
        query: the query set.
        again: where the rows are loaded, if the expression only asks.
    """

    question: str
    site: Site
    query: Query
    again: Site | None = None
