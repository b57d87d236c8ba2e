"""Edits that make a query load what its rows are asked for later: at the query, in the way of its mapper."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.analysis.orm.mapping import Kind, Model, Orm, Relation
from charter.analysis.orm.mentions import last_name
from charter.analysis.orm.values import EMPTY, Plan, Query, Step
from charter.analysis.orm.world import Class, Module, Site
from charter.api import AddImport, AnyEdit, Edit, InsertStatement, Span

if TYPE_CHECKING:
    from charter.analysis.orm.world import World

_ENDING = frozenset({"iterator", "get_context_data"})
_DOUBTFUL = frozenset(
    {"select_for_update", "raw", "union", "intersection", "difference", "extra", "distinct", "only", "defer"}
)


class Wanted(Struct):
    """What one query should load besides.

    Attributes:
        query: the query.
        paths: relation paths from its rows.
        columns: (path, column) of columns that it leaves out.
        classes: polymorphic subclasses.
    """

    query: Query
    paths: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    columns: list[tuple[tuple[str, ...], str]] = field(default_factory=list[tuple[tuple[str, ...], str]])
    classes: list[str] = field(default_factory=list[str])


def relations(model: Model, path: tuple[str, ...], plan: Plan | None = None) -> list[Relation] | None:
    """The relations of a path; None if one is not known."""
    found: list[Relation] = []
    current: Model | None = model
    for name in path:
        relation = current.relations.get(name) if current is not None else None
        if relation is None and plan is not None and current is not None:
            listed = dict(plan.lists).get(name)
            relation = current.relations.get(listed[0]) if listed else None
        if relation is None:
            return None
        found.append(relation)
        current = relation.target
        plan = (plan.get(name) if plan is not None else None) or EMPTY
    return found


def doubtful(query: Query) -> bool:
    """Whether loading more could change what the query does."""
    return any(step.name in _DOUBTFUL for step in query.steps)


def edits(wanted: Wanted, world: World) -> list[AnyEdit] | None:
    """The edits that make a query load what is wanted; None if there is no place for them."""
    query = wanted.query
    if not isinstance(query.head.file, Module) or query.head.node is None:
        return None
    match query.model.orm:
        case Orm.DJANGO:
            return _django(wanted)
        case Orm.SQLALCHEMY:
            return _sqlalchemy(wanted, world)
        case Orm.PEEWEE:
            return _peewee(wanted, world)
        case Orm.TORTOISE:
            return _lookups(wanted)


# The chain of a query
def chain(query: Query) -> list[Step]:
    """The calls of the expression in which a query begins, as far as each still is the query."""
    head = query.head.node
    found: list[Step] = []
    for step in query.steps:
        node = step.node
        if node is None or step.site.file is not query.head.file or not isinstance(head, ast.expr):
            continue
        if (node.lineno, node.col_offset) == (head.lineno, head.col_offset):
            if step.name in _ENDING:
                break
            found.append(step)
    return found


def end_of(query: Query) -> Site:
    """The expression behind which another call of the query can stand."""
    steps = chain(query)
    return steps[-1].site if steps else query.head


def _after(site: Site, text: str) -> Edit:
    end = site.span.end
    return Edit(Span(end, end), text, site.file.path)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


# Django
def _split(wanted: Wanted) -> tuple[list[str], list[str]] | None:
    """The paths for `select_related` and those for `prefetch_related`."""
    joined: list[str] = []
    fetched: list[str] = []
    raw = any(step.name == "raw" for step in wanted.query.steps)
    for path in wanted.paths:
        found = relations(wanted.query.model, path, wanted.query.plan)
        if found is None:
            return None
        text = "__".join(path)
        several = raw or any(r.many or r.kind is Kind.GENERIC for r in found)
        (fetched if several else joined).append(text)
    return _maximal(joined), _maximal(fetched)


def _maximal(paths: list[str]) -> list[str]:
    unique = list(dict.fromkeys(paths))
    return [p for p in unique if not any(o != p and o.startswith(f"{p}__") for o in unique)]


def _django(wanted: Wanted) -> list[AnyEdit] | None:
    query = wanted.query
    head = query.head.node
    if isinstance(head, ast.ClassDef):
        # A manager's own rows begin with its class as well, and it takes none of an admin's settings.
        return _admin(wanted, head) if any(last_name(base).endswith("Admin") for base in head.bases) else None
    split = _split(wanted)
    if split is None:
        return None
    made: list[AnyEdit] = []
    for name, paths in zip(("select_related", "prefetch_related"), split, strict=True):
        if paths:
            made.extend(_merge(query, name, paths))
    for path, column in wanted.columns:
        edit = None if path else _column(query, column)
        if edit is None:
            return None
        made.append(edit)
    calls = "".join(
        e.text for e in made if isinstance(e, Edit) and e.span.start == e.span.end == end_of(query).span.end
    )
    rest = [
        e for e in made if not (isinstance(e, Edit) and e.span.start == e.span.end == end_of(query).span.end)
    ]
    if isinstance(head, ast.Name) and not chain_is_call(query):
        return _named_model(query, head, calls, rest)
    if calls:
        rest.append(_instead_of_all(query, calls))
    return rest


def _instead_of_all(query: Query, calls: str) -> Edit:
    """Put calls behind a query set's chain; a bare `.all()` at its end has then nothing left to do."""
    steps = chain(query)
    node = steps[-1].node if steps else None
    end = end_of(query)
    if steps and steps[-1].name == "all" and node is not None and isinstance(node.func, ast.Attribute):
        start = Site(end.file, node.func.value).span.end
        return Edit(Span(start, end.span.end), calls, end.file.path)
    return _after(end, calls)


