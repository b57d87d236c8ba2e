"""What mends a repeated query: edits where its rows are loaded, and where they are read."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec import Struct

from charter.analysis.orm import bulk, loading, rewriting
from charter.analysis.orm.loading import Wanted
from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.values import Query
from charter.analysis.orm.world import Module, Site, World
from charter.api import AnyEdit, Edit, Fix, Grade, Span

if TYPE_CHECKING:
    from charter.analysis.orm.frames import Event, Repeated

_PLAIN = frozenset({"all"})
_LOADERS = frozenset({"all", "select_related", "prefetch_related"})


class Knowledge(Struct, frozen=True):
    """What making a fix needs besides the event."""

    world: World


class Need(Struct):
    """What would mend one repeated query.

    Attributes:
        query: the query that should load more.
        path: the relations that it should load.
        column: the column that it should load.
        access: edits where the rows are read.
        title: what the fix does, if more than loading.
    """

    query: Query
    path: tuple[str, ...] = ()
    more: tuple[tuple[str, ...], ...] = ()
    column: str = ""
    subclass: str = ""
    access: tuple[AnyEdit, ...] = ()
    title: str = ""


def plan(items: list[Repeated], knowledge: Knowledge) -> list[tuple[Fix, ...]]:
    """The fixes of each repeated query; those of one origin are made together, so that they do not meet."""
    needs = [_need(item) for item in items]
    groups: dict[object, Wanted] = {}
    for need in needs:
        if need is not None:
            wanted = groups.setdefault(_origin(need.query), Wanted(need.query))
            _add(wanted, need)
    made = {key: loading.edits(wanted, knowledge.world) for key, wanted in groups.items()}
    result: list[tuple[Fix, ...]] = []
    for item, need in zip(items, needs, strict=True):
        fixes: list[Fix] = []
        direct = rewriting.direct(item, knowledge.world) or bulk.fix(item, knowledge.world)
        if direct is not None:
            fixes.append(direct)
        edits = made.get(_origin(need.query)) if need is not None else None
        if need is not None and edits:
            fixes.append(_fix(item, need, edits, groups[_origin(need.query)]))
        result.append(tuple(fixes))
    return result


def _origin(query: Query) -> object:
    span = query.head.span
    return (query.head.file.path, span.start, span.end, type(query.head.node))


def _add(wanted: Wanted, need: Need) -> None:
    for path in (need.path, *need.more):
        if path and path not in wanted.paths:
            wanted.paths.append(path)
    if need.column and (need.path, need.column) not in wanted.columns:
        wanted.columns.append((need.path, need.column))
    if need.subclass and need.subclass not in wanted.classes:
        wanted.classes.append(need.subclass)


def _fix(item: Repeated, need: Need, edits: list[AnyEdit], wanted: Wanted) -> Fix:
    names = ["`" + ".".join(path) + "`" for path in wanted.paths]
    names += [f"`{column}`" for _, column in wanted.columns]
    names += [f"the columns of `{name}`" for name in wanted.classes]
    title = need.title or f"Load {', '.join(names)} with the query"
    return Fix(title, (*edits, *need.access), _grade(item, need))


def _grade(item: Repeated, need: Need) -> Grade:
    query = need.query
    event = item.event
    if need.access or loading.doubtful(query) or query.model.orm in {Orm.PEEWEE, Orm.TORTOISE}:
        return Grade.UNSAFE
    module = query.head.file
    loop = event.loop.site if event.loop else event.site
    if (
        not isinstance(module, Module)
        or loop.file is not module
        or query.head.node is None
        or loop.node is None
    ):
        return Grade.UNSAFE
    same = module.function(query.head.node) is module.function(loop.node)
    return Grade.SAFE if same else Grade.UNSAFE


# What is needed
def _need(item: Repeated) -> Need | None:
    event = item.event
    if event.kind == "immediate":
        return Need(event.query, (event.method,)) if event.query is not None else None
    if event.kind == "relation":
        return _relation_need(event)
    if event.kind == "column":
        return _column_need(event)
    if event.kind == "related":
        return _related_need(item)
    return None


def _relation_need(event: Event) -> Need | None:
    row, relation = event.row, event.relation
    if (
        row is None
        or relation is None
        or row.query is None
        or (event.loop is not None and event.loop.carried)
    ):
        return None
    query, path = _root(row.query, (*row.path, relation.name))
    access: tuple[AnyEdit, ...] = ()
    if query.model.orm is Orm.TORTOISE:
        edit = _without_await(event.site)
        if edit is None:
            return None
        access = (edit,)
    return Need(query, path, access=access)


def _without_await(site: Site) -> Edit | None:
    start = site.span.start
    before = site.file.text[:start]
    stripped = before.rstrip()
    if not stripped.endswith("await"):
        return None
    return Edit(Span(len(stripped) - len("await"), start), "", site.file.path)


def _column_need(event: Event) -> Need | None:
    row = event.row
    if row is None or row.query is None or row.path:
        return None
    if event.model is not None and event.model is not row.model:
        return Need(row.query, subclass=event.model.name)
    return Need(row.query, column=event.method)


def _root(query: Query, path: tuple[str, ...]) -> tuple[Query, tuple[str, ...]]:
    """The query at which a path should be loaded: the child's own where it stands alone, else its parent's."""
    while query.parent is not None and query.relation is not None and query.parent.query is not None:
        own = isinstance(query.head.file, Module) and bool(query.steps)
        plain = all(step.name in _LOADERS for step in query.steps)
        alone = not query.parent.varies or query.parent.one is not None
        if own and (alone or not plain):
            return query, path
        path = (*query.parent.path, query.relation.name, *path)
        query = query.parent.query
    return query, path


def _related_need(item: Repeated) -> Need | None:
    event = item.event
    query, row, relation = event.query, event.row, event.relation
    if query is None or row is None or relation is None or row.query is None:
        return None
    if event.loop is not None and not (row.varies & {loop.number for loop in event.loops}):
        return None
    root, path = _root(row.query, (*row.path, relation.name))
    names = [step.name for step in query.steps]
    orm = query.model.orm
    if event.method in {"all", "count", "exists"} and all(n in _PLAIN for n in names):
        if orm is Orm.DJANGO or event.method == "all":
            return Need(root, path)
        return None
    if orm is not Orm.DJANGO:
        return None
    if event.method == "all" and names and all(n in _LOADERS for n in names):
        return _loader_need(event, query, root, path)
    access = rewriting.in_memory(item)
    if access is None:
        return None
    return Need(
        root, path, access=access, title=f"Load `{'.'.join(path)}` with the query and choose among its rows"
    )


def _loader_need(event: Event, query: Query, root: Query, path: tuple[str, ...]) -> Need | None:
    """`entry.remarks.select_related("writer")` for each row: load `remarks` and `remarks.writer` with the rows."""
    more: list[tuple[str, ...]] = []
    first: ast.AST | None = None
    for step in query.steps:
        node = step.node
        if node is None or step.site.file is not event.site.file:
            return None
        first = node
        for argument in node.args:
            if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                return None
            more.append((*path, *argument.value.split("__")))
    if first is None or query.head.file is not event.site.file:
        return None
    span = Site(event.site.file, first).span
    edit = Edit(Span(query.head.span.end, span.end), ".all()", event.site.file.path)
    return Need(root, path, tuple(more), access=(edit,))
