"""Django's managers and query sets: what each of their methods loads, keeps, forgets or runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.analysis.orm import answers, asked, light, lookups, rows, sqlalchemy
from charter.analysis.orm.mapping import Model, Orm
from charter.analysis.orm.values import (
    EMPTY,
    NONE,
    OPAQUE,
    UNKNOWN,
    ClassRef,
    Const,
    Container,
    Dictionary,
    Function,
    Loading,
    Manager,
    Method,
    ModelRef,
    Plan,
    Query,
    Row,
    Unknown,
    Value,
)
from charter.analysis.orm.world import Class, Site

if TYPE_CHECKING:
    from charter.analysis.orm.arguments import Arguments
    from charter.analysis.orm.machine import Machine

_REFINE = frozenset(
    {
        *(
            "filter",
            "exclude",
            "order_by",
            "distinct",
            "reverse",
            "using",
            "select_for_update",
            "alias",
            "extra",
        ),
        *(
            "union",
            "intersection",
            "difference",
            "complex_filter",
            "none",
            "raw",
            "from_queryset",
            "with_cte",
        ),
    }
)
_VALUES = frozenset({"values", "values_list", "dates", "datetimes"})
_ONE = frozenset({"get", "first", "last", "latest", "earliest"})
_SUMMARY = frozenset({"count", "exists", "aggregate", "contains", "explain"})
_WRITE = frozenset({"create", "get_or_create", "update_or_create", "update", "delete"})
_BULK = frozenset({"bulk_create", "bulk_update", "abulk_create", "abulk_update"})
_RELATED_WRITE = frozenset({"add", "remove", "set", "clear"})
_ASYNC = {f"a{name}": name for name in _ONE | _SUMMARY | _WRITE | _RELATED_WRITE | {"in_bulk", "iterator"}}


def class_manager(run: Machine, model: Model, name: str, site: Site) -> Value | None:
    """`Model.objects` and the model's other managers."""
    if name in {"_default_manager", "_base_manager"}:
        name = model.default_manager
    if name in model.managers:
        manager, queryset = model.managers[name]
        return Manager(model, manager, queryset, site, born=run.births())
    return None


def class_of(run: Machine, receiver: Manager | Query, owner: Class) -> Class | None:
    """The class of a manager or query set in whose MRO a method's class stands."""
    candidates = [receiver.cls, getattr(receiver, "queryset", None)]
    for candidate in candidates:
        if candidate is not None and owner in run.world.mro(candidate):
            return candidate
    return None


