"""The graph of a project's models: columns, relations in both directions, managers. Built from the class definitions.

It knows Django, SQLAlchemy (declarative), SQLModel, Peewee and Tortoise; it does not know any query.
"""

from __future__ import annotations

import ast
import re
from posixpath import commonpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charter.analysis.orm.declarations import (
    app_label,
    argument_of,
    constant_of,
    foreign_tables,
    inherits_table,
    is_queryset_class,
    is_table,
    keyword_of,
    lazy_option,
    mapped_target,
    meta_option,
    orm_of,
    relationship_options,
    string_of,
)
from charter.analysis.orm.mapping import Kind, Model, Orm, Relation
from charter.analysis.orm.mentions import last_name
from charter.analysis.orm.world import Class, Module, Site, World

if TYPE_CHECKING:
    from collections.abc import Sequence

_DJANGO_FIELDS = {
    "ForeignKey": Kind.FORWARD,
    "ParentalKey": Kind.FORWARD,
    "TreeForeignKey": Kind.FORWARD,
    "OneToOneField": Kind.ONE,
    "ManyToManyField": Kind.MANY,
    "ParentalManyToManyField": Kind.MANY,
    "SortedManyToManyField": Kind.MANY,
    "GenericForeignKey": Kind.GENERIC,
    "GenericRelation": Kind.GENERIC_MANY,
}
_LIGHT_FIELDS = {
    "ForeignKeyField": Kind.FORWARD,
    "OneToOneField": Kind.ONE,
    "ManyToManyField": Kind.MANY,
}
KNOWN_USER = "django.contrib.auth.models.User"