def chain_is_call(query: Query) -> bool:
    """Whether a query begins with a manager's attribute or a call, not with a bare model's name."""
    return bool(chain(query)) and isinstance(chain(query)[-1].node, ast.Call)


def _merge(query: Query, name: str, paths: list[str]) -> list[Edit]:
    """Add paths to the chain's call of a loader, or call it at the chain's end."""
    last = next((s for s in reversed(query.steps) if s.name == name and s.node is not None), None)
    if last is not None and last.node is not None:
        node = last.node
        if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value is None:
            return [Edit(Site(last.site.file, node.args[0]).span, _quoted(paths), last.site.file.path)]
    present = next(
        (s for s in reversed(chain(query)) if s.name == name and s.node is not None and s.node.args), None
    )
    if present is None or present.node is None:
        return [_after(end_of(query), f".{name}({_quoted(paths)})")]
    return _lengthen(present.site, present.node, paths)


def _lengthen(site: Site, node: ast.Call, paths: list[str]) -> list[Edit]:
    made: list[Edit] = []
    rest = list(paths)
    for argument in node.args:
        text = (
            argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None
        )
        longer = next((p for p in rest if text is not None and p.startswith(f"{text}__")), None)
        if longer is not None:
            made.append(Edit(Site(site.file, argument).span, f'"{longer}"', site.file.path))
            rest.remove(longer)
    if rest:
        end = Site(site.file, node.args[-1]).span.end
        made.append(Edit(Span(end, end), f", {_quoted(rest)}", site.file.path))
    return made


def _column(query: Query, column: str) -> Edit | None:
    """Load a column that `only()` or `defer()` leaves out."""
    for step in reversed(query.steps):
        node = step.node
        if node is None or step.name not in {"only", "defer"}:
            continue
        if step.name == "only" and node.args:
            end = Site(step.site.file, node.args[-1]).span.end
            return Edit(Span(end, end), f', "{column}"', step.site.file.path)
        if not (step.name == "defer" and isinstance(node.func, ast.Attribute)):
            continue
        names = [a for a in node.args if isinstance(a, ast.Constant) and a.value == column]
        if names and len(node.args) == 1:
            start = Site(step.site.file, node.func.value).span.end
            return Edit(Span(start, step.site.span.end), "", step.site.file.path)
        if names:
            kept = [Site(step.site.file, a).source for a in node.args if a is not names[0]]
            first, last = (
                Site(step.site.file, node.args[0]).span,
                Site(step.site.file, node.args[-1]).span,
            )
            return Edit(Span(first.start, last.end), ", ".join(kept), step.site.file.path)
    return None


