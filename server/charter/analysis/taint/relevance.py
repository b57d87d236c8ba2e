"""Which functions untrusted data can come near, so that they are worth a run of their own. It runs none of them.

A function is near if it mentions by name what gives untrusted data: a source, a class whose instances are sources, or
anything of the project of which that has already been found out. All others are run only where a near one calls them.
"""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.frame import SOURCE
from charter.analysis.taint.values import (
    BOUND,
    BOUND_EXTERNAL,
    INSTANCE,
    PARTIAL,
    PROJECT_FUNCTION,
    PROJECT_INSTANCE,
    lanes,
    references,
)
from charter.api.facts.taint import SOURCE_KINDS
from charter.model import ir
from charter.model.project import Class, Function

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from charter.analysis.taint.frame import Summary
    from charter.analysis.taint.values import Value
    from charter.model.library.index import Index
    from charter.model.project import Module, Project

_ACCESS: Final = frozenset({"get", "pop", "next", "__getitem__", "__iter__"})
"""Names that say nothing of what they give."""
_COMMON: Final = frozenset(
    "get set add save update delete create run execute call open close read write append extend insert pop remove "
    "sort index count items keys values copy clear filter all first exists format join split strip replace encode "
    "decode send post put patch head options validate process handle render load dump parse main setup start stop "
    "apply match search find register clean setUp setUpClass".split()
)
"""Methods that too many classes have for their name alone to tell them."""


