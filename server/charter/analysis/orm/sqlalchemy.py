"""SQLAlchemy and SQLModel: statements, legacy queries, loader options and what a session runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.analysis.orm import rows
from charter.analysis.orm.mapping import Model, Orm
from charter.analysis.orm.values import (
    EMPTY,
    NONE,
    UNKNOWN,
    Attribute,
    ClassRef,
    Const,
    Container,
    External,
    Instance,
    Loading,
    Method,
    Query,
    Row,
    Unknown,
    Value,
)
from charter.analysis.orm.world import Site

if TYPE_CHECKING:
    from charter.analysis.orm.arguments import Arguments
    from charter.analysis.orm.machine import Machine

_SCALARS = Model("row", Orm.SQLALCHEMY, "")
_EAGER = frozenset({"joinedload", "selectinload", "subqueryload", "contains_eager", "immediateload"})
_STOP = frozenset(
    {"subquery", "scalar_subquery", "cte", "alias", "as_scalar", "compile", "label", "lateral", "correlate"}
)
_ONE = frozenset(
    {"first", "one", "one_or_none", "scalar_one", "scalar_one_or_none", "get", "get_or_404", "first_or_404"}
)
_RUN = frozenset({"scalars", "execute", "exec", "scalar", "stream", "stream_scalars"})
OPTIONS = _EAGER | {
    "lazyload",
    "defaultload",
    "raiseload",
    "noload",
    "load_only",
    "defer",
    "undefer",
    "undefer_group",
    "selectin_polymorphic",
    "Load",
}
DML = frozenset({"insert", "update", "delete"})


def select(run: Machine, entities: list[Value], site: Site) -> Query:
    """`select(…)` or `session.query(…)`."""
    first = entities[0] if entities else None
    model = run.schema.models.get(first.cls) if isinstance(first, ClassRef) else None
    shape = (
        "rows" if len(entities) == 1 and model is not None else "tuples" if model is not None else "values"
    )
    if model is None and any(isinstance(e, ClassRef) for e in entities):
        shape = "tuples"
    return Query(
        model or _SCALARS, EMPTY, site, site, rows=shape, born=run.births(), entities=tuple(entities)
    )


def call(
    run: Machine, query: Query, name: str, arguments: Arguments, site: Site
) -> Value:  # charter: ignore[complex-function] -- a table: one case for each method
    """A method of a statement, a legacy query or a dynamic relation."""
    if name in {"options", "populate_existing"}:
        changed = query
        for value in arguments.flat():
            if isinstance(value, Loading):
                changed = rows.apply_loading(run, changed, value)
            elif isinstance(value, Unknown):
                changed = replace(changed, plan=replace(changed.plan, opaque=True))
        return rows.step(changed, name, site)
    if name == "limit":
        value = arguments.value(0)
        limit = value.value if isinstance(value, Const) and isinstance(value.value, int) else None
        return rows.step(query, name, site, limit=limit, filtered=True)
    if name in _STOP:
        return UNKNOWN
    if name == "select":
        return query
    if name == "all":
        if query.cached:
            return query
        return Container(_run(run, query, site, "all"))
    if name in _ONE:
        return rows.take(run, query, site, name)
    if name in {"count", "scalar"}:
        _run(run, query, site, name)
        return UNKNOWN
    if name in {"update", "delete"} and not arguments.keywords.get("values"):
        run.record("write", site, None, model=query.model, query=query, method=name)
        return UNKNOWN
    if name in {"with_entities", "with_only_columns"}:
        return replace(select(run, arguments.positional, site), parent=query.parent, relation=query.relation)
    if name == "paginate":
        return page(_run(run, query, site, name))
    if name in {"append", "add", "remove", "extend"}:
        return NONE
    filtered = query.filtered or name in {"where", "filter", "filter_by", "join"}
    return rows.step(query, name, site, filtered=filtered, born=run.births())


def _run(run: Machine, query: Query, site: Site, name: str) -> Value:
    if not query.cached:
        rows.note_run(run, query, site, name)
        rows.hidden(run, query, site)
        if (
            query.parent is None
            and not query.filtered
            and query.limit is None
            and query.rows == "rows"
            and not run.loops
        ):
            run.warm.add(query.model)
    return rows.row_of(run, query)


# Sessions
def session_call(run: Machine, receiver: Value, name: str, arguments: Arguments, site: Site) -> Value | None:
    """A method of what may be a session; None if it is something else."""
    first = arguments.value(0)
    if name in _RUN:
        return _execute(run, name, first, site)
    if name == "query" and isinstance(first, (ClassRef, Attribute)):
        if isinstance(first, Attribute) or first.cls in run.schema.models:
            return select(run, arguments.positional, site)
        return None
    asked = arguments.node.args[:1]
    if name == "query" and asked and isinstance(asked[0], ast.Call) and is_session(receiver):
        return select(run, arguments.positional, site)
    if (
        name in {"get", "get_one", "get_or_404"}
        and isinstance(first, ClassRef)
        and first.cls in run.schema.models
        and len(arguments.positional) > 1
    ):
        return _get(run, run.schema.models[first.cls], arguments, site)
    if not is_session(receiver):
        return None
    return _unit_of_work(run, receiver, name, first, arguments, site)


def page(row: Value) -> Instance:
    """One page of rows, which have been loaded."""
    listed = Container(row)
    return Instance(None, {"rows": listed, "items": listed}, "paginator")


def extension_call(run: Machine, name: str, arguments: Arguments, site: Site) -> Value | None:
    """A method of Flask-SQLAlchemy's `SQLAlchemy`; None if it is none that matters."""
    if name == "select":
        return select(run, arguments.positional, site)
    if name in OPTIONS:
        return option(name, arguments)
    if name in DML:
        return dml(name, arguments)
    statement = arguments.value(0)
    if name == "paginate" and isinstance(statement, Query):
        return page(_run(run, statement, site, name))
    if name in {"first_or_404", "one_or_404"} and isinstance(statement, Query):
        return rows.take(run, statement, site, name)
    return None


