"""Which functions may reach a query, by what they mention: a graph of names, closed over the whole project.

It is generous where a name may mean several things, and knows no values: `interpreter` asks it which calls and entry
points are worth evaluating.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.mentions import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from charter.analysis.orm.mentions import ClassMention, Mentions
    from charter.analysis.orm.schema import Schema
    from charter.analysis.orm.world import World

Key = tuple[str, str, str]
"""Path, name of the class ("" for none), name of the function or variable ("" for the rest of a body)."""

_MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})
_GETTERS = frozenset({"get_user_model", "get_model", "get_models", "prefetch_related_objects"})
_UNIT_OF_WORK = frozenset(
    {
        *("execute", "scalars", "scalar", "exec", "stream", "stream_scalars", "query", "get", "commit"),
        *("flush", "begin_nested", "merge", "refresh", "delete", "add"),
    }
)
_EXPLICIT = _UNIT_OF_WORK - {"execute", "get", "delete", "add"}
"""What only a database session does: a session of an HTTP client has the others too."""
_MAPPERS = ("sqlalchemy", "sqlmodel", "flask_sqlalchemy")
_MAKERS = frozenset({"__init__", "__new__", "__call__", "__iter__", "__enter__", "__getitem__"})
_QUERYSETS = ("Manager", "QuerySet", "QuerySetMixin", "from_queryset")


class _Unit(Struct):
    kind: int
    key: Key
    names: frozenset[str]
    attributes: frozenset[str]
    own: frozenset[str]
    stored: frozenset[str]
    typed: frozenset[str]

    def mentions(self, among: frozenset[str]) -> frozenset[str]:
        """Those of some names that it reads, as names or attributes."""
        return (self.names & among) | (self.attributes & among) | (self.typed & among)


class _File(Struct):
    """A file's units, its classes, and under which local names it sees what other files define."""

    units: list[_Unit]
    classes: list[ClassMention]
    imports: dict[str, str]
    star: bool
    aliases: dict[str, set[str]] = field(default_factory=dict[str, "set[str]"])

    @property
    def maps(self) -> bool:
        """Whether it imports a mapper with sessions."""
        return any(name.partition(".")[0] in _MAPPERS for name in self.imports.values())

    def visible(self, path: str, names: dict[str, set[str]], passing: Mapping[str, set[str]]) -> set[str]:
        """The local names of what these names, each with the files that define it, may mean here.

        Args:
            path: this file.
            names: the names.
            passing: the modules from which a name can be imported that they import themselves; "*" for any name.
        """
        found = {name for name, paths in names.items() if self.star or path in paths}
        for name in self.aliases.keys() & names.keys():
            homes = {_stem(home) for home in names[name]} | passing.get(name, set()) | passing["*"]
            found.update(local for local in self.aliases[name] if _module(self.imports[local]) in homes)
        return found


class _Mentioned(Struct):
    """What can be mentioned of reachable units: names of modules with their files, members with their classes."""

    names: dict[str, set[str]] = field(default_factory=dict[str, "set[str]"])
    members: dict[str, set[str]] = field(default_factory=dict[str, "set[str]"])

    def add(self, unit: _Unit) -> None:
        """Take in a unit that became reachable."""
        path, cls, name = unit.key
        if cls:
            for member in unit.stored | {name}:
                self.members.setdefault(member, set()).add(cls)
            if name in _MAKERS:
                self.names.setdefault(cls, set()).add(path)
        elif name:
            self.names.setdefault(name, set()).add(path)

    def __bool__(self) -> bool:
        return bool(self.names or self.members)

    def without(self, known: _Mentioned) -> _Mentioned:
        """What is not known yet."""
        return _Mentioned(_fresh(self.names, known.names), _fresh(self.members, known.members))

    def update(self, more: _Mentioned) -> None:
        """Take in what another holds."""
        for mine, others in ((self.names, more.names), (self.members, more.members)):
            for name, places in others.items():
                mine.setdefault(name, set()).update(places)


def _fresh(found: dict[str, set[str]], known: dict[str, set[str]]) -> dict[str, set[str]]:
    return {name: places for name, places in found.items() if not places <= known.get(name, frozenset[str]())}


