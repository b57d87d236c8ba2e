"""Django REST framework: what serializing a row reads, field by field."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec import Struct

from charter.analysis.orm import decorators, django, rows
from charter.analysis.orm.arguments import Arguments
from charter.analysis.orm.mapping import Model
from charter.analysis.orm.values import (
    UNKNOWN,
    ClassRef,
    Const,
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
from charter.model.names import keyword

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine

_MAX_DEPTH = 5


def is_serializer(run: Machine, cls: Class) -> bool:
    """Whether a class is a DRF serializer."""
    return any(b.rpartition(".")[2].endswith("Serializer") for b in run.world.outside(cls))


def remember(instance: Instance, arguments: Arguments) -> None:
    """Keep what a serializer was made with."""
    instance.attributes["instance"] = arguments.value(0, "instance") or UNKNOWN
    instance.attributes["many"] = arguments.keywords.get("many") or Const(False)


def data(run: Machine, instance: Instance, site: Site) -> Value:
    """`serializer.data`."""
    cls = instance.cls
    if cls is None or not is_serializer(run, cls):
        return Unknown("data")
    value = instance.attributes.get("instance")
    if value is not None:
        serialize(run, cls, value, site)
    return Unknown("data")


def method(run: Machine, instance: Instance, name: str, arguments: Arguments, site: Site) -> Value | None:
    """A method that a serializer inherits from DRF."""
    del run, arguments, site
    if name == "is_valid":
        return UNKNOWN
    del instance
    return None


def serialize(run: Machine, cls: Class, value: Value, site: Site, depth: int = 0) -> None:
    """Serialize a row, or every row of a query or list."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, Row):
        _row(run, cls, value, depth)
        return
    if isinstance(value, Manager):
        value = all_rows(run, value, site)
    if isinstance(value, (Query, Container)):
        element, bounded = run.iterate(value, site)
        if isinstance(element, Row):
            over = value if isinstance(value, Query) else None
            with run.loop(site, bounded=bounded, what=element.model.name, over=over, rows=True) as loop:
                varied = run.vary(element, loop)
                assert isinstance(varied, Row)
                _row(run, cls, varied, depth)


def all_rows(run: Machine, manager: Manager, site: Site) -> Value:
    """`manager.all()`."""
    return django.call(run, manager, "all", Arguments.of(), site)


class _Meta(Struct):
    model: Model | None
    names: list[tuple[str, Site]] | None
    excluded: set[str]
    depth: int


def _meta(run: Machine, cls: Class) -> _Meta:
    found = run.world.member(cls, "Meta")
    meta = _Meta(None, [], set(), 0)
    if found is None or not isinstance(found[1], ast.ClassDef):
        return meta
    owner, node = found
    inner = owner.module.inner.get(node)
    chain = [e for e in run.world.mro(inner) if isinstance(e, Class)] if inner else []
    for entry in reversed(chain):
        for name, member in entry.members.items():
            site = Site(entry.module, member)
            if name == "model" and isinstance(member, ast.expr):
                target = run.world.expression(entry.module, member)
                meta.model = run.schema.models.get(target) if isinstance(target, Class) else None
            elif name == "fields" and isinstance(member, ast.expr):
                meta.names = _names(run, entry, member, site)
            elif name == "exclude" and isinstance(member, (ast.List, ast.Tuple)):
                meta.excluded = {str(e.value) for e in member.elts if isinstance(e, ast.Constant)}
                meta.names = None
            elif name == "depth" and isinstance(member, ast.Constant) and isinstance(member.value, int):
                meta.depth = member.value
    return meta


def _names(run: Machine, owner: Class, member: ast.expr, site: Site) -> list[tuple[str, Site]] | None:
    if isinstance(member, ast.Constant):
        return None
    if isinstance(member, (ast.List, ast.Tuple)) and all(isinstance(e, ast.Constant) for e in member.elts):
        return [(str(e.value), Site(owner.module, e)) for e in member.elts if isinstance(e, ast.Constant)]
    value = run.member_value(owner, member)
    items = value.items or [] if isinstance(value, Container) else []
    return [(str(v.value), site) for v in items if isinstance(v, Const)]


def _row(run: Machine, cls: Class, row: Row, depth: int) -> None:
    override = run.world.member(cls, "to_representation")
    if override is not None and isinstance(override[1], ast.FunctionDef):
        site = Site(override[0].module, override[1])
        run.invoke(Function(override[1], override[0].module, override[0], Instance(cls)), [row], {}, site)
    represent(run, cls, row, depth)


def represent(run: Machine, cls: Class, row: Row, depth: int) -> None:
    """What DRF's own `to_representation` reads from a row."""
    meta = _meta(run, cls)
    declared = _declared(run, cls)
    is_model = any(b.endswith("ModelSerializer") for b in run.world.outside(cls))
    if not is_model or meta.names is None:
        active: list[tuple[str, Site | None]] = [(n, None) for n in declared if n not in meta.excluded]
    else:
        active = [(n, s) for n, s in meta.names]
    if is_model and meta.names is None and meta.model is not None:
        site = Site(cls.module, cls.node)
        fields = [
            r.name for r in meta.model.relations.values() if r.site.file and not _is_reverse(r.kind.value)
        ]
        active += [(n, site) for n in fields if n not in declared and n not in meta.excluded]
    for name, site in active:
        if name in declared:
            owner, call = declared[name]
            _field(run, owner, cls, name, call, row, depth)
        elif site is not None:
            _implicit(run, name, row, site, meta.depth)


