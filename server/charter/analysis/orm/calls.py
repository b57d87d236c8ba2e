"""Calls: the project's functions, classes and the standard library's and frameworks' functions that move rows along."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.analysis.orm import (
    django,
    library,
    light,
    rows,
    schemas,
    serializers,
    sqlalchemy,
    views,
)
from charter.analysis.orm.arguments import Arguments
from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.values import (
    NONE,
    OPAQUE,
    UNKNOWN,
    Attribute,
    ClassRef,
    Const,
    Container,
    Dictionary,
    External,
    Function,
    Instance,
    Loading,
    Manager,
    Method,
    ModelRef,
    Partial,
    Query,
    Row,
    Super,
    Unknown,
    Value,
    join,
    join_all,
)
from charter.analysis.orm.world import Class, Site
from charter.api import regex
from charter.model.names import decorator_name

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine


def call(run: Machine, callee: Value, arguments: Arguments, site: Site) -> Value:
    """Call a value."""
    match callee:
        case Function():
            result = run.invoke(callee, arguments.positional, arguments.keywords, site)
            if isinstance(result, Query) and rows.same_start(result.head, site):
                return rows.step(result, getattr(callee.node, "name", ""), site)
            return _in_batches(result) if _BATCHES.search(getattr(callee.node, "name", "")) else result
        case Method(receiver=receiver, name=name):
            return _method(run, receiver, name, arguments, site)
        case ClassRef(cls=cls):
            return construct(run, cls, arguments, site)
        case External(name=name):
            return _external(run, name, arguments, site)
        case Partial(function=function, arguments=given):
            inner = Arguments(
                [*given, *arguments.positional], arguments.keywords, arguments.node, arguments.frame
            )
            return call(run, function, inner, site)
        case Unknown(hint=hint):
            return _by_name(run, hint, arguments, site)
        case Instance(cls=Class() as cls):
            found = run.world.member(cls, "__call__")
            if found and isinstance(found[1], ast.FunctionDef):
                function = Function(found[1], found[0].module, found[0], callee)
                return run.invoke(function, arguments.positional, arguments.keywords, site)
            return UNKNOWN
        case _:
            return UNKNOWN


def _in_batches(result: Value) -> Value:
    """What a function gives that by its name cuts rows into batches: each costs one query, as it should."""
    if isinstance(result, Container):
        return Container(result.element, result.items, bounded=True)
    return Unknown(result.hint, bounded=True) if isinstance(result, Unknown) else result


_BATCHES = regex(r"chunk|batch", re.IGNORECASE)


def _by_name(run: Machine, name: str, arguments: Arguments, site: Site) -> Value:
    del site
    if name in {"get_model", "get_user_model"}:
        return library.find_model(run, arguments)
    return Unknown(name, bounded=True) if _BATCHES.search(name) else UNKNOWN


def construct(run: Machine, cls: Class, arguments: Arguments, site: Site) -> Value:
    """Make an instance of a project class."""
    model = run.schema.models.get(cls)
    if model is not None and not _is_schema(run, cls):
        known = tuple(
            (n, v) for n, v in arguments.keywords.items() if n in model.relations and isinstance(v, Row)
        )
        return Row(model, OPAQUE, None, varies=frozenset(run.running()), known=known, fresh=True)
    known = dict(arguments.keywords) if _is_record(run, cls) else {}
    instance = Instance(cls, known, born=run.births())
    if _is_record(run, cls):
        names = [n for n, m in cls.members.items() if isinstance(m, ast.AnnAssign)]
        instance.attributes.update(zip(names, arguments.positional, strict=False))
        return instance
    found = run.world.member(cls, "__init__")
    instance.attributes["__init__"] = UNKNOWN
    if found and isinstance(found[1], ast.FunctionDef):
        function = Function(found[1], found[0].module, found[0], instance)
        run.invoke(function, arguments.positional, arguments.keywords, site)
    else:
        serializers.remember(instance, arguments)
    return instance


def _is_schema(run: Machine, cls: Class) -> bool:
    model = run.schema.models[cls]
    return model.abstract and any(b.startswith("sqlmodel") for b in run.world.outside(cls))


def _is_record(run: Machine, cls: Class) -> bool:
    if any(
        decorator_name(d) in {"dataclass", "define", "frozen", "attrs", "s"} for d in cls.node.decorator_list
    ):
        return True
    return any(b.rpartition(".")[2] in {"NamedTuple", "BaseModel"} for b in run.world.outside(cls))


# Methods of values that the analysis understands
def _method(run: Machine, receiver: Value, name: str, arguments: Arguments, site: Site) -> Value:
    match receiver:
        case Query() | Manager():
            return django.call(run, receiver, name, arguments, site)
        case Row():
            return _row_method(run, receiver, name, arguments, site)
        case ClassRef(cls=cls):
            return _class_method(run, cls, name, arguments, site)
        case ModelRef():
            return UNKNOWN
        case Container():
            return _container_method(run, receiver, name, arguments, site)
        case Dictionary():
            return _dictionary_method(run, receiver, name, arguments)
        case Const(value=str()):
            return _text_method(run, receiver, name, arguments, site)
        case Loading():
            return sqlalchemy.chain(receiver, name, arguments)
        case Instance():
            return _instance_method(run, receiver, name, arguments, site)
        case Attribute():
            return receiver if name in {"of_type", "and_"} else UNKNOWN
        case Super():
            from charter.analysis.orm import views

            return views.super_call(run, receiver, name, arguments, site)
        case External() | Unknown() | Method():
            return _unknown_method(run, receiver, name, arguments, site)
        case _:
            return UNKNOWN


def _unknown_method(run: Machine, receiver: Value, name: str, arguments: Arguments, site: Site) -> Value:
    found = sqlalchemy.session_call(run, receiver, name, arguments, site)
    if found is not None:
        return found
    if name in {"get_model", "get_user_model"}:
        return library.find_model(run, arguments)
    bounded = name in {"get_fields", "split", "keys"} or getattr(receiver, "bounded", False)
    if name == "iterator" or "chunk" in name or "batch" in name:
        bounded = True
    return Unknown(name, bounded=bounded)


def _row_method(run: Machine, row: Row, name: str, arguments: Arguments, site: Site) -> Value:
    if row.model.orm is Orm.DJANGO:
        if name.removeprefix("a") in {"save", "delete", "refresh_from_db", "save_base"}:
            if name != "save_base" and not _inside_own(run, name):
                django.write_row(run, row, name, site)
            return NONE
        return UNKNOWN
    if row.model.orm in {Orm.PEEWEE, Orm.TORTOISE} and name in {
        "save",
        "delete",
        "delete_instance",
        "fetch_related",
    }:
        return light.row_call(run, row, name, arguments, site)
    return UNKNOWN


def _inside_own(run: Machine, name: str) -> bool:
    """Whether a model's own `save` calls the inherited one: the write counts once, at the caller."""
    return any(getattr(node, "name", "") == name for _, node in run.calls)


