"""What an expression may be, as far as queries are concerned: rows, queries, managers, containers, classes, functions.

Values are immutable except containers and instances, which code under analysis changes in place.
"""

# `Value` is only a name for what the structs have in common, and makes nothing.
# pyright: reportUnsafeMultipleInheritance=false

from __future__ import annotations

import ast

from msgspec import Struct, field
from msgspec.structs import replace

from charter.analysis.orm.mapping import Model, Relation
from charter.analysis.orm.world import Class, Module, Site


class Value:
    """Anything an expression may be."""

    __slots__ = ()


class Frame(Struct, eq=False):
    """One scope: a module, a call of a function, a comprehension.

    Attributes:
        function: the function's node; None at module level.
        owner: the class whose method it is.
        receiver: what `self` is.
    """

    module: Module
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    outer: Frame | None = None
    function: ast.AST | None = None
    owner: Class | None = None
    receiver: Value | None = None
    returns: list[Value] = field(default_factory=list[Value])
    yields: list[Value] = field(default_factory=list[Value])
    exits: list[dict[str, Value]] = field(default_factory=list[dict[str, Value]])
    is_generator: bool = False


class Unknown(Value, Struct, frozen=True):
    """A value about which nothing is known.

    Attributes:
        hint: the last name of the expression (`session`), for what can only be guessed by name.
        bounded: whether iterating it takes a number of steps that the code or its settings fix.
        loose: whether it is an element of a loop or was read from one: another in each round.
    """

    hint: str = ""
    bounded: bool = False
    loose: bool = False


UNKNOWN = Unknown()


class Const(Value, Struct, frozen=True):
    """A constant."""

    value: object


NONE = Const(None)


class ClassRef(Value, Struct, frozen=True):
    """A class of the project."""

    cls: Class


class ModelRef(Value, Struct, frozen=True):
    """A mapped class outside the project."""

    model: Model


class External(Value, Struct, frozen=True):
    """Something outside the project, by its dotted name."""

    name: str


class ModuleRef(Value, Struct, frozen=True):
    """A module of the project."""

    module: Module