def _named_model(query: Query, head: ast.Name, calls: str, rest: list[AnyEdit]) -> list[AnyEdit] | None:
    """A query that code names by its model alone: `get_object_or_404(Order, …)`, `model = Order` of a view."""
    module = query.head.file
    assert isinstance(module, Module)
    if not calls:
        return rest or None
    manager = query.model.default_manager
    text = f"{head.id}.{manager}{calls}"
    parent = module.parents.get(head)
    if isinstance(parent, ast.Assign) and isinstance(module.parents.get(parent), ast.ClassDef):
        return [
            *rest,
            InsertStatement(Site(module, parent).span, f"queryset = {text}", after=True, path=module.path),
        ]
    if isinstance(parent, ast.Call):
        return [*rest, Edit(query.head.span, text, module.path)]
    return None


def _admin(wanted: Wanted, node: ast.ClassDef) -> list[AnyEdit] | None:
    """An admin class without a query set of its own: `list_select_related`, or a `get_queryset`."""
    module = wanted.query.head.file
    split = _split(wanted)
    if split is None or not isinstance(module, Module):
        return None
    joined, fetched = split
    made: list[AnyEdit] = []
    members = {
        t.id: s for s in node.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name)
    }
    anchor = members.get("list_display") or next((s for s in node.body if not _is_docstring(s)), None)
    if anchor is None:
        return None
    if joined:
        present = members.get("list_select_related")
        if present is None:
            text = f"list_select_related = [{_quoted(joined)}]"
            made.append(
                InsertStatement(
                    Site(module, anchor).span, text, after=anchor in members.values(), path=module.path
                )
            )
        elif isinstance(present.value, (ast.List, ast.Tuple)) and present.value.elts:
            end = Site(module, present.value.elts[-1]).span.end
            made.append(Edit(Span(end, end), f", {_quoted(joined)}", module.path))
        else:
            return None
    if fetched:
        if any(isinstance(s, ast.FunctionDef) and s.name == "get_queryset" for s in node.body):
            return None
        body = f"def get_queryset(self, request):\n    return super().get_queryset(request).prefetch_related({_quoted(fetched)})"
        made.append(
            InsertStatement(Site(module, node.body[-1]).span, f"\n{body}", after=True, path=module.path)
        )
    return made


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


# Tortoise
def _lookups(wanted: Wanted) -> list[AnyEdit] | None:
    split = _split(wanted)
    if split is None or wanted.columns:
        return None
    made: list[Edit] = []
    for name, paths in zip(("select_related", "prefetch_related"), split, strict=True):
        if paths:
            made.extend(_merge(wanted.query, name, paths))
    at = end_of(wanted.query).span.end
    calls = "".join(e.text for e in made if e.span == (at, at))
    rest: list[AnyEdit] = [e for e in made if e.span != (at, at)]
    return [*rest, _after(end_of(wanted.query), calls)] if calls else rest


# SQLAlchemy
def _sqlalchemy(wanted: Wanted, world: World) -> list[AnyEdit] | None:
    query = wanted.query
    module = query.head.file
    assert isinstance(module, Module)
    names: set[str] = set()
    classes: list[Class] = []
    options: list[str] = []
    unique = list(dict.fromkeys(wanted.paths))
    for path in [p for p in unique if not any(o != p and o[: len(p)] == p for o in unique)]:
        text = _option(query, path, names, classes)
        if text is None:
            return None
        options.append(text)
    for path, column in wanted.columns:
        if path or query.model.cls is None:
            return None
        names.add("undefer")
        classes.append(query.model.cls)
        options.append(f"undefer({query.model.name}.{column})")
    if wanted.classes:
        names.add("selectin_polymorphic")
        found = [c.cls for c in query.model.children if c.name in wanted.classes and c.cls]
        classes.extend(found)
        options.append(f"selectin_polymorphic({query.model.name}, [{', '.join(c.name for c in found)}])")
    if not options:
        return None
    imports: list[AnyEdit] = [AddImport("sqlalchemy.orm", n, path=module.path) for n in sorted(names)]
    for cls in dict.fromkeys(classes):
        if world.resolve(module, cls.name) is not cls:
            if cls.name in module.names or not cls.module.name:
                return None
            imports.append(AddImport(cls.module.name, cls.name, path=module.path))
    return [*imports, *_options_edit(query, options)]


