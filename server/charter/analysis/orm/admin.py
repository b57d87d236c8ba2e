"""Django's admin: what a list page, its actions and the rows of an inline read."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.analysis.orm import decorators, django, rows, views
from charter.analysis.orm.values import (
    UNKNOWN,
    ClassRef,
    Const,
    Container,
    Function,
    Instance,
    Query,
    Row,
    Value,
)
from charter.analysis.orm.world import Class, Module, Site
from charter.model.names import decorator_name

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine


def entry(run: Machine, cls: Class) -> Callable[[Machine], None] | None:
    """What showing an admin class runs; None if a class is none, or is registered for no model."""
    names = views.kinds(run, cls)
    if any(n in _INLINES for n in names):
        return lambda inner: _inline(inner, cls)
    if not any(n.endswith("Admin") for n in names):
        return None
    models = _registered(run, cls)
    if not models:
        return None

    def enter(inner: Machine) -> None:
        for model in models:
            _changelist(inner, cls, model)

    return enter


_INLINES = frozenset({"TabularInline", "StackedInline"})


def _inline(run: Machine, cls: Class) -> None:
    """The rows of an inline: their read-only fields are read for each of them."""
    site = Site(cls.module, cls.node)
    model = _class_value(run, cls, "model")
    fields = _class_value(run, cls, "readonly_fields")
    if not isinstance(model, ClassRef) or not isinstance(fields, Container):
        return
    instance = Instance(cls, {"__init__": UNKNOWN, "model": model})
    query = _rows(run, instance, model, site)
    element = rows.evaluate_query(run, query, site) if query is not None else None
    if query is None or not isinstance(element, Row):
        return
    with run.loop(site, bounded=False, what=query.model.name, over=query, rows=True) as loop:
        for item in fields.items or []:
            place = _named(run, cls, "readonly_fields", item) or site
            _column(run, cls, instance, run.vary(element, loop), item, place)


def _named(run: Machine, cls: Class, attribute: str, item: Value) -> Site | None:
    """Where a class attribute names a field."""
    owner, listed = run.world.member(cls, attribute) or (cls, None)
    if not isinstance(item, Const) or listed is None:
        return None
    texts = (node for node in ast.walk(listed) if isinstance(node, ast.Constant))
    return next((Site(owner.module, node) for node in texts if node.value == item.value), None)


def _rows(run: Machine, instance: Instance, model: Value, site: Site) -> Query | None:
    """The query set of an admin class: its own, or all rows of its model."""
    query = views.call_method(run, instance, "get_queryset", [UNKNOWN], site)
    return query if isinstance(query, Query) else django.as_query(run, model, site)


def _actions(run: Machine, cls: Class, instance: Instance, query: Query, site: Site) -> None:
    """The actions that the class lists or marks; each is handed the chosen rows of the list's query set."""
    chosen = rows.step(query, "filter", site, filtered=True)
    listed = _class_value(run, cls, "actions")
    names = {
        name
        for name, member in cls.members.items()
        if isinstance(member, ast.FunctionDef) and decorators.decorated(member, "action")
    }
    for item in (listed.items or []) if isinstance(listed, Container) else []:
        if isinstance(item, Const) and isinstance(item.value, str):
            names.add(item.value)
        elif isinstance(item, Function):
            run.invoke(item, [instance, UNKNOWN, chosen], {}, site)
    for name in sorted(names):
        found = run.world.member(cls, name)
        if found is not None and isinstance(found[1], ast.FunctionDef):
            action = Function(found[1], found[0].module, found[0], instance)
            run.invoke(action, [UNKNOWN, chosen], {}, Site(found[0].module, found[1]))


def _registered(run: Machine, cls: Class) -> list[Value]:
    found: list[Value] = []
    for decorator in cls.node.decorator_list:
        if isinstance(decorator, ast.Call) and decorator_name(decorator) == "register":
            found.extend(_model_value(run, cls.module, a) for a in decorator.args)
    for statement in cls.module.tree.body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call) or decorator_name(call) != "register":
            continue
        if len(call.args) > 1 and isinstance(call.args[1], ast.Name) and call.args[1].id == cls.name:
            found.append(_model_value(run, cls.module, call.args[0]))
    return [v for v in found if isinstance(v, ClassRef) and v.cls in run.schema.models]


def _model_value(run: Machine, module: Module, node: ast.expr) -> Value:
    return run.evaluate(node, run.module_frame(module))


def _changelist(run: Machine, cls: Class, model: Value) -> None:
    site = Site(cls.module, cls.node)
    instance = Instance(cls, {"__init__": UNKNOWN, "model": model})
    query = _rows(run, instance, model, site)
    if query is None:
        return
    listed = _class_value(run, cls, "list_display")
    items: list[Value] = (listed.items or []) if isinstance(listed, Container) else [Const("__str__")]
    query = _list_select_related(run, cls, query, items)
    _actions(run, cls, instance, query, site)
    element = rows.evaluate_query(run, query, site)
    if not isinstance(element, Row):
        return
    with run.loop(site, bounded=False, what=query.model.name, over=query, rows=True) as loop:
        row = run.vary(element, loop)
        assert isinstance(row, Row)
        for item in items:
            _column(run, cls, instance, row, item, site)
        actions = run.world.member(cls, "actions")
        if actions is None or not (isinstance(actions[1], ast.Constant) and actions[1].value is None):
            run.stringify(row, site)


def _class_value(run: Machine, cls: Class, name: str) -> Value:
    found = run.world.member(cls, name)
    return run.member_value(*found) if found else UNKNOWN


def _list_select_related(run: Machine, cls: Class, query: Query, items: list[Value]) -> Query:
    value = _class_value(run, cls, "list_select_related")
    plan = query.plan
    if run.world.member(cls, "get_list_select_related"):
        return replace(query, plan=replace(plan, opaque=True))
    if isinstance(value, Container):
        for item in value.items or []:
            if isinstance(item, Const) and isinstance(item.value, str):
                plan = rows.load_path(query.model, plan, item.value.split("__"))
        return replace(query, plan=plan)
    names = [str(i.value) for i in items if isinstance(i, Const)]
    shown = [r for n in names if (r := query.model.relations.get(n)) and r.column]
    if value == Const(True) or shown:
        plan = replace(plan, foreign=True)
        for relation in shown:
            plan = rows.load_path(query.model, plan, [relation.name])
    return replace(query, plan=plan)


def _column(run: Machine, cls: Class, instance: Instance, row: Value, item: Value, site: Site) -> None:
    if isinstance(item, Function):
        run.invoke(item, [row], {}, site)
        return
    name = item.value if isinstance(item, Const) else None
    if not isinstance(name, str):
        return
    if name == "__str__":
        run.stringify(row, site)
        return
    found = run.world.member(cls, name)
    if found is not None and isinstance(found[1], ast.FunctionDef):
        run.invoke(
            Function(found[1], found[0].module, found[0], instance),
            [row],
            {},
            Site(found[0].module, found[1]),
        )
        return
    value: Value = row
    for part in name.split("__"):
        if isinstance(value, Row):
            member = rows.method(run, value, part, site)
            value = (
                run.invoke(member, [], {}, site)
                if isinstance(member, Function)
                else rows.read(run, value, part, site)
            )
    run.stringify(value, site)
