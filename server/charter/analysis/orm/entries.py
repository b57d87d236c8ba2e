"""Where a project's code is entered: functions, views, admin pages, forms, GraphQL types, scripts."""

from __future__ import annotations

import ast
from collections.abc import Callable

from msgspec import Struct

from charter.analysis.orm import admin, decorators, django, rows, schemas, views
from charter.analysis.orm.declarations import is_manager_class, is_queryset_class, keyword_of
from charter.analysis.orm.machine import Exhausted, Machine
from charter.analysis.orm.values import (
    EMPTY,
    OPAQUE,
    UNKNOWN,
    ClassRef,
    Container,
    Function,
    Instance,
    Manager,
    Query,
    Row,
    Value,
)
from charter.analysis.orm.world import Class, Module, Site
from charter.model.names import decorator_name


class Entry(Struct, frozen=True):
    """One way into the project's code.

    Attributes:
        path: the file it stands in.
        name: its qualified name, for messages.
        run: evaluates it.
    """

    path: str
    name: str
    run: Callable[[Machine], None]


def entries(run: Machine, module: Module) -> list[Entry]:
    """The entry points of one file."""
    found: list[Entry] = []
    _ = module.names
    hot = run.reach.hot
    found.extend(
        Entry(module.path, n.name, _function(module, n))
        for n in module.functions
        if (module.path, "", n.name) in hot
    )
    for cls in module.classes:
        found.extend(_class_entries(run, module, cls))
    if (module.path, "", "") in hot and any(
        isinstance(s, (ast.For, ast.AsyncFor, ast.With, ast.If)) for s in module.tree.body
    ):
        found.append(Entry(module.path, "", _script(module)))
    return found


def evaluate(run: Machine, entry: Entry) -> None:
    """Run an entry point; what it notes is in `run.events`."""
    run.start()
    try:
        entry.run(run)
    except (Exhausted, RecursionError):
        return


def _function(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Callable[[Machine], None]:
    def enter(run: Machine) -> None:
        _invoke(run, Function(node, module), Site(module, node), _signalled(run, module, node))

    return enter


def _signalled(
    run: Machine, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef
) -> dict[str, Value]:
    """What Django's signals hand to a receiver that names its sender: one row of that model."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and decorator_name(decorator) == "receiver":
            sender = next((k.value for k in decorator.keywords if k.arg == "sender"), None)
            value = run.evaluate(sender, run.module_frame(module)) if sender is not None else UNKNOWN
            model = run.schema.models.get(value.cls) if isinstance(value, ClassRef) else None
            if model is not None:
                return {"instance": Row(model, EMPTY)}
    return {}


def _invoke(run: Machine, function: Function, site: Site, keywords: dict[str, Value] | None = None) -> Value:
    """Run a function as an entry point: the call itself is no station of the way."""
    value = run.enter(function, keywords)
    if isinstance(value, (Query, Container, Row)) and isinstance(
        function.node, (ast.FunctionDef, ast.AsyncFunctionDef)
    ):
        _response(run, function, value, _returned(function, site))
    return value


def _returned(function: Function, site: Site) -> Site:
    """Where a function's only `return` says what it gives; the function itself if there are several."""
    returns = [node for node in ast.walk(function.node) if isinstance(node, ast.Return)]
    return Site(site.file, returns[0].value) if len(returns) == 1 and returns[0].value is not None else site


def _response(run: Machine, function: Function, value: Value, site: Site) -> None:
    """FastAPI and Ninja read what `response_model` or `response` names from what the function returns."""
    node = function.node
    assert not isinstance(node, ast.Lambda)
    model: ast.expr | None = None
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and decorator_name(decorator) in _ROUTES:
            named = keyword_of(decorator, "response_model") or keyword_of(decorator, "response")
            model = named or node.returns
    for part in ast.walk(model) if model is not None else ():
        target = (
            run.world.expression(function.module, part)
            if isinstance(part, (ast.Name, ast.Attribute))
            else None
        )
        if not isinstance(target, Class):
            continue
        if isinstance(value, Row):
            schemas.validate(run, ClassRef(target), value, site)
            return
        element, bounded = run.iterate(value, site)
        with run.loop(site, bounded=bounded, what="rows", rows=True) as loop:
            schemas.validate(run, ClassRef(target), run.vary(element, loop), site)
        return


_ROUTES = frozenset({"get", "post", "put", "patch", "api_route"})


def _script(module: Module) -> Callable[[Machine], None]:
    def enter(run: Machine) -> None:
        frame = run.module_frame(module)
        for statement in module.tree.body:
            if isinstance(statement, (ast.For, ast.AsyncFor, ast.With, ast.Assign)) or _is_main(statement):
                run.statement(statement, frame)

    return enter


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test)


