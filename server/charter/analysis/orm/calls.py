"""Calls: the project's functions, classes and the standard library's and frameworks' functions that move rows along."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from charter.analysis.orm import django, expressions, light, rows, sqlalchemy
from charter.analysis.orm.frames import Frame
from charter.analysis.orm.schema import Orm
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

if TYPE_CHECKING:
    from charter.analysis.orm.interpreter import Interpreter


@dataclass(slots=True)
class Arguments:
    """The evaluated arguments of one call, with its node and the scope it stands in."""

    positional: list[Value]
    keywords: dict[str, Value]
    node: ast.Call
    frame: Frame

    @property
    def has_star(self) -> bool:
        """Whether some arguments are unpacked."""
        return any(isinstance(a, ast.Starred) for a in self.node.args)

    def value(self, position: int, name: str = "") -> Value | None:
        """The argument at a position or under a keyword."""
        if position < len(self.positional):
            return self.positional[position]
        return self.keywords.get(name)

    def flat(self) -> list[Value]:
        """The positional arguments, lists among them taken apart."""
        found: list[Value] = []
        for value in self.positional:
            if isinstance(value, Container) and value.items is not None:
                found.extend(value.items)
            else:
                found.append(value)
        return found


def call(run: Interpreter, callee: Value, arguments: Arguments, site: Site) -> Value:
    """Call a value."""
    match callee:
        case Function():
            result = run.invoke(callee, arguments.positional, arguments.keywords, site)
            if isinstance(result, Query) and rows.same_start(result.head, site):
                return rows.step(result, getattr(callee.node, "name", ""), site)
            return result
        case Method(receiver=receiver, name=name):
            return _method(run, receiver, name, arguments, site)
        case ClassRef(cls=cls):
            return construct(run, cls, arguments, site)
        case External(name=name):
            return _external(run, name, arguments, site)
        case Partial(function=function, arguments=given):
            inner = Arguments([*given, *arguments.positional], arguments.keywords, arguments.node, arguments.frame)
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


def _by_name(run: Interpreter, name: str, arguments: Arguments, site: Site) -> Value:
    del site
    if name in {"get_model", "get_user_model"}:
        return _get_model(run, arguments)
    return UNKNOWN


def construct(run: Interpreter, cls: Class, arguments: Arguments, site: Site) -> Value:
    """Make an instance of a project class."""
    model = run.schema.models.get(cls)
    if model is not None and not _is_schema(run, cls):
        known = tuple((n, v) for n, v in arguments.keywords.items() if n in model.relations and isinstance(v, Row))
        return Row(model, OPAQUE, None, varies=frozenset(run.running()), known=known, fresh=True)
    instance = Instance(cls, dict(arguments.keywords) if _is_record(run, cls) else {})
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
        from charter.analysis.orm import serializers

        serializers.remember(instance, arguments)
    return instance


def _is_schema(run: Interpreter, cls: Class) -> bool:
    model = run.schema.models[cls]
    return model.abstract and any(b.startswith("sqlmodel") for b in run.world.outside(cls))


def _is_record(run: Interpreter, cls: Class) -> bool:
    if any(expressions.decorator_name(d) in {"dataclass", "define", "frozen", "attrs", "s"} for d in cls.node.decorator_list):
        return True
    return any(b.rpartition(".")[2] in {"NamedTuple", "BaseModel"} for b in run.world.outside(cls))


# Methods of values that the analysis understands
def _method(run: Interpreter, receiver: Value, name: str, arguments: Arguments, site: Site) -> Value:
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
            return _dictionary_method(receiver, name, arguments)
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


def _unknown_method(run: Interpreter, receiver: Value, name: str, arguments: Arguments, site: Site) -> Value:
    found = sqlalchemy.session_call(run, receiver, name, arguments, site)
    if found is not None:
        return found
    if name in {"get_model", "get_user_model"}:
        return _get_model(run, arguments)
    bounded = name in {"get_fields", "split", "keys"} or getattr(receiver, "bounded", False)
    if name in {"iterator"} or "chunk" in name or "batch" in name:
        bounded = True
    return Unknown(name, bounded=bounded)


def _row_method(run: Interpreter, row: Row, name: str, arguments: Arguments, site: Site) -> Value:
    if row.model.orm is Orm.DJANGO:
        if name.removeprefix("a") in {"save", "delete", "refresh_from_db", "save_base"}:
            if name != "save_base" and not _inside_own(run, row, name):
                django.write_row(run, row, name, site)
            return NONE
        return UNKNOWN
    if row.model.orm in {Orm.PEEWEE, Orm.TORTOISE} and name in {"save", "delete", "delete_instance", "fetch_related"}:
        return light.row_call(run, row, name, arguments, site)
    return UNKNOWN


def _inside_own(run: Interpreter, row: Row, name: str) -> bool:
    """Whether a model's own `save` calls the inherited one: the write counts once, at the caller."""
    return any(getattr(node, "name", "") == name for _, node in run.calls) and row is not None


