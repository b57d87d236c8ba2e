"""Reads of attributes: of modules, classes, instances, `super()`; rows and queries answer for themselves."""

from __future__ import annotations

import ast
from contextlib import nullcontext
from typing import TYPE_CHECKING

from charter.analysis.orm import decorators, django, rows, serializers, sqlalchemy, views
from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.values import (
    OPAQUE,
    UNKNOWN,
    Attribute,
    ClassRef,
    Const,
    Container,
    Dictionary,
    External,
    Frame,
    Function,
    Instance,
    LazyRow,
    Loading,
    Manager,
    Method,
    ModelRef,
    ModuleRef,
    Query,
    Row,
    Super,
    Unknown,
    Value,
)
from charter.analysis.orm.world import Class, Site

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine


def attribute(
    run: Machine, value: Value, name: str, site: Site
) -> Value:  # charter: ignore[complex-function] -- a table: one case for each kind of value
    """`value.name`."""
    match value:
        case Unknown(hint=hint):
            model = run.schema.by_convention(hint, name) if hint and not value.loose else None
            if model is not None:
                return rows.read(run, Row(model, OPAQUE), name, site)
            bounded = value.bounded or name.isupper()
            return Unknown(name, bounded=bounded, loose=value.loose)
        case Row():
            return rows.read(run, value, name, site)
        case External(name=base):
            return external(run, f"{base}.{name}", site)
        case ModuleRef(module=module):
            if name in module.names or module.stars:
                return run.global_name(module, name)
            return run.entity(run.world.module(f"{module.name}.{name}"), name)
        case ClassRef(cls=cls):
            return class_attribute(run, cls, name, site)
        case ModelRef(model=model):
            return django.class_manager(run, model, name, site) or Unknown(name)
        case Instance():
            return instance_attribute(run, value, name, site)
        case Super(receiver=receiver, owner=owner):
            return super_attribute(run, receiver, owner, name)
        case Query() | Manager():
            return django.attribute(run, value, name, site)
        case LazyRow(row=row, relation=relation, site=origin):
            return rows.method_of_lazy(run, row, relation, name, origin)
        case Attribute():
            return sqlalchemy.class_path(run, value, name)
        case Container() | Dictionary() | Const() | Loading() | Method() | Function():
            return Method(value, name)
        case _:
            return Unknown(name)


def external(run: Machine, name: str, site: Site) -> Value:
    """Something outside the project, unless it is a model's manager."""
    if name.startswith("django.conf.settings."):
        return Unknown(name.rpartition(".")[2], bounded=True)
    if ".models." in name and name.endswith((".objects", "._default_manager")):
        model = run.schema.external(name.rpartition(".")[0], Orm.DJANGO)
        return django.class_manager(run, model, "objects", site) or UNKNOWN
    return External(name)


def class_attribute(run: Machine, cls: Class, name: str, site: Site) -> Value:
    """`Class.name`."""
    model = run.schema.models.get(cls)
    if model is not None:
        found = _model_attribute(run, cls, name, site)
        if found is not None:
            return found
    if name in {"values", "choices", "labels", "names"} and _is_choices(run, cls):
        return Container(UNKNOWN, bounded=True)
    found = run.world.member(cls, name)
    if found is None:
        return Method(ClassRef(cls), name)
    owner, member = found
    if isinstance(member, ast.ClassDef):
        inner = owner.module.inner.get(member)
        return ClassRef(inner) if inner else UNKNOWN
    if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
        bound = ClassRef(cls) if decorators.decorated(member, "classmethod") else None
        return Function(member, owner.module, owner, bound)
    return member_value(run, owner, member)


def _model_attribute(run: Machine, cls: Class, name: str, site: Site) -> Value | None:
    model = run.schema.models[cls]
    if model.orm is Orm.DJANGO:
        return django.class_manager(run, model, name, site)
    if model.orm is Orm.SQLALCHEMY:
        if name in model.relations or name in model.columns or name in model.proxies:
            return Attribute(model, name)
        if name == "query":
            return sqlalchemy.select(run, [ClassRef(cls)], site)
        return None
    if name in model.relations or name in model.columns:
        return Attribute(model, name)
    return None


def member_value(run: Machine, owner: Class, member: ast.AST) -> Value:
    """What a class attribute is."""
    if isinstance(member, ast.AnnAssign):
        if member.value is None:
            return run.annotated(owner.module, member.annotation)
        member = member.value
    if not isinstance(member, ast.expr):
        return UNKNOWN
    return run.remembered(member, lambda: _class_expression(run, owner, member))


def _class_expression(run: Machine, owner: Class, member: ast.expr) -> Value:
    frame = Frame(owner.module, {}, None, owner.node, owner)
    for node in ast.walk(member):
        other = owner.members.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Name) and isinstance(other, ast.expr) and other is not member:
            frame.names[node.id] = run.evaluate(other, Frame(owner.module))
    return run.evaluate(member, frame)


def instance_attribute(run: Machine, value: Instance, name: str, site: Site) -> Value:
    """`instance.name` of a project class that is no model."""
    if name in value.attributes:
        return value.attributes[name]
    if value.cls is None:
        return Method(value, name)
    found = run.world.member(value.cls, name)
    if found is None and name in {"data", "object", "object_list"}:
        return serializers.data(run, value, site) if name == "data" else views.current(run, value, name, site)
    if found is None:
        constructor = run.world.member(value.cls, "__init__")
        if constructor is not None and "__init__" not in value.attributes:
            _construct_blind(run, value, constructor, site)
            if name in value.attributes:
                return value.attributes[name]
        return Method(value, name)
    owner, member = found
    if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
        function = Function(
            member, owner.module, owner, None if decorators.decorated(member, "staticmethod") else value
        )
        if decorators.is_property(member):
            kept = decorators.is_cached(member)
            with run.masked(frozenset(value.born)) if kept else nullcontext():
                return run.invoke(function, [], {}, site)
        return function
    if isinstance(member, ast.ClassDef):
        inner = owner.module.inner.get(member)
        return ClassRef(inner) if inner else UNKNOWN
    return member_value(run, owner, member)


def _construct_blind(run: Machine, value: Instance, constructor: tuple[Class, ast.AST], site: Site) -> None:
    """Run `__init__` with unknown arguments, for an instance that was met ready-made: before any loop that runs."""
    value.attributes["__init__"] = UNKNOWN
    owner, node = constructor
    if isinstance(node, ast.FunctionDef):
        with run.masked(frozenset()):
            run.invoke(Function(node, owner.module, owner, value), [], {}, site)


def super_attribute(run: Machine, receiver: Value, owner: Class, name: str) -> Value:
    """`super().name`."""
    start = receiver.cls if isinstance(receiver, Instance) and receiver.cls else None
    if isinstance(receiver, ClassRef):
        start = receiver.cls
    if isinstance(receiver, Row):
        start = receiver.model.cls
    if isinstance(receiver, (Manager, Query)):
        start = django.class_of(run, receiver, owner)
    found = run.world.member(start or owner, name, after=owner)
    if found is not None:
        cls, member = found
        if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return Function(member, cls.module, cls, receiver)
        return member_value(run, cls, member)
    if isinstance(receiver, Manager):
        return Method(receiver, f"super.{name}")
    if isinstance(receiver, Query):
        return Method(receiver, name)
    if isinstance(receiver, Row):
        return Method(receiver, name)
    return Method(Super(receiver, owner), name)


def _is_choices(run: Machine, cls: Class) -> bool:
    return any(b.endswith(("Choices", "Enum")) for b in run.world.outside(cls))