class Reach:
    """The functions, variables and classes through which a query may be reached.

    Attributes:
        hot: their keys.
        files: the files in which they stand.
        classes: the classes, by path and name, that have such a member.
    """

    def __init__(self) -> None:
        self.hot: frozenset[Key] = frozenset()
        self.files: frozenset[str] = frozenset()
        self.classes: frozenset[tuple[str, str]] = frozenset()
        self._files: dict[str, _File] = {}
        self._known: _Mentioned = _Mentioned()
        self._seeds: Seeds | None = None
        self._hierarchy: _Hierarchy = _Hierarchy({})
        self._knows: dict[Key, frozenset[str]] = {}
        self._passing: dict[str, set[str]] = {"*": {""}}
        self._held: dict[str, frozenset[str]] = {}
        self._given: dict[str, dict[str, frozenset[str]]] = {}
        self._givers: frozenset[str] = frozenset()

    def update(self, path: str, mentions: Mentions | None) -> bool:
        """Take in a file's mentions, or take the file out.

        Returns:
            Whether `close` has to be called again: the file now bears on what is reachable in another way.
        """
        before = self._files.pop(path, None)
        if mentions is None:
            return before is not None
        file = self._files[path] = _file(path, mentions)
        if (
            before is None
            or self._seeds is None
            or (before.classes, before.imports, before.star) != (file.classes, file.imports, file.star)
        ):
            return True
        return self._bearing(before, self._seeds) != self._bearing(file, self._seeds)

    def _bearing(self, file: _File, seeds: Seeds) -> list[object]:
        """What of a file bears on what is reachable: mentions of what is not are left out."""
        known = self._known
        begins = seeds.sources(file, self._hierarchy)
        return [
            (
                unit.kind,
                unit.key,
                begins(unit),
                {name for name in unit.names if name in known.names or name in file.imports},
                {name for name in unit.attributes if name in known.names or name in known.members},
                unit.mentions(self._hierarchy.names),
                unit.own & known.members.keys(),
                unit.stored,
            )
            for unit in file.units
        ]

    def close(self, seeds: Seeds) -> set[str]:
        """Find anew all that is reachable.

        Args:
            seeds: what a query begins with.

        Returns:
            The files in which something became or ceased to be reachable.
        """
        self._seeds = seeds
        self._hierarchy = _Hierarchy({path: file.classes for path, file in self._files.items()})
        self._survey()
        found: list[_Unit] = []
        waiting: dict[str, list[_Unit]] = {}
        seeds.settle(self._passing)
        for path, file in self._files.items():
            begins = seeds.sources(file, self._hierarchy)
            for unit in file.units:
                if begins(unit):
                    found.append(unit)
                else:
                    waiting.setdefault(path, []).append(unit)
        self._known = _Mentioned()
        fresh = found
        while fresh:
            step = _Mentioned()
            for unit in fresh:
                step.add(unit)
            step = step.without(self._known)
            self._known.update(step)
            fresh = self._round(waiting, step) if step else []
            found.extend(fresh)
        before = self.hot
        self.hot = frozenset(unit.key for unit in found)
        self.files = frozenset(key[0] for key in self.hot)
        self.classes = frozenset(key[:2] for key in self.hot)
        return {key[0] for key in before ^ self.hot}

    def _round(self, waiting: dict[str, list[_Unit]], step: _Mentioned) -> list[_Unit]:
        """The units that mention what has just become reachable; they are taken out of those that wait."""
        fresh: list[_Unit] = []
        members, modules = step.members.keys(), step.names.keys()
        for path, units in waiting.items():
            file = self._files[path]
            visible = file.visible(path, step.names, self._passing)
            rest: list[_Unit] = []
            for unit in units:
                if (
                    not unit.names.isdisjoint(visible)
                    or any(self._is_own(unit, step.members[name]) for name in unit.own & members)
                    or any(self._is_known(unit, step.members[name]) for name in unit.attributes & members)
                    or any(
                        self._is_inside(unit, file, step.names[name]) for name in unit.attributes & modules
                    )
                ):
                    fresh.append(unit)
                else:
                    rest.append(unit)
            waiting[path] = rest
        return fresh

    def _is_own(self, unit: _Unit, classes: set[str]) -> bool:
        """Whether `self` in a method may be an instance of one of some classes."""
        return not self._hierarchy.related(unit.key[1]).isdisjoint(classes)

    def _is_known(self, unit: _Unit, classes: set[str]) -> bool:
        """Whether a unit may come by an instance of one of some classes: by name, from its own class or from a function."""
        known = self._knows.get(unit.key)
        if known is None:
            known = unit.mentions(self._hierarchy.names)
            for cls in self._hierarchy.ancestors(unit.key[1]) if unit.key[1] else ():
                known |= self._held.get(cls, frozenset())
            for name in unit.mentions(self._givers):
                for path, classes_given in self._given[name].items():
                    if self._sees(unit, path, name):
                        known |= classes_given
            self._knows[unit.key] = known
        return any(not self._hierarchy.related(cls).isdisjoint(classes) for cls in known)

    def _sees(self, unit: _Unit, path: str, name: str) -> bool:
        """Whether a unit that mentions a name may mean what the top level of a file binds to it."""
        file = self._files[unit.key[0]]
        return (
            path == unit.key[0]
            or file.star
            or (name in unit.names and name in file.imports)
            or not unit.names.isdisjoint(file.aliases.get(_stem(path), ()))
        )

    def _is_inside(self, unit: _Unit, file: _File, paths: set[str]) -> bool:
        """Whether a unit mentions the module that one of some files is."""
        return any(not unit.names.isdisjoint(file.aliases.get(_stem(path), ())) for path in paths)

    def _survey(self) -> None:
        """Note the classes that each class and each function mentions."""
        self._knows = {}
        self._held = {}
        self._given = {}
        self._passing = {"*": {""}}
        classes = self._hierarchy.names
        for path, file in self._files.items():
            for name in ("*",) if file.star else file.imports:
                self._passing.setdefault(name, set()).add(_stem(path))
            for unit in file.units:
                found = unit.mentions(classes)
                cls, name = unit.key[1:]
                if found and cls:
                    self._held[cls] = self._held.get(cls, frozenset()) | found
                elif found and name:
                    given = self._given.setdefault(name, {})
                    given[unit.key[0]] = given.get(unit.key[0], frozenset()) | found
        self._givers = frozenset(self._given)


