"""Peewee and Tortoise: query methods that stand on the model class, joins that load only what is selected, `prefetch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.analysis.orm import rows
from charter.analysis.orm.mapping import Kind, Model, Orm
from charter.analysis.orm.values import (
    EMPTY,
    NONE,
    OPAQUE,
    UNKNOWN,
    ClassRef,
    Const,
    Container,
    Dictionary,
    Instance,
    Loading,
    Query,
    Row,
    Value,
)
from charter.analysis.orm.world import Site

if TYPE_CHECKING:
    from charter.analysis.orm.arguments import Arguments
    from charter.analysis.orm.machine import Machine

_ONE = frozenset({"get", "get_or_none", "get_by_id", "first", "latest", "earliest", "peek"})
_SUMMARY = frozenset({"count", "exists", "scalar", "aggregate"})
_START = frozenset({"select", "all", "filter", "exclude", "annotate", "raw"})
_WRITE = frozenset({"create", "get_or_create", "update_or_create", "delete_by_id", "set_by_id", "replace"})
_BULK = frozenset({"bulk_create", "bulk_update", "insert_many", "insert_from", "replace_many", "in_bulk"})


def class_call(run: Machine, model: Model, name: str, arguments: Arguments, site: Site) -> Value | None:
    """A method of a Peewee or Tortoise model class; None if it is none of theirs."""
    query = Query(model, EMPTY, site, site, born=run.births(), trail=((model, ()),))
    if name == "select":
        return replace(query, entities=tuple(arguments.positional))
    if name in _START:
        return query
    if name in _ONE:
        return rows.take(run, query, site, name)
    if name in _WRITE:
        return _write(run, query, name, site)
    if name in _BULK:
        return UNKNOWN
    if name in {"insert", "update", "delete"} and model.orm is Orm.PEEWEE:
        return Instance(None, {}, "peewee.dml")
    if name == "fetch_for_list":
        _load_list(model, arguments)
        return NONE
    if name in {"select_related", "prefetch_related", "only", "count", "exists"}:
        return call(run, query, name, arguments, site)
    return None


def _write(run: Machine, query: Query, name: str, site: Site) -> Value:
    run.record("write", site, None, model=query.model, query=query, method=name)
    row = Row(query.model, OPAQUE, query, varies=frozenset(run.running()), fresh=True)
    return Container(None, [row, UNKNOWN], bounded=True) if name.endswith("or_create") else row


def call(run: Machine, query: Query, name: str, arguments: Arguments, site: Site) -> Value:
    """A method of a Peewee or Tortoise query."""
    if name in _ONE:
        return rows.take(run, query, site, name)
    if name in _SUMMARY:
        rows.note_run(run, query, site, name)
        return UNKNOWN
    if name in {"add", "remove", "clear"} and query.parent is not None:
        run.record("write", site, None, model=query.model, row=query.parent, method=name)
        return NONE
    if name in {"update", "delete"} and query.model.orm is Orm.TORTOISE:
        run.record("write", site, None, model=query.model, query=query, method=name)
        return UNKNOWN
    if name == "limit":
        value = arguments.value(0)
        limit = value.value if isinstance(value, Const) and isinstance(value.value, int) else None
        return rows.step(query, name, site, limit=limit)
    if name in {"values", "values_list", "dicts", "tuples", "namedtuples"}:
        return rows.step(query, name, site, rows="values", born=run.births())
    if name in {"select_related", "prefetch_related"} and query.model.orm is Orm.TORTOISE:
        return rows.step(query, name, site, plan=_load(query, arguments), born=run.births())
    if name == "only":
        names = frozenset(str(v.value) for v in arguments.positional if isinstance(v, Const))
        return rows.step(query, name, site, plan=replace(query.plan, only=names))
    if name == "annotate":
        plan = replace(query.plan, computed=query.plan.computed | set(arguments.keywords))
        return rows.step(query, name, site, plan=plan, born=run.births())
    if name in {"join", "join_from", "switch"}:
        return _join(run, query, name, arguments, site)
    if name == "prefetch":
        return prefetch(run, [query, *arguments.positional], site)
    if name == "execute":
        return query
    return rows.step(query, name, site, born=run.births(), filtered=True)


def _load(query: Query, arguments: Arguments) -> object:
    plan = query.plan
    for value in arguments.flat():
        if isinstance(value, Const) and isinstance(value.value, str):
            plan = rows.load_path(query.model, plan, value.value.split("__"))
        elif isinstance(value, Loading):
            plan = rows.load_path(query.model, plan, list(value.path), value.leaf)
    return plan


def _load_list(model: Model, arguments: Arguments) -> None:
    """`Model.fetch_for_list(rows, "relation")` loads relations of rows in a list."""
    listed = arguments.value(0)
    if isinstance(listed, Container) and isinstance(listed.element, Row):
        plan = listed.element.plan
        for value in arguments.positional[1:]:
            if isinstance(value, Const) and isinstance(value.value, str):
                plan = rows.load_path(model, plan, value.value.split("__"))
        listed.element = replace(listed.element, plan=plan)


def _join(run: Machine, query: Query, name: str, arguments: Arguments, site: Site) -> Value:
    """Peewee's joins: a joined model is loaded only if `select()` names it."""
    target = _model(run, arguments.value(1 if name == "join_from" else 0))
    if name == "switch":
        trail = next(((m, p) for m, p in query.trail if m is target), query.trail[0] if query.trail else None)
        rest = tuple(t for t in query.trail if t is not trail)
        return rows.step(query, name, site, trail=(*rest, trail) if trail else rest)
    if target is None or not query.trail:
        return rows.step(query, name, site)
    source, path = query.trail[-1]
    if name == "join_from":
        start = _model(run, arguments.value(0))
        source, path = next(((m, p) for m, p in query.trail if m is start), (source, path))
    plan = query.plan
    relation = next((r for r in source.relations.values() if r.target is target and not r.many), None)
    where = (*path, relation.name) if relation else path
    if relation is not None and any(_model(run, e) is target for e in query.entities):
        plan = rows.load_path(query.model, plan, list(where))
    return rows.step(query, name, site, plan=plan, trail=(*query.trail, (target, where)))


