"""All models that a project needs, merged and looked up by access path. It knows no program and no analysis."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from charter.model.library.values import (
        Callback,
        Guard,
        Handler,
        Library,
        Propagator,
        Registration,
        Sanitizer,
        Sink,
        Source,
    )


class Entry(Struct):
    """All facts about one name, inherited ones included.

    Attributes:
        name: the name under which the facts were found.
        value_type: class of the value, "" if unknown.
        call_type: class of a call's result, "" if unknown.
    """

    name: str
    sources: tuple[Source, ...] = ()
    sinks: tuple[Sink, ...] = ()
    sanitizers: tuple[Sanitizer, ...] = ()
    guards: tuple[Guard, ...] = ()
    propagators: tuple[Propagator, ...] = ()
    callbacks: tuple[Callback, ...] = ()
    decorates: tuple[Handler, ...] = ()
    registers: tuple[tuple[Handler, Registration], ...] = ()
    value_type: str = ""
    call_type: str = ""
    exits: bool = False


_NOTHING = Entry("")


class Index:
    """The merged models.

    Args:
        libraries: the models, in any order.

    Attributes:
        bags: the canonical names of objects on which handlers leave things for each other.
        received: the classes over which a loop reads untrusted data, such as the messages of a connection.
        validators, injectors: the last identifiers of those names, which a project may import through modules of its own.
    """

    def __init__(self, libraries: Iterable[Library]) -> None:
        self.types: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.bases: dict[str, tuple[str, ...]] = {}
        self.exits: set[str] = set()
        self.bags: set[str] = set()
        self.validators: set[str] = set()
        self.injectors: set[str] = set()
        self.fields: dict[str, tuple[str, ...]] = {}
        self.parameters: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self.anywhere: dict[str, list[Sink]] = defaultdict(list)
        self.by_class: dict[str, list[Handler]] = defaultdict(list)
        self.by_decorator: dict[str, list[tuple[tuple[str, ...], Handler]]] = defaultdict(list)
        self.by_suffix: list[tuple[str, Handler]] = []
        self.by_function: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], Handler]]] = defaultdict(
            list
        )
        self._tables: dict[str, dict[str, list[object]]] = {
            name: defaultdict(list)
            for name in (
                "sources", "sinks", "sanitizers", "guards", "propagators", "callbacks", "decorates", "registers",
            )
        }  # fmt: skip
        self._entries: dict[str, Entry] = {}
        self._bases_known: dict[str, Entry] = {}
        self._ancestors: dict[str, tuple[str, ...]] = {}
        self._canonical: dict[str, str] = {}
        self._below: dict[str, tuple[Handler, ...]] = {}
        known = list(libraries)
        for library in known:
            self.aliases.update(library.aliases)
        for library in known:
            self._add(library)
        received = [name for name in self._tables["sources"] if name.endswith(".__iter__")]
        self.received = self.carriers(received)

    def _add(self, library: Library) -> None:
        self.types.update(
            {self.canonical(name): self.canonical(type_) for name, type_ in library.types.items()}
        )
        self.bases.update(library.bases)
        self.fields.update({self.canonical(name): kinds for name, kinds in library.fields.items()})
        self.exits.update(self.canonical(name) for name in library.exits)
        self.bags.update(self.canonical(name) for name in library.bags)
        self.validators.update(name.rpartition(".")[2] for name in library.validators)
        self.injectors.update(name.rpartition(".")[2] for name in library.injectors)
        for name, type_name in library.parameters.items():
            self.parameters[name].append((library.packages, type_name))
        for table in ("sources", "sinks", "sanitizers", "guards", "propagators", "callbacks"):
            for fact in getattr(library, table):
                self._tables[table][self.canonical(fact.name)].append(fact)
        for sink in library.sinks:
            if sink.name.startswith("?."):
                self.anywhere[sink.name[2:]].append(sink)
        for handler in library.handlers:
            self._add_handler(handler, library.packages)

    def _add_handler(self, handler: Handler, packages: tuple[str, ...]) -> None:
        for name in handler.decorators:
            self._tables["decorates"][self.canonical(name)].append(handler)
            self.by_decorator[name.rpartition(".")[2]].append((packages, handler))
        for registration in handler.calls:
            self._tables["registers"][self.canonical(registration.call)].append((handler, registration))
        for name in handler.classes:
            if name.startswith("*"):
                self.by_suffix.append((name[1:], handler))
            else:
                self.by_class[self.canonical(name)].append(handler)
        for function in handler.functions:
            name, _, parameters = function.removesuffix(")").partition("(")
            names = tuple(parameters.split(", ")) if parameters else ()
            self.by_function[name].append((names, packages, handler))

    @property
    def sources(self) -> Mapping[str, Sequence[Source]]:
        """The sources by canonical name."""
        return cast("Mapping[str, Sequence[Source]]", self._tables["sources"])

    @property
    def sinks(self) -> Mapping[str, Sequence[Sink]]:
        """The sinks by canonical name."""
        return cast("Mapping[str, Sequence[Sink]]", self._tables["sinks"])

    @property
    def registering(self) -> Iterable[str]:
        """The canonical names of the calls that register handlers."""
        return self._tables["registers"]

    @property
    def decorating(self) -> Iterable[str]:
        """The canonical names of the decorators that make handlers."""
        return self._tables["decorates"]

    def carriers(self, sources: Iterable[str]) -> frozenset[str]:
        """The classes, and other owners, of sources; and the classes that inherit from them."""
        owners = {name.rpartition(".")[0] for name in sources}
        inherited = {name for name in self.bases if owners.intersection(self.ancestors(name))}
        return frozenset(owners | inherited)

    def called(self, libraries: Iterable[Library]) -> frozenset[str]:
        """The canonical names of all calls of which some of the libraries say something."""
        names: set[str] = set()
        for library in libraries:
            names.update(library.exits)
            for table in ("sources", "sinks", "sanitizers", "guards", "propagators", "callbacks"):
                names.update(fact.name for fact in getattr(library, table))
            for handler in library.handlers:
                names.update((*handler.decorators, *(one.call for one in handler.calls)))
        return frozenset(self.canonical(name) for name in names)

    def canonical(self, path: str) -> str:
        """The canonical name of an access path, aliases of its beginnings included."""
        known = self._canonical.get(path)
        if known is None:
            known = self._canonical[path] = self._resolved(path)
        return known

    def _resolved(self, path: str) -> str:
        aliases = self.aliases
        for _ in range(4):
            if path in aliases:
                path = aliases[path]
                continue
            cut = path.rfind(".")
            while cut > 0:
                head = path[:cut]
                if head in aliases:
                    path = aliases[head] + path[cut:]
                    break
                cut = path.rfind(".", 0, cut)
            else:
                return path
        return path

    def ancestors(self, name: str) -> tuple[str, ...]:
        """A class and all its known base classes, nearest first."""
        known = self._ancestors.get(name)
        if known is None:
            order: dict[str, None] = {}
            stack = [name]
            while stack:
                one = stack.pop()
                if one not in order:
                    order[one] = None
                    stack.extend(reversed(self.bases.get(one, ())))
            known = self._ancestors[name] = tuple(order)
        return known

    def handlers_below(self, base: str) -> tuple[Handler, ...]:
        """What the subclasses of a class are to its framework."""
        known = self._below.get(base)
        if known is None:
            ancestors = self.ancestors(self.canonical(base))
            found = [one for name in ancestors for one in self.by_class.get(name, ())]
            found += [handler for suffix, handler in self.by_suffix if base.endswith(suffix)]
            known = self._below[base] = tuple(found)
        return known

    def entry(self, path: str) -> Entry:
        """The facts about a canonical access path; an entry without facts if there are none."""
        entry = self._entries.get(path)
        if entry is None:
            entry = self._entries[path] = self._find(path)
        return entry

    def base(self, name: str) -> Entry:
        """The facts about a base class; those about its usual name if it is the attribute of an object (`?.db.Model`)."""
        entry = self._bases_known.get(name)
        if entry is None:
            parts = name.rsplit(".", 2)
            usual = [f"?.{'.'.join(parts[-number:])}" for number in (2, 1)]
            found = [one for one in map(self.entry, (name, *usual)) if one.name]
            entry = self._bases_known[name] = found[0] if found else _NOTHING
        return entry

    def _find(self, path: str) -> Entry:
        owner, dot, last = path.rpartition(".")
        names = [f"{one}.{last}" for one in self.ancestors(owner)] if dot else [path]
        result: Entry | None = None
        for name in names:
            found = self._direct(name)
            if found is not None:
                result = found if result is None else _merged(result, found)
        if result is None and dot:
            wild = next(
                (self.types[one + ".*"] for one in self.ancestors(owner) if one + ".*" in self.types), ""
            )
            return Entry(path, value_type=wild) if wild else _NOTHING
        return _NOTHING if result is None else result

    def _direct(self, name: str) -> Entry | None:
        facts = {table: tuple(rows[name]) for table, rows in self._tables.items() if name in rows}
        value, call = self.types.get(name, ""), self.types.get(name + "()", "")
        exits = name in self.exits
        if not facts and not value and not call and not exits:
            return None
        return Entry(name, value_type=value, call_type=call, exits=exits, **facts)  # pyright: ignore[reportArgumentType]


def _merged(first: Entry, second: Entry) -> Entry:
    """Facts of a class win over those of its base of the same sort."""
    return Entry(
        first.name,
        first.sources or second.sources,
        first.sinks or second.sinks,
        first.sanitizers or second.sanitizers,
        first.guards or second.guards,
        first.propagators or second.propagators,
        first.callbacks or second.callbacks,
        first.decorates or second.decorates,
        first.registers or second.registers,
        first.value_type or second.value_type,
        first.call_type or second.call_type,
        first.exits or second.exits,
    )


class Shelf(Struct):
    """The texts of all models at hand, parsed only when a project imports what they are about.

    Attributes:
        texts: file stem to the file's TOML.
        extra: the project's own model, always used.
    """

    texts: dict[str, str]
    extra: tuple[Library, ...] = ()
    _headers: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    _parsed: dict[str, Library] = field(default_factory=dict)

    def needed(self, imports: Iterable[str]) -> frozenset[str]:
        """The stems of the models that code with these imports needs.

        Args:
            imports: dotted names of imported modules.
        """
        from charter.model.library.load import header

        if not self._headers:
            self._headers = {stem: header(text) for stem, text in self.texts.items()}
        prefixes: set[str] = set()
        for name in imports:
            parts = name.split(".")
            prefixes.update(".".join(parts[:count]) for count in range(1, len(parts) + 1))
        stack = [
            stem
            for stem, (packages, _requires) in self._headers.items()
            if not packages or any(package in prefixes for package in packages)
        ]
        chosen: set[str] = set()
        while stack:
            stem = stack.pop()
            if stem not in chosen and stem in self._headers:
                chosen.add(stem)
                stack.extend(self._headers[stem][1])
        return frozenset(chosen)

    def index(self, stems: Iterable[str]) -> Index:
        """The merged models of these stems and the project's own.

        Raises:
            LibraryError: for a model that is malformed.
        """
        from charter.model.library.load import load

        for stem in stems:
            if stem not in self._parsed:
                self._parsed[stem] = load(self.texts[stem], f"{stem}.toml")
        return Index([*(self._parsed[stem] for stem in sorted(stems)), *self.extra])