def _class_method(run: Interpreter, cls: Class, name: str, arguments: Arguments, site: Site) -> Value:
    model = run.schema.models.get(cls)
    if model is not None and model.orm in {Orm.PEEWEE, Orm.TORTOISE}:
        found = light.class_call(run, model, name, arguments, site)
        if found is not None:
            return found
    if name in {"model_validate", "from_orm", "validate"}:
        return sqlalchemy.validate(run, ClassRef(cls), arguments.value(0, "obj"), site)
    if name == "as_view":
        return UNKNOWN
    return UNKNOWN


def _instance_method(run: Interpreter, receiver: Instance, name: str, arguments: Arguments, site: Site) -> Value:
    from charter.analysis.orm import serializers, views

    if receiver.name == "sqlalchemy.dml":
        return receiver
    if receiver.name == "peewee.dml":
        if name == "execute":
            run.record("write", site, None, subject=site.source, method="execute")
        return receiver
    if receiver.name == "paginator":
        return receiver.attributes["rows"]
    if receiver.name == "template":
        return views.render_template(run, receiver, arguments, site)
    if name in {"get_template", "select_template"} and receiver.cls is None:
        return Instance(None, {"name": arguments.value(0) or UNKNOWN}, "template")
    found = sqlalchemy.session_call(run, receiver, name, arguments, site)
    if found is not None:
        return found
    if receiver.cls is not None:
        handled = serializers.method(run, receiver, name, arguments, site)
        if handled is None:
            handled = views.method(run, receiver, name, arguments, site)
        if handled is not None:
            return handled
    return Unknown(name)


_SAME = frozenset({"all", "unique", "partitions", "tuples", "copy", "fetchall", "yield_per", "object_list", "scalars_all"})
_FIRST = frozenset({"first", "one", "one_or_none", "pop", "fetchone", "scalar", "scalar_one", "scalar_one_or_none"})


def _container_method(run: Interpreter, value: Container, name: str, arguments: Arguments, site: Site) -> Value:
    if name in {"append", "add", "insert", "appendleft"}:
        item = arguments.positional[-1] if arguments.positional else UNKNOWN
        value.element = item if value.element is None else join(value.element, item)
        value.bounded = value.bounded and not run.active()
        return NONE
    if name in {"extend", "update"}:
        element, _ = expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
        value.element = element if value.element is None else join(value.element, element)
        value.bounded = False
        return NONE
    if name == "sort":
        _each(run, arguments.keywords.get("key"), expressions.element_of(run, value), site)
        return NONE
    if name in _SAME:
        return value
    element = expressions.element_of(run, value)
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
    return UNKNOWN


def _dictionary_method(value: Dictionary, name: str, arguments: Arguments) -> Value:
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
            return value.element
        return value.element or (fallback if name != "get" else None) or UNKNOWN
    if name == "update":
        other = arguments.value(0)
        if isinstance(other, Dictionary):
            value.entries.update(other.entries)
        value.entries.update(arguments.keywords)
    return value if name == "copy" else NONE


def _text_method(run: Interpreter, receiver: Const, name: str, arguments: Arguments, site: Site) -> Value:
    if name == "format":
        for value in [*arguments.positional, *arguments.keywords.values()]:
            expressions.stringify(run, value, site)
    elif name == "join":
        expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
    elif name == "split":
        return Container(UNKNOWN, bounded=True)
    del receiver
    return UNKNOWN


