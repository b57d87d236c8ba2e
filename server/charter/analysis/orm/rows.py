"""What reading a row and running a query does: which reads are free, which run a query, what comes out of them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from charter.analysis.orm import answers, asked, decorators
from charter.analysis.orm.frames import Note
from charter.analysis.orm.mapping import Kind, Model, Orm, Relation
from charter.analysis.orm.values import (
    EMPTY,
    OPAQUE,
    UNKNOWN,
    ClassRef,
    Const,
    Container,
    Dictionary,
    Function,
    LazyRow,
    Loading,
    Manager,
    Method,
    Plan,
    Query,
    Row,
    Step,
    Unknown,
    Value,
    join_all,
)
from charter.analysis.orm.world import Class, Site

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine

_EAGER = frozenset({"joined", "selectin", "subquery", "immediate", False})
_SILENT = frozenset({"raise", "raise_on_sql", "noload"})
_ROW_OPERATIONS = frozenset(
    {
        *("save", "delete", "refresh_from_db", "asave", "adelete", "arefresh_from_db", "save_base"),
        *("delete_instance", "fetch_related", "fetch_for_list", "update_from_dict"),
    }
)


def read(run: Machine, row: Row, name: str, site: Site) -> Value:
    """`row.name`: a column, a relation, a property or something unknown."""
    model, plan = row.model, row.plan
    known = row.known_as(name)
    if known is not None:
        return known
    for to_attr, (relation_name, inner) in plan.lists:
        if to_attr == name:
            return _listed(run, row, relation_name, to_attr, inner)
    if name in plan.computed:
        return UNKNOWN
    if name == "awaitable_attrs" and model.orm is Orm.SQLALCHEMY:
        return row
    relation = model.relations.get(name)
    if relation is not None:
        return follow(run, row, relation, site)
    if name in model.proxies:
        return _proxy(run, row, name, site)
    if name in model.columns or model.by_column(name) is not None:
        _read_column(run, row, name, site)
        return UNKNOWN
    if model.cls is not None:
        found = run.world.member(model.cls, name)
        if found is not None:
            return _member(run, row, found, site)
    _read_subclass(run, row, name, site)
    return Unknown(name)


def _listed(run: Machine, row: Row, relation_name: str, to_attr: str, inner: Plan) -> Value:
    relation = row.model.relations.get(relation_name)
    if relation is None or relation.target is None:
        return UNKNOWN
    query = collection(run, row, replace(relation, name=to_attr), inner)
    return Container(row_of(run, query))


def _member(run: Machine, row: Row, found: tuple[Class, ast.AST], site: Site) -> Value:
    owner, member = found
    if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
        static = decorators.decorated_static(member)
        function = Function(member, owner.module, owner, None if static else row)
        if not decorators.is_property(member):
            return function
        if decorators.is_cached(member):
            with run.masked(row.varies):
                return run.invoke(function, [], {}, site)
        return run.invoke(function, [], {}, site)
    return run.member_value(owner, member)


def method(run: Machine, row: Row, name: str, site: Site) -> Value:
    """What `row.name(…)` calls."""
    model = row.model
    if name in _ROW_OPERATIONS:
        return Method(row, name)
    if name in model.relations or name in model.proxies or name == "awaitable_attrs":
        return read(run, row, name, site)
    if model.cls is not None:
        found = run.world.member(model.cls, name)
        if found is not None:
            return _member(run, row, found, site)
    return Method(row, name)


def _read_column(run: Machine, row: Row, name: str, site: Site) -> None:
    plan, model = row.plan, row.model
    if plan.opaque:
        return
    if plan.expired:
        run.record("refresh", site, row.varies, model=model, row=row, method=name)
        return
    relation = model.by_column(name)
    names = {name, relation.name} if relation else {name}
    missing = plan.only is not None and not names & (plan.only | {"id", "pk"})
    missing = missing or bool(names & plan.deferred) or model.columns.get(name, False)
    if missing:
        run.record("column", site, row.varies, model=model, row=row, method=name)


def _read_subclass(run: Machine, row: Row, name: str, site: Site) -> None:
    """A column of a joined-table subclass, read on rows of the base class (SQLAlchemy)."""
    model = row.model
    if model.orm is not Orm.SQLALCHEMY or not model.polymorphic or row.plan.opaque:
        return
    for child in model.children:
        if name in child.columns and child.table and child.table != model.table:
            if child.name not in row.plan.subclasses and "*" not in row.plan.subclasses:
                run.record("column", site, row.varies, model=child, row=row, method=name)
            return


def _proxy(run: Machine, row: Row, name: str, site: Site) -> Value:
    relation_name, attribute = row.model.proxies[name]
    value = read(run, row, relation_name, site)
    if isinstance(value, Row):
        return read(run, value, attribute, site)
    if isinstance(value, Query):
        with run.loop(site, bounded=False, what=value.model.name, over=value) as loop:
            inner = run.vary(row_of(run, value), loop)
            found = read(run, inner, attribute, site) if isinstance(inner, Row) else UNKNOWN
        return Container(found)
    return UNKNOWN


# Relations
def follow(run: Machine, row: Row, relation: Relation, site: Site) -> Value:
    """Read a relation of a row."""
    run.look("read", site)
    loaded = row.plan.get(relation.name)
    if relation.many:
        return _many(run, row, relation, loaded, site)
    if row.model.orm is Orm.TORTOISE and loaded is None and not row.plan.opaque:
        return LazyRow(row, relation, site)
    free = loaded
    if free is None:
        free = _free(run, row, relation)
    if free is None:
        run.record(
            "relation", site, row.varies, model=row.model, relation=relation, row=row, method=relation.name
        )
        free = EMPTY
    if relation.target is None:
        return UNKNOWN
    return Row(relation.target, free, row.query, (*row.path, relation.name), row.varies)


def _free(run: Machine, row: Row, relation: Relation) -> Plan | None:
    """The plan of a related row that is at hand without a query although no instruction names it."""
    plan = row.plan
    if plan.opaque or plan.expired:
        return OPAQUE
    if plan.foreign and relation.kind in {Kind.FORWARD, Kind.ONE} and not relation.null:
        return Plan(foreign=True)
    if relation.lazy in _EAGER and plan.lazy.isdisjoint({relation.name, "*"}):
        return EMPTY
    if relation.lazy in _SILENT or relation.name in plan.raises or "*" in plan.raises:
        return OPAQUE
    if row.model.orm is Orm.SQLALCHEMY and relation.target in run.warm and relation.kind is Kind.FORWARD:
        return EMPTY
    return None


def _many(run: Machine, row: Row, relation: Relation, loaded: Plan | None, site: Site) -> Value:
    target = relation.target
    if target is None:
        return UNKNOWN
    orm = row.model.orm
    if orm is Orm.DJANGO:
        manager, queryset = target.managers.get(target.default_manager, (None, None))
        return Manager(target, manager, queryset, site, row, relation, run.running(), loaded)
    if orm is not Orm.SQLALCHEMY:
        if loaded is not None or row.plan.opaque:
            return collection(run, row, relation, loaded or OPAQUE)
        return _related_query(run, row, relation, site)
    if loaded is not None:
        return collection(run, row, relation, loaded)
    if relation.lazy in {"dynamic", "write_only"}:
        return _related_query(run, row, relation, site)
    free = _free(run, row, relation)
    if free is None:
        run.record(
            "relation", site, row.varies, model=row.model, relation=relation, row=row, method=relation.name
        )
    return collection(run, row, relation, free or EMPTY)


def inverse(row: Row, relation: Relation) -> tuple[tuple[str, Value], ...]:
    """What the rows of a relation hold from the start: the row that they belong to."""
    return ((relation.inverse, row),) if relation.inverse and relation.kind is Kind.REVERSE else ()


def collection(run: Machine, row: Row, relation: Relation, plan: Plan) -> Query:
    """The rows of a relation that are in memory."""
    assert relation.target is not None
    nowhere = Site(relation.site.file)
    head = row.query.head if row.query else nowhere
    return Query(
        relation.target,
        plan,
        head,
        head,
        born=run.births(),
        cached=True,
        parent=row,
        relation=relation,
        known=inverse(row, relation),
    )


def _related_query(run: Machine, row: Row, relation: Relation, site: Site) -> Query:
    assert relation.target is not None
    return Query(
        relation.target,
        EMPTY,
        site,
        site,
        born=run.births(),
        parent=row,
        relation=relation,
        known=inverse(row, relation),
    )


# Queries
def row_of(run: Machine, query: Query) -> Value:
    """A row as a query gives it."""
    if query.rows == "values":
        return UNKNOWN
    if query.rows == "tuples":
        items: list[Value] = []
        for entity in query.entities:
            match entity:
                case Row():
                    items.append(replace(entity, query=query))
                case ClassRef(cls=cls) if cls in run.schema.models:
                    items.append(Row(run.schema.models[cls], query.plan if not items else EMPTY, query))
                case _:
                    items.append(UNKNOWN)
        return Container(None, items, bounded=True)
    if query.cached and query.parent is not None:
        relation = query.relation
        path = (*query.parent.path, relation.name if relation else "")
        varies = query.parent.varies
        return Row(query.model, query.plan, query.parent.query, path, varies, known=query.known)
    return Row(query.model, query.plan, query, varies=frozenset(query.born), known=query.known)


def evaluate_query(run: Machine, query: Query, site: Site) -> Value:
    """Run a query for its rows."""
    if not query.cached:
        begun = query.tail if query.parent is not None and query.tail.file is site.file else site
        note_run(run, query, begun, "all", site.source, None if query.streamed else query.born)
        hidden(run, query, site)
        before = asked.loaded_after(run, query, site)
        if before is not None:
            run.notes[Note("twice", before, query, site)] = None
    return row_of(run, query)


def note_run(
    run: Machine,
    query: Query,
    site: Site,
    name: str,
    subject: str = "",
    among: tuple[int, ...] | None = None,
) -> None:
    """Note that a query runs: for itself, or for what belongs to a row.

    Args:
        run: the machine.
        query: the query.
        site: where it runs.
        name: the method that runs it.
        subject: what it is called there; the code of the place if empty.
        among: the loops that may repeat it; None for all that are open.
    """
    run.record(
        "related" if query.parent is not None else "query",
        site,
        among,
        subject=subject,
        model=query.model,
        relation=query.relation,
        row=query.parent,
        query=query,
        method=name,
    )


def hidden(run: Machine, query: Query, site: Site) -> None:
    """Queries per row that loading the rows itself runs."""
    if query.rows != "rows":
        return
    for name in sorted(query.plan.broken):
        run.record("broken", site, (), model=query.model, query=query, method=name)
    if query.model.orm is not Orm.SQLALCHEMY:
        return
    for relation in query.model.relations.values():
        if relation.lazy == "immediate" and query.plan.get(relation.name) is None and not query.plan.raises:
            run.record(
                "immediate",
                site,
                (),
                model=query.model,
                relation=relation,
                row=Row(query.model, query.plan, query),
                query=query,
                method=relation.name,
            )


def test(run: Machine, value: Value, site: Site) -> None:
    """The truth of a value is asked."""
    if isinstance(value, Query) and value.model.orm is not Orm.SQLALCHEMY:
        answers.note(run, "exists", value, site, site.node)
        evaluate_query(run, value, site)


def contains(run: Machine, query: Query, site: Site) -> None:
    """`x in query`."""
    evaluate_query(run, query, site)


def sliced(
    run: Machine, value: Query | Manager, lower: Value | None, upper: Value | None, site: Site
) -> Value:
    """`query[lower:upper]`."""
    if isinstance(value, Manager):
        return UNKNOWN
    limit = upper.value if isinstance(upper, Const) and isinstance(upper.value, int) else None
    start = lower.value if isinstance(lower, Const) and isinstance(lower.value, int) else 0
    size = limit - start if limit is not None and limit > start >= 0 else value.limit
    del site
    return replace(value, limit=size, sliced=True, born=value.born if value.cached else run.running())


def take(run: Machine, query: Query, site: Site, name: str) -> Value:
    """One row of a query: `query[0]`, `.first()`, `.get()`: runs it unless the rows are in memory."""
    if not query.cached:
        note_run(run, query, site, name)
    row = row_of(run, query)
    if isinstance(row, Row):
        varies = row.varies | frozenset(run.running())
        if query.parent is not None:
            varies |= query.parent.varies
        return replace(row, varies=varies, one=site)
    return row


def awaited(run: Machine, value: Value, site: Site) -> Value:
    """`await value`."""
    match value:
        case LazyRow(row=row, relation=relation):
            return _run_lazy(run, row, relation, site)
        case Query(model=model) if model.orm is Orm.TORTOISE:
            return Container(evaluate_query(run, value, site))
        case _:
            return value


def _run_lazy(run: Machine, row: Row, relation: Relation, site: Site) -> Value:
    run.record(
        "relation", site, row.varies, model=row.model, relation=relation, row=row, method=relation.name
    )
    if relation.target is None:
        return UNKNOWN
    return Row(relation.target, EMPTY, row.query, (*row.path, relation.name), row.varies)


def iterate_lazy(run: Machine, row: Row, relation: Relation, site: Site) -> Value:
    """`async for` over a lazy relation."""
    return _run_lazy(run, row, relation, site)


def method_of_lazy(run: Machine, row: Row, relation: Relation, name: str, site: Site) -> Value:
    """An attribute of a relation that was not awaited."""
    del run, row, relation, site
    return Unknown(name)


def step(query: Query, name: str, site: Site, **changes: Any) -> Query:
    """The query after one more call in its chain."""
    node = site.node if isinstance(site.node, ast.Call) else None
    tail = query.tail
    if same_start(query.head, site):
        tail = site
    return replace(query, tail=tail, steps=(*query.steps, Step(name, site, node)), **changes)


def same_start(head: Site, site: Site) -> bool:
    """Whether two expressions of a file begin at the same place: one is the other's chain."""
    if (
        head.file is not site.file
        or not isinstance(head.node, ast.expr)
        or not isinstance(site.node, ast.expr)
    ):
        return False
    return (head.node.lineno, head.node.col_offset) == (site.node.lineno, site.node.col_offset)