def _execute(run: Machine, name: str, statement: Value | None, site: Site) -> Value | None:
    if isinstance(statement, Instance) and statement.name == "sqlalchemy.dml":
        model = statement.attributes.get("model")
        run.record(
            "write",
            site,
            None,
            method="execute",
            model=run.schema.models.get(model.cls) if isinstance(model, ClassRef) else None,
        )
        return UNKNOWN
    if not isinstance(statement, Query) or statement.model.orm is not Orm.SQLALCHEMY:
        return None
    row = _run(run, statement, site, name)
    if name == "scalar":
        return replace(row, varies=frozenset(run.running())) if isinstance(row, Row) else row
    if statement.rows == "rows":
        single = name in {"scalars", "exec", "stream_scalars"}
        return Container(row if single else Container(None, [row], bounded=True))
    if name in {"scalars", "stream_scalars"} and isinstance(row, Container) and row.items:
        return Container(row.items[0])
    return Container(row)


def _get(run: Machine, model: Model, arguments: Arguments, site: Site) -> Value:
    plan = EMPTY
    options = arguments.keywords.get("options")
    for option in options.items or [] if isinstance(options, Container) else []:
        if isinstance(option, Loading):
            plan = rows.with_loading(model, plan, option)
    query = Query(model, plan, site, site, born=run.births())
    run.record("query", site, None, model=model, query=query, method="get")
    return Row(model, plan, query, varies=frozenset(run.running()), one=site)


def is_session(receiver: Value) -> bool:
    """Whether a value is a session, by its type or, where that is unknown, by its name."""
    match receiver:
        case Unknown(hint=hint):
            lower = hint.lower()
            return "session" in lower or lower in {"sess", "dbsession", "db"}
        case Instance(name=name):
            return name.endswith(("Session", "session"))
        case External(name=name):
            return name.endswith(".session")
        case Method(receiver=Instance(name=name), name="session"):
            return "SQLAlchemy" in name
        case _:
            return False


