"""Functions of the standard library and of frameworks that move rows along, call back for each, or load and render them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from charter.analysis.orm import attributes, calls, django, expressions, light, rows, sqlalchemy
from charter.analysis.orm.schema import Orm
from charter.analysis.orm.values import (
    NONE,
    UNKNOWN,
    ClassRef,
    Const,
    Container,
    Dictionary,
    External,
    Instance,
    Manager,
    ModelRef,
    Partial,
    Query,
    Row,
    Value,
    join_all,
)
from charter.analysis.orm.world import Site

if TYPE_CHECKING:
    from charter.analysis.orm.calls import Arguments
    from charter.analysis.orm.interpreter import Interpreter


def each(run: Interpreter, function: Value | None, element: Value, site: Site, what: str = "") -> Value:
    """Call a function for every element."""
    if function is None or isinstance(function, Const):
        return UNKNOWN
    with run.loop(site, bounded=False, what=what, rows=isinstance(element, Row)) as loop:
        return calls.call(run, function, calls.Arguments.of(run.vary(element, loop)), site)


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
    each(run, arguments.keywords.get("key"), element, site, expressions.describe(value))
    return Container(element, bounded=bounded)


def _extreme(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0) or UNKNOWN
    if len(arguments.positional) > 1:
        return join_all(arguments.positional) or UNKNOWN
    element, _ = expressions.iterate(run, value, site)
    each(run, arguments.keywords.get("key"), element, site, expressions.describe(value))
    return element


def _map(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    function, value = arguments.value(0), arguments.value(1) or UNKNOWN
    element, bounded = expressions.iterate(run, value, site)
    return Container(each(run, function, element, site, expressions.describe(value)), bounded=bounded)


def _filter(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    function, value = arguments.value(0), arguments.value(1) or UNKNOWN
    element, bounded = expressions.iterate(run, value, site)
    each(run, function, element, site, expressions.describe(value))
    return Container(element, bounded=bounded)


def _group(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0) or UNKNOWN
    element, bounded = expressions.iterate(run, value, site)
    key = each(run, arguments.value(1, "key"), element, site, expressions.describe(value))
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
        return attributes.attribute(run, value, name.value, site)
    return UNKNOWN


def _range(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    bounds = arguments.positional
    fixed = all(isinstance(v, Const) or getattr(v, "bounded", False) for v in bounds)
    stepped = len(bounds) == 3 and bounds[2] != Const(1) and bounds[2] != Const(-1)
    by_constant = (
        len(bounds) == 1
        and isinstance(arguments.node.args[0], ast.Name)
        and arguments.node.args[0].id.isupper()
    )
    return Container(UNKNOWN, bounded=fixed or stepped or by_constant)


def _bool(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    rows.test(run, arguments.value(0) or UNKNOWN, site)
    return UNKNOWN


def _partial(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return (
        Partial(arguments.positional[0], tuple(arguments.positional[1:])) if arguments.positional else UNKNOWN
    )


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
            current = attributes.attribute(run, current, part, site)
        result = current
    return result


def _first(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return arguments.value(0) or UNKNOWN


def _second(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return arguments.value(1) or UNKNOWN


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
    query = as_query(
        run, arguments.value(0), Site(site.file, arguments.node.args[0]) if arguments.node.args else site
    )
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


def find_model(run: Interpreter, arguments: Arguments) -> Value:
    """`get_model("app", "Name")` and `get_user_model()`."""
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
    return find_model(run, arguments)


def _prefetch_objects(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    """`prefetch_related_objects(rows, *lookups)`."""
    listed = arguments.value(0)
    element = expressions.element_of(run, listed) if listed is not None else UNKNOWN
    if isinstance(element, Row):
        run.record(
            "fetch",
            site,
            element.varies,
            subject=site.source,
            model=element.model,
            row=element,
            method="prefetch",
        )
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

    return views.render_call(
        run, arguments.value(0, "template_name_or_list"), Dictionary(dict(arguments.keywords)), site
    )


def _locals(run: Interpreter, arguments: Arguments, site: Site) -> Value:
    del run, site
    return Dictionary(dict(arguments.frame.names))


BUILTINS: dict[str, Callable[..., Value]] = {
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
LIBRARY: dict[str, Callable[..., Value]] = {
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
    "typing.cast": _second,
    "asgiref.sync.sync_to_async": _first,
    "asgiref.sync.async_to_sync": _first,
    "peewee.prefetch": _pw_prefetch,
    "jinja2.Environment": _environment,
    "flask.render_template": _flask_render,
}
BY_LAST: dict[str, Callable[..., Value]] = {
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