def _is_reverse(kind: str) -> bool:
    return kind.startswith("reverse") or kind == "generic relation"


def _declared(run: Machine, cls: Class) -> dict[str, tuple[Class, ast.Call]]:
    found: dict[str, tuple[Class, ast.Call]] = {}
    for entry in reversed(run.world.mro(cls)):
        if isinstance(entry, Class):
            for name, member in entry.members.items():
                value = member.value if isinstance(member, ast.AnnAssign) else member
                if isinstance(value, ast.Call):
                    found[name] = (entry, value)
                elif name in found:
                    del found[name]
    return found


def text(node: ast.expr | None) -> str:
    """The text that stands there; "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_true(node: ast.expr | None) -> bool:
    """Whether `True` stands there."""
    return isinstance(node, ast.Constant) and node.value is True


def _field(run: Machine, owner: Class, cls: Class, name: str, call: ast.Call, row: Row, depth: int) -> None:
    if is_true(keyword(call, "write_only")):
        return
    site = Site(owner.module, call)
    last = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if last == "SerializerMethodField":
        method = text(keyword(call, "method_name")) or text(call.args[0] if call.args else None)
        _method_field(run, cls, method, name, row)
        return
    source = text(keyword(call, "source")) or name
    many = is_true(keyword(call, "many"))
    target = run.world.expression(owner.module, call.func)
    if not many and (last == "PrimaryKeyRelatedField" or _links_by_key(last, call)):
        _walk(run, row, source.split(".")[:-1], site)
        return
    if last in {"HiddenField", "HyperlinkedIdentityField"} or (
        source == "*" and not isinstance(target, Class)
    ):
        return
    value = row if source == "*" else _walk(run, row, source.split("."), site)
    if isinstance(target, Class) and is_serializer(run, target):
        serialize(run, target, value, site, depth + 1)
    elif last == "SlugRelatedField":
        _each(run, value, site, text(keyword(call, "slug_field")))
    elif last == "StringRelatedField":
        _each(run, value, site, "")
    elif isinstance(target, Class):
        _represent(run, target, value, site)
    elif isinstance(value, (Manager, Query)):
        run.iterate(all_rows(run, value, site) if isinstance(value, Manager) else value, site)


def _represent(run: Machine, target: Class, value: Value, site: Site) -> None:
    """Run what a field's own class makes of a value."""
    override = run.world.member(target, "to_representation")
    if override and isinstance(override[1], ast.FunctionDef) and isinstance(value, (Row, Query, Manager)):
        function = Function(override[1], override[0].module, override[0], Instance(target))
        run.invoke(function, [value], {}, site)


def _links_by_key(last: str, call: ast.Call) -> bool:
    """Whether a field writes a link for which the key of the related row is enough."""
    return last == "HyperlinkedRelatedField" and (text(keyword(call, "lookup_field")) or "pk") in {
        "pk",
        "id",
    }


def _method_field(run: Machine, cls: Class, method_name: str, name: str, row: Row) -> None:
    found = run.world.member(cls, method_name or f"get_{name}")
    if found is not None and isinstance(found[1], ast.FunctionDef):
        owner, node = found[0], found[1]
        bound = None if decorators.decorated_static(node) else Instance(cls, {"__init__": UNKNOWN})
        run.invoke(Function(node, owner.module, owner, bound), [row], {}, Site(owner.module, node))


def _walk(run: Machine, row: Row, parts: list[str], site: Site) -> Value:
    value: Value = row
    for part in parts:
        if isinstance(value, Row):
            found = rows.method(run, value, part, site)
            value = (
                rows.read(run, value, part, site)
                if not isinstance(found, Function)
                else run.invoke(found, [], {}, site)
            )
        else:
            return UNKNOWN
    return value


def _each(run: Machine, value: Value, site: Site, attribute: str) -> None:
    """Read an attribute of (or the text of) a related row, or of each of them."""
    if isinstance(value, Manager):
        value = all_rows(run, value, site)
    if isinstance(value, Query):
        element, _ = run.iterate(value, site)
        with run.loop(site, bounded=False, what=value.model.name, over=value) as loop:
            _each(run, run.vary(element, loop), site, attribute)
    elif isinstance(value, Row):
        if attribute:
            rows.read(run, value, attribute, site)
        else:
            run.stringify(value, site)


def _implicit(run: Machine, name: str, row: Row, site: Site, depth: int) -> None:
    """A field that `Meta.fields` names and the class does not declare."""
    relation = row.model.relations.get(name)
    if relation is not None:
        if relation.many:
            value = rows.read(run, row, name, site)
            if isinstance(value, Manager):
                run.iterate(all_rows(run, value, site), site)
        elif depth > 0 or not relation.column:
            value = rows.read(run, row, name, site)
            if isinstance(value, Row) and depth > 1:
                for inner in value.model.relations.values():
                    if inner.column:
                        _implicit(run, inner.name, value, site, depth - 1)
        return
    if (
        row.model.cls is not None
        and run.world.member(row.model.cls, name) is not None
        and name not in row.model.columns
    ):
        _walk(run, row, [name], site)


def serializer_of(value: Value) -> Class | None:
    """The class that `serializer_class` or `get_serializer_class()` names."""
    return value.cls if isinstance(value, ClassRef) else None