def attribute(run: Machine, receiver: Manager | Query, name: str, site: Site) -> Value:
    """An attribute of a manager or query set: a method of the project's own class, or one of Django's."""
    del site
    if name == "model":
        cls = receiver.model.cls
        return ClassRef(cls) if cls else ModelRef(receiver.model)
    if name == "get_queryset" and isinstance(receiver, Manager):
        return Method(receiver, name)
    for cls in (receiver.cls, receiver.queryset if isinstance(receiver, Manager) else None):
        if cls is None:
            continue
        found = run.world.member(cls, name)
        if found is not None and isinstance(found[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
            return Function(found[1], found[0].module, found[0], receiver)
    return Method(receiver, name)


def base_query(run: Machine, manager: Manager, site: Site, *, plain: bool = False) -> Query:
    """The query set with which a manager begins."""
    known: tuple[tuple[str, Value], ...] = ()
    if manager.parent is not None and manager.relation is not None:
        known = rows.inverse(manager.parent, manager.relation)
    query = Query(
        manager.model,
        EMPTY,
        manager.site,
        manager.site,
        born=run.births(),
        parent=manager.parent,
        relation=manager.relation,
        cls=manager.queryset,
        known=known,
    )
    if plain or manager.cls is None:
        return query
    found = run.world.member(manager.cls, "get_queryset") or run.world.member(manager.cls, "get_query_set")
    if found is None or not isinstance(found[1], ast.FunctionDef):
        return query
    result = run.invoke(Function(found[1], found[0].module, found[0], manager), [], {}, site)
    if isinstance(result, Query) and result.model is manager.model:
        return replace(result, parent=query.parent, relation=query.relation, known=known, born=run.births())
    return query


def call(run: Machine, receiver: Manager | Query, name: str, arguments: Arguments, site: Site) -> Value:
    """Call one of Django's methods on a manager or query set."""
    orm = receiver.model.orm
    if orm is Orm.SQLALCHEMY and isinstance(receiver, Query):
        return sqlalchemy.call(run, receiver, name, arguments, site)
    if orm is not Orm.DJANGO and isinstance(receiver, Query):
        return light.call(run, receiver, name, arguments, site)
    name = _ASYNC.get(name, name)
    if isinstance(receiver, Manager):
        if name.startswith("super."):
            return _super(run, receiver, name.removeprefix("super."), arguments, site)
        if name in _RELATED_WRITE and receiver.parent is not None:
            run.record(
                "write",
                site,
                None,
                model=receiver.model,
                row=receiver.parent,
                method=name,
                relation=receiver.relation,
            )
            return NONE
        prefetched = _prefetched(run, receiver, name, site)
        if prefetched is not None:
            return prefetched
        query = base_query(run, receiver, site)
        if name in {"get_queryset", "all"}:
            return rows.step(query, name, site)
        return call(run, query, name, arguments, site)
    return _query_method(run, receiver, name, arguments, site)


def _super(run: Machine, manager: Manager, name: str, arguments: Arguments, site: Site) -> Value:
    query = base_query(run, manager, site, plain=True)
    if name in {"get_queryset", "get_query_set", "all"}:
        return query
    return _query_method(run, query, name, arguments, site)


def _prefetched(run: Machine, manager: Manager, name: str, site: Site) -> Value | None:
    """What the rows that a prefetch put on the parent answer without a query."""
    parent, relation = manager.parent, manager.relation
    if parent is None or relation is None:
        return None
    plan = manager.plan
    if plan is None:
        if not parent.plan.opaque:
            return None
        if name != "all" or (run.loops and not parent.varies):
            return None
        return rows.collection(run, parent, relation, OPAQUE)
    query = rows.collection(run, parent, relation, plan)
    if name in {"all", "get_queryset"}:
        return rows.step(query, name, site)
    if name in {"count", "exists"}:
        return UNKNOWN
    if name in {"first", "last"} and manager.model.ordered:
        return rows.take(run, query, site, name)
    return None


def _query_method(run: Machine, query: Query, name: str, arguments: Arguments, site: Site) -> Value:
    lookups.note(run, query.model, name, arguments, site)
    if name == "all":
        return rows.step(query, name, site, born=query.born if query.cached else run.running())
    if name in _LOADERS:
        plan = _LOADERS[name](run, query, arguments)
        return rows.step(query, name, site, plan=plan, born=run.births(), cached=False)
    if name in _REFINE:
        if name == "none":
            return Container(None, [], bounded=True)
        return rows.step(query, name, site, born=run.births(), cached=False, filtered=True)
    if name == "annotate":
        return rows.step(query, name, site, plan=_annotate(query, arguments), born=run.births(), cached=False)
    if name in _VALUES:
        return rows.step(query, name, site, rows="values", born=run.births(), cached=False)
    if name == "iterator":
        return rows.step(query, name, site, streamed=True, born=run.births(), cached=False)
    return _terminal(run, query, name, arguments, site)


def _terminal(run: Machine, query: Query, name: str, arguments: Arguments, site: Site) -> Value:
    if name in _ONE:
        if query.cached and (name in {"get", "latest", "earliest"} or not query.model.ordered):
            query = replace(query, cached=False)
        return rows.take(run, query, site, name)
    if name in _SUMMARY:
        if name in answers.QUESTIONS:
            run.look(name, site)
        if not (query.cached and name in {"count", "exists"}):
            rows.note_run(run, query, site, name)
            asked.ask(run, query, name, site)
        return Dictionary() if name == "aggregate" else UNKNOWN
    if name in _WRITE:
        return _write(run, query, name, site)
    if name in _BULK:
        return arguments.value(0) or UNKNOWN
    if name == "in_bulk":
        rows.note_run(run, query, site, name)
        return Dictionary({}, UNKNOWN, rows.row_of(run, query))
    if name in {"get_queryset", "as_manager"}:
        return query
    return Unknown(name)


def _write(run: Machine, query: Query, name: str, site: Site) -> Value:
    run.record(
        "write",
        site,
        None,
        model=query.model,
        query=query,
        method=name,
        row=query.parent,
        relation=query.relation,
    )
    row = Row(query.model, OPAQUE, query, varies=frozenset(run.running()), fresh=True)
    if name == "create":
        return row
    return Container(None, [row, UNKNOWN], bounded=True) if name.endswith("or_create") else UNKNOWN


# Loading
def _texts(arguments: Arguments) -> list[str]:
    return [v.value for v in arguments.flat() if isinstance(v, Const) and isinstance(v.value, str)]


def _select_related(_run: Machine, query: Query, arguments: Arguments) -> Plan:
    values = arguments.positional
    if not values and not arguments.keywords and not arguments.has_star:
        return replace(query.plan, foreign=True)
    if values and values[0] == NONE:
        return query.plan.without(None)
    plan = query.plan
    for text in _texts(arguments):
        plan = rows.load_path(query.model, plan, text.split("__"))
    if arguments.has_star and not _texts(arguments):
        plan = replace(plan, opaque=True)
    return plan


def _prefetch_related(_run: Machine, query: Query, arguments: Arguments) -> Plan:
    plan = query.plan
    values = arguments.flat()
    if values and values[0] == NONE:
        return query.plan.without(None)
    for value in values:
        plan = add_prefetch(query.model, plan, value)
    if any(isinstance(v, Unknown) for v in values) or (arguments.has_star and not values):
        plan = replace(plan, opaque=True)
    return plan


def add_prefetch(model: Model, plan: Plan, value: Value) -> Plan:
    """A plan with one argument of `prefetch_related` applied."""
    if isinstance(value, Const) and isinstance(value.value, str):
        return load_prefetch(model, plan, value.value.split("__"))
    if not isinstance(value, Loading):
        return plan
    leaf = value.leaf
    path = list(value.path)
    if value.to_attr:
        return _listed(model, plan, path, value.to_attr, leaf)
    plan = load_prefetch(model, plan, path, leaf)
    return _broken(model, plan, path, leaf)


def load_prefetch(model: Model | None, plan: Plan, parts: list[str], leaf: Plan = EMPTY) -> Plan:
    """As `rows.load_path`, through `to_attr` lists as well."""
    if parts:
        lists = dict(plan.lists)
        if parts[0] in lists:
            relation_name, inner = lists[parts[0]]
            relation = model.relations.get(relation_name) if model else None
            loaded = load_prefetch(relation.target if relation else None, inner, parts[1:], leaf)
            lists[parts[0]] = (relation_name, loaded)
            return replace(plan, lists=tuple(lists.items()))
    return rows.load_path(model, plan, parts, leaf)


def _listed(model: Model | None, plan: Plan, path: list[str], to_attr: str, leaf: Plan) -> Plan:
    if len(path) > 1:
        relation = model.relations.get(path[0]) if model else None
        inner = _listed(
            relation.target if relation else None, plan.get(path[0]) or EMPTY, path[1:], to_attr, leaf
        )
        return plan.with_(path[0], inner)
    lists = {**dict(plan.lists), to_attr: (path[0] if path else "", leaf)}
    return replace(plan, lists=tuple(lists.items()))


def _broken(model: Model, plan: Plan, path: list[str], leaf: Plan) -> Plan:
    """Rows prefetched by `only()` without the key back cost one query each to be matched with their parents."""
    if leaf.only is None or len(path) != 1:
        return plan
    relation = model.relations.get(path[0])
    if relation is None or relation.target is None or not relation.inverse:
        return plan
    back = relation.target.relations.get(relation.inverse)
    if back is None or not back.column or {back.name, back.column} & leaf.only:
        return plan
    return replace(plan, broken=plan.broken | {path[0]})


def _only(_run: Machine, query: Query, arguments: Arguments) -> Plan:
    own = frozenset(t for t in _texts(arguments) if "__" not in t)
    plan: Plan = replace(query.plan, only=own)
    for text in _texts(arguments):
        path, _, column = text.rpartition("__")
        if path:
            first = path.split("__")[0]
            inner = plan.get(first)
            plan = replace(plan, only=(plan.only or frozenset()) | {first})
            if inner is not None and "__" not in path:
                plan = plan.with_(first, replace(inner, only=(inner.only or frozenset()) | {column}))
    return plan


def _defer(_run: Machine, query: Query, arguments: Arguments) -> Plan:
    if arguments.positional and arguments.positional[0] == NONE:
        return replace(query.plan, deferred=frozenset())
    names = frozenset(t for t in _texts(arguments) if "__" not in t)
    return replace(query.plan, deferred=query.plan.deferred | names)


def _annotate(query: Query, arguments: Arguments) -> Plan:
    names = frozenset(arguments.keywords)
    return replace(query.plan, computed=query.plan.computed | names)


def _fetch_mode(_run: Machine, query: Query, _arguments: Arguments) -> Plan:
    return replace(query.plan, opaque=True)


_LOADERS = {
    "select_related": _select_related,
    "prefetch_related": _prefetch_related,
    "only": _only,
    "defer": _defer,
    "fetch_mode": _fetch_mode,
}


def prefetch(arguments: Arguments) -> Value:
    """`Prefetch(lookup, queryset=…, to_attr=…)`."""
    lookup = arguments.value(0, "lookup")
    queryset = arguments.value(1, "queryset")
    to_attr = arguments.value(2, "to_attr")
    path = tuple(str(lookup.value).split("__")) if isinstance(lookup, Const) else ()
    name = str(to_attr.value) if isinstance(to_attr, Const) and to_attr.value else ""
    if isinstance(queryset, Manager):
        queryset = None
    query = queryset if isinstance(queryset, Query) else None
    leaf = query.plan if query else EMPTY
    if not path:
        return UNKNOWN
    return Loading("eager", path, leaf, to_attr=name, query=query)


def write_row(run: Machine, row: Row, name: str, site: Site) -> None:
    """`row.save()` and its like."""
    name = name.removeprefix("a") if name in {"asave", "adelete", "arefresh_from_db"} else name
    kind = "refresh" if name == "refresh_from_db" else "write"
    run.record(kind, site, row.varies if kind == "refresh" else None, model=row.model, row=row, method=name)


def as_query(run: Machine, value: Value | None, site: Site) -> Query | None:
    """A query set from what `get_object_or_404` and class-based views accept: a model, a manager or a query set."""
    if isinstance(value, Manager):
        return base_query(run, value, site)
    if isinstance(value, Query):
        return value
    if isinstance(value, ClassRef):
        model = run.schema.models.get(value.cls)
        if model is not None and model.orm is Orm.DJANGO:
            manager = class_manager(run, model, model.default_manager, site)
            if isinstance(manager, Manager):
                return base_query(run, manager, site)
    return None