def _class_entries(run: Machine, module: Module, cls: Class) -> list[Entry]:
    found: list[Entry] = []
    receiver = _receiver(run, cls)
    hot = run.reach.hot
    for name, member in cls.members.items():
        if (
            isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef))
            and (module.path, cls.name, name) in hot
        ):
            found.append(Entry(module.path, f"{cls.name}.{name}", _method(module, cls, member, receiver)))
    classes = run.reach.classes
    ancestors = (entry for entry in run.world.mro(cls) if isinstance(entry, Class))
    if (module.path, "", "") not in hot and not any((e.module.path, e.name) in classes for e in ancestors):
        return found
    for special in (_view, admin.entry, _form, _graphql):
        enter = special(run, cls)
        if enter is not None:
            found.append(Entry(module.path, cls.name, enter))
    return found


def _receiver(run: Machine, cls: Class) -> Value:
    model = run.schema.models.get(cls)
    site = Site(cls.module, cls.node)
    if model is not None:
        return Row(model, OPAQUE)
    if is_manager_class(run.world, cls) or is_queryset_class(run.world, cls):
        owners = [
            m
            for m in run.schema.models.values()
            if any(cls in (run.world.mro(c) if c else ()) for pair in m.managers.values() for c in pair)
        ]
        owner = min(owners, key=lambda m: (m.abstract, len(m.parents)), default=None)
        if owner is not None and is_queryset_class(run.world, cls):
            return Query(owner, OPAQUE, site, site, cls=cls)
        if owner is not None:
            return Manager(owner, cls, None, site)
    return Instance(cls)


def _method(
    module: Module, cls: Class, node: ast.FunctionDef | ast.AsyncFunctionDef, receiver: Value
) -> Callable[[Machine], None]:
    def enter(run: Machine) -> None:
        bound: Value | None = receiver
        if isinstance(receiver, Instance):
            bound = Instance(cls)
        if any(decorator_name(d) == "classmethod" for d in node.decorator_list):
            bound = ClassRef(cls)
        elif decorators.decorated_static(node):
            bound = None
        _invoke(run, Function(node, module, cls, bound), Site(module, node))

    return enter


# Views
def _view(run: Machine, cls: Class) -> Callable[[Machine], None] | None:
    names = views.kinds(run, cls)
    if not any(n.endswith(("View", "ViewSet", "Mixin")) for n in names):
        return None

    def enter(inner: Machine) -> None:
        if not views.run_view(inner, cls):
            views.run_api(inner, cls)

    return enter


# Forms
_CHOICES = ("ModelChoiceField", "ModelMultipleChoiceField")


def _form(run: Machine, cls: Class) -> Callable[[Machine], None] | None:
    fields = [m for m in cls.members.values() if isinstance(m, ast.Call) and _choice_kind(run, cls, m)]

    def enter(inner: Machine) -> None:
        for field in fields:
            _choices(inner, cls, field)

    return enter if fields else None


def _choice_kind(run: Machine, cls: Class, call: ast.Call) -> bool:
    target = run.world.expression(cls.module, call.func)
    if isinstance(target, str):
        return target.rpartition(".")[2] in _CHOICES
    return isinstance(target, Class) and any(n in _CHOICES for n in views.kinds(run, target))