def _options_edit(query: Query, options: list[str]) -> list[AnyEdit]:
    head = query.head.node
    text = ", ".join(options)
    if isinstance(head, ast.Call) and isinstance(head.func, ast.Attribute) and head.func.attr == "get":
        present = next((k.value for k in head.keywords if k.arg == "options"), None)
        if isinstance(present, ast.List) and present.elts:
            end = Site(query.head.file, present.elts[-1]).span.end
            return [Edit(Span(end, end), f", {text}", query.head.file.path)]
        last = [*head.args, *(k.value for k in head.keywords)][-1]
        end = Site(query.head.file, last).span.end
        return [Edit(Span(end, end), f", options=[{text}]", query.head.file.path)]
    return [_after(end_of(query), f".options({text})")]


def _option(query: Query, path: tuple[str, ...], names: set[str], classes: list[Class]) -> str | None:
    """`joinedload(Album.artist).joinedload(Artist.label)`: what is loaded already keeps the way it is loaded."""
    parts: list[str] = []
    model: Model | None = query.model
    plan: Plan | None = query.plan
    for index, name in enumerate(path):
        relation = model.relations.get(name) if model is not None else None
        if relation is None or model is None or model.cls is None:
            return None
        owner = _owner(model, name)
        loaded = plan.get(name) if plan is not None else None
        last = index == len(path) - 1
        if relation.lazy in {"dynamic", "write_only"}:
            return None
        eager = loaded is not None or relation.lazy in {"joined", "selectin", "subquery"}
        loader = "defaultload" if eager and not last else "selectinload" if relation.many else "joinedload"
        names.add(loader)
        classes.append(owner)
        parts.append(f"{loader}({owner.name}.{name})")
        model, plan = relation.target, loaded
    return ".".join(parts)


def _owner(model: Model, name: str) -> Class:
    del name
    assert model.cls is not None
    return model.cls


# Peewee
def _peewee(wanted: Wanted, world: World) -> list[AnyEdit] | None:
    query = wanted.query
    head = query.head.node
    module = query.head.file
    if not isinstance(head, ast.Call) or not isinstance(module, Module) or wanted.columns:
        return None
    steps = chain(query)
    joins = [s for s in query.steps if s.name in {"join", "join_from", "switch"}]
    paths = [p for p in wanted.paths if not any(o != p and o[: len(p)] == p for o in wanted.paths)]
    found = relations(query.model, paths[0]) if len(paths) == 1 else None
    if found is None:
        return None
    imports: list[AnyEdit] = []
    for relation in found:
        cls = relation.target.cls if relation.target else None
        if cls is None:
            return None
        if world.resolve(module, cls.name) is not cls:
            imports.append(AddImport(cls.module.name, cls.name, path=module.path))
    targets = [r.target.name for r in found if r.target]
    if len(found) == 1 and found[0].many:
        if steps or joins or not _is_iterated(module, head):
            source = Site(module, steps[-1].node if steps and steps[-1].node else head)
        else:
            source = query.head
        if not isinstance(source.node, ast.expr) or not _is_iterated(module, source.node):
            return None
        text = f"prefetch({source.source}, {targets[0]}.select())"
        return [
            *imports,
            AddImport("peewee", "prefetch", path=module.path),
            Edit(source.span, text, module.path),
        ]
    if any(r.many for r in found):
        return None
    joined = [_name(s.node.args[0]) for s in joins if s.node is not None and s.node.args]
    missing = [r for r in found if r.target and r.target.name not in joined]
    if joined and (missing or any(s.name != "join" for s in joins)):
        return None
    return [*imports, *_peewee_select(query, head, found, missing)]


def _peewee_select(
    query: Query, head: ast.Call, found: list[Relation], missing: list[Relation]
) -> list[AnyEdit]:
    path = query.head.file.path
    targets = [r.target.name for r in found if r.target]
    start = Site(query.head.file, head.args[-1]).span.end if head.args else query.head.span.end - 1
    own = ", ".join(targets if head.args else [query.model.name, *targets])
    made: list[AnyEdit] = [Edit(Span(start, start), f", {own}" if head.args else own, path)]
    text = ""
    for relation in missing:
        assert relation.target is not None
        outer = ", JOIN.LEFT_OUTER" if relation.null else ""
        text += f".join({relation.target.name}{outer})"
        if outer:
            made.append(AddImport("peewee", "JOIN", path=path))
    if text:
        made.append(_after(query.head, text))
    return made


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_iterated(module: Module, node: ast.AST) -> bool:
    parent = module.parents.get(node)
    return isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension)) and parent.iter is node