class Function(Value, Struct, frozen=True, eq=False):
    """A function or lambda of the project, perhaps bound to its first argument."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    module: Module
    owner: Class | None = None
    bound: Value | None = None
    closure: Frame | None = None


class Method(Value, Struct, frozen=True):
    """A method of a value that the analysis itself understands."""

    receiver: Value
    name: str


class Partial(Value, Struct, frozen=True):
    """`functools.partial`, `attrgetter` and the like: a callable with arguments given already."""

    function: Value
    arguments: tuple[Value, ...]


class Container(Value, Struct, eq=False):
    """A list, tuple, set or generator.

    Attributes:
        element: what any of its elements may be.
        items: the elements one by one, where they are known.
        bounded: whether its length is fixed by the code.
    """

    element: Value | None = None
    items: list[Value] | None = None
    bounded: bool = False
    born: int = 0


class Dictionary(Value, Struct, eq=False):
    """A dict: values under constant keys, and what any other key or value may be."""

    entries: dict[object, Value] = field(default_factory=dict[object, Value])
    key: Value | None = None
    element: Value | None = None
    bounded: bool = False


class Instance(Value, Struct, eq=False):
    """An instance of a project class that is no model; `born` are the loops each round of which makes another."""

    cls: Class | None
    attributes: dict[str, Value] = field(default_factory=dict[str, Value])
    name: str = ""
    born: tuple[int, ...] = ()


class Plan(Struct, frozen=True):
    """What is loaded together with a row.

    Attributes:
        loaded: relations that are loaded, and what is loaded with them.
        lists: `to_attr` names of prefetches: (relation, plan).
        only: the columns that are loaded; None for all.
        deferred: columns that are not.
        computed: annotations.
        foreign: whether all non-null foreign keys are loaded (`select_related()` without arguments).
        opaque: the row was loaded elsewhere, so anything may be loaded.
        raises: relations whose lazy load raises instead of running a query ("*" for all).
        lazy: relations that are not loaded although their mapping says so ("*" for all).
        broken: prefetched relations whose rows lack the key back, with the place of the prefetch.
        joined: relations that a join brought into the query without loading them.
        subclasses: names of polymorphic subclasses whose columns are loaded.
    """

    loaded: tuple[tuple[str, Plan], ...] = ()
    lists: tuple[tuple[str, tuple[str, Plan]], ...] = ()
    only: frozenset[str] | None = None
    deferred: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    foreign: bool = False
    opaque: bool = False
    raises: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    subclasses: frozenset[str] = frozenset()
    expired: bool = False
    lazy: frozenset[str] = frozenset()

    def get(self, name: str) -> Plan | None:
        """The plan of a loaded relation."""
        for key, plan in self.loaded:
            if key == name:
                return plan
        return None

    def with_(self, name: str, plan: Plan) -> Plan:
        """This plan with a relation loaded."""
        rest = tuple(pair for pair in self.loaded if pair[0] != name)
        return replace(self, loaded=(*rest, (name, plan)))

    def without(self, names: frozenset[str] | None) -> Plan:
        """This plan without some loaded relations (None: without any)."""
        if names is None:
            return replace(self, loaded=(), foreign=False)
        return replace(self, loaded=tuple(p for p in self.loaded if p[0] not in names))

    def merged(self, other: Plan) -> Plan:
        """What either of two plans loads."""
        if self is other or other == EMPTY:
            return self
        if self == EMPTY:
            return other
        result = self
        for name, plan in other.loaded:
            mine = result.get(name)
            result = result.with_(name, plan if mine is None else mine.merged(plan))
        only = None if self.only is None or other.only is None else self.only | other.only
        lists = {**dict(self.lists), **dict(other.lists)}
        return replace(
            result,
            lists=tuple(lists.items()),
            only=only,
            deferred=self.deferred & other.deferred,
            computed=self.computed | other.computed,
            foreign=self.foreign or other.foreign,
            opaque=self.opaque or other.opaque,
            raises=self.raises | other.raises,
            lazy=self.lazy & other.lazy,
            broken=self.broken & other.broken,
            joined=self.joined | other.joined,
            subclasses=self.subclasses | other.subclasses,
        )


EMPTY = Plan()
OPAQUE = Plan(opaque=True)


class Step(Struct, frozen=True):
    """One call in the chain that built a query."""

    name: str
    site: Site
    node: ast.Call | None


class Query(Value, Struct, frozen=True, eq=False):
    """A query that has not run, or whose rows are read as they come.

    Attributes:
        head: where it begins (`Order.objects`, `select(Album)`, `Film.select()`).
        tail: the last expression, in the function where it begins, that still is the whole query.
        steps: the calls in between, in order.
        rows: what iterating gives: "rows", "values", "flat" or "tuples".
        limit: a constant bound on the number of rows.
        born: the loops that were running when this object was made.
        cached: the rows are in memory already (a prefetched relation).
        parent: the row whose relation this is.
        relation: that relation.
        streamed: `.iterator()`: nothing is kept.
        entities: SQLAlchemy: what each column of a result is.
        sliced: whether it was sliced.
    """

    model: Model
    plan: Plan
    head: Site
    tail: Site
    function: object = None
    steps: tuple[Step, ...] = ()
    rows: str = "rows"
    limit: int | None = None
    born: tuple[int, ...] = ()
    cached: bool = False
    parent: Row | None = None
    relation: Relation | None = None
    streamed: bool = False
    entities: tuple[Value | None, ...] = ()
    cls: Class | None = None
    sliced: bool = False
    filtered: bool = False
    known: tuple[tuple[str, Value], ...] = ()
    trail: tuple[tuple[Model, tuple[str, ...]], ...] = ()


class Manager(Value, Struct, frozen=True, eq=False):
    """A Django manager, of a model or of a row's relation."""

    model: Model
    cls: Class | None
    queryset: Class | None
    site: Site
    parent: Row | None = None
    relation: Relation | None = None
    born: tuple[int, ...] = ()
    plan: Plan | None = None


