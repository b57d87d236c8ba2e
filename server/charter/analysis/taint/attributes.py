"""Attributes and items: what is read from objects, classes, modules and containers, and stored into attributes."""

# The values here are nested tuples or parsed documents, which only their tags type; one class, written in several files.
# pyright: reportPrivateUsage=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import builtins
from abc import ABC
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.arguments import Arguments, holds
from charter.analysis.taint.calls import Calls
from charter.analysis.taint.frame import REST
from charter.analysis.taint.guards import ASKING
from charter.analysis.taint.handlers import is_harmless, safe_by_pattern
from charter.analysis.taint.objects import OBJECT_METHODS
from charter.analysis.taint.stored import manager
from charter.analysis.taint.values import (
    ALL_DANGERS,
    ANNOTATED,
    BIT,
    BOUND,
    BOUND_EXTERNAL,
    CONTAINERS,
    DANGERS,
    EXTERNAL,
    HOST,
    INSTANCE,
    IP_ADDRESS,
    NO,
    OBJECT,
    PART,
    PROJECT_CLASS,
    PROJECT_FUNCTION,
    PROJECT_INSTANCE,
    PROJECT_MODULE,
    SEGMENT,
    UNKNOWN,
    Value,
    cleaned,
    constant,
    join,
    references,
    spread,
    with_marks,
)
from charter.model import ir
from charter.model.project import Class, Function, Module

if TYPE_CHECKING:
    from charter.model.ir import Node

_BUILTINS: Final = frozenset(dir(builtins))
_OBJECTS: Final = spread(OBJECT)
_NAMES: Final = spread(BIT["path"] | BIT["path-absolute"] | BIT["ssrf"] | BIT["ssrf-part"])
_RANGES: Final = frozenset(
    "is_private is_global is_loopback is_link_local is_reserved is_multicast is_unspecified is_site_local".split()
)
"""What is asked of an address before it is used."""
_OUTSIDE: Final = frozenset({EXTERNAL, INSTANCE})
_CONTENTS: Final = frozenset({"stream", "file", "fileno", "buffer"})
"""Attributes of a file that name no file."""
_KEYS: Final = frozenset({"id", "pk"})
_LOG: Final = spread(BIT["log"])
_ALL_HOSTS: Final = spread(HOST)
_ADDRESS: Final = (INSTANCE, "urllib.parse.ParseResult")
_PARTS: Final = ("scheme", "netloc", "path")
"""The first items of an address that was taken apart, which is a tuple."""