def _class_method(run: Machine, cls: Class, name: str, arguments: Arguments, site: Site) -> Value:
    model = run.schema.models.get(cls)
    if model is not None and model.orm in {Orm.PEEWEE, Orm.TORTOISE}:
        found = light.class_call(run, model, name, arguments, site)
        if found is not None:
            return found
    if name in {"model_validate", "from_orm", "validate"}:
        return schemas.validate(run, ClassRef(cls), arguments.value(0, "obj"), site)
    if name == "as_view":
        return UNKNOWN
    return UNKNOWN


def _instance_method(run: Machine, receiver: Instance, name: str, arguments: Arguments, site: Site) -> Value:
    if receiver.name == "sqlalchemy.dml":
        return receiver
    if receiver.name == "peewee.dml":
        if name == "execute":
            run.record("write", site, None, method="execute")
        return receiver
    if receiver.name == "paginator":
        return receiver.attributes["rows"]
    if name == "map" and receiver.name.endswith(("Executor", "Pool")):
        return library.BUILTINS["map"](run, arguments, site)
    if receiver.name == "template":
        return views.render_template(run, receiver, arguments, site)
    if name in {"get_template", "select_template"} and receiver.cls is None:
        return Instance(None, {"name": arguments.value(0) or UNKNOWN}, "template")
    found = sqlalchemy.session_call(run, receiver, name, arguments, site)
    if found is None and receiver.name.endswith(".SQLAlchemy"):
        found = sqlalchemy.extension_call(run, name, arguments, site)
    if found is None:
        found = schemas.dump(run, receiver, name, arguments, site)
    if found is not None:
        return found
    if receiver.cls is not None:
        handled = serializers.method(run, receiver, name, arguments, site)
        if handled is None:
            handled = views.method(run, receiver, name, arguments, site)
        if handled is not None:
            return handled
    return Unknown(name)


_SAME = frozenset({"all", "unique", "tuples", "copy", "fetchall", "yield_per", "object_list", "scalars_all"})
_FIRST = frozenset(
    {"first", "one", "one_or_none", "pop", "fetchone", "scalar", "scalar_one", "scalar_one_or_none"}
)