class Row(Value, Struct, frozen=True, eq=False):
    """An instance of a model.

    Attributes:
        plan: what is loaded with it.
        query: where it came from; None where that is not known.
        path: the relations from the query's own rows to this one.
        varies: the loops in each round of which it is another row.
        known: relations whose row is at hand (a child's parent).
        lazy: Tortoise: an unloaded relation, which runs its query when awaited.
        fresh: made here, not loaded.
    """

    model: Model
    plan: Plan
    query: Query | None = None
    path: tuple[str, ...] = ()
    varies: frozenset[int] = frozenset()
    known: tuple[tuple[str, Value], ...] = ()
    fresh: bool = False
    one: Site | None = None

    def known_as(self, name: str) -> Value | None:
        """The row at hand for a relation."""
        for key, value in self.known:
            if key == name:
                return value
        return None


class LazyRow(Value, Struct, frozen=True, eq=False):
    """A relation that runs its query when awaited (Tortoise, SQLAlchemy's `awaitable_attrs`)."""

    row: Row
    relation: Relation
    site: Site


class Attribute(Value, Struct, frozen=True):
    """A mapped attribute on its class: `Album.artist` or `Album.title`."""

    model: Model
    name: str


class Loading(Value, Struct, frozen=True):
    """A loading instruction: SQLAlchemy's loader options, Django's `Prefetch`.

    Attributes:
        paths: relation paths, each with the plan of its leaf.
        kind: `eager`, `none` (raise), `lazy`, `columns`, `undefer`, `defer` or `classes`.
        root: the model at which the paths start.
        names: columns or class names.
    """

    kind: str
    path: tuple[str, ...] = ()
    leaf: Plan = EMPTY
    names: tuple[str, ...] = ()
    root: Model | None = None
    to_attr: str = ""
    inner: tuple[Loading, ...] = ()
    query: Query | None = None


class Super(Value, Struct, frozen=True):
    """`super()`: the members of the ancestors behind a class."""

    receiver: Value
    owner: Class


def join(
    first: Value | None, second: Value | None
) -> Value:  # charter: ignore[tangled-function] -- a table: one case for each pair of values
    """What a name may be after two ways through the code; the more telling one where they differ."""
    if first is None or first is second:
        return second or UNKNOWN
    if second is None or isinstance(second, (Unknown, Const)):
        if isinstance(first, Const) and isinstance(second, Const):
            return first if first == second else UNKNOWN
        return first if not (isinstance(first, Const) and isinstance(second, Unknown)) else second
    if isinstance(first, (Unknown, Const)):
        return second
    if isinstance(first, Query) and isinstance(second, Query) and first.model is second.model:
        return replace(second, plan=first.plan.merged(second.plan), cached=first.cached and second.cached)
    if isinstance(first, Row) and isinstance(second, Row) and first.model is second.model:
        return replace(first, plan=first.plan.merged(second.plan), varies=first.varies | second.varies)
    if isinstance(first, Container) and isinstance(second, Container):
        element = None
        for part in (first, second):
            inner = join_all(part.items) if part.items else part.element
            element = inner if element is None else join(element, inner)
        return Container(element, bounded=first.bounded and second.bounded)
    if isinstance(first, Dictionary) and isinstance(second, Dictionary):
        merged = Dictionary(dict(first.entries), first.key, first.element)
        for key, value in second.entries.items():
            merged.entries[key] = join(merged.entries.get(key), value)
        merged.element = join(first.element, second.element) if second.element else first.element
        return merged
    return first if isinstance(first, (Row, Query)) else second


_LONGEST = 40


def join_all(values: list[Value] | None) -> Value | None:
    """What any of several values may be; of a long table its first rows tell."""
    result: Value | None = None
    for value in (values or [])[:_LONGEST]:
        result = value if result is None else join(result, value)
    return result