def _file(path: str, mentions: Mentions) -> _File:
    classes, units, imports, star = mentions
    made = [
        _Unit(kind, (path, classes[cls][0] if cls >= 0 else "", name), *mentioned)
        for kind, cls, name, *mentioned in units
    ]
    file = _File(made, classes, imports, star)
    for local, original in imports.items():
        file.aliases.setdefault(original.rpartition(".")[2], set()).add(local)
    return file


class _Hierarchy:
    """Which classes may share an instance, by their bare names.

    Args:
        classes: the classes of each file.
    """

    def __init__(self, classes: Mapping[str, Iterable[ClassMention]]) -> None:
        self._bases: dict[str, set[str]] = {}
        self._children: dict[str, set[str]] = {}
        for group in classes.values():
            for name, bases, _ in group:
                self._bases.setdefault(name, set()).update(bases)
        for name, bases in self._bases.items():
            for base in bases:
                self._children.setdefault(base, set()).add(name)
        self.names: frozenset[str] = frozenset(self._bases)
        self._ancestors: dict[str, frozenset[str]] = {}
        self._related: dict[str, frozenset[str]] = {}

    def ancestors(self, name: str) -> frozenset[str]:
        """A class and all that it inherits from."""
        if name not in self._ancestors:
            self._ancestors[name] = frozenset(_closure(name, self._bases))
        return self._ancestors[name]

    def related(self, name: str) -> frozenset[str]:
        """The classes whose methods some instance has together with those of this one."""
        if name not in self._related:
            found: set[str] = set()
            for heir in _closure(name, self._children):
                found |= self.ancestors(heir)
            self._related[name] = frozenset(n for n in found if n in self._bases)
        return self._related[name]