def _unit_of_work(
    run: Machine, receiver: Value, name: str, first: Value | None, arguments: Arguments, site: Site
) -> Value | None:
    if name in {"commit", "flush", "begin_nested"}:
        run.record("commit", site, None, method=name)
        if name == "commit" and not run.loops and not _keeps(receiver):
            _expire(arguments)
        return UNKNOWN
    row = first if isinstance(first, Row) and first.model.orm is Orm.SQLALCHEMY else None
    if row is None:
        return None
    if name == "merge":
        run.record("write", site, None, model=row.model, row=row, method=name)
        return row
    if name == "refresh":
        run.record("refresh", site, row.varies, model=row.model, row=row, method=name)
        names = arguments.value(1, "attribute_names")
        if isinstance(names, Container):
            _refreshed(arguments, row, names)
        return NONE
    if name == "delete" and _loads_children(row):
        run.record("write", site, None, model=row.model, row=row, method=name)
    return NONE


def _keeps(receiver: Value) -> bool:
    hint = receiver.hint if isinstance(receiver, Unknown) else ""
    return hint not in {"session", "db_session", "dbsession", "sess", "async_session"}


def _loads_children(row: Row) -> bool:
    """Whether deleting a row through the session reads its children first."""
    return any(
        (r.many or r.cascade) and row.plan.get(r.name) is None and r.lazy == "select"
        for r in row.model.relations.values()
    )


def _expire(arguments: Arguments) -> None:
    names = arguments.frame.names
    for name, value in names.items():
        if isinstance(value, Container) and isinstance(value.element, Row):
            row = value.element
            if row.model.orm is Orm.SQLALCHEMY and row.query is not None and not row.fresh:
                names[name] = Container(replace(row, plan=replace(row.plan, expired=True)))


def _refreshed(arguments: Arguments, row: Row, names: Container) -> None:
    """`session.refresh(row, ["relation"])` loads these relations."""
    plan = row.plan
    for item in names.items or []:
        if isinstance(item, Const) and isinstance(item.value, str):
            plan = rows.load_path(row.model, plan, [item.value])
    scope = arguments.frame
    for name, value in scope.names.items():
        if value is row:
            scope.names[name] = replace(row, plan=plan)


# Loader options
def option(name: str, arguments: Arguments) -> Value:
    """`joinedload(…)` and the other loader options."""
    if name == "Load":
        return Loading("nothing")
    if name == "selectin_polymorphic":
        listed = arguments.value(1)
        classes = (
            [v.cls.name for v in listed.items or [] if isinstance(v, ClassRef)]
            if isinstance(listed, Container)
            else []
        )
        return Loading("classes", names=tuple(classes) or ("*",))
    path = tuple(_segment(v) for v in arguments.positional if _segment(v))
    if name in _EAGER:
        expanded = tuple(p for part in path for p in part.split("."))
        return Loading("eager", expanded) if path else UNKNOWN
    if name in {"raiseload", "noload", "lazyload"}:
        kind = "lazy" if name == "lazyload" else "none"
        return Loading(kind, path if path != ("*",) else (), names=path)
    if name == "load_only":
        return Loading("columns", names=path)
    if name in {"defer", "undefer"}:
        return Loading(name, names=path)
    return Loading("nothing", path)


def _segment(value: Value) -> str:
    if isinstance(value, Attribute):
        return value.name
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else ""


def chain(loading: Loading, name: str, arguments: Arguments) -> Value:
    """`joinedload(A.b).selectinload(B.c)`: a loader option that continues another."""
    if name == "options":
        inner = tuple(v for v in arguments.positional if isinstance(v, Loading))
        return replace(loading, inner=(*loading.inner, *inner))
    if name not in OPTIONS:
        return loading
    further = option(name, arguments)
    if not isinstance(further, Loading):
        return loading
    if further.kind == "eager" and not loading.inner and loading.kind in {"eager", "nothing"}:
        return Loading("eager", (*loading.path, *further.path))
    return replace(loading, inner=(*loading.inner, further))


def class_path(run: Machine, value: Attribute, name: str) -> Value:
    """`Album.artist.name`-like paths on classes: only `of_type`, `and_` and operators matter."""
    del run
    return Method(value, name)


def dml(name: str, arguments: Arguments) -> Value:
    """`insert(…)`, `update(…)` or `delete(…)`."""
    return Instance(None, {"model": arguments.value(0) or UNKNOWN, "verb": Const(name)}, "sqlalchemy.dml")