# Functions of the standard library
def _each(run: Interpreter, function: Value | None, element: Value, site: Site, what: str = "") -> Value:
    """Call a function for every element."""
    if function is None or isinstance(function, Const):
        return UNKNOWN
    with run.loop(site, bounded=False, what=what, rows=isinstance(element, Row)) as loop:
        node = site.node if isinstance(site.node, ast.Call) else ast.Call(ast.Name("f"), [], [])
        arguments = Arguments([run.vary(element, loop)], {}, node, Frame(site.file))  # pyright: ignore
        return call(run, function, arguments, site)


def _collect(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0)
    if value is None:
        return Container(None, [])
    if isinstance(value, Container) and value.items is not None and value.element is None:
        return Container(None, list(value.items), value.bounded)
    element, bounded = expressions.iterate(run, value, site)
    return Container(element, bounded=bounded)


def _dict(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0)
    if isinstance(value, Dictionary):
        return Dictionary(dict(value.entries), value.key, value.element, value.bounded)
    if value is None:
        return Dictionary(dict(arguments.keywords), bounded=True)
    element, _ = expressions.iterate(run, value, site)
    if isinstance(element, Container) and element.items and len(element.items) == 2:
        return Dictionary({}, element.items[0], element.items[1])
    return Dictionary()


def _sorted(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0) or UNKNOWN
    element, bounded = expressions.iterate(run, value, site)
    _each(run, arguments.keywords.get("key"), element, site, expressions.describe(value))
    return Container(element, bounded=bounded)


def _extreme(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0) or UNKNOWN
    if len(arguments.positional) > 1:
        return join_all(arguments.positional) or UNKNOWN
    element, _ = expressions.iterate(run, value, site)
    _each(run, arguments.keywords.get("key"), element, site, expressions.describe(value))
    return element


