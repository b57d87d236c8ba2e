"""Calls: of the project's functions by their summaries, of methods, callbacks and classes."""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

from charter.analysis.paths import is_test
from charter.analysis.taint.arguments import Arguments
from charter.analysis.taint.checks import both
from charter.analysis.taint.context import Binding, takes
from charter.analysis.taint.frame import (
    DERIVED,
    LENGTH,
    NO_KILL,
    OF_MODULE,
    PARAMETER,
    REST,
    Hit,
    Kill,
    Summary,
)
from charter.analysis.taint.library_calls import LibraryCalls
from charter.analysis.taint.stored import keep
from charter.analysis.taint.values import (
    ALL_DANGERS,
    BOUND,
    BOUND_EXTERNAL,
    DANGERS,
    EXTERNAL,
    FULL,
    INSTANCE,
    LANE,
    NO,
    OBJECT,
    PART,
    PARTIAL,
    PROJECT_CLASS,
    PROJECT_FUNCTION,
    PROJECT_INSTANCE,
    PROJECT_MODULE,
    SLASHED,
    UNKNOWN,
    VAGUE,
    Value,
    constant,
    join,
    lanes,
    portable,
    references,
    spread,
    whole,
    with_marks,
)
from charter.model import ir
from charter.model.project import Class, Function, Module

_COMMON: Final = frozenset(
    "get set add save update delete create run execute close open read write append extend pop items keys values "
    "copy clear filter all first count exists format join split strip replace encode decode send post put patch "
    "validate to_dict as_dict to_json process handle render load dump parse main setup start stop call apply match search find index sort "
    "__init__ __call__ __enter__ __exit__ __iter__ __next__ __getitem__ __setitem__ __str__ __repr__".split()
)
"""Names that too many classes have for a guess of the receiver's class."""

_DEEPEST_NAME: Final = 3
_CALLING: Final = frozenset(
    {"delay", "apply_async", "s", "si", "signature", "send", "spawn", "submit", "defer"}
)
"""Attributes of a decorated function that call it (task queues)."""


_AS_VIEW: Final = frozenset({"as_view", "as_asgi"})
_ATTRS: Final = frozenset({"attr", "attrs"})