def _closure(start: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    found = {start}
    pending = [start]
    while pending:
        for name in edges.get(pending.pop(), ()):
            if name not in found:
                found.add(name)
                pending.append(name)
    return found


class Seeds:
    """What a query begins with: models, managers, sessions.

    Args:
        schema: the models of the project.
        sessions: whether the project speaks of SQLAlchemy, so that a session may be one.
    """

    def __init__(self, schema: Schema, *, sessions: bool) -> None:
        self._sessions: bool = sessions
        self._world: World = schema.world
        self._managed: bool = any(model.orm is Orm.DJANGO for model in schema.models.values())
        self._homes: dict[str, set[str]] = {model.name: set() for model in schema.models.values()}
        self._models: frozenset[str] = frozenset(self._homes)
        self._relations: dict[tuple[str, str], frozenset[str]] = {
            (cls.module.path, cls.name): frozenset(model.relations) | _MANAGERS
            for cls, model in schema.models.items()
        }
        self._conventions: dict[str, frozenset[str]] = schema.conventions()
        self._snakes: frozenset[str] = frozenset(self._conventions)
        for cls, model in schema.models.items():
            self._homes[model.name].add(_stem(cls.module.path))

    def settle(self, passing: Mapping[str, set[str]]) -> None:
        """Note from which modules the models can be imported that do not define them."""
        for name in self._models:
            self._homes[name] |= passing.get(name, set()) | passing["*"]

    def _visible(self, imports: Mapping[str, str]) -> tuple[frozenset[str], frozenset[str]]:
        """The names that may be models of the project in a file, and those that may be models of other packages."""
        own = set(self._models - imports.keys())
        others: set[str] = set()
        for local, name in imports.items():
            module, _, original = name.rpartition(".")
            if (
                original in self._models
                and _module(name) in self._homes[original]
                and self._world.has(module)
            ):
                own.add(local)
            elif (
                self._managed
                and ((".models" in name and name != "django.db.models") or original == "get_user_model")
                and not self._world.has(module)
            ):
                others.add(local)
        return frozenset(own), frozenset(others)

    def sources(self, file: _File, hierarchy: _Hierarchy) -> Callable[[_Unit], bool]:
        """Tells of the units of a file whether they themselves mention what a query begins with."""
        own, others = self._visible(file.imports)
        path = file.units[0].key[0]
        own -= {name for name, *_ in file.classes if (path, name) not in self._relations}
        doing = _UNIT_OF_WORK if file.maps else _EXPLICIT

        def is_source(unit: _Unit) -> bool:
            names, attributes = unit.names, unit.attributes
            if not (
                names.isdisjoint(own) and unit.typed.isdisjoint(own) and attributes.isdisjoint(self._models)
            ):
                return True
            if self._models and not (names.isdisjoint(_GETTERS) and attributes.isdisjoint(_GETTERS)):
                return True
            if not names.isdisjoint(others) and not (
                attributes.isdisjoint(_MANAGERS) and unit.kind == FUNCTION
            ):
                return True
            for name in (self._snakes & names) | (self._snakes & attributes):
                if not attributes.isdisjoint(self._conventions[name]):
                    return True
            if self._sessions and not attributes.isdisjoint(doing):
                return any(_is_session(name) for part in (names, attributes, unit.own) for name in part)
            return bool(unit.key[1]) and self._is_own(unit, hierarchy)

        return is_source

    def _is_own(self, unit: _Unit, hierarchy: _Hierarchy) -> bool:
        """Whether a method of a model reads its relations, or one of a manager anything of itself."""
        path, cls, _ = unit.key
        relations = self._relations.get((path, cls))
        if relations is not None:
            return not (unit.own.isdisjoint(relations) and unit.attributes.isdisjoint(_MANAGERS))
        return (
            unit.kind == FUNCTION
            and bool(unit.own)
            and self._managed
            and any(
                name.endswith(_QUERYSETS) for name in hierarchy.ancestors(cls) if name not in hierarchy.names
            )
        )


def _module(name: str) -> str:
    """The last name of the module of something imported, "" for what is imported from the folder or as a module."""
    return name.rpartition(".")[0].rpartition(".")[2]


def _stem(path: str) -> str:
    """The last name under which a file is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]


def _is_session(name: str) -> bool:
    lower = name.lower()
    return "session" in lower or lower in {"sess", "db"}