def load_path(model: Model | None, plan: Plan, parts: list[str], leaf: Plan = EMPTY) -> Plan:
    """A plan with a path of relations loaded; names that are no relations are loaded as they stand."""
    if not parts:
        return plan.merged(leaf)
    name, rest = parts[0], parts[1:]
    relation = model.by_query_name(name) if model is not None else None
    key = relation.name if relation else name
    inner = plan.get(key) or EMPTY
    target = relation.target if relation else None
    return plan.with_(key, load_path(target, inner, rest, leaf))


def apply_loading(run: Machine, query: Query, loading: Loading) -> Query:
    """A query with one loading instruction applied."""
    del run
    return replace(query, plan=with_loading(query.model, query.plan, loading))


def with_loading(model: Model | None, plan: Plan, loading: Loading) -> Plan:
    """A plan with one loading instruction applied."""
    leaf = loading.leaf
    for inner in loading.inner:
        target = model
        for name in loading.path:
            relation = target.relations.get(name) if target else None
            target = relation.target if relation else None
        leaf = with_loading(target, leaf, inner)
    names = frozenset(loading.names)
    if loading.kind == "eager":
        return load_path(model, plan, list(loading.path), leaf)
    if loading.kind == "none":
        if "*" in names:
            return replace(plan, raises=plan.raises | names)
        return _at(plan, loading.path[:-1], lambda p: replace(p, raises=p.raises | set(loading.path[-1:])))
    if loading.kind == "lazy":
        return _at(plan, loading.path[:-1], lambda p: replace(p, lazy=p.lazy | names))
    if loading.kind == "columns":
        return _at(plan, loading.path, lambda p: replace(p, only=(p.only or frozenset()) | names))
    if loading.kind == "undefer":
        return _at(plan, loading.path, lambda p: replace(p, computed=p.computed | names))
    if loading.kind == "defer":
        return _at(plan, loading.path, lambda p: replace(p, deferred=p.deferred | names))
    if loading.kind == "classes":
        return replace(plan, subclasses=plan.subclasses | names)
    return plan


def _at(plan: Plan, path: tuple[str, ...], change: Callable[[Plan], Plan]) -> Plan:
    if not path:
        return change(plan)
    return plan.with_(path[0], _at(plan.get(path[0]) or EMPTY, path[1:], change))


def element_of(run: Machine, value: Value) -> Value:
    """What an element of a value may be, without running anything."""
    match value:
        case Container(items=items, element=element):
            return join_all([*(items or []), *([element] if element else [])]) or UNKNOWN
        case Dictionary():
            return value.element or join_all(list(value.entries.values())) or UNKNOWN
        case Query():
            return row_of(run, value)
        case _:
            return UNKNOWN


def describe(value: Value) -> str:
    """What is iterated over, in words."""
    match value:
        case Query(model=model):
            return model.name
        case Container(element=Row(model=model)):
            return model.name
        case _:
            return ""