def _container_method(run: Machine, value: Container, name: str, arguments: Arguments, site: Site) -> Value:
    if name in {"append", "add", "insert", "appendleft"}:
        item = arguments.positional[-1] if arguments.positional else UNKNOWN
        value.element = item if value.element is None else join(value.element, item)
        value.bounded = value.bounded and not run.active()
        return NONE
    if name in {"extend", "update"}:
        element, _ = run.iterate(arguments.value(0) or UNKNOWN, site)
        value.element = element if value.element is None else join(value.element, element)
        value.bounded = False
        return NONE
    if name == "sort":
        library.each(run, arguments.keywords.get("key"), rows.element_of(run, value), site)
        return NONE
    if name in _SAME:
        return value
    element = rows.element_of(run, value)
    if name == "scalars":
        inner = element.items[0] if isinstance(element, Container) and element.items else UNKNOWN
        return Container(inner)
    if name in _FIRST:
        scalar = name.startswith("scalar")
        if scalar and isinstance(element, Container) and element.items:
            element = element.items[0]
        return replace(element, varies=frozenset(run.running())) if isinstance(element, Row) else element
    if name == "mappings":
        return Container(UNKNOWN)
    return Container(Container(element), bounded=True) if name == "partitions" else UNKNOWN


def _dictionary_method(run: Machine, value: Dictionary, name: str, arguments: Arguments) -> Value:
    element = value.element or join_all(list(value.entries.values()))
    bounded = value.bounded and value.element is None
    if name == "values":
        return Container(element, bounded=bounded)
    if name == "items":
        key = value.key or UNKNOWN
        return Container(Container(None, [key, element or UNKNOWN], bounded=True), bounded=bounded)
    if name == "keys":
        return Container(value.key or UNKNOWN, bounded=bounded)
    if name in {"get", "pop", "setdefault"}:
        key = arguments.value(0)
        fallback = arguments.value(1)
        if isinstance(key, Const) and key.value in value.entries:
            return value.entries[key.value]
        if name == "setdefault" and fallback is not None:
            value.element = fallback if value.element is None else value.element
            if key is not None:
                value.key = join(value.key, key) if value.key else key
            return value.element
        found = value.element or (fallback if name != "get" else None) or UNKNOWN
        return run.picked(found, arguments.node.args[0], arguments.frame) if arguments.node.args else found
    if name == "update":
        other = arguments.value(0)
        if isinstance(other, Dictionary):
            value.entries.update(other.entries)
        value.entries.update(arguments.keywords)
    return value if name == "copy" else NONE


def _text_method(run: Machine, receiver: Const, name: str, arguments: Arguments, site: Site) -> Value:
    if name == "format":
        for value in [*arguments.positional, *arguments.keywords.values()]:
            run.stringify(value, site)
    elif name == "join":
        run.iterate(arguments.value(0) or UNKNOWN, site)
    elif name == "split":
        return Container(UNKNOWN, bounded=True)
    del receiver
    return UNKNOWN


def _external(run: Machine, name: str, arguments: Arguments, site: Site) -> Value:
    """Call something outside the project."""
    module, _, last = name.rpartition(".")
    if module == "builtins":
        handler = library.BUILTINS.get(last)
        return handler(run, arguments, site) if handler else UNKNOWN
    handler = library.LIBRARY.get(name)
    if handler is not None:
        return handler(run, arguments, site)
    if module.startswith(("sqlalchemy", "sqlmodel")):
        return _sqlalchemy(run, last, arguments, site)
    handler = library.BY_LAST.get(last)
    if handler is not None:
        return handler(run, arguments, site)
    if module:
        found = sqlalchemy.session_call(run, External(module), last, arguments, site)
        if found is not None:
            return found
    if last[:1].isupper():
        return Instance(None, dict(arguments.keywords), name)
    return Unknown(last, bounded="chunk" in last or "batch" in last)


def _sqlalchemy(run: Machine, last: str, arguments: Arguments, site: Site) -> Value:
    if last == "select":
        return sqlalchemy.select(run, arguments.positional, site)
    if last in sqlalchemy.OPTIONS:
        return sqlalchemy.option(last, arguments)
    if last in sqlalchemy.DML:
        return sqlalchemy.dml(last, arguments)
    if last == "aliased":
        return arguments.value(0) or UNKNOWN
    if last in {"Session", "AsyncSession", "scoped_session", "sessionmaker", "async_sessionmaker"}:
        return Instance(None, {}, "sqlalchemy.orm.Session")
    return Unknown(last)