class Schema:
    """All models of a project.

    Args:
        world: the project's files; `paths` limits the search to files that may define models.
    """

    def __init__(self, world: World, paths: list[str]) -> None:
        self.world: World = world
        self.paths: frozenset[str] = frozenset(paths)
        self.models: dict[Class, Model] = {}
        self.outside: dict[str, Model] = {}
        self._labels: dict[tuple[str, str], list[Model]] = {}
        self._names: dict[str, list[Model]] = {}
        self._tables: dict[str, Model] = {}
        self.user_model: str = ""
        self._undecided: list[tuple[Model, Relation]] = []
        self._by_snake: dict[str, list[Model]] = {}
        candidates: list[Class] = []
        for path in paths:
            module = world.by_path[path]
            _ = module.names
            candidates.extend(module.classes)
        for cls in candidates:
            self._declare(cls)
        for model in list(self.models.values()):
            self._hierarchy(model)
        for model in list(self.models.values()):
            self._fields(model)
        for model in list(self.models.values()):
            _link_tables(model)
        forward = [(m, list(m.relations.values())) for m in self.models.values() if not m.abstract]
        for model, relations in forward:
            self._reverse(model, relations)
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model.name).lower()
            self._by_snake.setdefault(snake, []).append(model)

    def defining(self) -> set[str]:
        """The files of all models and of their ancestors."""
        classes = (entry for cls in self.models for entry in self.world.mro(cls))
        return {entry.module.path for entry in classes if isinstance(entry, Class)}

    def would_map(self, cls: Class) -> bool:
        """Whether a class is a model."""
        return orm_of(cls, self.world.outside(cls)) is not None

    def by_convention(self, name: str, attribute: str) -> Model | None:
        """The model that a parameter is named after, if an attribute read from it is one of its relations to many."""
        for model in self._by_snake.get(name, ()):
            relation = model.relations.get(attribute)
            if relation is not None and relation.many and model.orm is Orm.DJANGO:
                return model
        return None

    def conventions(self) -> dict[str, frozenset[str]]:
        """The names by which `by_convention` knows a model, each with the relations that it must be read with."""
        found: dict[str, frozenset[str]] = {}
        for name, models in self._by_snake.items():
            many = frozenset(
                n for m in models if m.orm is Orm.DJANGO for n, r in m.relations.items() if r.many
            )
            if many:
                found[name] = many
        return found

    def digest(self) -> int:
        """A number that changes when a model, relation, column or manager does."""
        parts: list[object] = []
        for model in self.models.values():
            relations = [
                (r.name, r.kind.value, r.target.name if r.target else "", r.null, r.lazy, r.inverse, r.column)
                for r in model.relations.values()
            ]
            managers = [(n, *(c.name if c else "" for c in pair)) for n, pair in model.managers.items()]
            parts.append(
                (
                    model.name,
                    model.label,
                    tuple(relations),
                    tuple(model.columns.items()),
                    tuple(managers),
                    model.ordered,
                )
            )
        return hash(tuple(parts))

    # Finding models
    def _declare(self, cls: Class) -> None:
        outside = self.world.outside(cls)
        orm = orm_of(cls, outside)
        if orm is None:
            return
        model = Model(cls.name, orm, app_label(cls), cls)
        if orm is Orm.DJANGO:
            model.abstract = meta_option(cls, "abstract") is True
        elif orm is Orm.SQLALCHEMY:
            tablename = cls.members.get("__tablename__")
            model.table = string_of(tablename)
            model.abstract = constant_of(cls.members.get("__abstract__")) is True or (
                not is_table(cls) and not inherits_table(self.world, cls)
            )
        self.models[cls] = model
        self._names.setdefault(cls.name, []).append(model)
        labelled = self._labels.setdefault((model.label.lower(), cls.name.lower()), [])
        if not (model.abstract and labelled):
            labelled.append(model)
        if model.table:
            self._tables[model.table] = model

    def _hierarchy(self, model: Model) -> None:
        assert model.cls is not None
        for entry in self.world.mro(model.cls)[1:]:
            if isinstance(entry, Class) and entry in self.models:
                parent = self.models[entry]
                model.parents.append(parent)
                parent.children.append(model)

    def _fields(self, model: Model) -> None:
        assert model.cls is not None
        for entry in reversed(self.world.mro(model.cls)):
            if isinstance(entry, Class):
                for name, value in entry.members.items():
                    self._member(model, entry, name, value)
                for cls_name, name, value in entry.module.extensions:
                    if cls_name == entry.name:
                        self._member(model, entry, name, value)
        if model.orm is Orm.DJANGO:
            ordering = next(
                (o for c in self._lineage(model) if (o := meta_option(c, "ordering")) is not None), None
            )
            model.ordered = bool(ordering)
            self._django_managers(model)

    def _lineage(self, model: Model) -> list[Class]:
        assert model.cls is not None
        chain = [e for e in self.world.mro(model.cls) if isinstance(e, Class)]
        # A concrete parent's Meta.ordering is inherited as well; only the first that says something counts.
        return [c for c in chain if "Meta" in c.members]

    def _member(self, model: Model, owner: Class, name: str, value: ast.AST) -> None:
        annotation: ast.expr | None = None
        node: ast.AST | None = value
        if isinstance(value, ast.AnnAssign):
            annotation, node = value.annotation, value.value
        match model.orm:
            case Orm.DJANGO:
                if isinstance(node, ast.Call):
                    self._django_field(model, owner, name, node)
            case Orm.SQLALCHEMY:
                self._sa_attribute(model, owner, name, node, annotation)
            case Orm.PEEWEE | Orm.TORTOISE:
                if isinstance(node, ast.Call):
                    self._light_field(model, owner, name, node)

    # Django
    def _django_field(self, model: Model, owner: Class, name: str, call: ast.Call) -> None:
        kind = self._field_kind(owner.module, call.func, _DJANGO_FIELDS)
        if kind is None:
            if last_name(call.func).endswith(("Field", "File", "Key")) and not last_name(call.func).endswith(
                "Panel"
            ):
                model.columns[name] = False
                if last_name(call.func).endswith(("FileField", "ImageField")):
                    model.files.add(name)
                for flag, names in (("db_index", model.indexed), ("unique", model.unique)):
                    if constant_of(keyword_of(call, flag)) is True:
                        names.add(name)
            else:
                model.columns.pop(name, None)
            return
        target = self._target(owner.module, model, argument_of(call, 0, "to"))
        if kind is Kind.GENERIC:
            target = None
        places = {Kind.FORWARD: 2, Kind.ONE: 2, Kind.MANY: 1}
        related = string_of(argument_of(call, places.get(kind, len(call.args)), "related_name"))
        relation = Relation(
            name,
            kind,
            target,
            Site(owner.module, call),
            column=f"{name}_id" if kind in {Kind.FORWARD, Kind.ONE} else "",
            null=constant_of(keyword_of(call, "null")) is True,
            inverse=related,
            query_name=string_of(keyword_of(call, "related_query_name")),
            through=string_of(keyword_of(call, "through")) or last_name(keyword_of(call, "through")),
        )
        model.relations[name] = relation

    def _field_kind(self, module: Module, func: ast.expr, table: dict[str, Kind]) -> Kind | None:
        last = last_name(func)
        if last in table:
            return table[last]
        found = self.world.expression(module, func)
        if isinstance(found, Class):
            for entry in self.world.mro(found):
                name = entry if isinstance(entry, str) else entry.name
                if name.rpartition(".")[2] in table:
                    return table[name.rpartition(".")[2]]
        return None

    def _target(self, module: Module, model: Model, node: ast.AST | None) -> Model | None:
        if node is None:
            return None
        text = string_of(node)
        if not text:
            if isinstance(node, ast.Attribute) and node.attr == "AUTH_USER_MODEL":
                return self.user()
            found = self.world.expression(module, node)
            if isinstance(found, tuple):
                inner = found[1]
                if isinstance(inner, ast.Call) and last_name(inner.func) == "get_user_model":
                    return self.user()
                text = (string_of(inner) if isinstance(inner, ast.AST) else "") or text
                if isinstance(inner, ast.Attribute) and inner.attr == "AUTH_USER_MODEL":
                    return self.user()
            if isinstance(found, Class):
                return self.models.get(found)
            if isinstance(found, str) and not text:
                return self.external(found, model.orm)
        if not text:
            return None
        return self.named(text, model)

    def named(self, text: str, near: Model | None = None, label: str = "") -> Model | None:
        """The model that a string such as `shop.Order`, `Order` or `self` means."""
        if text in {"self", "this"}:
            return near
        app, _, name = text.rpartition(".")
        app = app.rpartition(".")[2]
        if app:
            found = self._labels.get((app.lower(), name.lower()))
            if found:
                return _nearest(found, near)
        elif near is not None or label:
            found = self._labels.get(((near.label if near else label).lower(), name.lower()))
            if found:
                return _nearest(found, near)
        choices = [m for m in self._names.get(name, []) if not m.abstract] or self._names.get(name, [])
        if len(choices) == 1 or (choices and near is not None and near.orm is not Orm.DJANGO):
            return choices[0]
        if app.lower() == "auth" or app == "contenttypes":
            return self.external(f"django.contrib.{app.lower()}.models.{name}", Orm.DJANGO)
        return None

    def user(self) -> Model:
        """The project's user model, or Django's own."""
        if self.user_model:
            found = self.named(self.user_model)
            if found is not None:
                return found
        return self.external(KNOWN_USER, Orm.DJANGO)

    def external(self, name: str, orm: Orm) -> Model:
        """A model outside the project, by its dotted name."""
        if name not in self.outside:
            short = name.rpartition(".")[2]
            self.outside[name] = Model(short, orm, name.partition(".models")[0].rpartition(".")[2])
            self.outside[name].managers["objects"] = (None, None)
        return self.outside[name]

    def _django_managers(self, model: Model) -> None:
        assert model.cls is not None
        model.managers = {}
        for entry in reversed(self.world.mro(model.cls)):
            if not isinstance(entry, Class):
                continue
            for name, value in entry.members.items():
                if isinstance(value, ast.Call):
                    manager = self._manager(entry.module, value)
                    if manager is not None:
                        model.managers.pop(name, None)
                        model.managers[name] = manager
        explicit = meta_option(model.cls, "default_manager_name")
        if isinstance(explicit, str):
            model.default_manager = explicit
        elif model.managers and "objects" not in model.managers:
            model.default_manager = next(iter(model.managers))
        model.managers.setdefault("objects", (None, None))

    def _manager(self, module: Module, call: ast.Call) -> tuple[Class | None, Class | None] | None:
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr == "as_manager":
            found = self.world.expression(module, func.value)
            return (None, found if isinstance(found, Class) else None)
        if isinstance(func, ast.Call) and last_name(func.func) == "from_queryset":
            queryset = self.world.expression(module, func.args[0]) if func.args else None
            base = (
                self.world.expression(module, func.func.value)
                if isinstance(func.func, ast.Attribute)
                else None
            )
            return (
                base if isinstance(base, Class) else None,
                queryset if isinstance(queryset, Class) else None,
            )
        found = self.world.expression(module, func)
        if (
            isinstance(found, tuple)
            and isinstance(found[1], ast.Call)
            and last_name(found[1].func) == "from_queryset"
        ):
            return self._manager(found[0], ast.Call(found[1], [], []))
        if isinstance(found, str):
            return (None, None) if found.endswith("Manager") else None
        if isinstance(found, Class) and found not in self.models:
            chain = self.world.mro(found)
            names = [e if isinstance(e, str) else e.name for e in chain]
            if any(n.rpartition(".")[2].endswith("Manager") for n in names):
                queryset = next(
                    (c for c in chain if isinstance(c, Class) and is_queryset_class(self.world, c)), None
                )
                return (found, queryset)
        return None

    # Peewee and Tortoise
    def _light_field(self, model: Model, owner: Class, name: str, call: ast.Call) -> None:
        kind = self._field_kind(owner.module, call.func, _LIGHT_FIELDS)
        if kind is None:
            if last_name(call.func).endswith("Field"):
                model.columns[name] = False
            return
        word = "backref" if model.orm is Orm.PEEWEE else "related_name"
        target = self._target(
            owner.module, model, argument_of(call, 0, "model" if model.orm is Orm.PEEWEE else "model_name")
        )
        model.relations[name] = Relation(
            name,
            kind,
            target,
            Site(owner.module, call),
            column=f"{name}_id" if kind is not Kind.MANY else "",
            null=constant_of(keyword_of(call, "null")) is True,
            inverse=string_of(keyword_of(call, word)),
        )

    # SQLAlchemy and SQLModel
    def _sa_attribute(
        self, model: Model, owner: Class, name: str, node: ast.AST | None, annotation: ast.expr | None
    ) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(last_name(d) == "declared_attr" for d in node.decorator_list):
                result = next((s.value for s in node.body if isinstance(s, ast.Return)), None)
                if isinstance(result, ast.Call):
                    self._sa_attribute(model, owner, name, result, node.returns)
            return
        func = last_name(node.func) if isinstance(node, ast.Call) else ""
        if func in {"relationship", "Relationship", "dynamic_loader"} and isinstance(node, ast.Call):
            self._sa_relation(model, owner, name, node, annotation)
        elif func == "association_proxy" and isinstance(node, ast.Call):
            first, second = (
                string_of(argument_of(node, 0, "target_collection")),
                string_of(argument_of(node, 1, "attr")),
            )
            model.proxies[name] = (first, second)
        elif func == "deferred":
            model.columns[name] = True
        elif func in {"mapped_column", "Column", "Field", "column_property", "synonym"} and isinstance(
            node, ast.Call
        ):
            model.columns[name] = constant_of(keyword_of(node, "deferred")) is True
            if constant_of(keyword_of(node, "primary_key")) is True and name not in model.primary:
                model.primary.append(name)
            for target in foreign_tables(node):
                model.keys.append(target)
        elif name == "__mapper_args__" and isinstance(node, ast.Dict):
            keys = {string_of(k) for k in node.keys}
            model.polymorphic = model.polymorphic or bool({"polymorphic_on", "polymorphic_identity"} & keys)
        elif (
            annotation is not None
            and last_name(annotation) not in {"ClassVar", "InitVar"}
            and not name.startswith("_")
        ):
            model.columns[name] = False

    def _sa_relation(
        self, model: Model, owner: Class, name: str, call: ast.Call, annotation: ast.expr | None
    ) -> None:
        target_node = argument_of(call, 0, "argument")
        many: bool | None = None
        if annotation is not None:
            inner, many = mapped_target(annotation)
            if target_node is None:
                target_node = inner
        target = self._sa_target(owner.module, model, target_node)
        options = relationship_options(call)
        lazy = options.get("lazy", "dynamic" if last_name(call.func) == "dynamic_loader" else "select")
        if options.get("uselist") is False or "remote_side" in options:
            many = False
        elif options.get("uselist") is True or "secondary" in options:
            many = True
        kind = None
        if "secondary" in options:
            kind = Kind.MANY
        elif many is not None:
            kind = Kind.REVERSE if many else Kind.FORWARD
        relation = Relation(
            name,
            kind or Kind.FORWARD,
            target,
            Site(owner.module, call),
            lazy=lazy_option(lazy),
            inverse=str(options.get("back_populates", "")),
            cascade="delete" in str(options.get("cascade", "")) or "all" in str(options.get("cascade", "")),
        )
        model.relations[name] = relation
        if kind is None:
            self._undecided.append((model, relation))
        backref = keyword_of(call, "backref")
        if backref is not None and target is not None:
            self._backref(model, relation, backref)

    def _backref(self, model: Model, relation: Relation, node: ast.AST) -> None:
        name, lazy = string_of(node), "select"
        if isinstance(node, ast.Call):
            name = string_of(argument_of(node, 0, "name"))
            lazy = lazy_option(relationship_options(node).get("lazy", "select"))
        if not name or relation.target is None:
            return
        relation.inverse = name
        back = Relation(name, Kind.FORWARD, model, relation.site, lazy=lazy, inverse=relation.name)
        if relation.kind is Kind.MANY:
            back.kind = Kind.MANY
        relation.target.relations.setdefault(name, back)
        self._undecided.append((relation.target, back))

    def _sa_target(self, module: Module, model: Model, node: ast.AST | None) -> Model | None:
        if isinstance(node, ast.Lambda):
            node = node.body
        text = string_of(node)
        if text:
            return self.named(text.rpartition(".")[2], model)
        found = self.world.expression(module, node)
        return self.models.get(found) if isinstance(found, Class) else None

    # The other direction
    def _reverse(self, model: Model, relations: list[Relation]) -> None:
        for relation in relations:
            target = relation.target
            if target is None:
                continue
            if model.orm is Orm.SQLALCHEMY:
                self._decide(model, relation)
                continue
            if self._inherited(model, relation):
                continue
            self._reverse_light(model, relation, target)
        if model.orm is Orm.DJANGO:
            for parent in model.parents:
                if not parent.abstract and not (model.cls and meta_option(model.cls, "proxy") is True):
                    _parent_link(model, parent)

    def _decide(self, model: Model, relation: Relation) -> None:
        """To-one or to-many, for a classic `relationship` without annotation: by where the foreign key stands."""
        if (model, relation) not in self._undecided or relation.kind is Kind.MANY:
            return
        target = relation.target
        assert target is not None
        forward = target.table in model.keys if target.table else False
        relation.kind = Kind.FORWARD if forward else Kind.REVERSE
        if not forward and not any(model.table == k for k in target.keys):
            relation.kind = Kind.FORWARD if not relation.name.endswith("s") else Kind.REVERSE

    def _inherited(self, model: Model, relation: Relation) -> bool:
        return any(
            not p.abstract
            and relation.name in p.relations
            and p.relations[relation.name].site.key == relation.site.key
            for p in model.parents
        )

    def _reverse_light(self, model: Model, relation: Relation, target: Model) -> None:
        lower = model.name.lower()
        inverse = relation.inverse.replace("%(class)s", lower).replace("%(app_label)s", model.label.lower())
        one = relation.kind is Kind.ONE
        if not inverse and model.orm is Orm.DJANGO and model.cls is not None:
            default = meta_option(model.cls, "default_related_name")
            if isinstance(default, str):
                inverse = default.replace("%(class)s", lower).replace("%(app_label)s", model.label.lower())
        if not inverse and relation.kind is not Kind.GENERIC_MANY:
            inverse = lower if one else f"{lower}_set"
        if not inverse or inverse.endswith("+") or relation.kind in {Kind.GENERIC, Kind.GENERIC_MANY}:
            relation.inverse = relation.inverse if relation.inverse and "%" not in relation.inverse else ""
            return
        kind = {Kind.FORWARD: Kind.REVERSE, Kind.ONE: Kind.REVERSE_ONE, Kind.MANY: Kind.MANY}[relation.kind]
        query_name = relation.query_name or (lower if inverse in {lower, f"{lower}_set"} else inverse)
        model.relations[relation.name] = replace(relation, inverse=inverse)
        back = Relation(
            inverse,
            kind,
            model,
            relation.site,
            inverse=relation.name,
            query_name=query_name,
            through=relation.through,
            declared=False,
        )
        for owner in [target, *target.children]:
            owner.relations.setdefault(inverse, back)


def _parent_link(model: Model, parent: Model) -> None:
    lower = model.name.lower()
    assert model.cls is not None
    site = Site(model.cls.module, model.cls.node)
    child = Relation(lower, Kind.REVERSE_ONE, model, site, query_name=lower)
    parent.relations.setdefault(lower, child)
    model.columns.setdefault(f"{parent.name.lower()}_ptr_id", False)


def _link_tables(model: Model) -> None:
    """Take of the foreign keys that a model declares the tables, without their columns."""
    model.keys = [k.partition(".")[0] for k in model.keys]


def _nearest(models: Sequence[Model], near: Model | None) -> Model:
    """Of models with one label and name, as several Django projects in a repository have them, that beside another model."""
    if len(models) == 1 or near is None or near.cls is None:
        return models[-1]
    home = near.cls.module.path
    return max(
        models,
        key=lambda model: len(commonpath([home, model.cls.module.path])) if model.cls is not None else 0,
    )
