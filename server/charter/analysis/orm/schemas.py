"""Schemas that read attributes of rows: pydantic's, SQLModel's and Ninja's response models, marshmallow's schemas."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm import rows, serializers
from charter.analysis.orm.declarations import keyword_of
from charter.analysis.orm.mentions import last_name
from charter.analysis.orm.values import (
    UNKNOWN,
    ClassRef,
    Container,
    Function,
    Instance,
    Manager,
    Query,
    Row,
    Unknown,
    Value,
)
from charter.analysis.orm.world import Class, Site

if TYPE_CHECKING:
    from charter.analysis.orm.arguments import Arguments
    from charter.analysis.orm.machine import Machine

_DEEPEST = 4


def validate(run: Machine, cls: ClassRef, value: Value | None, site: Site, depth: int = 0) -> Value:
    """`Schema.model_validate(row)`: reads the fields of a pydantic, SQLModel or Ninja class from a row."""
    result = Instance(cls.cls)
    if not isinstance(value, Row) or depth > _DEEPEST:
        return result
    for entry in reversed(run.world.mro(cls.cls)):
        if isinstance(entry, str):
            continue
        for name, member in entry.members.items():
            annotation = getattr(member, "annotation", None)
            if annotation is None or name.startswith("model_"):
                continue
            if _resolved(run, cls.cls, name, value):
                continue
            found = rows.read(run, value, name, site)
            _validate_nested(run, _nested(run, entry, annotation), found, site, depth)
    return result


def _resolved(run: Machine, cls: Class, name: str, row: Row) -> bool:
    """Ninja's `resolve_name(obj)`: gives the field instead of the row's attribute."""
    found = run.world.member(cls, f"resolve_{name}")
    owner, node = found or (cls, None)
    if not isinstance(node, ast.FunctionDef):
        return False
    run.invoke(Function(node, owner.module, owner), [row], {}, Site(owner.module, node))
    return True


def _validate_nested(run: Machine, nested: ClassRef | None, found: Value, site: Site, depth: int) -> None:
    if isinstance(found, Manager):
        found = serializers.all_rows(run, found, site)
    if isinstance(found, Row) and nested is not None:
        validate(run, nested, found, site, depth + 1)
    elif isinstance(found, Query):
        row = rows.evaluate_query(run, found, site)
        if nested is not None and isinstance(row, Row):
            with run.loop(site, bounded=False, what=found.model.name, over=found) as loop:
                validate(run, nested, run.vary(row, loop), site, depth + 1)


def _nested(run: Machine, owner: Class, annotation: ast.expr) -> ClassRef | None:
    for node in ast.walk(annotation):
        target: object = None
        if isinstance(node, (ast.Name, ast.Attribute)):
            target = run.world.expression(owner.module, node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            target = run.world.resolve(owner.module, node.value)
        if isinstance(target, Class) and target not in _tables(run):
            return ClassRef(target)
    return None


def _tables(run: Machine) -> set[object]:
    return {cls for cls, model in run.schema.models.items() if not model.abstract}


# Marshmallow
def dump(run: Machine, schema: Instance, name: str, arguments: Arguments, site: Site) -> Value | None:
    """`schema.dump(rows)`: reads the fields that a marshmallow schema declares; None for another method or class."""
    cls = schema.cls
    if name not in {"dump", "dumps", "jsonify"} or cls is None or not _is_marshmallow(run, cls):
        return None
    value = arguments.value(0, "obj")
    if isinstance(value, (Query, Container)):
        element, bounded = run.iterate(value, site)
        over = value if isinstance(value, Query) else None
        with run.loop(site, bounded=bounded, what=rows.describe(value), over=over, rows=True) as loop:
            _dump(run, cls, run.vary(element, loop), 0)
    else:
        _dump(run, cls, value, 0)
    return Unknown("data")


def _is_marshmallow(run: Machine, cls: Class) -> bool:
    names = run.world.outside(cls)
    return any(name.rpartition(".")[2].endswith("Schema") and "ninja" not in name for name in names)


def _dump(run: Machine, cls: Class, value: Value | None, depth: int) -> None:
    if not isinstance(value, Row) or depth > _DEEPEST:
        return
    for entry in reversed(run.world.mro(cls)):
        if isinstance(entry, str):
            continue
        for name, member in entry.members.items():
            call = member.value if isinstance(member, ast.AnnAssign) else member
            if isinstance(call, ast.Call) and not serializers.is_true(keyword_of(call, "load_only")):
                _field(run, entry, (name, call), value, depth)


def _field(run: Machine, owner: Class, field: tuple[str, ast.Call], row: Row, depth: int) -> None:
    name, call = field
    kind = last_name(call.func)
    site = Site(owner.module, call)
    first = call.args[0] if call.args else None
    if kind == "Method":
        method = serializers.text(first or keyword_of(call, "serialize"))
        found = run.world.member(owner, method) if method else None
        if found is not None and isinstance(found[1], ast.FunctionDef):
            function = Function(found[1], found[0].module, found[0], Instance(owner))
            run.invoke(function, [row], {}, Site(found[0].module, found[1]))
        return
    if kind == "Function":
        function = run.evaluate(first or keyword_of(call, "serialize"), run.module_frame(owner.module))
        if isinstance(function, Function):
            run.invoke(function, [row], {}, site)
        return
    value: Value = row
    for part in (serializers.text(keyword_of(call, "attribute")) or name).split("."):
        value = rows.read(run, value, part, site) if isinstance(value, Row) else UNKNOWN
    if isinstance(value, Manager):
        value = serializers.all_rows(run, value, site)
    if kind == "List" and isinstance(first, ast.Call):
        kind, first = last_name(first.func), first.args[0] if first.args else None
    nested = _schema(run, owner, first) if kind in {"Nested", "Pluck"} else None
    if isinstance(value, Query):
        element = rows.evaluate_query(run, value, site)
        with run.loop(site, bounded=False, what=value.model.name, over=value, rows=True) as loop:
            value = run.vary(element, loop)
            if nested is not None:
                _dump(run, nested, value, depth + 1)
    elif nested is not None:
        _dump(run, nested, value, depth + 1)


def _schema(run: Machine, owner: Class, node: ast.expr | None) -> Class | None:
    """The schema that `Nested` names: a class, an instance, a text, or a function that gives one of them."""
    if isinstance(node, ast.Lambda):
        node = node.body
    if isinstance(node, ast.Call):
        node = node.func
    name = serializers.text(node)
    target = run.world.resolve(owner.module, name) if name else run.world.expression(owner.module, node)
    return target if isinstance(target, Class) else None
