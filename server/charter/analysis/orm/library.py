"""Functions of the standard library and of frameworks that move rows along, call back for each, or load and render them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.analysis.orm import answers, django, light, rows, views
from charter.analysis.orm.arguments import Arguments
from charter.analysis.orm.values import (
    NONE,
    UNKNOWN,
    ClassRef,
    Const,
    Container,
    Dictionary,
    External,
    Instance,
    ModelRef,
    Partial,
    Query,
    Row,
    Value,
    join_all,
)
from charter.analysis.orm.world import Site

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine

_FEW = 31
"""The most rounds of a loop over a fixed range that are no matter: the days of a month."""


def each(run: Machine, function: Value | None, element: Value, site: Site, what: str = "") -> Value:
    """Call a function for every element."""
    if function is None or isinstance(function, Const):
        return UNKNOWN
    with run.loop(site, bounded=False, what=what, rows=isinstance(element, Row)) as loop:
        return run.call(function, Arguments.of(run.vary(element, loop)), site)


def _collect(run: Machine, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0)
    if value is None:
        return Container(None, [])
    if isinstance(value, Container) and value.items is not None and value.element is None:
        return Container(None, list(value.items), value.bounded)
    element, bounded = run.iterate(value, site)
    if isinstance(value, Query) and isinstance(site.node, ast.Call):
        run.listed[site.node] = value
    return Container(element, bounded=bounded)


def _dict(run: Machine, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0)
    if isinstance(value, Dictionary):
        return Dictionary(dict(value.entries), value.key, value.element, value.bounded)
    if value is None:
        return Dictionary({**arguments.keywords}, bounded=True)
    element, _ = run.iterate(value, site)
    if isinstance(element, Container) and element.items and len(element.items) == 2:
        return Dictionary({}, element.items[0], element.items[1])
    return Dictionary()


def _sorted(run: Machine, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0) or UNKNOWN
    element, bounded = run.iterate(value, site)
    each(run, arguments.keywords.get("key"), element, site, rows.describe(value))
    return Container(element, bounded=bounded)


def _extreme(run: Machine, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0) or UNKNOWN
    if len(arguments.positional) > 1:
        return join_all(arguments.positional) or UNKNOWN
    element, _ = run.iterate(value, site)
    each(run, arguments.keywords.get("key"), element, site, rows.describe(value))
    return element


def _map(run: Machine, arguments: Arguments, site: Site) -> Value:
    function, value = arguments.value(0), arguments.value(1) or UNKNOWN
    element, bounded = run.iterate(value, site)
    return Container(each(run, function, element, site, rows.describe(value)), bounded=bounded)


def _filter(run: Machine, arguments: Arguments, site: Site) -> Value:
    function, value = arguments.value(0), arguments.value(1) or UNKNOWN
    element, bounded = run.iterate(value, site)
    each(run, function, element, site, rows.describe(value))
    return Container(element, bounded=bounded)


def _group(run: Machine, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0) or UNKNOWN
    element, bounded = run.iterate(value, site)
    key = each(run, arguments.value(1, "key"), element, site, rows.describe(value))
    return Container(Container(None, [key, Container(element)], bounded=True), bounded=bounded)


def _reduce(run: Machine, arguments: Arguments, site: Site) -> Value:
    function, value = arguments.value(0), arguments.value(1) or UNKNOWN
    element, bounded = run.iterate(value, site)
    if function is None:
        return UNKNOWN
    start = arguments.value(2) or element
    with run.loop(site, bounded=bounded, what=rows.describe(value), rows=isinstance(element, Row)) as loop:
        return run.call(function, Arguments.of(start, run.vary(element, loop)), site)


def _consume(run: Machine, arguments: Arguments, site: Site) -> Value:
    run.iterate(arguments.value(0) or UNKNOWN, site)
    return UNKNOWN


def _length(run: Machine, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0)
    if isinstance(value, Query):
        if site.node is arguments.node and arguments.node.args:
            answers.note(run, "count", value, site, arguments.node.args[0])
        rows.evaluate_query(run, value, site)
    elif arguments.node.args and (query := run.listed.get(arguments.node.args[0])) is not None:
        listing = arguments.node.args[0]
        if isinstance(listing, ast.Call) and site.node is arguments.node:
            answers.note(run, "count", query, site, listing.args[0])
    return UNKNOWN


def _zip(run: Machine, arguments: Arguments, site: Site) -> Value:
    parts = [run.iterate(v, site) for v in arguments.positional]
    return Container(Container(None, [p for p, _ in parts], bounded=True), bounded=any(b for _, b in parts))


def _enumerate(run: Machine, arguments: Arguments, site: Site) -> Value:
    element, bounded = run.iterate(arguments.value(0) or UNKNOWN, site)
    return Container(Container(None, [UNKNOWN, element], bounded=True), bounded=bounded)


def _reversed(run: Machine, arguments: Arguments, site: Site) -> Value:
    element, bounded = run.iterate(arguments.value(0) or UNKNOWN, site)
    return Container(element, bounded=bounded)


def _chain(run: Machine, arguments: Arguments, site: Site) -> Value:
    found = [run.iterate(v, site) for v in arguments.positional]
    return Container(join_all([v for v, _ in found]), bounded=bool(found) and all(b for _, b in found))


def _chain_iterable(run: Machine, arguments: Arguments, site: Site) -> Value:
    outer, _ = run.iterate(arguments.value(0) or UNKNOWN, site)
    return Container(run.iterate(outer, site)[0])


def _next(run: Machine, arguments: Arguments, site: Site) -> Value:
    element, _ = run.iterate(arguments.value(0) or UNKNOWN, site)
    return element


def _print(run: Machine, arguments: Arguments, site: Site) -> Value:
    for value in arguments.positional:
        run.stringify(value, site)
    return UNKNOWN


def _getattr(run: Machine, arguments: Arguments, site: Site) -> Value:
    value, name = arguments.value(0) or UNKNOWN, arguments.value(1)
    if isinstance(name, Const) and isinstance(name.value, str):
        return run.attribute(value, name.value, site)
    return UNKNOWN


def _range(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, site
    bounds = arguments.positional
    numbers = [v.value for v in bounds if isinstance(v, Const) and isinstance(v.value, int)]
    if numbers and len(numbers) == len(bounds) <= 2:
        return Container(UNKNOWN, bounded=len(range(*numbers)) <= _FEW)
    fixed = all(isinstance(v, Const) or getattr(v, "bounded", False) for v in bounds)
    stepped = len(bounds) == 3 and bounds[2] != Const(1) and bounds[2] != Const(-1)
    by_constant = (
        len(bounds) == 1
        and isinstance(arguments.node.args[0], ast.Name)
        and arguments.node.args[0].id.isupper()
    )
    return Container(UNKNOWN, bounded=fixed or stepped or by_constant)


def _bool(run: Machine, arguments: Arguments, site: Site) -> Value:
    node = arguments.node.args[0] if arguments.node.args else None
    rows.test(run, arguments.value(0) or UNKNOWN, Site(site.file, node) if node is not None else site)
    return UNKNOWN


def _partial(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, site
    return (
        Partial(arguments.positional[0], tuple(arguments.positional[1:])) if arguments.positional else UNKNOWN
    )


def _attrgetter(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, site
    return Partial(External("charter.read"), tuple(arguments.positional))


def _read(run: Machine, arguments: Arguments, site: Site) -> Value:
    """The call of an `attrgetter`: the paths come first, the object last."""
    *paths, value = arguments.positional
    result: Value = UNKNOWN
    for path in paths:
        current = value
        for part in str(path.value).split(".") if isinstance(path, Const) else []:
            current = run.attribute(current, part, site)
        result = current
    return result


def _first(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, site
    return arguments.value(0) or UNKNOWN


def _second(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, site
    return arguments.value(1) or UNKNOWN


def _default_dict(run: Machine, arguments: Arguments, site: Site) -> Value:
    factory = arguments.value(0)
    if isinstance(factory, External) and factory.name in {"builtins.list", "builtins.set"}:
        return Dictionary({}, None, Container(None))
    del run, site
    return Dictionary()


def _islice(run: Machine, arguments: Arguments, site: Site) -> Value:
    element, bounded = run.iterate(arguments.value(0) or UNKNOWN, site)
    limit = arguments.value(2 if len(arguments.positional) > 2 else 1)
    small = isinstance(limit, Const) and isinstance(limit.value, int) and limit.value <= _FEW
    return Container(element, bounded=bounded or small)


def _batches(run: Machine, arguments: Arguments, site: Site) -> Value:
    element, _ = run.iterate(arguments.value(0) or UNKNOWN, site)
    return Container(Container(element), bounded=True)


# Frameworks
def _get_object(run: Machine, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0)
    query = django.as_query(
        run, value, Site(site.file, arguments.node.args[0]) if arguments.node.args else site
    )
    return rows.take(run, query, site, "get") if query is not None else UNKNOWN


def _get_list(run: Machine, arguments: Arguments, site: Site) -> Value:
    query = django.as_query(
        run, arguments.value(0), Site(site.file, arguments.node.args[0]) if arguments.node.args else site
    )
    return Container(rows.evaluate_query(run, query, site)) if query is not None else UNKNOWN


def find_model(run: Machine, arguments: Arguments) -> Value:
    """`get_model("app", "Name")` and `get_user_model()`."""
    texts = [v.value for v in arguments.positional if isinstance(v, Const) and isinstance(v.value, str)]
    if not texts:
        model = run.schema.user() if not arguments.node.args else None
    else:
        model = run.schema.named(".".join(texts))
    if model is None:
        return UNKNOWN
    return ClassRef(model.cls) if model.cls else ModelRef(model)


def _model_getter(run: Machine, arguments: Arguments, site: Site) -> Value:
    del site
    return find_model(run, arguments)


def _prefetch_objects(run: Machine, arguments: Arguments, site: Site) -> Value:
    """`prefetch_related_objects(rows, *lookups)`."""
    listed = arguments.value(0)
    element = rows.element_of(run, listed) if listed is not None else UNKNOWN
    if isinstance(element, Row):
        run.record("fetch", site, element.varies, model=element.model, row=element, method="prefetch")
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


def _paginator(run: Machine, arguments: Arguments, site: Site) -> Value:
    value = arguments.value(0, "object_list") or UNKNOWN
    del run, site
    page = value if isinstance(value, (Query, Container)) else UNKNOWN
    return Instance(None, {"rows": page, "object_list": page}, "paginator")


def _transaction(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, arguments, site
    return Instance(None, {}, "transaction")


def _environment(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, arguments, site
    return Instance(None, {}, "jinja2.Environment")


def _get_template(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, site
    return Instance(None, {"name": arguments.value(0) or UNKNOWN}, "template")


def _prefetch(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, site
    return django.prefetch(arguments)


def _pw_prefetch(run: Machine, arguments: Arguments, site: Site) -> Value:
    return light.prefetch(run, arguments.positional, site)


def _render(run: Machine, arguments: Arguments, site: Site) -> Value:
    return views.render_call(run, arguments.value(1, "template_name"), arguments.value(2, "context"), site)


def _render_text(run: Machine, arguments: Arguments, site: Site) -> Value:
    return views.render_call(run, arguments.value(0, "template_name"), arguments.value(1, "context"), site)


def _flask_render(run: Machine, arguments: Arguments, site: Site) -> Value:
    return views.render_call(
        run, arguments.value(0, "template_name_or_list"), Dictionary({**arguments.keywords}), site
    )


def _locals(run: Machine, arguments: Arguments, site: Site) -> Value:
    del run, site
    return Dictionary({**arguments.frame.names})


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
    "functools.reduce": _reduce,
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
    "django.db.transaction.atomic": _transaction,
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
