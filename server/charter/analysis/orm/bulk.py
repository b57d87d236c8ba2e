"""Edits that write rows together instead of one by one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm.loading import doubtful
from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.world import Module, Site, World
from charter.api import AnyEdit, Edit, Fix, Grade, InsertStatement, RemoveStatement, Span

if TYPE_CHECKING:
    from charter.analysis.orm.frames import Event, Repeated

Loop = ast.For | ast.AsyncFor


def fix(item: Repeated, world: World) -> Fix | None:
    """A fix for a write, or for rows completed one by one; None if there is none."""
    del world
    event = item.event
    module, node = event.site.file, event.site.node
    loop = event.loop.site.node if event.loop else None
    if (
        not isinstance(module, Module)
        or not isinstance(node, ast.Call)
        or not isinstance(loop, (ast.For, ast.AsyncFor))
    ):
        return None
    if (
        event.loop is None
        or event.loop.site.file is not module
        or module.function(node) is not module.function(loop)
    ):
        return None
    if len(event.loops) != 1 or len({id(e.site.node) for e in item.events}) != 1:
        return None
    match event.kind, event.method:
        case "write", "create":
            return _create(event, module, node, loop)
        case "write", "save":
            return _save(event, module, node, loop)
        case "write", "delete":
            return _delete(event, module, node, loop)
        case "write", "add":
            return _add(event, module, node, loop)
        case "commit", "commit" | "flush":
            return _commit(event, module, node, loop)
        case "fetch", "fetch_related":
            return _fetch(event, module, node, loop)
        case "fetch", "prefetch":
            return _prefetch(event, module, node, loop)
        case _:
            return None


def _statement(module: Module, node: ast.expr) -> tuple[ast.stmt | None, ast.expr]:
    """The statement that an expression, perhaps awaited, fills; the expression with its `await`."""
    parent = module.parents.get(node)
    whole = parent if isinstance(parent, ast.Await) else node
    holder = module.parents.get(whole)
    return (holder if isinstance(holder, ast.Expr) else None), whole


def _fresh(module: Module, loop: Loop, name: str) -> str:
    scope: ast.AST = module.function(loop) or module.tree
    used = {n.id for n in ast.walk(scope) if isinstance(n, ast.Name)} | {
        n.arg for n in ast.walk(scope) if isinstance(n, ast.arg)
    }
    while name in used:
        name += "_"
    return name


def _before(module: Module, loop: Loop, text: str) -> InsertStatement:
    return InsertStatement(Site(module, loop).span, text, path=module.path)


def _after(module: Module, loop: Loop, text: str) -> InsertStatement:
    return InsertStatement(Site(module, loop).span, text, after=True, path=module.path)


def _create(event: Event, module: Module, node: ast.Call, loop: Loop) -> Fix | None:
    model = event.model
    if model is None or not isinstance(node.func, ast.Attribute) or any(k.arg is None for k in node.keywords):
        return None
    manager = node.func.value
    base = manager.value if isinstance(manager, ast.Attribute) and model.orm is Orm.DJANGO else manager
    if not isinstance(base, ast.Name) or base.id != model.name:
        return None
    statement, whole = _statement(module, node)
    asynchronous = "await " if isinstance(whole, ast.Await) else ""
    if asynchronous and model.orm is Orm.DJANGO:
        return None
    arguments = module.text[Site(module, node.func).span.end : event.site.span.end]
    made = f"{base.id}{arguments}"
    call = Site(module, manager).source
    title = "Create the rows with one `bulk_create`"
    if statement is not None:
        name = _fresh(module, loop, f"new_{base.id.lower()}s")
        edits: tuple[AnyEdit, ...] = (
            _before(module, loop, f"{name} = []"),
            Edit(Site(module, whole).span, f"{name}.append({made})", module.path),
            _after(module, loop, f"{asynchronous}{call}.bulk_create({name})"),
        )
        return Fix(title, edits, Grade.UNSAFE)
    listed = _appended(module, whole, loop)
    if listed is None:
        return None
    edits = (
        Edit(Site(module, whole).span, made, module.path),
        _after(module, loop, f"{asynchronous}{call}.bulk_create({listed})"),
    )
    return Fix(title, edits, Grade.UNSAFE)


def _appended(module: Module, whole: ast.expr, loop: Loop) -> str | None:
    """The list that an expression is appended to, if it is made empty right before the loop."""
    call = module.parents.get(whole)
    if (
        not isinstance(call, ast.Call)
        or not isinstance(call.func, ast.Attribute)
        or call.func.attr != "append"
    ):
        return None
    if not isinstance(call.func.value, ast.Name) or not isinstance(module.parents.get(call), ast.Expr):
        return None
    name = call.func.value.id
    block = _block(module, loop)
    position = block.index(loop) if loop in block else 0
    previous = block[position - 1] if position else None
    if not isinstance(previous, ast.Assign) or not isinstance(previous.targets[0], ast.Name):
        return None
    empty = isinstance(previous.value, ast.List) and not previous.value.elts
    return name if empty and previous.targets[0].id == name else None


def _block(module: Module, statement: ast.stmt) -> list[ast.stmt]:
    parent = module.parents.get(statement)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and statement in block:
            return block  # pyright: ignore[reportUnknownVariableType]
    return []


def _save(event: Event, module: Module, node: ast.Call, loop: Loop) -> Fix | None:
    model = event.model
    statement, whole = _statement(module, node)
    if model is None or model.orm is not Orm.DJANGO or statement is None or isinstance(whole, ast.Await):
        return None
    if (
        not isinstance(node.func, ast.Attribute)
        or not isinstance(node.func.value, ast.Name)
        or event.row is None
    ):
        return None
    variable = node.func.value.id
    if event.row.fresh or model.cls is None or not _names_model(module, model.name):
        return None
    together = _update(event, module, loop, variable)
    if together is not None:
        return together
    fields = _update_fields(node) or _assigned(loop, variable)
    if not fields or not set(fields) <= {
        *model.columns,
        *model.relations,
        *(r.column for r in model.relations.values()),
    }:
        return None
    name = _fresh(module, loop, f"changed_{variable}s")
    listed = ", ".join(f'"{f}"' for f in fields)
    edits = (
        _before(module, loop, f"{name} = []"),
        Edit(event.site.span, f"{name}.append({variable})", module.path),
        _after(module, loop, f"{model.name}.{model.default_manager}.bulk_update({name}, [{listed}])"),
    )
    return Fix("Write the rows with one `bulk_update`", edits, Grade.UNSAFE)


def _update(event: Event, module: Module, loop: Loop, variable: str) -> Fix | None:
    """`for row in rows: row.done = True; row.save()`: every row gets the same, so one `update()` writes them all."""
    query, model = event.loop.over if event.loop else None, event.model
    if query is None or model is None or isinstance(loop, ast.AsyncFor) or loop.orelse:
        return None
    plain = query.rows == "rows" and not query.sliced and not query.cached and not doubtful(query)
    custom = model.cls is not None and "save" in model.cls.members
    if not plain or custom or not isinstance(loop.target, ast.Name) or loop.target.id != variable:
        return None
    if not isinstance(loop.iter, ast.Call) or query.tail.node is not loop.iter:
        return None
    given: list[str] = []
    for statement in loop.body[:-1]:
        match statement:
            case ast.Assign([ast.Attribute(ast.Name(name), field)], ast.Constant() as value) if (
                name == variable
            ):
                if field not in model.columns:
                    return None
                given.append(f"{field}={Site(module, value).source}")
            case _:
                return None
    last = loop.body[-1]
    if not given or not isinstance(last, ast.Expr) or last.value is not event.site.node:
        return None
    text = f"{Site(module, loop.iter).source}.update({', '.join(given)})"
    edit = Edit(Site(module, loop).span, text, module.path)
    return Fix("Write the rows with one `update`", (edit,), Grade.UNSAFE)


def _names_model(module: Module, name: str) -> bool:
    return name in module.names


def _update_fields(node: ast.Call) -> list[str]:
    value = next((k.value for k in node.keywords if k.arg == "update_fields"), None)
    if isinstance(value, (ast.List, ast.Tuple)):
        return [e.value for e in value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return []


def _assigned(loop: Loop, variable: str) -> list[str]:
    """The attributes of a row that a loop's body assigns; [] if something else may change it."""
    names: list[str] = []
    for node in (n for s in loop.body for n in ast.walk(s)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == variable:
            if isinstance(node.ctx, ast.Store) and node.attr not in names:
                names.append(node.attr)
        elif isinstance(node, ast.Call) and any(
            isinstance(a, ast.Name) and a.id == variable for a in node.args
        ):
            return []
    return names


def _delete(event: Event, module: Module, node: ast.Call, loop: Loop) -> Fix | None:
    model = event.model
    if model is None or model.orm is not Orm.DJANGO or event.loop is None or event.loop.over is None:
        return None
    query = event.loop.over
    custom = model.cls is not None and "delete" in model.cls.members
    if custom or query.sliced or query.streamed or query.rows != "rows" or isinstance(loop, ast.AsyncFor):
        return None
    statement, _ = _statement(module, node)
    target = loop.target
    if statement is None or loop.body != [statement] or loop.orelse or not isinstance(target, ast.Name):
        return None
    if (
        not isinstance(node.func, ast.Attribute)
        or not isinstance(node.func.value, ast.Name)
        or node.func.value.id != target.id
    ):
        return None
    edit = Edit(Site(module, loop).span, f"{Site(module, loop.iter).source}.delete()", module.path)
    return Fix("Delete the rows with one query", (edit,), Grade.UNSAFE)


def _add(event: Event, module: Module, node: ast.Call, loop: Loop) -> Fix | None:
    """`product.labels.add(label)` for each product is `label.products.add(*products)`."""
    relation = event.relation
    statement, _ = _statement(module, node)
    if (
        relation is None
        or not relation.inverse
        or statement is None
        or loop.body != [statement]
        or len(node.args) != 1
    ):
        return None
    other, target = node.args[0], loop.target
    if (
        not isinstance(other, ast.Name)
        or not isinstance(target, ast.Name)
        or other.id == target.id
        or node.keywords
    ):
        return None
    text = f"{other.id}.{relation.inverse}.add(*{Site(module, loop.iter).source})"
    return Fix(
        "Add the rows with one query", (Edit(Site(module, loop).span, text, module.path),), Grade.UNSAFE
    )


def _commit(event: Event, module: Module, node: ast.Call, loop: Loop) -> Fix | None:
    statement, whole = _statement(module, node)
    if statement is None or statement not in loop.body:
        return None
    text = Site(module, whole).source
    name = event.method
    edits = (RemoveStatement(Site(module, statement).span, path=module.path), _after(module, loop, text))
    return Fix(f"{name.capitalize()} once, after the loop", edits, Grade.UNSAFE)


def _fetch(event: Event, module: Module, node: ast.Call, loop: Loop) -> Fix | None:
    """Tortoise: `await row.fetch_related(…)` for each row of a list is one `fetch_for_list`."""
    statement, whole = _statement(module, node)
    model = event.model
    if model is None or statement is None or loop.body != [statement] or not isinstance(whole, ast.Await):
        return None
    if not isinstance(loop.iter, ast.Name) or not _names_model(module, model.name):
        return None
    arguments = ", ".join(Site(module, a).source for a in node.args)
    text = f"await {model.name}.fetch_for_list({loop.iter.id}, {arguments})"
    return Fix(
        "Load the relations of all rows together",
        (Edit(Site(module, loop).span, text, module.path),),
        Grade.UNSAFE,
    )


def _prefetch(event: Event, module: Module, node: ast.Call, loop: Loop) -> Fix | None:
    """`prefetch_related_objects([row], …)` for each row of a list is one call with the list."""
    statement, _ = _statement(module, node)
    if statement is None or loop.body != [statement] or not isinstance(loop.iter, ast.Name) or not node.args:
        return None
    del event
    first = node.args[0]
    if not isinstance(first, ast.List) or len(first.elts) != 1 or not isinstance(first.elts[0], ast.Name):
        return None
    start = Site(module, first).span
    call = Site(module, node).span
    text = module.text[call.start : start.start] + loop.iter.id + module.text[start.end : call.end]
    edit = Edit(Span(*Site(module, loop).span), text, module.path)
    return Fix("Load the relations of all rows together", (edit,), Grade.UNSAFE)
