"""Django's class-based views and DRF's: which query set they show, through which template or serializer."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm import django, rows, serializers
from charter.analysis.orm.arguments import Arguments
from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.values import (
    UNKNOWN,
    Const,
    Container,
    Dictionary,
    Function,
    Instance,
    Manager,
    Query,
    Row,
    Super,
    Unknown,
    Value,
)
from charter.analysis.orm.world import Class, Site

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine

_LIST = ("ListView", "ArchiveIndexView", "YearArchiveView", "MonthArchiveView", "DayArchiveView")
_DETAIL = ("DetailView", "UpdateView", "DeleteView", "DateDetailView")
_API_LIST = ("ListAPIView", "ListCreateAPIView", "ModelViewSet", "ReadOnlyModelViewSet", "ListModelMixin")
_API_ONE = (
    "RetrieveAPIView",
    "RetrieveUpdateAPIView",
    "RetrieveDestroyAPIView",
    "RetrieveUpdateDestroyAPIView",
    "ModelViewSet",
    "ReadOnlyModelViewSet",
    "RetrieveModelMixin",
)


def kinds(run: Machine, cls: Class) -> set[str]:
    """The last names of the outside ancestors of a class."""
    return {b.rpartition(".")[2] for b in run.world.outside(cls)}


def is_list(names: set[str]) -> bool:
    """Whether a view shows many rows."""
    return any(n in _LIST for n in names)


def is_detail(names: set[str]) -> bool:
    """Whether a view shows one row."""
    return any(n in _DETAIL for n in names)


# Rendering
def render_call(run: Machine, name: Value | None, context: Value | None, site: Site) -> Value:
    """`render(request, name, context)`."""
    names = [name] if isinstance(name, Const) else (name.items or []) if isinstance(name, Container) else []
    scope = dict(context.entries) if isinstance(context, Dictionary) else {}
    for candidate in names:
        if isinstance(candidate, Const) and isinstance(candidate.value, str):
            run.templates.render(run, candidate.value, _context(scope), site)
            break
    return UNKNOWN


def _context(entries: dict[object, Value]) -> dict[str, Value]:
    return {str(k): v for k, v in entries.items()}


def render_template(run: Machine, template: Instance, arguments: Arguments, site: Site) -> Value:
    """`template.render(context)` of Django, `template.render(**context)` of Jinja."""
    context = arguments.value(0)
    scope: dict[object, Value] = dict(context.entries) if isinstance(context, Dictionary) else {}
    scope.update(arguments.keywords)
    return render_call(run, template.attributes.get("name"), Dictionary(scope), site)


# What views inherit
def method(run: Machine, instance: Instance, name: str, arguments: Arguments, site: Site) -> Value | None:
    """A method that a view inherits from Django or DRF; None if it is none that matters."""
    cls = instance.cls
    if cls is None:
        return None
    if name in {"get_queryset", "filter_queryset", "paginate_queryset"}:
        given = arguments.value(0)
        return given if isinstance(given, (Query, Container)) else queryset(run, instance, site)
    if name == "get_object":
        query = view_query(run, instance, site)
        return rows.take(run, query, site, "get") if query is not None else None
    if name == "get_context_data":
        return context_data(run, instance, arguments.keywords, site)
    if name == "render_to_response":
        return render(run, instance, arguments.value(0), site)
    if name == "get_serializer":
        return _serializer(run, instance, arguments, site)
    return None


def super_call(run: Machine, receiver: Super, name: str, arguments: Arguments, site: Site) -> Value:
    """`super().name(…)` where the method is inherited from outside the project."""
    target = receiver.receiver
    if isinstance(target, Instance) and target.cls is not None:
        found = method(run, target, name, arguments, site)
        if found is not None:
            return found
        if name == "to_representation" and isinstance(arguments.value(0), Row):
            row = arguments.value(0)
            assert isinstance(row, Row)
            serializers.represent(run, target.cls, row, 1)
            return Dictionary()
    return Unknown(name)


def current(run: Machine, instance: Instance, name: str, site: Site) -> Value:
    """`self.object` and `self.object_list` before the view set them in sight."""
    assert instance.cls is not None
    names = kinds(run, instance.cls)
    query = view_query(run, instance, site) if is_list(names) or is_detail(names) else None
    if query is None:
        return Unknown(name)
    if name == "object_list":
        return query
    with run.masked(frozenset()):
        return rows.take(run, query, site, "get")


def queryset(run: Machine, instance: Instance, site: Site) -> Value:
    """The query set that a view or admin names in its class, without its own `get_queryset`."""
    assert instance.cls is not None
    for name in ("queryset", "model"):
        value = instance.attributes.get(name)
        if value is None:
            found = run.world.member(instance.cls, name)
            if found is None:
                continue
            owner, member = found
            value = run.member_value(owner, member)
            site = Site(owner.module, member)
        query = django.as_query(run, value, site)
        if query is not None:
            return rows.step(query, "all", query.tail, born=run.births())
    return UNKNOWN


def view_query(run: Machine, instance: Instance, site: Site) -> Query | None:
    """What `get_queryset()` of a view gives."""
    value = call_method(run, instance, "get_queryset", [], site)
    if isinstance(value, Manager):
        value = django.base_query(run, value, site)
    return value if isinstance(value, Query) else None


def call_method(run: Machine, instance: Instance, name: str, arguments: list[Value], site: Site) -> Value:
    """Call a view's method, its own or an inherited one."""
    assert instance.cls is not None
    found = run.world.member(instance.cls, name)
    if found is not None and isinstance(found[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
        return run.invoke(Function(found[1], found[0].module, found[0], instance), arguments, {}, site)
    return method(run, instance, name, Arguments.of(*arguments), site) or UNKNOWN


def context_data(run: Machine, instance: Instance, given: dict[str, Value], site: Site) -> Dictionary:
    """What the inherited `get_context_data` gives."""
    assert instance.cls is not None
    names = kinds(run, instance.cls)
    context = Dictionary({"view": instance})
    if is_list(names):
        shown = instance.attributes.get("object_list") or view_query(run, instance, site)
        if isinstance(shown, (Query, Container)):
            context.entries["object_list"] = shown
            context.entries["page_obj"] = shown
            context.entries[_context_name(run, instance, shown, many=True)] = shown
    elif is_detail(names):
        shown = run.attribute(instance, "object", site)
        if isinstance(shown, Row):
            context.entries["object"] = shown
            context.entries[_context_name(run, instance, shown, many=False)] = shown
    context.entries.update(given)
    return context


def _context_name(run: Machine, instance: Instance, shown: Value, *, many: bool) -> str:
    assert instance.cls is not None
    explicit = text_attribute(run, instance.cls, "context_object_name")
    if explicit:
        return explicit
    model = shown.model.name.lower() if isinstance(shown, (Query, Row)) else "object"
    return f"{model}_list" if many else model


def text_attribute(run: Machine, cls: Class, name: str) -> str:
    """A string that stands in the class body."""
    found = run.world.member(cls, name)
    value = run.member_value(*found) if found else UNKNOWN
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else ""


def render(run: Machine, instance: Instance, context: Value | None, site: Site) -> Value:
    """Render a view's template."""
    assert instance.cls is not None
    name = text_attribute(run, instance.cls, "template_name") or _default_template(run, instance, site)
    if not name:
        return UNKNOWN
    entries = context.entries if isinstance(context, Dictionary) else {}
    extra = run.world.member(instance.cls, "extra_context")
    found = run.member_value(*extra) if extra else None
    scope = {**(found.entries if isinstance(found, Dictionary) else {}), **entries}
    run.templates.render(run, name, _context(scope), site)
    return UNKNOWN


def _default_template(run: Machine, instance: Instance, site: Site) -> str:
    assert instance.cls is not None
    names = kinds(run, instance.cls)
    query = view_query(run, instance, site)
    if query is None or query.model.orm is not Orm.DJANGO:
        return ""
    suffix = "_list" if is_list(names) else "_form" if "UpdateView" in names else "_detail"
    return f"{query.model.label}/{query.model.name.lower()}{suffix}.html"


# Entry points
def run_view(run: Machine, cls: Class) -> bool:
    """Run a class-based view as a request would; False if the class is none."""
    names = kinds(run, cls)
    if not (is_list(names) or is_detail(names) or "TemplateView" in names):
        return False
    instance = Instance(cls, {"__init__": UNKNOWN})
    site = Site(cls.module, cls.node)
    if is_list(names):
        query = view_query(run, instance, site)
        if query is not None:
            instance.attributes["object_list"] = query
    elif is_detail(names):
        shown = call_method(run, instance, "get_object", [], site)
        if isinstance(shown, Row):
            instance.attributes["object"] = shown
    context = call_method(run, instance, "get_context_data", [], site)
    render(run, instance, context, site)
    return True


def run_api(run: Machine, cls: Class) -> bool:
    """Run a DRF view's list and detail actions; False if the class has none."""
    names = kinds(run, cls)
    many = any(n in _API_LIST for n in names)
    one = any(n in _API_ONE for n in names)
    if not many and not one:
        return False
    for action, active in (("list", many), ("retrieve", one)):
        own = run.world.member(cls, "list" if action == "list" else "retrieve")
        if not active or (own is not None and isinstance(own[1], ast.FunctionDef)):
            continue
        instance = Instance(cls, {"__init__": UNKNOWN, "action": Const(action)})
        site = Site(cls.module, cls.node)
        query = view_query(run, instance, site)
        serializer = serializers.serializer_of(_serializer_class(run, instance, site))
        if query is None or serializer is None:
            continue
        shown: Value = query if action == "list" else rows.take(run, query, site, "get")
        serializers.serialize(run, serializer, shown, site)
    return True


def _serializer_class(run: Machine, instance: Instance, site: Site) -> Value:
    assert instance.cls is not None
    found = run.world.member(instance.cls, "get_serializer_class")
    if found is not None:
        return call_method(run, instance, "get_serializer_class", [], site)
    member = run.world.member(instance.cls, "serializer_class")
    return run.member_value(*member) if member else UNKNOWN


def _serializer(run: Machine, instance: Instance, arguments: Arguments, site: Site) -> Value:
    cls = serializers.serializer_of(_serializer_class(run, instance, site))
    if cls is None:
        return UNKNOWN
    made = Instance(cls)
    serializers.remember(made, arguments)
    return made