def _map(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    function, value = arguments.value(0), arguments.value(1) or UNKNOWN
    element, bounded = expressions.iterate(run, value, site)
    return Container(_each(run, function, element, site, expressions.describe(value)), bounded=bounded)


def _filter(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    function, value = arguments.value(0), arguments.value(1) or UNKNOWN
    element, bounded = expressions.iterate(run, value, site)
    _each(run, function, element, site, expressions.describe(value))
    return Container(element, bounded=bounded)


def _group(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0) or UNKNOWN
    element, bounded = expressions.iterate(run, value, site)
    key = _each(run, arguments.value(1, "key"), element, site, expressions.describe(value))
    return Container(Container(None, [key, Container(element)], bounded=True), bounded=bounded)


def _consume(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
    return UNKNOWN


def _length(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0)
    if isinstance(value, Query):
        rows.evaluate_query(run, value, site)
    return UNKNOWN


def _zip(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    parts = [expressions.iterate(run, v, site) for v in arguments.positional]
    return Container(Container(None, [p for p, _ in parts], bounded=True), bounded=any(b for _, b in parts))


def _enumerate(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    element, bounded = expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
    return Container(Container(None, [UNKNOWN, element], bounded=True), bounded=bounded)


def _reversed(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    element, bounded = expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
    return Container(element, bounded=bounded)


def _chain(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    found = [expressions.iterate(run, v, site) for v in arguments.positional]
    return Container(join_all([v for v, _ in found]), bounded=bool(found) and all(b for _, b in found))


def _chain_iterable(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    outer, _ = expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
    return Container(expressions.iterate(run, outer, site)[0])


def _next(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    element, _ = expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
    return element


def _print(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    for value in arguments.positional:
        expressions.stringify(run, value, site)
    return UNKNOWN


def _getattr(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value, name = arguments.value(0) or UNKNOWN, arguments.value(1)
    if isinstance(name, Const) and isinstance(name.value, str):
        return expressions.attribute(run, value, name.value, site)
    return UNKNOWN


def _range(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    bounds = arguments.positional
    fixed = all(isinstance(v, Const) or getattr(v, "bounded", False) for v in bounds)
    stepped = len(bounds) == 3 and bounds[2] != Const(1) and bounds[2] != Const(-1)
    by_constant = len(bounds) == 1 and isinstance(arguments.node.args[0], ast.Name) and arguments.node.args[0].id.isupper()
    return Container(UNKNOWN, bounded=fixed or stepped or by_constant)


def _bool(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    rows.test(run, arguments.value(0) or UNKNOWN, site)
    return UNKNOWN


def _partial(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return Partial(arguments.positional[0], tuple(arguments.positional[1:])) if arguments.positional else UNKNOWN


def _attrgetter(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return Partial(External("charter.read"), tuple(arguments.positional))


def _read(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    """The call of an `attrgetter`: the paths come first, the object last."""
    *paths, value = arguments.positional
    result: Value = UNKNOWN
    for path in paths:
        current = value
        for part in str(path.value).split(".") if isinstance(path, Const) else []:
            current = expressions.attribute(run, current, part, site)
        result = current
    return result


def _first(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return arguments.value(0) or UNKNOWN


def _default_dict(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    factory = arguments.value(0)
    if isinstance(factory, External) and factory.name in {"builtins.list", "builtins.set"}:
        return Dictionary({}, None, Container(None))
    del run, site
    return Dictionary()


def _islice(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    element, bounded = expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
    limit = arguments.value(1)
    small = isinstance(limit, Const) and isinstance(limit.value, int) and limit.value <= 10
    return Container(element, bounded=bounded or small)


def _batches(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    element, _ = expressions.iterate(run, arguments.value(0) or UNKNOWN, site)
    return Container(Container(element), bounded=True)


# Frameworks
def _get_object(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0)
    query = as_query(run, value, Site(site.file, arguments.node.args[0]) if arguments.node.args else site)
    return rows.take(run, query, site, "get") if query is not None else UNKNOWN


def _get_list(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    query = as_query(run, arguments.value(0), Site(site.file, arguments.node.args[0]) if arguments.node.args else site)
    return Container(rows.evaluate_query(run, query, site)) if query is not None else UNKNOWN


def as_query(run: Interpreter, value: Value | None, site: Site) -> Query | None:
    """A query set from what `get_object_or_404` and class-based views accept: a model, a manager or a query set."""
    if isinstance(value, Manager):
        return django.base_query(run, value, site)
    if isinstance(value, Query):
        return value
    if isinstance(value, ClassRef):
        model = run.schema.models.get(value.cls)
        if model is not None and model.orm is Orm.DJANGO:
            manager = django.class_manager(run, model, model.default_manager, site)
            if isinstance(manager, Manager):
                return django.base_query(run, manager, site)
    return None


def _get_model(run: Interpreter, arguments: Arguments) -> Value:
    texts = [v.value for v in arguments.positional if isinstance(v, Const) and isinstance(v.value, str)]
    if not texts:
        model = run.schema.user() if not arguments.positional else None
    else:
        model = run.schema.named(".".join(texts))
    if model is None:
        return UNKNOWN
    return ClassRef(model.cls) if model.cls else ModelRef(model)


def _model_getter(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del site
    return _get_model(run, arguments)


def _prefetch_objects(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    """`prefetch_related_objects(rows, *lookups)`."""
    listed = arguments.value(0)
    element = expressions.element_of(run, listed) if listed is not None else UNKNOWN
    if isinstance(element, Row):
        run.record("fetch", site, element.varies, subject=site.source, model=element.model, row=element, method="prefetch")
        plan = element.plan
        for value in arguments.positional[1:]:
            plan = django.add_prefetch(element.model, plan, value)
        loaded = replace(element, plan=plan)
        if isinstance(listed, Container):
            listed.element, listed.items = loaded, None
        for name, value in arguments.frame.names.items():
            if value is element:
                arguments.frame.names[name] = loaded
    return NONE


def _paginator(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0, "object_list") or UNKNOWN
    del run, site
    page = value if isinstance(value, (Query, Container)) else UNKNOWN
    return Instance(None, {"rows": page, "object_list": page}, "paginator")


def _environment(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, arguments, site
    return Instance(None, {}, "jinja2.Environment")


def _get_template(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return Instance(None, {"name": arguments.value(0) or UNKNOWN}, "template")


def _prefetch(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return django.prefetch(arguments)


def _pw_prefetch(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    return light.prefetch(run, arguments.positional, site)


def _select(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    return sqlalchemy.select(run, arguments.positional, site)


def _render(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    from charter.analysis.orm import views

    return views.render_call(run, arguments.value(1, "template_name"), arguments.value(2, "context"), site)


def _render_text(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    from charter.analysis.orm import views

    return views.render_call(run, arguments.value(0, "template_name"), arguments.value(1, "context"), site)


def _flask_render(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    from charter.analysis.orm import views

    return views.render_call(run, arguments.value(0, "template_name_or_list"), Dictionary(dict(arguments.keywords)), site)


def _locals(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return Dictionary(dict(arguments.frame.names))


_BUILTINS: dict[str, Callable[..., Value]] = {
    **dict.fromkeys(("list", "tuple", "set", "frozenset", "iter", "aiter"), _collect),
    "dict": _dict,
    "sorted": _sorted,
    **dict.fromkeys(("min", "max"), _extreme),
    "map": _map,
    "filter": _filter,
    **dict.fromkeys(("sum", "any", "all"), _consume),
    "len": _length,
    "zip": _zip,
    "enumerate": _enumerate,
    "reversed": _reversed,
    "next": _next,
    **dict.fromkeys(("print", "str", "repr", "format"), _print),
    **dict.fromkeys(("getattr", "hasattr"), _getattr),
    "range": _range,
    "bool": _bool,
    "locals": _locals,
}
_LIBRARY: dict[str, Callable[..., Value]] = {
    "itertools.groupby": _group,
    "itertools.chain": _chain,
    "itertools.chain.from_iterable": _chain_iterable,
    "itertools.islice": _islice,
    "itertools.batched": _batches,
    "functools.partial": _partial,
    "operator.attrgetter": _attrgetter,
    "charter.read": _read,
    "copy.copy": _first,
    "copy.deepcopy": _first,
    "collections.defaultdict": _default_dict,
    "collections.deque": _collect,
    "typing.cast": lambda run, arguments, site: arguments.value(1) or UNKNOWN,
    "asgiref.sync.sync_to_async": _first,
    "asgiref.sync.async_to_sync": _first,
    "peewee.prefetch": _pw_prefetch,
    "jinja2.Environment": _environment,
    "flask.render_template": _flask_render,
}
_BY_LAST: dict[str, Callable[..., Value]] = {
    "get_object_or_404": _get_object,
    "aget_object_or_404": _get_object,
    "get_list_or_404": _get_list,
    "get_model": _model_getter,
    "get_user_model": _model_getter,
    "prefetch_related_objects": _prefetch_objects,
    "aprefetch_related_objects": _prefetch_objects,
    "Paginator": _paginator,
    "Prefetch": _prefetch,
    "render": _render,
    "TemplateResponse": _render,
    "render_to_string": _render_text,
    "render_to_response": _render_text,
    "get_template": _get_template,
    "database_sync_to_async": _first,
}


def _external(run: Interpreter, name: str, arguments: Arguments, site: Site) -> Value:
    """Call something outside the project."""
    module, _, last = name.rpartition(".")
    if module == "builtins":
        handler = _BUILTINS.get(last)
        return handler(run, arguments, site) if handler else UNKNOWN
    handler = _LIBRARY.get(name)
    if handler is not None:
        return handler(run, arguments, site)
    if module.startswith(("sqlalchemy", "sqlmodel")):
        return _sqlalchemy(run, last, arguments, site)
    handler = _BY_LAST.get(last)
    if handler is not None:
        return handler(run, arguments, site)
    if module:
        found = sqlalchemy.session_call(run, External(module), last, arguments, site)
        if found is not None:
            return found
    if last[:1].isupper():
        return Instance(None, dict(arguments.keywords), name)
    return Unknown(last, bounded="chunk" in last or "batch" in last)


def _sqlalchemy(run: Interpreter, last: str, arguments: Arguments, site: Site) -> Value:
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