def _choices(run: Machine, cls: Class, call: ast.Call) -> None:
    frame = run.module_frame(cls.module)
    node = next((k.value for k in call.keywords if k.arg == "queryset"), call.args[0] if call.args else None)
    widget = next((k.value for k in call.keywords if k.arg == "widget"), None)
    if node is None or (widget is not None and "Hidden" in ast.dump(widget)):
        return
    site = Site(cls.module, call)
    query = django.as_query(run, run.evaluate(node, frame), Site(cls.module, node))
    if query is None:
        return
    target = run.world.expression(cls.module, call.func)
    element = rows.evaluate_query(run, query, site)
    with run.loop(site, bounded=False, what=query.model.name, over=query, rows=True) as loop:
        row = run.vary(element, loop)
        label = run.world.member(target, "label_from_instance") if isinstance(target, Class) else None
        if label is not None and isinstance(label[1], ast.FunctionDef) and isinstance(target, Class):
            run.invoke(Function(label[1], label[0].module, label[0], Instance(target)), [row], {}, site)
        else:
            run.stringify(row, site)


# GraphQL
def _graphql(run: Machine, cls: Class) -> Callable[[Machine], None] | None:
    resolvers = [
        (name, member)
        for name, member in cls.members.items()
        if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (name.startswith("resolve_") or any(decorator_name(d) == "field" for d in member.decorator_list))
    ]
    if not resolvers or _object_model(run, cls) is not None:
        return None

    def enter(inner: Machine) -> None:
        for name, member in resolvers:
            _resolve(inner, cls, name, member)

    return enter


def _resolve(run: Machine, cls: Class, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    kind = _result_type(run, cls, name, node)
    site = Site(cls.module, node)
    value = run.enter(Function(node, cls.module, cls, Instance(cls)))
    if kind is None or not isinstance(value, (Query, Container)):
        return
    element, bounded = run.iterate(value, site)
    if not isinstance(element, Row):
        return
    over = value if isinstance(value, Query) else None
    with run.loop(site, bounded=bounded, what=element.model.name, over=over, rows=True) as loop:
        row = run.vary(element, loop)
        for inner_name, member in kind.members.items():
            if not isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if _hinted(member):
                continue
            is_field = any(decorator_name(d) == "field" for d in member.decorator_list)
            if inner_name.startswith("resolve_") or is_field:
                run.invoke(Function(member, kind.module, kind, row), [UNKNOWN], {}, site)


def _hinted(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a field tells Strawberry's optimizer what to load for it."""
    calls = [d for d in node.decorator_list if isinstance(d, ast.Call)]
    return any(k.arg in {"select_related", "prefetch_related", "annotate"} for c in calls for k in c.keywords)


def _object_model(run: Machine, cls: Class) -> object:
    meta = cls.members.get("Meta")
    if isinstance(meta, ast.ClassDef) and any(n.endswith("ObjectType") for n in views.kinds(run, cls)):
        inner = cls.module.inner.get(meta)
        return inner.members.get("model") if inner else None
    for decorator in cls.node.decorator_list:
        if isinstance(decorator, ast.Call) and "strawberry" in ast.dump(decorator.func) and decorator.args:
            return decorator.args[0]
    return None


def _result_type(
    run: Machine, cls: Class, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef
) -> Class | None:
    """The GraphQL type whose resolvers run for each row that a resolver returns."""
    field = cls.members.get(name.removeprefix("resolve_")) if name.startswith("resolve_") else node.returns
    for part in ast.walk(field) if isinstance(field, ast.AST) else ():
        target: object = None
        if isinstance(part, (ast.Name, ast.Attribute)):
            target = run.world.expression(cls.module, part)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
            target = run.world.resolve(cls.module, part.value)
        if isinstance(target, Class) and target is not cls and target not in run.schema.models:
            return target
    return None
