"""Values that outlive the function that made them: variables of modules and closures, fields of classes.

Each function that writes such a name contributes to it; readers see all contributions joined, and are due again when
that changes. What a class or module is, and when its functions run, is not known here.
"""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.exports import Exported, export, imported, joined, references_in, sites
from charter.analysis.taint.registered import Registered
from charter.analysis.taint.values import (
    BIT,
    HOST,
    INSTANCE,
    NO,
    PROJECT_INSTANCE,
    UNKNOWN,
    Value,
    bits,
    join,
)
from charter.model import ir
from charter.model.project import Class, Function, Module, Project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from charter.analysis.taint.frame import Frame
    from charter.analysis.taint.knowledge import Key
    from charter.analysis.taint.run import Run
    from charter.model.library.index import Index

_NOTHING: Final[dict[Any, Any]] = {}


class Kept(Registered, ABC):
    """The names that outlive functions, and who gives them what."""

    def __init__(self, project: Project, index: Index, threats: Iterable[str]) -> None:
        super().__init__(project, index, threats)
        self.fields: dict[tuple[Class, str], Exported] = {}
        self.globals: dict[tuple[Module, str], Exported] = {}
        self.outers: dict[tuple[Function, str], Exported] = {}
        self._given: dict[Key, dict[Any, Exported]] = {}
        self._former: dict[Key, dict[Any, Exported]] = {}
        self._givers: dict[Any, dict[Key, dict[Any, Exported]]] = defaultdict(dict)
        self._class_names: dict[Class, tuple[str, ...]] = {}
        self._captures: dict[Module, dict[Function, dict[str, tuple[str, ...]]]] = {}
        self._stores: dict[Class | Module, dict[str, list[Function]]] = {}

    def _keep_names(self, run: Run) -> None:
        function = run.function
        if function.index == 0:
            for name in self._module_names(run):
                value = self._joined_name(run, "::" + name)
                if value is not None:
                    self._store(self.globals, (run.module, name), export(run, value), replace=True)
        elif function.flags & ir.CLASS_BODY and function.cls is not None:
            self._keep_class_names(run, function.cls)
        for name, inner in self._captured_names(function).items():
            value = self._joined_name(run, name, inner)
            if value is not None:
                self._store(self.outers, (function, name), export(run, value), replace=True)

    def _module_names(self, run: Run) -> list[str]:
        names: dict[str, None] = {}
        for state in run.exits:
            for key in state:
                if isinstance(key, str) and key.startswith("::"):
                    names[key[2:]] = None
        return list(names)

    def _joined_name(self, run: Run, name: str, inner: Iterable[str] = ()) -> Value | None:
        """What a name holds where a function ends, after one of the functions inside that take it has been defined."""
        result: Value | None = None
        for state in run.exits:
            value = state.get(name)
            if value is not None and (not inner or any(one in state for one in inner)):
                result = value if result is None else join(result, value)
        return result

    def _keep_class_names(self, run: Run, cls: Class) -> None:
        names: dict[str, None] = {}
        for state in run.exits:
            for key in state:
                if isinstance(key, str) and key[0] not in "?:":
                    names[key] = None
        self._class_names[cls] = tuple(names)
        for name in names:
            value = self._joined_name(run, name)
            if value is not None and name not in cls.methods:
                self._store(self.fields, (cls, name), export(run, value), replace=False)

    def _captured_names(self, function: Function) -> Mapping[str, tuple[str, ...]]:
        """The names that the functions inside of a function take from it, each with the names of those; () if one has none."""
        known = self._captures.get(function.module)
        if known is None:
            known = self._captures[function.module] = {}
            for inner in function.module.functions:
                if inner.frees and inner.parent is not None:
                    names = known.setdefault(inner.parent, {})
                    plain = not inner.flags & (ir.LAMBDA | ir.CLASS_BODY)
                    for name in inner.frees:
                        taking = names.get(name, (inner.short,))
                        names[name] = (*taking, inner.short) if plain and taking else ()
        return known.get(function, _NOTHING)

    def _store(self, table: dict[Any, Exported], key: Any, new: Exported, *, replace: bool) -> None:
        """Keep a value that outlives its function, as this function's contribution to what readers see."""
        if not self._stack:
            return
        name = (id(table), key)
        given = self._given.setdefault(self._stack[-1], {})
        self._learn(table, key, new)
        old = given.get(name)
        if old is not None and not replace:
            new = joined(old, new)
        if old != new:
            given[name] = new
            self._givers[name][self._stack[-1]] = table
            self._publish(table, key)

    def _learn(self, table: dict[Any, Exported], key: Any, new: Exported) -> None:
        """What is stored may make more functions near: those that mention the name, or take it along."""
        if not new[0] and new[2] is None and not new[3]:
            return
        owner, name = key
        gives = [self.near.counts(site.kind) for site in sites(new)]
        gives += [self.near.is_carrier(reference, name) for reference in references_in(new)]
        if not any(gives):
            return
        if table is self.outers:
            for one in owner.module.functions:
                if one.parent is owner and name in one.frees:
                    self._near(one)
        elif table is self.fields:
            self.near.learn_member(owner, name)
        else:
            self.near.learn(name.rpartition(".")[2])

    def _publish(self, table: dict[Any, Exported], key: Any) -> None:
        """Join all contributions to a name; if that changes it, those who read it are due again."""
        name = (id(table), key)
        whole: Exported | None = None
        for giver in self._givers[name]:
            # While a giver is run again, what it gave before holds as well: those who read it are to see no less.
            for table_of in (self._former, self._given):
                one = table_of.get(giver, _NOTHING).get(name)
                if one is not None:
                    whole = one if whole is None else joined(whole, one)
        if table.get(key) == whole:
            return
        if whole is None:
            table.pop(key, None)
        else:
            table[key] = whole
        for user in self.users.get(name, ()):
            if user in self.summaries:
                self._dirty[user] = None

    def _withdraw(self, key: Key, before: dict[Any, Exported]) -> None:
        """Take back what a function contributed before and does not contribute any more."""
        now = self._given.get(key, _NOTHING)
        for name, one in before.items():
            if name not in now:
                table = self._givers[name].pop(key, None)
                if table is not None:
                    self._publish(table, name[1])
            elif now[name] != one:
                self._publish(self._givers[name][key], name[1])

    def _read(self, table: dict[Any, Exported], key: Any, frame: Frame) -> Value | None:
        if self._stack:
            self._use((id(table), key))
        found = table.get(key)
        return None if found is None else imported(frame, found)

    def global_value(self, module: Module, name: str, frame: Frame) -> Value | None:
        """The value of a module's variable; None if it has none of that name."""
        for function in self._storing(module).get("::" + name, ()):
            self.demand(function)
        return self._read(self.globals, (module, name), frame)

    def store_global(self, module: Module, name: str, value: Value, frame: Frame) -> None:
        """An assignment to a module's variable."""
        own = frame.function is module.main
        self._store(self.globals, (module, name), export(frame, value), replace=own and not frame.loops)

    def outer_value(self, function: Function, name: str, frame: Frame) -> Value | None:
        """The value of an enclosing function's variable as that function leaves it."""
        self.demand(function)
        return self._read(self.outers, (function, name), frame)

    def field(self, cls: Class, name: str, frame: Frame) -> Value:
        """What an attribute of a class's instances may hold, whoever wrote it."""
        result: Value | None = None
        annotation: Any = None
        for one in self.project.lineage(cls):
            for function in self._storing(one).get(name, ()):
                self.demand(function)
            found = self._read(self.fields, (one, name), frame)
            if found is not None:
                result = found if result is None else join(result, found)
            if annotation is None:
                annotation = one.annotations.get(name)
                if annotation is not None:
                    annotation = self.roles.type_of(one.module, annotation)
        if result is None:
            return UNKNOWN if annotation is None else (0, NO, annotation, ())
        if not isinstance(result[1], str | tuple):
            result = (result[0], NO, result[2], result[3])
        if annotation is not None and result[2] is None:
            result = (result[0], result[1], annotation, result[3])
        return result

    def element_type(self, cls: Class, name: str) -> Any:
        """What an attribute's annotation says of the elements of the list that it holds."""
        for one in self.project.lineage(cls):
            if name in one.annotations:
                return self.roles.element_of(one.module, one.annotations[name])
        return None

    def _storing(self, owner: Class | Module) -> dict[str, list[Function]]:
        """What of a class's code assigns an attribute, and what of a module's code a name of the module, by name."""
        known = self._stores.get(owner)
        if known is None:
            known = self._stores[owner] = {}
            if isinstance(owner, Class):
                methods = dict.fromkeys(owner.methods.values())
                functions = [] if owner.body is None else [owner.body]
                functions += methods
                functions += [one for one in owner.module.functions if one.parent in methods]
            else:
                functions = owner.functions
            for function in functions:
                for name in function.record[ir.STORES]:
                    known.setdefault(name, []).append(function)
        return known

    def safe_fields(self, cls: Class, frame: Frame) -> dict[str, int]:
        """The fields that a form or schema class declares, with the bits of what their values cannot be."""
        result: dict[str, int] = {}
        declared = set[str]()
        for one in self.project.lineage(cls):
            for method in one.methods:
                if method.startswith("clean_"):
                    # A form checks an address, or who somebody is, where it checks the field, if it has something to check there.
                    result[method[6:]] = result.get(method[6:], 0) | HOST | BIT["trust"]
            if one.body is None:
                continue
            self.demand(one.body)
            together = one.methods["clean"].record[ir.BODY] if "clean" in one.methods else b""
            for name in self._class_names.get(one, ()):
                if name.encode() in together:
                    result[name] = result.get(name, 0) | BIT["trust"]
                reference = self.fields[one, name][2] if (one, name) in self.fields else None
                if reference is None or name in declared:
                    continue
                for base in self._library_classes(reference):
                    kinds = self.index.fields.get(base)
                    if kinds is not None:
                        declared.add(name)
                        result[name] = result.get(name, 0) | bits(kinds)
                        break
        return result

    def _library_classes(self, reference: Any) -> Iterator[str]:
        """The classes of libraries from which the class of an instance is derived, or which it is."""
        own: tuple[str, ...] = ()
        if reference[0] == INSTANCE:
            own = (reference[1],)
        elif reference[0] == PROJECT_INSTANCE:
            own = self.project.externals(reference[1])
        for name in own:
            yield from self.index.ancestors(self.index.canonical(name))

    def store_field(self, cls: Class, name: str, value: Value, frame: Frame) -> None:
        """An assignment to an attribute of an instance."""
        self._store(self.fields, (cls, name), export(frame, value), replace=False)