class Attributes(Calls, ABC):
    """Attributes and items."""

    def _attribute(self, node: Node) -> Value:
        return self.attribute(self.value(node[2]), node[3], node[1])

    def attribute(self, value: Value, name: str, position: int) -> Value:
        """`value.name`."""
        if name in {"lastgroup", "lastindex"}:
            return UNKNOWN  # the pattern has named its groups
        if value[0] and (
            name == "_meta" or (name.startswith("__") and name.endswith("__") and name != "__dict__")
        ):
            return UNKNOWN  # what its class says of itself
        result: Value | None = None
        if value[3]:
            result = self.read(value, "." + name)
        if result is None:
            for reference in references(value[2]):
                one = self._attribute_of(reference, value, name, position)
                if one is not None:
                    result = one if result is None else join(result, one)
        if result is None:
            result = self._attribute_of_unknown(value, name)
        if name == "scheme" and result[0]:  # it ends where the host begins
            result = (result[0] & ~_ALL_HOSTS, *result[1:])
        if name in self.fields and value[0]:
            result = (self.of_field(result[0], name), *result[1:])
        return result

    def _attribute_of_unknown(self, value: Value, name: str) -> Value:
        if not value[0]:
            return _bound(value, name) if isinstance(value[1], str) and hasattr(str, name) else UNKNOWN
        taint = value[0] & ~_NAMES if name in _CONTENTS else value[0]
        if name in _KEYS and not taint & _OBJECTS:
            taint &= ~_LOG  # no text has one: it has been made what it is the key of
        return (taint, NO, None, ())

    def _attribute_of(self, reference: Any, value: Value, name: str, position: int) -> Value | None:
        sort = reference[0]
        if sort == EXTERNAL:
            return self._attribute_of_external(reference[1], value, name, position)
        if sort == INSTANCE:
            return self._attribute_of_typed(reference[1], value, name, position)
        if sort == PROJECT_INSTANCE:
            return self._attribute_of_instance(reference, value, name, position)
        if sort == PROJECT_MODULE:
            return self._attribute_of_module(reference[1], name, position)
        if sort == PROJECT_CLASS:
            found = self.project.attribute(reference[1], name, self.module)
            if isinstance(found, Function):
                if self.engine.roles.sort(found) == "class":
                    return (0, NO, (BOUND, value, found), ())
                return (0, NO, (PROJECT_FUNCTION, found, None), ())
            if found is not None:
                return self.referred(found, position)
            return self._attribute_of_class(reference[1], value, name, position)
        return None

    def _attribute_of_class(self, cls: Class, value: Value, name: str, position: int) -> Value:
        if self.engine.stored:
            made = manager(self, cls, name, position)
            if made is not None:
                return made
        stored = self.engine.field(cls, name, self)
        if stored is UNKNOWN:
            for base in self.project.externals(cls):
                path = self.index.canonical(f"{base}.{name}")
                if self.index.entry(path).name:
                    return self._attribute_of_typed(path.rpartition(".")[0], value, name, position)
        return stored

    def _attribute_of_external(self, owner: str, value: Value, name: str, position: int) -> Value:
        if owner in self.index.bags:
            held = (self.state or {}).get("::g." + name) or self.engine.global_value(
                self.module, "g." + name, self
            )
            if held is not None:
                return held
        path = self.index.canonical(f"{owner}.{name}")
        module = self.project.module(path, self.module)
        if module is not None:
            return (0, NO, (PROJECT_MODULE, module), ())
        found = self.external(path, position)
        return (found[0] | value[0], NO, found[2], found[3]) if value[0] else found

    def _attribute_of_module(self, module: Module, name: str, position: int) -> Value:
        value = self.global_value(module, name, position)
        if value is UNKNOWN or (value[2] is not None and value[2] == (EXTERNAL, f"builtins.{name}")):
            found = self.project.module(f"{module.name}.{name}", module) if module.is_package else None
            if found is None:
                found = self.project.attribute(module, name, self.module)
            return self.referred(found, position) if found is not None else UNKNOWN
        return value

    def _attribute_of_typed(self, cls: str, value: Value, name: str, position: int) -> Value:
        """An attribute of an instance of an external class."""
        path = f"{cls}.{name}"
        entry = self.index.entry(path)
        if name == "__dict__":
            return (value[0], NO, None, ())
        if cls == IP_ADDRESS[1] and name in _RANGES:
            self.look_up(value)
            return UNKNOWN
        if not entry.sources and (
            cls in OBJECT_METHODS or cls in CONTAINERS or (entry.call_type and not entry.value_type)
        ):
            return _bound(value, name)
        taint = value[0]
        asked = name == "path" and bool(taint) and self.is_of_request(value, "address")
        asked = asked or any(source.part == "path" for source in entry.sources)
        if asked and self.engine.is_static_route(self.function):
            return UNKNOWN
        for source in entry.sources:
            taint |= self.source(entry.name or path, source, position)
        if entry.propagators:
            return self._propagated(entry, value, Arguments(position))
        if entry.sanitizers and taint:
            for rule in entry.sanitizers:
                taint = taint & ~spread(cleaned(rule.kinds)) if rule.kinds else 0
        if name == "path" and cls == _ADDRESS[1]:
            taint = self.path_of(taint)
        reference = (INSTANCE, entry.value_type) if entry.value_type else (EXTERNAL, entry.name or path)
        if name == "parts" and cls.startswith("pathlib.") and taint:
            return self.new(
                "builtins.list", position, {REST: (with_marks(taint, PART | SEGMENT), NO, None, ())}
            )
        return (taint, NO, reference, ())

    def _attribute_of_instance(self, reference: Any, value: Value, name: str, position: int) -> Value | None:
        cls: Class = reference[1]
        method = self.project.method(cls, name)
        if method is not None:
            if self.engine.roles.is_property(method):
                return self.call_function(method, value, Arguments(position), position, None)
            return (0, NO, (BOUND, value, method), ())
        stored = self.engine.field(cls, name, self)
        if stored is not UNKNOWN:
            if not value[0] or stored[0] or (stored[2] is not None and is_harmless(stored[2][1], self.index)):
                return stored
            if self._is_declared_harmless(cls, name):
                return stored
            if stored[3] and self.is_builtin(stored):
                return self._untrusted_container(cls, name, value[0], position)
            taint = stored[0] | self._of_field(cls, name, value[0], position)
            container = self._declared_container(cls, name)
            return (taint, NO, container, ()) if container is not None else (taint, *stored[1:])
        for base in self.project.externals(cls):
            path = self.index.canonical(f"{base}.{name}")
            entry = self.index.entry(path)
            if entry.name:
                found = self._attribute_of_typed(path.rpartition(".")[0], value, name, position)
                of_fields = any(source.part == "fields" for source in entry.sources)
                return self._with_fields(cls, found, position) if of_fields else found
        if value[0]:
            if self._is_declared_harmless(cls, name):
                return UNKNOWN
            taint = self._of_field(cls, name, value[0], position)
            return (taint, NO, self._declared_container(cls, name), ())
        externals = self.project.externals(cls)
        return (0, NO, (EXTERNAL, f"{externals[0]}.{name}"), ()) if externals else None

    def _is_declared_harmless(self, cls: Class, name: str) -> bool:
        """Whether a field is declared to hold nothing that can carry an attack: `kinds: list[Kind]`."""
        for one in self.project.lineage(cls):
            if name in one.annotations:
                return self.engine.roles.says_harmless(one.module, one.annotations[name])
        return False

    def _of_field(self, cls: Class, name: str, taint: int, position: int) -> int:
        """What an untrusted object's field can hold, by its type, its pattern and the validator of the class."""
        checked = self._validator(cls, name)
        if checked is not None and self.state is not None:
            before, self.state = self.state, dict(self.state)  # what it shows holds of this field alone
            given = Arguments.of([(taint, NO, None, ())], position)
            owner: Value = (0, NO, (PROJECT_CLASS, cls), ())
            taint = self.call_function(checked, owner, given, position, None)[0]
            self.state = before
        for one in self.project.lineage(cls):
            declared = one.annotations.get(name)
            if declared is not None:
                if declared[0] == ir.GLOBAL:
                    return taint & ~_OBJECTS if declared[2] == "str" else taint
                return taint & ~spread(safe_by_pattern(self, (name, declared, None)))
        return taint

    def _declared_container(self, cls: Class, name: str) -> tuple[str, str] | None:
        """The class of a field that is declared as a list, dictionary or the like of something: `steps: list[str]`."""
        for one in self.project.lineage(cls):
            declared = one.annotations.get(name)
            if declared is not None:
                outer = declared[2] if declared[0] == ir.ITEM else declared
                container = ANNOTATED.get(outer[-1]) if outer[0] in {ir.GLOBAL, ir.ATTR} else None
                return None if container is None else (INSTANCE, container)
        return None

    def _validator(self, cls: Class, name: str) -> Function | None:
        """The method that a library calls with a field's value: `@field_validator("name")`."""
        known = self.index.validators
        for method in cls.methods.values() if known else ():
            for decorator in method.record[ir.DECORATORS]:
                if (
                    decorator[0] == ir.CALL
                    and decorator[2][-1] in known
                    and name in {one[-1] for one in decorator[3]}
                ):
                    return method
        return None

    def _untrusted_container(self, cls: Class, name: str, taint: int, position: int) -> Value:
        """A list or mapping in an object that came in whole: what its default holds says nothing of it."""
        element = self.engine.element_type(cls, name)
        if element is None:
            return (taint, NO, None, ())
        harmless = element[0] == INSTANCE and is_harmless(element[1], self.index)
        one: Value = (0 if harmless else taint, NO, element, ())
        return self.new("builtins.list", position, {REST: one})

    def _with_fields(self, cls: Class, value: Value, position: int) -> Value:
        """The cleaned data of a form or schema: what a field has converted is safe."""
        cells = {
            name: (value[0] & ~spread(safe), NO, None, ())
            for name, safe in self.engine.safe_fields(cls, self).items()
        }
        if not cells or not value[0]:
            return value
        made = self.new_object(value[2], position, cells)
        return (value[0], NO, made[2], made[3])

    def _item(self, node: Node) -> Value:
        owner = self.value(node[2])
        index = node[3]
        if index[0] == ir.SLICE:
            bounds = [None if bound is None else self.value(bound) for bound in index[2:5]]
            return self.sliced(owner, bounds, node[1])
        key = self.value(index)
        found = self.subscript(owner, key, node[1])
        if key[0] & ALL_DANGERS and (self._is_fixed(owner) or self._is_table(node[2], owner)):
            self.kill(self.cleared(index, key, DANGERS))  # another key would have raised `KeyError`
        return found

    def _is_fixed(self, owner: Value) -> bool:
        """Whether a value is a dictionary all keys of which the program has written."""
        if owner[2] != (INSTANCE, "builtins.dict") or owner[0]:
            return False
        cells = self.cells(owner)
        return bool(cells) and all(isinstance(key, str | int | None) for key in cells)

    def _is_table(self, node: Node, owner: Value) -> bool:
        """Whether a value is a module's constant of which nothing came in: a table that the program has made."""
        return (
            node[0] == ir.GLOBAL
            and node[2].isupper()
            and ASKING.search(node[2]) is None
            and owner[2] in {None, (INSTANCE, "builtins.dict")}
            and not self.deep(owner)
        )

    def subscript(self, owner: Value, key: Value, position: int) -> Value:
        """`owner[key]`."""
        for reference in references(owner[2]):
            if reference[0] == PROJECT_INSTANCE:
                method = self.project.method(reference[1], "__getitem__")
                if method is not None:
                    return self.call_function(method, owner, Arguments.of([key], position), position, None)
            elif reference[0] in _OUTSIDE and not reference[1].startswith(("builtins.", "collections.")):
                entry = self.index.entry(f"{reference[1]}.__getitem__")
                if entry.name:
                    return self.call_external(
                        f"{reference[1]}.__getitem__", owner, Arguments.of([key], position), position
                    )
        field = self.field_at(owner, key[1])
        if field:
            return self.attribute(owner, field, position)
        result = self.item(owner, key, position)
        if result is UNKNOWN and self.state is not None:
            default = self.read(owner, (".default",)) if owner[3] else None
            if default is not None:
                self.store(owner, key, default)
                return default
        return result

    @staticmethod
    def field_at(owner: Value, place: object) -> str:
        """The name of a library's tuple's field at a place: `urlsplit(url)[1]` is its `netloc`; "" if it has none."""
        if owner[2] != _ADDRESS or not isinstance(place, int) or not 0 <= place < len(_PARTS):
            return ""
        return _PARTS[place]

    def store_attribute(self, owner: Value, name: str, new: Value, position: int) -> None:
        """`owner.name = new`."""
        if name in {"content_type", "mimetype", "media_type"} and owner[3]:
            self.settle_type(owner, new)
        if owner[3] and not self._has_setter(owner, name):
            self.write(owner, "." + name, new)
        for reference in references(owner[2]):
            if reference[0] == PROJECT_INSTANCE or reference[0] == PROJECT_CLASS:
                setter = self.project.method(reference[1], name + "=")
                if setter is not None:
                    self.call_function(setter, owner, Arguments.of([new], position), position, None)
                    continue
                self.engine.store_field(reference[1], name, new, self)
                for base in self.project.externals(reference[1]):
                    self._assign_sink(f"{base}.{name}", owner, new, position)
            elif reference[0] in _OUTSIDE:
                if reference[1] in self.index.bags and self.state is not None:
                    self.state["::g." + name] = new
                    self.engine.store_global(self.module, "g." + name, new, self)
                self._assign_sink(self.index.canonical(f"{reference[1]}.{name}"), owner, new, position)
            elif reference[0] == PROJECT_MODULE:
                self.engine.store_global(reference[1], name, new, self)

    def _has_setter(self, owner: Value, name: str) -> bool:
        reference = owner[2]
        return (
            reference is not None
            and reference[0] == PROJECT_INSTANCE
            and self.project.method(reference[1], name + "=") is not None
        )

    def _assign_sink(self, path: str, owner: Value, new: Value, position: int) -> None:
        entry = self.index.entry(path)
        taint = self.deep(new)
        if not entry.sinks or not taint & ALL_DANGERS:
            return
        for sink in entry.sinks:
            if sink.kind == "xss" and self.is_plain(owner):
                continue
            if holds(self, sink.when, Arguments(position), owner):
                self.reach(sink.kind, entry.name, taint, position, position, sink.severity, new)

    def global_value(self, module: Module, name: str, position: int) -> Value:
        """The value of a module-level name."""
        found = self.project.member(module, name)
        if found is not None:
            variable = self.project.variable(module, name) if isinstance(found, str) else None
            value = None if variable is None else self.engine.global_value(*variable, self)
            return self.referred(found, position) if value is None else value
        value = self.engine.global_value(module, name, self)
        if value is not None:
            return value
        if name in _BUILTINS:
            return (0, NO, (EXTERNAL, f"builtins.{name}"), ())
        for star in self.project.star_modules(module):
            if isinstance(star, str):
                path = self.index.canonical(f"{star}.{name}")
                if self.index.entry(path).name:
                    return self.external(path, position)
            else:
                value = self.engine.global_value(star, name, self)
                if value is not None:
                    return value
        if name == "__name__":
            return constant(module.name)
        return UNKNOWN

    def referred(self, found: Module | Function | Class | str, position: int) -> Value:
        """The value that stands for a definition."""
        if isinstance(found, str):
            return self.external(self.index.canonical(found), position)
        if isinstance(found, Function):
            return (0, NO, (PROJECT_FUNCTION, found, None), ())
        if isinstance(found, Class):
            return (0, NO, (PROJECT_CLASS, found), ())
        return (0, NO, (PROJECT_MODULE, found), ())

    def any_class_of(self, module: Module) -> Value:
        """One of a module's classes, where which one is not known."""
        result: Value | None = None
        for cls in module.classes[:4]:
            one: Value = (0, NO, (PROJECT_CLASS, cls), ())
            result = one if result is None else join(result, one)
        return result or UNKNOWN

    def any_method_of(self, owner: Value, prefix: str, position: int) -> Value:
        """One of the methods of an object of the project, where only the beginning of its name is known."""
        result: Value = (owner[0], NO, None, ())
        for cls in self.project.lineage(owner[2][1]) if prefix else ():
            for name in cls.methods:
                if name.startswith(prefix):
                    result = join(result, self.attribute(owner, name, position))
        return result


def _bound(value: Value, name: str) -> Value:
    """A method of something outside, with what it is a method of."""
    return (value[0], NO, (BOUND_EXTERNAL, value[2], value[1], name), value[3])