class Calls(LibraryCalls, ABC):
    """Calls."""

    def invoke(self, function: Value, arguments: Arguments, position: int) -> Value:
        """The value of a call of a value."""
        found = references(function[2])
        if not found:
            if function[0]:
                return (function[0], NO, None, ())
            return UNKNOWN
        result: Value | None = None
        for reference in found:
            one = self._call_reference(reference, function, arguments, position)
            result = one if result is None else join(result, one)
        return UNKNOWN if result is None else result

    def _call_reference(self, reference: Any, function: Value, arguments: Arguments, position: int) -> Value:
        sort = reference[0]
        if sort == EXTERNAL:
            receiver: Value | None = (
                (function[0], NO, None, ()) if function[0] else None
            )  # `get = request.args.get`
            return self.call_external(reference[1], receiver, arguments, position)
        if sort == PROJECT_FUNCTION:
            return self.call_function(reference[1], None, arguments, position, reference[2])
        if sort == PROJECT_CLASS:
            return self.construct(reference[1], arguments, position)
        if sort == BOUND:
            return self.call_function(reference[2], reference[1], arguments, position, None)
        if sort == BOUND_EXTERNAL:
            receiver = (function[0], reference[2], reference[1], function[3])
            return self.call_method(receiver, reference[3], arguments, position)
        if sort == PARTIAL:
            whole = Arguments(arguments.place)
            whole.positional = [*reference[2], *arguments.positional]
            whole.places = [arguments.place] * len(reference[2]) + arguments.places
            whole.keywords = {**dict(reference[3]), **arguments.keywords}
            whole.keyword_places = arguments.keyword_places
            whole.star, whole.double = arguments.star, arguments.double
            return self.invoke(reference[1], whole, position)
        if sort == PROJECT_INSTANCE:
            method = self.project.method(reference[1], "__call__")
            if method is not None:
                return self.call_function(method, function, arguments, position, None)
        if sort == INSTANCE:
            return self.call_external(f"{reference[1]}.__call__", function, arguments, position)
        return UNKNOWN

    # Classes
    def construct(self, cls: Class, arguments: Arguments, position: int) -> Value:
        """A new instance of a project's class."""
        externals = self.project.externals(cls)
        if any(base.startswith("enum.") for base in externals):
            if "_missing_" not in cls.methods:
                self._has_member(arguments.position(0) or UNKNOWN)
            return (0, NO, (PROJECT_INSTANCE, cls, True), ())
        instance = self.new_object((PROJECT_INSTANCE, cls, True), position, {})
        init = self.project.method(cls, "__init__")
        if self.engine.stored:
            keep(self, cls, arguments)
        if init is not None:
            self.call_function(init, instance, arguments, position, None)
        else:
            self._construct_plain(cls, instance, arguments, position)
            for base in externals[:2]:
                entry = self.index.base(base)
                if entry.name:
                    made = self.call_external(entry.name, None, arguments, position)
                    instance = (instance[0] | made[0], NO, instance[2], instance[3])
                    if entry.sinks:
                        self._as_class_says(cls, instance)
        return instance

    def _has_member(self, value: Value) -> None:
        """After `Kind(value)` the value is one of the enumeration's: another would have raised `ValueError`."""
        if mask := whole(value[0]):
            self.kill((mask, ()))

    def _as_class_says(self, cls: Class, response: Value) -> None:
        """A project's class of responses may itself name their type."""
        for name in ("default_mimetype", "media_type", "content_type", "mimetype"):
            kind = self.engine.field(cls, name, self)
            if isinstance(kind[1], str):
                self.settle_type(response, kind)

    def _construct_plain(self, cls: Class, instance: Value, arguments: Arguments, position: int) -> None:
        """The `__init__` that data classes, named tuples, models and exceptions come with."""
        names: list[str] = []
        for one in reversed(cls.lineage):
            names.extend(name for name in one.annotations or _attrs_fields(one) if name not in names)
        given = dict(zip(names, arguments.positional, strict=False))
        given.update(arguments.keywords)
        for name, value in given.items():
            self.write(instance, "." + name, value)
        if "typing.NamedTuple" in self.project.externals(cls):
            for index, name in enumerate(names):
                self.write(instance, index, given.get(name, UNKNOWN))
            self.write(instance, LENGTH, constant(len(names)))
        if not names:
            for index, value in enumerate(arguments.positional):
                self.write(instance, ("args", index), value)

    # Functions of the project
    def call_function(
        self,
        function: Function,
        receiver: Value | None,
        arguments: Arguments,
        position: int,
        captured: Any,
    ) -> Value:
        """The value of a call of a project's function, with all its effects."""
        modelled = self.engine.modelled.get(function) if self.engine.modelled else None
        if modelled is None:
            return self._call_body(function, receiver, arguments, position, captured)
        self._apply_facts(modelled, modelled.name, receiver, arguments)
        value = self._call_body(function, receiver, arguments, position, captured)
        if modelled.propagators:
            value = self._propagated(modelled, receiver, arguments)
        return self._called(modelled, modelled.name, value, receiver, arguments, position)

    def _call_body(
        self,
        function: Function,
        receiver: Value | None,
        arguments: Arguments,
        position: int,
        captured: Any,
    ) -> Value:
        if function.flags & ir.CLASS_BODY:
            return UNKNOWN
        self.followed = position
        decorators = function.record[ir.DECORATORS]
        if decorators:
            receiver = self.engine.roles.receiver_for(function, receiver)
        binding = Binding(self, function, receiver, arguments, captured)
        if self.depth > self.engine.deepest:
            return UNKNOWN
        if not binding.entry and position == self.unused and self.engine.is_idle(function):
            return UNKNOWN
        if binding.entry and self.engine.has_too_many_contexts(function, binding.entry):
            binding.coarsen()
        summary = self.engine.summary(function, binding.entry, self.depth + 1, self)
        if summary.trivial:
            return self._returned_plain(function, summary)
        return self._apply(function, summary, binding, position)

    def _returned_plain(self, function: Function, summary: Summary) -> Value:
        if not summary.returns:
            self.state = None
        return summary.value

    def _apply(self, function: Function, summary: Summary, binding: Binding, position: int) -> Value:
        self._reach_through(summary, binding, position)
        for slot, key, value in summary.effects:
            target = binding.objects.get(slot)
            if slot == OF_MODULE:
                self._set_global(function.module, key, self.translate(value, summary, binding, position))
            elif target and key is LENGTH:
                self.resize(target, value)
            elif target:
                new = self.translate(value, summary, binding, position)
                self.write((0, NO, None, target), key, new)
        if not summary.returns:
            self.state = None
            return UNKNOWN
        if summary.killed:
            self.kill(self._killed(summary.killed, summary, binding))
        if summary.signed:
            self.signed = both(self.signed, self._killed(summary.signed, summary, binding))
        value = self.translate(summary.value, summary, binding, position)
        if value[0] & ALL_DANGERS:
            self.step(value[0], position, f"returned by `{function.short}`")
        if summary.killed_if_true or summary.killed_if_false:
            yes = self._killed(summary.killed_if_true, summary, binding)
            no = self._killed(summary.killed_if_false, summary, binding)
            self.last_kills = (yes, no)
            self.pending = True
        if function.flags & ir.GENERATOR:
            return self.new("builtins.list", position, {REST: value})
        return value

    def _set_global(self, module: Module, name: str, new: Value) -> None:
        """A module's variable that a callee has set to what came in from here."""
        if module is self.module and self.state is not None:
            self.state["::" + name] = new
            self.global_effects[name] = new
        self.engine.store_global(module, name, new, self)

    def _reach_through(self, summary: Summary, binding: Binding, position: int) -> None:
        """Hand on what the callee does with its parameters."""
        for (slot, _), hits in summary.hits.items():
            taint = binding.taints.get(slot, 0)
            if not taint:
                continue
            for hit in hits:
                reached = taint & spread(hit.bits)
                if not reached:
                    continue
                chain = ((self.function, position), *hit.chain)
                if len(chain) > 12:
                    continue
                for lane in lanes(reached):
                    if taint >> LANE * lane & VAGUE:
                        continue
                    self.hit(lane, Hit(hit.site, reached >> LANE * lane & FULL & hit.bits, chain))

    def _killed(self, killed: int, summary: Summary, binding: Binding) -> Kill:
        """What a callee's checks of its parameters clear here: of a mere part of something, the names that hold it."""
        mask = 0
        names: list[tuple[str, int]] = []
        for lane in lanes(killed):
            if lane >= len(summary.origins):
                continue
            origin = summary.origins[lane]
            if origin[0] != PARAMETER:
                continue
            dangers = killed >> LANE * lane & DANGERS
            taint = binding.taints.get(origin[1], 0)
            for own in lanes(taint):
                if not taint >> LANE * own & PART:
                    mask |= dangers << LANE * own
                elif len(origin[1]) == 2 and isinstance(index := origin[1][1], int):
                    bits = dangers << LANE * own
                    names += [(name, bits) for name in self.names_of(binding.values[index])]
        return (mask, tuple(names)) if mask or names else NO_KILL

    def translate(self, value: Value, summary: Summary, binding: Binding, position: int) -> Value:
        """A value of a callee in terms of this function's origins and objects."""
        if not value[0] and value[2] is None and not value[3]:
            return value
        taint = self.translate_taint(value[0], summary, binding, position) if value[0] else 0
        whole = self._whole_parameter(value, binding)
        if whole is not None:
            return (taint, *whole[1:])
        objects: tuple[Any, ...] = ()
        if value[3]:
            objects, more = self._translated_objects(value[3], summary, binding, position)
            taint |= more
        reference = value[2]
        if reference is not None and reference[0] == PROJECT_FUNCTION and reference[2]:
            moved = tuple(
                (name, self.translate(one, summary, binding, position)) for name, one in reference[2]
            )
            reference = (PROJECT_FUNCTION, reference[1], moved)
        elif reference is not None:
            reference = portable(reference)
        return (taint, value[1], reference, objects)

    def _whole_parameter(self, value: Value, binding: Binding) -> Value | None:
        """The argument that a callee hands back as it is, with all that is known of it here."""
        objects = value[3]
        if len(objects) != 1 or value[1] is not NO or len(objects[0]) != 2 or objects[0][0] != PARAMETER:
            return None
        index = objects[0][1]
        return binding.values[index] if isinstance(index, int) and value[2] is None else None

    def translate_taint(self, taint: int, summary: Summary, binding: Binding, position: int) -> int:
        """Taint of a callee in terms of this function's origins."""
        result = 0
        for lane in lanes(taint):
            own = taint >> LANE * lane & FULL
            origin = summary.origins[lane] if lane < len(summary.origins) else None
            if origin is None:
                continue
            if origin[0] == PARAMETER:
                passed = binding.taints.get(origin[1], 0)
                passed &= spread(own | PART)
                added = own & (PART | OBJECT | SLASHED | VAGUE)
                result |= with_marks(passed, added) if added else passed
            elif origin[0] != DERIVED:
                result |= self.fresh((origin[0], origin[1], position), own)
        return result

    def _translated_objects(
        self, objects: tuple[Any, ...], summary: Summary, binding: Binding, position: int
    ) -> tuple[tuple[Any, ...], int]:
        """Objects of a callee as objects of this function; what is nested too deep becomes plain taint."""
        state, moved = self.state, self.moved
        outermost = not moved
        result: list[Any] = []
        taint = 0
        for identity in objects:
            if identity[0] == PARAMETER:
                result.extend(binding.objects.get(identity, ()))
                continue
            cells = summary.heap.get(identity)
            if cells is None:
                continue
            own = ("c", position, identity) if _nesting(identity) < _DEEPEST_NAME else None
            if own is None or state is None:
                for one in cells.values():
                    taint |= self.translate_taint(one[0], summary, binding, position)
                continue
            if own not in result:
                result.append(own)
                if own not in moved:
                    moved.add(own)
                    state[own] = {
                        key: self.translate(one, summary, binding, position) for key, one in cells.items()
                    }
        if outermost:
            moved.clear()
        return tuple(dict.fromkeys(result)), taint

    # Methods
    def call_method(self, value: Value, name: str, arguments: Arguments, position: int) -> Value:
        """The value of `value.name(…)`."""
        found = references(value[2])
        result: Value | None = None
        for reference in found:
            one = self._method_of(reference, value, name, arguments, position)
            if one is not None:
                result = one if result is None else join(result, one)
        if result is not None:
            return result
        if value[3]:
            held = self.read(value, "." + name)
            if held is not None and held[2] is not None:
                return self.invoke(held, arguments, position)
            contained = self.container_method(value, name, arguments, position)
            if contained is not None:
                return contained
        return self._method_of_unknown(value, name, arguments, position)

    def _method_of(
        self, reference: Any, value: Value, name: str, arguments: Arguments, position: int
    ) -> Value | None:
        sort = reference[0]
        if sort in {EXTERNAL, INSTANCE}:
            return self._method_of_external(reference, value, name, arguments, position)
        if sort == PROJECT_INSTANCE:
            return self._method_of_instance(reference, value, name, arguments, position)
        if sort == PROJECT_MODULE:
            return self._call_attribute(reference, value, name, arguments, position)
        if sort == PROJECT_CLASS:
            method = self.project.method(reference[1], name)
            if method is not None:
                sort = self.engine.roles.sort(method)
                owner = value if sort == "class" else None
                return self.call_function(method, owner, arguments, position, None)
            if name in _AS_VIEW and self.project.externals(reference[1]):
                return value  # the frameworks make a function of the class
            anywhere = self.index.anywhere.get(name)
            if anywhere is not None:
                self.check_sinks(anywhere, f"?.{name}", arguments, value)
            return self._call_attribute(reference, value, name, arguments, position)
        if sort in {PROJECT_FUNCTION, BOUND} and name in _CALLING:
            if name == "apply_async":
                passed = arguments.get(0, "args")
                elements = (self.elements_exactly(passed) or []) if passed is not None else []
                return self._call_reference(reference, value, Arguments.of(elements, position), position)
            return self._call_reference(reference, value, arguments, position)
        return None

    def _call_attribute(
        self, reference: Any, value: Value, name: str, arguments: Arguments, position: int
    ) -> Value:
        """Call what one of the things that a value may be has under a name."""
        # Of all that it may be, `x.append` could be a method again that is looked up here, and so on without end.
        one = (value[0], value[1], reference, value[3])
        found = self.attribute(one, name, position)
        for held in references(found[2]):
            if held[0] == BOUND_EXTERNAL and held[1] == reference and held[3] == name:
                return self._call_inherited(reference, name, arguments, position)
        return self.invoke(found, arguments, position)

    def _call_inherited(self, reference: Any, name: str, arguments: Arguments, position: int) -> Value:
        """Call a class's method that only a library's base class can have: `Archive.open(…)`."""
        bases = self.project.externals(reference[1]) if reference[0] == PROJECT_CLASS else ()
        for base in bases[:1]:
            return self.call_external(self.index.canonical(f"{base}.{name}"), None, arguments, position)
        return UNKNOWN

    def _method_of_external(
        self, reference: Any, value: Value, name: str, arguments: Arguments, position: int
    ) -> Value:
        path = self.index.canonical(f"{reference[1]}.{name}")
        if reference[0] == EXTERNAL:
            if reference[1] in {"builtins.str", "builtins.bytes"} and arguments.positional:
                text = self.string_method(arguments.positional[0], name, arguments.after(1), position)
                if text is not None:
                    return text
            inside = self.project.module(reference[1], self.module)
            if inside is not None:
                return self._call_attribute(reference, value, name, arguments, position)
            submodule = self.external(path, position)
            if submodule[2] is not None and submodule[2][0] not in {EXTERNAL, INSTANCE}:
                return self.invoke(submodule, arguments, position)
            if "()" in reference[1] and not self.index.entry(path).name:
                hot = any(self.deep(one) & ALL_DANGERS for one in arguments.everything())
                guessed = self._guessed_method(value, name, arguments, position) if hot else None
                if guessed is not None:
                    return guessed
        return self.call_external(path, value, arguments, position)

    def _method_of_instance(
        self, reference: Any, value: Value, name: str, arguments: Arguments, position: int
    ) -> Value | None:
        cls: Class = reference[1]
        held = self.read(value, "." + name) if value[3] else None
        if held is not None and held[2] is not None and not _is_method(held, name):
            return self.invoke(held, arguments, position)
        method = self.project.method(cls, name)
        if method is None:
            stored = self.engine.field(cls, name, self)
            if stored[2] is not None and not _is_method(stored, name):
                return self.invoke(stored, arguments, position)
            for base in self.project.externals(cls):
                path = self.index.canonical(f"{base}.{name}")
                if self.index.entry(path).name:
                    return self.call_external(path, value, arguments, position)
            externals = self.project.externals(cls)
            if externals:
                return self.call_external(f"{externals[0]}.{name}", value, arguments, position)
            return None
        if self.engine.roles.is_property(method):
            return self.invoke(
                self.call_function(method, value, Arguments(position), position, None), arguments, position
            )
        result = self.call_function(method, value, arguments, position, None)
        if not reference[2]:
            for other in self._overrides(cls, name, method):
                narrowed = (value[0], value[1], (PROJECT_INSTANCE, other.cls, False), value[3])
                result = join(result, self.call_function(other, narrowed, arguments, position, None))
            if isinstance(result[1], bool) and not name.startswith("_"):
                # A hook: a subclass that is elsewhere may answer otherwise.
                return (result[0], NO, result[2], result[3])
        return result

    def _overrides(self, cls: Class, name: str, method: Function) -> list[Function]:
        """Methods of subclasses that a call may mean instead."""
        found = [
            sub.methods[name]
            for sub in cls.subclasses
            if name in sub.methods
            and sub.methods[name] is not method
            and (is_test(self.module.path) or not is_test(sub.methods[name].module.path))
        ]
        return found if len(found) <= 3 else []

    def _method_of_unknown(self, value: Value, name: str, arguments: Arguments, position: int) -> Value:
        """A method of a receiver of which no class is known."""
        anywhere = self.index.anywhere.get(name)
        if anywhere is not None:
            self.check_sinks(anywhere, f"?.{name}", arguments, value)
        hot = bool(value[0]) or (
            bool(self.origins) and any(self.deep(one) & ALL_DANGERS for one in arguments.everything())
        )
        if isinstance(value[1], str | bytes | tuple) or (value[0] and not self.has_cells(value)):
            text = self.string_method(value, name, arguments, position)
            if text is not None:
                return text
        if name == "join" and hot:
            text = self.string_method(value, name, arguments, position)
            if text is not None:
                return text
        guessed = self._guessed_method(value, name, arguments, position) if hot else None
        if guessed is not None:
            return guessed
        if hot and (position == self.unused or self.vouches):
            self.take_for_checked(name, arguments)
        if value[0]:
            if name in {"get", "pop", "getlist", "get_all", "getall"}:
                return self._entry_of(value, arguments, position)
            given = (value[0], NO, None, ())
            entry = self.index.entry(f"?.{name}")
            return self._sanitized(entry, given, value, arguments) if entry.sanitizers else given
        if name in {"append", "extend", "add", "update", "insert", "write", "put"} and hot and value[3]:
            taint = 0
            for one in arguments.everything():
                taint |= self.deep(one)
            self.taint_object(value, taint)
        return UNKNOWN

    def _guessed_method(self, value: Value, name: str, arguments: Arguments, position: int) -> Value | None:
        """The value of a method that only few classes of the project have; None if there are too many or none."""
        candidates = self.project.methods_named(name) if name not in _COMMON else []
        if not 0 < len(candidates) <= 4:
            return None
        candidates = [method for method in candidates if takes(method, arguments)]
        result: Value | None = None
        for method in candidates:
            receiver: Value = (value[0], NO, (PROJECT_INSTANCE, method.cls, False), value[3])
            one = self.call_function(method, receiver, arguments, position, None)
            result = one if result is None else join(result, one)
        return result

    @abstractmethod
    def external(self, path: str, position: int) -> Value:
        """The value of a name outside the project."""

    @abstractmethod
    def store_attribute(self, owner: Value, name: str, new: Value, position: int) -> None:
        """`owner.name = new`."""


def _is_method(held: Value, name: str) -> bool:
    """Whether what an object holds under a name may be a method of that name, which would be looked up here again without end."""
    return any(one[0] == BOUND_EXTERNAL and one[3] == name for one in references(held[2]))


def _nesting(identity: Any) -> int:
    depth = 0
    while isinstance(identity, tuple) and identity[0] == "c":
        depth += 1
        identity = identity[2]
    return depth


def _attrs_fields(cls: Class) -> list[str]:
    """The fields of a class that `attr.s` or `attrs.define` completes, as `name = attr.ib()` lists them."""
    if (
        cls.body is None
        or not cls.record[ir.CLASS_DECORATORS]
        or _ATTRS.isdisjoint(cls.module.record[ir.ROOTS])
    ):
        return []
    return [name for name in cls.body.record[ir.STORES] if name not in cls.methods]
