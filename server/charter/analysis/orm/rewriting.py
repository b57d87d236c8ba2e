"""Edits where rows are read: the key instead of the row, a dictionary instead of a lookup for each row, rows in memory."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm.mapping import Kind, Orm
from charter.analysis.orm.world import Module, Site, World
from charter.api import AddImport, AnyEdit, Edit, Fix, Grade, InsertStatement

if TYPE_CHECKING:
    from charter.analysis.orm.frames import Event, Repeated

_OPERATORS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "exact": "==", "in": "in"}


def direct(item: Repeated, world: World) -> Fix | None:
    """A fix that needs no change of the query that loads the rows; None if there is none."""
    event = item.event
    if event.kind == "relation":
        return _key(item)
    if event.kind == "related" and event.method in {"count", "all"}:
        return _hoist(item)
    if event.kind == "query":
        return _lookup(event, world)
    return None


# The key instead of the row
def _key(item: Repeated) -> Fix | None:
    """`order.customer.pk` and `order.customer is None` need only `order.customer_id`."""
    relation = item.event.relation
    if (
        relation is None
        or not relation.column
        or item.event.row is None
        or item.event.row.model.orm is Orm.TORTOISE
    ):
        return None
    edits: list[AnyEdit] = []
    for event in item.events:
        edit = _key_edit(event, relation.column)
        if edit is None:
            return None
        if edit not in edits:
            edits.append(edit)
    if item.count > 1:
        return None
    return Fix(f"Read the key `{relation.column}`, which the row holds", tuple(edits), Grade.SAFE)


def _key_edit(event: Event, column: str) -> Edit | None:
    module, node = event.site.file, event.site.node
    if not isinstance(module, Module) or not isinstance(node, ast.Attribute):
        return None
    parent = module.parents.get(node)
    base = Site(module, node.value).source
    if isinstance(parent, ast.Attribute) and parent.attr in {"pk", "id"}:
        return Edit(Site(module, parent).span, f"{base}.{column}", module.path)
    if isinstance(parent, ast.Compare) and parent.left is node and len(parent.ops) == 1:
        right = parent.comparators[0]
        if isinstance(parent.ops[0], (ast.Is, ast.IsNot)) and isinstance(right, ast.Constant):
            return Edit(event.site.span, f"{base}.{column}", module.path)
    return None


# Out of the loop
def _hoist(item: Repeated) -> Fix | None:
    """A query that is the same in every round is run once before the loop."""
    event = item.event
    module, query, row = event.site.file, event.query, event.row
    if query is None or row is None or row.varies or event.method != "all" or event.loop is None:
        return None
    if (
        not isinstance(module, Module)
        or event.loop.site.file is not module
        or not isinstance(event.site.node, ast.expr)
    ):
        return None
    statement = _loop_statement(module, event)
    if statement is None or not _free_of(module, event.site.node, event.loop.site.node):
        return None
    name = _fresh(module, statement, query.relation.name if query.relation else "rows")
    return Fix(
        "Run the query once, before the loop",
        (
            InsertStatement(Site(module, statement).span, f"{name} = {event.site.source}", path=module.path),
            Edit(event.site.span, name, module.path),
        ),
        Grade.UNSAFE,
    )


def _loop_statement(module: Module, event: Event) -> ast.stmt | None:
    """The statement of the outermost running loop in the function."""
    if event.site.node is None:
        return None
    function = module.function(event.site.node)
    for loop in event.loops:
        if (
            loop.site.file is module
            and loop.site.node is not None
            and module.function(loop.site.node) is function
        ):
            return module.statement(loop.site.node)
    return None


def _free_of(module: Module, node: ast.expr, loop: ast.AST | None) -> bool:
    """Whether an expression mentions nothing that the loop binds."""
    del module
    targets = [loop.target] if isinstance(loop, (ast.For, ast.AsyncFor, ast.comprehension)) else []
    bound = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        bound |= {
            n.id
            for s in loop.body
            for n in ast.walk(s)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
    return not any(isinstance(n, ast.Name) and n.id in bound for n in ast.walk(node))


def _fresh(module: Module, statement: ast.stmt, name: str) -> str:
    """A name that the function does not use."""
    scope: ast.AST = module.function(statement) or module.tree
    used = {n.id for n in ast.walk(scope) if isinstance(n, ast.Name)} | {
        n.arg for n in ast.walk(scope) if isinstance(n, ast.arg)
    }
    while name in used:
        name += "_"
    return name


# A dictionary instead of lookups
def _lookup(event: Event, world: World) -> Fix | None:
    """`Model.objects.get(key=key)` for each key: one query for all keys, and a dictionary."""
    module, node = event.site.file, event.site.node
    loop = event.loop
    if (
        not isinstance(module, Module)
        or not isinstance(node, ast.Call)
        or loop is None
        or loop.site.file is not module
    ):
        return None
    target, source = _simple_loop(loop.site.node)
    statement = _loop_statement(module, event)
    if target is None or source is None or statement is None or len(event.loops) > 1 or event.model is None:
        return None
    if module.statement(loop.site.node) is not statement:  # pyright: ignore[reportArgumentType]
        return None
    orm = event.model.orm
    if orm is Orm.DJANGO:
        return _django_lookup(event, module, node, target, source, statement)
    if orm is Orm.SQLALCHEMY and event.method == "get":
        return _session_lookup(event, module, node, target, source, statement, world)
    if orm is Orm.PEEWEE and event.method == "get":
        return _peewee_lookup(event, module, node, target, source, statement)
    return None


def _simple_loop(loop: ast.AST | None) -> tuple[str | None, str | None]:
    """The name that a loop binds and the name of what it goes through."""
    if not isinstance(loop, (ast.For, ast.AsyncFor, ast.comprehension)):
        return None, None
    if isinstance(loop.target, ast.Name) and isinstance(loop.iter, ast.Name):
        return loop.target.id, loop.iter.id
    return None, None


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _plural(name: str) -> str:
    snake = "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
    return snake[:-1] + "ies" if snake.endswith("y") else snake if snake.endswith("s") else snake + "s"


def _django_lookup(
    event: Event, module: Module, node: ast.Call, target: str, source: str, statement: ast.stmt
) -> Fix | None:
    assert event.model is not None
    method = event.method
    asynchronous = isinstance(node.func, ast.Attribute) and node.func.attr.startswith("a")
    if not isinstance(node.func, ast.Attribute):
        return None
    inner = node.func.value
    if method == "exists":
        return None if asynchronous else _django_exists(event, module, node, target, source, statement)
    if method != "get" or len(node.keywords) != 1 or node.args:
        return None
    key = node.keywords[0]
    if key.arg is None or "__" in key.arg or not _is_name(key.value, target):
        return None
    if not _is_key(event, key.arg):
        return None
    name = _fresh(module, statement, f"{_plural(event.model.name)}_by_{key.arg}")
    base = Site(module, inner).source
    loop = "async for" if asynchronous else "for"
    text = f"{name} = {{row.{key.arg}: row {loop} row in {base}.filter({key.arg}__in={source})}}"
    span = event.site.span
    if asynchronous:
        parent = module.parents.get(node)
        if not isinstance(parent, ast.Await):
            return None
        span = Site(module, parent).span
    return _replacement(module, statement, text, Edit(span, f"{name}[{target}]", module.path))


def _is_key(event: Event, name: str) -> bool:
    model = event.model
    return model is not None and (
        name in {"pk", "id"} or name in model.columns or model.by_column(name) is not None
    )


def _replacement(module: Module, statement: ast.stmt, text: str, edit: Edit, *imports: AnyEdit) -> Fix:
    insert = InsertStatement(Site(module, statement).span, text, path=module.path)
    return Fix("Load all rows with one query before the loop", (*imports, insert, edit), Grade.UNSAFE)


def _django_exists(
    event: Event, module: Module, node: ast.Call, target: str, source: str, statement: ast.stmt
) -> Fix | None:
    assert event.model is not None
    inner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if (
        not isinstance(inner, ast.Call)
        or not isinstance(inner.func, ast.Attribute)
        or inner.func.attr != "filter"
    ):
        return None
    if inner.args or len(inner.keywords) != 1:
        return None
    key = inner.keywords[0]
    if key.arg is None or not _is_key(event, key.arg) or not _is_name(key.value, target):
        return None
    name = _fresh(module, statement, f"known_{key.arg}s")
    base = Site(module, inner.func.value).source
    text = f'{name} = set({base}.filter({key.arg}__in={source}).values_list("{key.arg}", flat=True))'
    parent = module.parents.get(node)
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
        edit = Edit(Site(module, parent).span, f"{target} not in {name}", module.path)
    else:
        edit = Edit(event.site.span, f"({target} in {name})", module.path)
    return _replacement(module, statement, text, edit)


def _session_lookup(
    event: Event, module: Module, node: ast.Call, target: str, source: str, statement: ast.stmt, world: World
) -> Fix | None:
    model = event.model
    assert model is not None
    del world
    if len(node.args) != 2 or node.keywords or not _is_name(node.args[1], target) or len(model.primary) != 1:
        return None
    key = model.primary[0]
    session = Site(module, node.func.value).source if isinstance(node.func, ast.Attribute) else "session"
    parent = module.parents.get(node)
    asynchronous = isinstance(parent, ast.Await)
    name = _fresh(module, statement, _plural(model.name))
    rows = f"{session}.scalars(select({model.name}).where({model.name}.{key}.in_({source})))"
    text = f"{name} = {{row.{key}: row for row in {'await ' if asynchronous else ''}{rows}}}"
    span = Site(module, parent).span if isinstance(parent, ast.Await) else event.site.span
    grand = module.parents.get(parent) if isinstance(parent, ast.Await) else None
    del grand
    select: tuple[AnyEdit, ...] = (
        () if "select" in module.names else (AddImport("sqlalchemy", "select", path=module.path),)
    )
    return _replacement(module, statement, text, Edit(span, f"{name}.get({target})", module.path), *select)


def _peewee_lookup(
    event: Event, module: Module, node: ast.Call, target: str, source: str, statement: ast.stmt
) -> Fix | None:
    model = event.model
    assert model is not None
    if len(node.args) != 1 or not isinstance(node.args[0], ast.Compare) or node.keywords:
        return None
    test = node.args[0]
    if (
        not isinstance(test.left, ast.Attribute)
        or not isinstance(test.ops[0], ast.Eq)
        or not _is_name(test.comparators[0], target)
    ):
        return None
    column = Site(module, test.left).source
    name = _fresh(module, statement, f"{_plural(model.name)}_by_{test.left.attr}")
    text = f"{name} = {{row.{test.left.attr}: row for row in {model.name}.select().where({column}.in_({source}))}}"
    return _replacement(module, statement, text, Edit(event.site.span, f"{name}[{target}]", module.path))


# Among rows in memory
def in_memory(item: Repeated) -> tuple[AnyEdit, ...] | None:
    """Edits that choose among prefetched rows what a query for each row chose; None if it is more than they can say."""
    event = item.event
    query = event.query
    module, node = event.site.file, event.site.node
    if (
        query is None
        or not isinstance(module, Module)
        or not isinstance(node, ast.Call)
        or query.head.file is not module
    ):
        return None
    if len({id(e.site.node) for e in item.events}) != 1:
        return None
    base = query.head.source
    names = [s.name for s in query.steps if s.name != "all"]
    if event.method in {"first", "last"}:
        text = _extreme(event, base, names)
    elif event.method == "all" and names == ["filter"] and _only_iterated(module, node):
        text = _filtered(event, base)
    elif event.method == "all" and names == ["order_by"] and _only_iterated(module, node):
        text = _ordered(event, base)
    else:
        text = None
    return (Edit(event.site.span, text, module.path),) if text is not None else None


def _extreme(event: Event, base: str, names: list[str]) -> str | None:
    query = event.query
    assert query is not None
    key = "pk"
    descending = event.method == "last"
    if names == ["order_by"]:
        found = _order(event)
        if found is None:
            return None
        key, reverse = found
        descending = descending != reverse
    elif names or query.model.ordered:
        return None
    return f"{'max' if descending else 'min'}({base}.all(), key=lambda row: row.{key}, default=None)"


def _order(event: Event) -> tuple[str, bool] | None:
    query = event.query
    assert query is not None
    step = next((s for s in query.steps if s.name == "order_by"), None)
    node = step.node if step else None
    if node is None or len(node.args) != 1 or not isinstance(node.args[0], ast.Constant):
        return None
    text = node.args[0].value
    if not isinstance(text, str):
        return None
    name = text.lstrip("-")
    if name not in {"pk", "id"} and name not in query.model.columns:
        return None
    return name, text.startswith("-")


def _ordered(event: Event, base: str) -> str | None:
    found = _order(event)
    if found is None:
        return None
    name, reverse = found
    return f"sorted({base}.all(), key=lambda row: row.{name}{', reverse=True' if reverse else ''})"


def _filtered(event: Event, base: str) -> str | None:
    query = event.query
    module = event.site.file
    assert query is not None
    step = next((s for s in query.steps if s.name == "filter"), None)
    node = step.node if step else None
    if node is None or node.args or not node.keywords:
        return None
    tests: list[str] = []
    for keyword in node.keywords:
        name, _, lookup = (keyword.arg or "").partition("__")
        operator = _OPERATORS.get(lookup or "exact")
        relation = query.model.relations.get(name)
        if (
            relation is not None
            and relation.kind in {Kind.FORWARD, Kind.ONE}
            and isinstance(keyword.value, ast.Attribute)
        ):
            return None
        if operator is None or name not in query.model.columns:
            return None
        value = Site(module, keyword.value).source
        constant = isinstance(keyword.value, ast.Constant)
        if (
            constant
            and isinstance(keyword.value, ast.Constant)
            and isinstance(keyword.value.value, bool)
            and operator == "=="
        ):
            tests.append(f"row.{name}" if keyword.value.value else f"not row.{name}")
        else:
            tests.append(f"row.{name} {operator} {value}")
    return f"[row for row in {base}.all() if {' and '.join(tests)}]"


def _only_iterated(module: Module, node: ast.AST) -> bool:
    """Whether a query set is only iterated over, directly or through one name."""
    parent = module.parents.get(node)
    if isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node:
        return True
    if (
        isinstance(parent, ast.Call)
        and isinstance(parent.func, ast.Name)
        and parent.func.id in {"list", "len", "sorted", "sum"}
    ):
        return True
    if (
        isinstance(parent, ast.Assign)
        and len(parent.targets) == 1
        and isinstance(parent.targets[0], ast.Name)
    ):
        name = parent.targets[0].id
        scope: ast.AST = module.function(parent) or module.tree
        uses = [
            n
            for n in ast.walk(scope)
            if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
        ]
        return bool(uses) and all(_is_loop_over(module, use) for use in uses)
    return False


def _is_loop_over(module: Module, node: ast.Name) -> bool:
    parent = module.parents.get(node)
    return isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node
