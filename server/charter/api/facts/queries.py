"""Facts about database queries that a loop repeats. How rows are followed is `analysis.orm`'s business."""

from __future__ import annotations

from msgspec import Struct

from charter.api.facts import Fact
from charter.api.fix import Fix
from charter.api.text import Location


class Station(Struct, frozen=True):
    """A place on the way from a loop to the query that it repeats.

    Attributes:
        location: where.
        text: the code there, shortened.
    """

    location: Location
    text: str


class QueryInLoop(Fact, frozen=True):
    """A query that runs once for each round of a loop.

    Attributes:
        location: the expression that runs it; in a template, the tag. A fact about a template is published with the
            Python file that renders it.
        operation: `read` (a lazy relation or column), `query`, `write` or `transaction`.
        subject: the code that runs it, shortened.
        reads: what the query loads or writes: a model's name, "" if it is not known.
        method: the relation, column or method that runs it.
        loop: the loop; None if loading the rows runs the queries without one.
        rows: the model of the rows that the loop goes through, "" if it goes through something else.
        origin: the query that loads these rows, None if they come from elsewhere.
        origin_symbol: the function or class in which that query is built.
        calls: the calls between the loop and the query, outermost first.
        count: queries per round, where one line reads a chain of relations.
        invariant: whether the query is the same in every round.
        rendered: where the code renders the template that the query is in; None for code.
        fixes: ways to mend it at its origin, the best first.
        also: what else was found at the same place: other loops or other ways that lead to it.
    """

    operation: str
    subject: str
    reads: str
    method: str
    loop: Location | None
    rows: str
    origin: Location | None = None
    origin_symbol: str = ""
    calls: tuple[Station, ...] = ()
    count: int = 1
    invariant: bool = False
    rendered: Location | None = None
    fixes: tuple[Fix, ...] = ()
    also: tuple[QueryInLoop, ...] = ()

    @property
    def kind(self) -> str:
        """`read`, `query`, `write` or `transaction`."""
        return self.operation


class UnindexedColumn(Fact, frozen=True):
    """A column without an index by which rows are looked up or put in order at several places.

    Attributes:
        location: its declaration.
        model: the model's name.
        column: its name.
        uses: where rows are looked up by it, or put in order.
        fixes: ways to give it an index.
    """

    model: str
    column: str
    uses: tuple[Location, ...]
    fixes: tuple[Fix, ...] = ()


class RowsInsteadOfAnswer(Fact, frozen=True):
    """Rows that are loaded although the database could give the answer alone.

    Attributes:
        location: the expression that loads them.
        question: what is asked of the rows: `count`, `exists`, `column`, `filter` or `slice`; `twice`, if they are
            counted or tested by a query and then loaded; `table`, if all of a table's are kept while a loop reads them.
        model: whose rows.
        subject: the code, shortened.
        detail: the column or the condition, where there is one.
        fixes: ways to ask the database, the best first.
        again: where the rows are loaded, if they are at another place.
    """

    question: str
    model: str
    subject: str
    detail: str = ""
    fixes: tuple[Fix, ...] = ()
    again: Location | None = None

    @property
    def kind(self) -> str:
        """The question."""
        return self.question