class Relevance:
    """What is near in one project.

    Args:
        project: the linked modules.
        index: the models.
        threats: the threat models whose sources count.

    Attributes:
        words: the names whose mention makes a function near.
        threats: the threat models whose sources count.
        members: attributes that count only where the name of one of these classes is known too; and functions that
            count where their module is known by name or imported from ("name."), or they are imported (".name").
        functions: functions that are near for another reason.
        fresh: names that were learned since the last time somebody emptied it.
    """

    def __init__(self, project: Project, index: Index, threats: Iterable[str]) -> None:
        self._project = project
        self._index = index
        wanted = self.threats = frozenset(threats)
        sources = {
            name
            for name, facts in index.sources.items()
            if any(SOURCE_KINDS[fact.kind] in wanted for fact in facts)
        }
        self.carriers = index.carriers(sources)
        self._parts = {_last(name) for name in sources}
        self._registering = {_last(name) for name in index.registering}
        self._registrars: dict[str, set[str]] = {}
        for name in index.registering:
            self._registrars.setdefault(_last(name), set()).add(_last(name.rpartition(".")[0]))
        self._decorating = {_last(name) for name in index.decorating}
        self.words: set[str] = set(self._roots(sources))
        self.members: dict[str, set[str]] = self._makers()
        self._common: set[str] = set()
        self.fresh: set[str] = set()
        self._parameters = {f"({name}" for name in index.parameters}
        self._any = self.words | self._parts | self._registering | self._parameters | self.members.keys()
        self.functions: set[Function] = set()
        self._names: dict[Module, frozenset[str]] = {}
        self._carrying: dict[Class, bool] = {}
        self._giving: set[Function] = set()
        self._called: dict[Function, dict[str, None]] = {}

    def _roots(self, sources: set[str]) -> Iterable[str]:
        """The names by which a program first comes to what is untrusted, or to what gives it."""
        for name in sources:
            owner = name.rpartition(".")[0]
            while owner and not _is_class(owner):
                owner = owner.rpartition(".")[0]
            if owner not in self.carriers:  # else whoever reads it has an instance first
                yield _telling(name)
        for carrier in self.carriers:
            if _is_class(carrier):
                yield _last(carrier)
        for path, cls in self._index.types.items():
            if cls in self.carriers and path.rpartition(".")[0] not in self.carriers:
                called = path.removesuffix("()")
                if _last(called) not in _ACCESS:
                    yield _telling(called)
        for alias, target in self._index.aliases.items():
            if target in sources or target in self.carriers:
                yield _last(alias)

    def _makers(self) -> dict[str, set[str]]:
        """The methods that give a collection of what carries untrusted data, as `accept` gives a pair, and their classes."""
        holders = {
            owner
            for path, cls in self._index.types.items()
            if cls in self.carriers
            and _last(path.removesuffix("()")) in _ACCESS
            and (owner := path.rpartition(".")[0]) not in self.carriers
        }
        makers: dict[str, set[str]] = {}
        for path, cls in self._index.types.items():
            if cls in holders and path not in holders:
                owner, _, method = path.removesuffix("()").rpartition(".")
                module = owner.rpartition(".")[0]
                makers.setdefault(method, set()).update((_last(owner), _last(module) + "."))
        return makers

    def is_near(self, function: Function) -> bool:
        """Whether a function is worth a run of its own."""
        words = function.record[ir.WORDS]
        if self._any.isdisjoint(words):
            return function in self.functions
        return (
            not self.words.isdisjoint(words)
            or function in self.functions
            or self._may_register(function)
            or not self._parameters.isdisjoint(words)
            or self._mentions_member(function, words)
            or (not self._parts.isdisjoint(words) and self._is_in_carrier(function))
        )

    def mentions(self, function: Function) -> bool:
        """Whether a function uses any name by which untrusted data may come, whoever has it."""
        return not self._any.isdisjoint(function.record[ir.WORDS])

    def _mentions_member(self, function: Function, words: tuple[str, ...]) -> bool:
        members = self.members
        for word in members.keys() & words:
            classes = members[word]
            if not classes.isdisjoint(words) or not classes.isdisjoint(self._names_of(function.module)):
                return True
        return False

    def _names_of(self, module: Module) -> frozenset[str]:
        """What a module imports, and its classes with all their bases; "name." for itself and what it imports from."""
        known = self._names.get(module)
        if known is None:
            owners = [module.name, *[owner for _, owner in module.record[ir.STARS]]]
            names: set[str] = set()
            for _, owner, name in module.record[ir.IMPORTS].values():
                owners.append(owner)
                names.update((name, "." + name))
            names.update([_last(owner) + "." for owner in owners])
            for cls in module.classes:
                names.update(_last(one.name) for one in self._project.lineage(cls))
            known = self._names[module] = frozenset(names)
        return known

    def _is_in_carrier(self, function: Function) -> bool:
        """Whether a function belongs to a class whose instances give untrusted data, as a library's subclass."""
        scope: Function | None = function
        while scope is not None and scope.cls is None:
            scope = scope.parent
        if scope is None or scope.cls is None:
            return False
        return self.is_carrying(scope.cls)

    def is_carrying(self, cls: Class) -> bool:
        """Whether a class inherits from a library's class whose instances give untrusted data."""
        known = self._carrying.get(cls)
        if known is None:
            known = self._carrying[cls] = any(
                base in self.carriers
                for external in self._project.externals(cls)
                for base in self._index.ancestors(self._index.canonical(external))
            )
        return known

    def is_decorating(self, decorator: ir.Node) -> bool:
        """Whether a decorator may make a handler of what it decorates."""
        target = decorator[2] if decorator[0] == ir.CALL else decorator
        return target[-1] in self._decorating

    # What was found out
    def learn_summary(self, function: Function, summary: Summary) -> None:
        """Take in what a function gives its callers: it may make those near that mention the function."""
        gives = self._is_untrusted_result(summary)
        for value in _values(summary):
            if value[2] is not None:
                gives = self.is_carrier(value[2], function.short) or gives
        if not gives or function in self._giving:
            return
        self._giving.add(function)
        cls = function.cls
        name = function.short
        if name in _COMMON and cls is None and function.name == name:
            self._learn_function(function.module, name)
        elif cls is None or not (name in _COMMON or name.startswith("__")):
            self.learn(name)
        elif name in _COMMON:
            self.learn_member(cls, name)
        else:
            for one in (cls, *cls.subclasses):
                self.learn(_last(one.name))
        for name in self._called.pop(function, ()):
            self.learn(name)

    def _is_untrusted_result(self, summary: Summary) -> bool:
        origins = summary.origins
        if not origins:
            return False
        taint = 0
        for value in _values(summary):
            taint |= value[0]
        return bool(taint) and any(
            origins[lane][0] == SOURCE and self.counts(origins[lane][1].kind)
            for lane in lanes(taint)
            if lane < len(origins)
        )

    def counts(self, kind: str) -> bool:
        """Whether a kind of source is one of those that matter."""
        return SOURCE_KINDS[kind] in self.threats

    def is_carrier(self, reference: Any, name: str) -> bool:
        """Whether something that has a name is an object or a function that gives untrusted data.

        If it is a function of which that turns out later, the name is learned then.
        """
        found = False
        for one in references(reference):
            sort = one[0]
            if sort == INSTANCE:
                found = found or one[1] in self.carriers
            elif sort == PROJECT_INSTANCE:
                found = found or self.is_carrying(one[1])
            elif sort in {PROJECT_FUNCTION, BOUND}:
                function = one[1] if sort == PROJECT_FUNCTION else one[2]
                if function in self._giving:
                    found = True
                elif function.short != name:
                    self._called.setdefault(function, {})[name] = None
            elif sort == PARTIAL:
                found = self.is_carrier(one[1][2], name) or found
            elif sort == BOUND_EXTERNAL:
                found = self.is_carrier(one[1], name) or found
        return found

    def learn(self, word: str) -> None:
        """What is called so may be untrusted."""
        if word not in self.words and word[:1] != "<":
            self.words.add(word)
            self._any.add(word)
            self.fresh.add(word)

    def learn_member(self, cls: Class, word: str) -> None:
        """An attribute of a class's instances may be untrusted."""
        self._learn_where(word, {_last(one.name) for one in (cls, *cls.subclasses)})

    def _learn_function(self, module: Module, word: str) -> None:
        """What a module's function gives may be untrusted; other modules may have it from there."""
        self._common.add(word)
        self._learn_where(word, {"." + word, *_names_as_owner(module)})
        for other in self._project.modules.values():
            self._learn_importer(other, word)

    def _learn_importer(self, module: Module, word: str) -> None:
        """A module that imports something of this name has it for others as well."""
        record = module.record
        stars = {_last(name) for _, name in record[ir.STARS]}
        if not stars.isdisjoint(self.members[word]) or any(
            name == word for _, _, name in record[ir.IMPORTS].values()
        ):
            self._learn_where(word, _names_as_owner(module))

    def _learn_where(self, word: str, names: set[str]) -> None:
        """What is called so may be untrusted where one of these names is known."""
        known = self.members.setdefault(word, set())
        if not names <= known:
            known |= names
            self._any.add(word)
            self.fresh.add(word)

    def classes_changed(self) -> None:
        """The class hierarchy is another."""
        self._carrying.clear()
        self._names.clear()
        for module in self._project.modules.values():
            for cls in module.classes:
                if self._project.externals(cls) and self.is_carrying(cls):
                    self.learn(_last(cls.name))

    def names_changed(self, module: Module) -> None:
        """A module imports or defines other names."""
        self._names.pop(module, None)
        for word in self._common:
            self._learn_importer(module, word)

    def registers(self, function: Function) -> bool:
        """Whether a function may register handlers."""
        return function in self.functions or self._may_register(function)

    def _may_register(self, function: Function) -> bool:
        """Whether a function uses the name of what registers handlers, and its module can know more of it than the name.

        A method may be anybody's. A function of a library, such as `path`, must be imported, or the module that has it.
        """
        for word in self._registering.intersection(function.record[ir.WORDS]):
            owners = self._registrars[word]
            if any(_is_class(owner) for owner in owners):
                return True
            record = function.module.record
            if record[ir.STARS] or word in record[ir.DEFINED]:
                return True
            for _, module, member in record[ir.IMPORTS].values():
                if member == word or (member or _last(module)) in owners:
                    return True
        return False

    def forget(self, functions: Collection[Function]) -> None:
        """Functions are gone."""
        self.functions.difference_update(functions)
        self._giving.difference_update(functions)
        for function in functions:
            self._called.pop(function, None)


def hands_on(function: Function) -> bool:
    """Whether a function that registers handlers may do so for its callers."""
    own = len(function.parameters) - (function.cls is not None)
    return own > 0 and function.index > 0 and function.short not in _COMMON and function.short[:2] != "__"


def _values(summary: Summary) -> Iterator[Value]:
    """What callers get from a function, and all that it consists of."""
    yield summary.value
    for cells in summary.heap.values():
        yield from cells.values()
    for _, _, value in summary.effects:
        yield value


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _names_as_owner(module: Module) -> set[str]:
    """The names by which what a module has is told: its own in code, and with a dot where it is imported from."""
    name = _last(module.name)
    return {name, name + "."}


def _telling(path: str) -> str:
    """The name by which code mentions what a library has: of a module's function with a common name, its module."""
    module, _, word = path.rpartition(".")
    return module if word in _COMMON and "." not in module else word


def _is_class(path: str) -> bool:
    last = _last(path)
    return last[:1].isupper() or last.endswith("()")