def _model(run: Machine, value: Value | None) -> Model | None:
    return run.schema.models.get(value.cls) if isinstance(value, ClassRef) else None


def prefetch(run: Machine, queries: list[Value], site: Site) -> Value:
    """Peewee's `prefetch(query, *subqueries)`: the back references become lists."""
    first = queries[0] if queries else None
    if not isinstance(first, Query):
        return UNKNOWN
    plan = first.plan
    paths: list[tuple[Model, list[str]]] = [(first.model, [])]
    for other in queries[1:]:
        model = other.model if isinstance(other, Query) else _model(run, other)
        if model is None:
            continue
        for source, path in paths:
            relation = next(
                (
                    r
                    for r in source.relations.values()
                    if r.target is model and r.kind in {Kind.REVERSE, Kind.FORWARD}
                ),
                None,
            )
            if relation is not None:
                where = [*path, relation.name]
                plan = rows.load_path(first.model, plan, where)
                paths.append((model, where))
                break
    loaded = replace(first, plan=plan)
    return Container(rows.evaluate_query(run, loaded, site))


def row_call(run: Machine, row: Row, name: str, arguments: Arguments, site: Site) -> Value:
    """A method of a Peewee or Tortoise row."""
    if name == "fetch_related":
        run.record("fetch", site, row.varies, model=row.model, row=row, method=name)
        plan = row.plan
        for value in arguments.positional:
            if isinstance(value, Const) and isinstance(value.value, str):
                plan = rows.load_path(row.model, plan, value.value.split("__"))
        for key, value in arguments.frame.names.items():
            if value is row:
                arguments.frame.names[key] = replace(row, plan=plan)
        return NONE
    run.record("write", site, None, model=row.model, row=row, method=name)
    return Dictionary() if name == "delete_instance" else NONE
