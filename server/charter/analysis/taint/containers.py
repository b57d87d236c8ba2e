"""Lists, tuples, sets and dictionaries: elements by constant keys and positions, and their methods."""

# The values here are nested tuples or parsed documents, which only their tags type; one class, written in several files.
# pyright: reportPrivateUsage=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.arguments import END_OF_OPTIONS, Arguments
from charter.analysis.taint.frame import KEYS, LENGTH, REST, Cells
from charter.analysis.taint.guards import Guards
from charter.analysis.taint.values import (
    ALL_DANGERS,
    BIT,
    CONTAINERS,
    INSTANCE,
    NO,
    OBJECT,
    PART,
    PROJECT_INSTANCE,
    UNKNOWN,
    Value,
    constant,
    join,
    lanes,
    spread,
    with_marks,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.model.project import Function

_LONGEST: Final = 200
_SLOW: Final = spread(BIT["redos"])

_SCALARS = (str, int, bytes, bool, float, type(None))


class Containers(Guards, ABC):
    """Built-in containers."""

    def cells(self, value: Value) -> Cells | None:
        """The cells of the one object that a value is, else None."""
        if self.state is None or len(value[3]) != 1:
            return None
        return self.state.get(value[3][0])

    def item(self, value: Value, index: Value, position: int) -> Value:
        """`value[index]`."""
        key = index[1]
        text = value[1]
        if isinstance(text, str | bytes) and not value[0] and isinstance(key, int) and not index[0]:
            return constant(text[key]) if -len(text) <= key < len(text) else UNKNOWN
        if isinstance(key, _SCALARS) and not index[0]:
            return self._known_item(value, key, position)
        return self.elements(value) if value[3] else self._part_of(value, None, position)

    def _known_item(self, value: Value, key: Any, position: int) -> Value:
        if value[3]:
            cells = self.cells(value)
            if isinstance(key, int) and not isinstance(key, bool) and self.is_sequence(value):
                if cells is None or LENGTH not in cells or REST in cells:
                    return self.elements(value)
                key = key + cells[LENGTH][1] if key < 0 else key
            found = self.read(value, key)
            if found is not None:
                return found
            if value[0]:
                return self._part_of(value, key, position)
            return UNKNOWN
        return self._part_of(value, key, position)

    @staticmethod
    def is_builtin(value: Value) -> bool:
        """Whether a value is a container of a built-in class."""
        return value[2] is not None and value[2][0] == INSTANCE and value[2][1] in CONTAINERS

    @staticmethod
    def sort_of(value: Value) -> str:
        """The name of the built-in class of a sequence: "tuple" for a tuple, else "list"."""
        return "tuple" if value[2] == (INSTANCE, "builtins.tuple") else "list"

    def is_sequence(self, value: Value) -> bool:
        """Whether a value is a list or tuple."""
        reference = value[2]
        return reference is not None and reference[0] == INSTANCE and reference[1] in {
            "builtins.list", "builtins.tuple", "collections.deque",
        }  # fmt: skip

    def _part_of(self, value: Value, key: Any, position: int) -> Value:
        """An element of something untrusted of which no elements are known."""
        taint = value[0]
        if not taint & ALL_DANGERS:
            return UNKNOWN
        structured = value[2] is not None and value[2][0] in {INSTANCE, "x"} and value[2][1] != "builtins.str"
        if isinstance(key, str):
            return (self.derive(taint, key, position), NO, None, ())
        if structured or any(taint >> 40 * lane & OBJECT for lane in lanes(taint)):
            return (taint, NO, None, ())
        return (with_marks(taint, PART), NO, None, ())

    def sliced(self, value: Value, bounds: list[Any], position: int) -> Value:
        """`value[lower:upper:step]`."""
        known = value[1]
        plain = [bound[1] if bound is not None else None for bound in bounds]
        if all(one is None or isinstance(one, int) for one in plain):
            part = slice(*plain)
            if isinstance(known, str | bytes) and not value[0] and plain[2] != 0:
                return constant(known[part])
            exact = self.elements_exactly(value)
            if exact is not None and plain[2] != 0:
                sort = self.sort_of(value)
                return self.sequence(exact[part], sort, position)
        if value[3]:
            return (value[0], NO, value[2], value[3])
        taint = value[0] & ~_SLOW if isinstance(plain[1], int) else value[0]  # a text of bounded length
        return (with_marks(taint, PART), NO, None, ())

    def iterated(self, value: Value) -> Value:
        """What a loop over a value binds: keys of dictionaries, elements of others, pieces of texts."""
        if value[2] is not None and value[2][0] == PROJECT_INSTANCE:
            yielded = self._yielded(value, value[2][1])
            if yielded is not None:
                return yielded
        if value[3] and self.has_cells(value):
            reference = value[2]
            if reference is not None and reference[0] == INSTANCE and reference[1].endswith(("dict", "Dict")):
                keys = self.read(value, KEYS)
                return keys if keys is not None else UNKNOWN
            return self.elements(value)
        if value[0]:
            reference = value[2]
            if reference is not None and reference[0] in {INSTANCE, "x"}:
                return (value[0], NO, self.element_type(reference), ())
            return (with_marks(value[0], PART), NO, None, ())
        reference = value[2]
        if reference is not None and reference[0] in {INSTANCE, "x"}:
            return (0, NO, self.element_type(reference), ())
        return UNKNOWN

    def _yielded(self, value: Value, cls: Any) -> Value | None:
        """What the `__iter__` of a project's class gives, or its `__next__`."""
        for names in (("__next__", "__anext__"), ("__iter__", "__aiter__")):
            for name in names:
                method = self.project.method(cls, name)
                if method is None:
                    continue
                made = self.call_function(method, value, Arguments(0), 0, None)
                if name in {"__next__", "__anext__"}:
                    return made
                return None if made[2] is not None and made[2][0] == PROJECT_INSTANCE else self.iterated(made)
        return None

    @abstractmethod
    def call_function(
        self, function: Function, receiver: Value | None, arguments: Arguments, position: int, captured: Any
    ) -> Value:
        """The value of a call of a project's function."""

    def element_type(self, reference: Any) -> Any:
        """The class of an external collection's elements, by the models' `__iter__()`."""
        entry = self.index.entry(f"{reference[1]}.__iter__")
        return (INSTANCE, entry.call_type) if entry.call_type else None

    def store(self, value: Value, index: Value, new: Value) -> None:
        """`value[index] = new`."""
        key = index[1]
        cells = self.cells(value)
        if index[0] & ALL_DANGERS and value[3]:
            self._add_key(value, index)
        if isinstance(key, _SCALARS) and not index[0]:
            if cells is not None and LENGTH in cells and isinstance(key, int):
                key = key + cells[LENGTH][1] if key < 0 else key
            self.write(value, key, new)
        else:
            self.write(value, REST, new)

    def _add_key(self, value: Value, key: Value) -> None:
        known = self.read(value, KEYS)
        self.write(value, KEYS, key if known is None else join(known, key))

    # Methods
    def container_method(self, value: Value, name: str, arguments: Any, position: int) -> Value | None:
        """The result of a method of a built-in container; None if none has it."""
        method = _METHODS.get(name)
        return None if method is None else method(self, value, arguments, position)

    def _append(self, value: Value, arguments: Any, position: int) -> Value:
        new = arguments.position(0) or UNKNOWN
        cells = self.cells(value)
        length = cells.get(LENGTH) if cells is not None else None
        if cells is not None and length is not None and length[1] < _LONGEST and not self.loops:
            self._put(value, {**cells, length[1]: new, LENGTH: constant(length[1] + 1)})
        else:
            self._add(value, new)
        return UNKNOWN

    def _add(self, value: Value, new: Value) -> None:
        """Add an element somewhere."""
        if self.state is None:
            return
        for identity in value[3]:
            # A list of which nothing is known, or not how long it is, begins with its own.
            cells: Cells = dict(self.state.get(identity) or {0: UNKNOWN})
            if cells.pop(LENGTH, None) is None and 0 not in cells and new[0]:
                own = cells.get(REST, new)
                if not own[0]:
                    cells[0] = own
            cells[REST] = join(cells[REST], new) if REST in cells else new
            if new[1] == END_OF_OPTIONS:
                cells[END_OF_OPTIONS] = constant(True)
            self.state[identity] = cells

    def _put(self, value: Value, cells: Cells) -> None:
        if self.state is not None:
            self.state[value[3][0]] = cells

    def _add_one(self, value: Value, arguments: Any, position: int) -> Value:
        self._add(value, arguments.position(0) or UNKNOWN)
        return UNKNOWN

    def _insert(self, value: Value, arguments: Any, position: int) -> Value:
        cells = self.cells(value)
        at, new = arguments.position(0) or UNKNOWN, arguments.position(1) or UNKNOWN
        exact = self.elements_exactly(value)
        if cells is not None and exact is not None and isinstance(at[1], int) and not self.loops:
            exact.insert(at[1], new)
            self._put(value, {**dict(enumerate(exact)), LENGTH: constant(len(exact))})
        else:
            self._add(value, new)
        return UNKNOWN

    def _extend(self, value: Value, arguments: Any, position: int) -> Value:
        other = arguments.position(0) or UNKNOWN
        exact, more = self.elements_exactly(value), self.elements_exactly(other)
        if exact is not None and more is not None and len(exact) + len(more) < _LONGEST and not self.loops:
            exact.extend(more)
            self._put(value, {**dict(enumerate(exact)), LENGTH: constant(len(exact))})
        else:
            for one in more or [self.iterated(other)]:
                self._add(value, one)
        return UNKNOWN

    def _popitem(self, value: Value, _arguments: Any, position: int) -> Value:
        cells = {0: self.any_key(value), 1: self.elements(value), LENGTH: constant(2)}
        return self.new("builtins.tuple", position, cells)

    def _pop(self, value: Value, arguments: Any, position: int) -> Value:
        index = arguments.position(0)
        exact = self.elements_exactly(value)
        if self.is_sequence(value):
            at = -1 if index is None else index[1]
            if exact is None or not isinstance(at, int) or not -len(exact) <= at < len(exact):
                return self.elements(value)
            popped = exact.pop(at)
            if not self.loops:
                self._put(value, {**dict(enumerate(exact)), LENGTH: constant(len(exact))})
            return popped
        result = self._get(value, arguments, position)
        cells = self.cells(value)
        if cells is not None and index is not None and isinstance(index[1], _SCALARS) and index[1] in cells:
            self._put(value, {key: one for key, one in cells.items() if key != index[1]})
        return result

    def _get(self, value: Value, arguments: Any, position: int) -> Value:
        key = arguments.position(0) or UNKNOWN
        default = arguments.position(1)
        found = self.item(value, key, position)
        cells = self.cells(value)
        present = cells is not None and isinstance(key[1], _SCALARS) and key[1] in cells and REST not in cells
        if default is None or present:
            return found
        if found[0] and not found[3] and default[3]:
            default = (
                self.deep(default),
                NO,
                None,
                (),
            )  # what is known of its elements holds of the default only
        return join(found, default)

    def _setdefault(self, value: Value, arguments: Any, position: int) -> Value:
        result = self._get(value, arguments, position)
        new = arguments.position(1)
        if new is not None and value[3]:
            self.store(value, arguments.position(0) or UNKNOWN, result)
        return result

    def _update(self, value: Value, arguments: Any, position: int) -> Value:
        for key, new in arguments.keywords.items():
            self.write(value, key, new)
        for other in (*arguments.positional, *arguments.unpacked()):
            self.merge(value, other)
        return UNKNOWN

    def merge(self, value: Value, other: Value) -> None:
        """Copy the entries of a mapping into another."""
        cells = self.cells(other)
        if cells is None:
            taint = self.deep(other)
            if taint:
                self.write(value, REST, (taint, NO, None, ()))
                self._add_key(value, (taint, NO, None, ()))
            return
        for key, new in cells.items():
            if key is not LENGTH:
                self.write(value, key, new)
        if other[0]:
            self.write(value, REST, (other[0], NO, None, ()))

    def _values(self, value: Value, arguments: Any, position: int) -> Value:
        return self.new("builtins.list", position, {REST: self.elements(value)})

    def _keys(self, value: Value, arguments: Any, position: int) -> Value:
        return self.new("builtins.list", position, {REST: self.any_key(value)})

    def _items(self, value: Value, arguments: Any, position: int) -> Value:
        key = self.any_key(value)
        cells = self.cells(value)
        if (
            cells is not None
            and 0 < len(cells) < 12
            and REST not in cells
            and not value[0]
            and not self.loops
        ):
            pairs: list[Value] = []
            for count, (one, element) in enumerate(cells.items()):
                if not isinstance(one, tuple):
                    pair = {0: constant(one), 1: element, LENGTH: constant(2)}
                    identity = ("a", position, count)
                    if self.state is not None:
                        self.state[identity] = pair
                    pairs.append((0, NO, (INSTANCE, "builtins.tuple"), (identity,)))
            return self.sequence(pairs, "list", position)
        pair_value = self.new(
            "builtins.tuple", -position - 1, {0: key, 1: self.elements(value), LENGTH: constant(2)}
        )
        return self.new("builtins.list", position, {REST: pair_value})

    def _clear(self, value: Value, arguments: Any, position: int) -> Value:
        if self.cells(value) is not None:
            self._put(value, {LENGTH: constant(0)} if self.is_sequence(value) else {})
        return UNKNOWN

    def _copy(self, value: Value, arguments: Any, position: int) -> Value:
        cells = self.cells(value)
        if cells is None or value[2] is None:
            return value
        copied = self.new_object(value[2], position, cells)
        return (value[0], NO, copied[2], copied[3])

    def _reverse(self, value: Value, arguments: Any, position: int) -> Value:
        exact = self.elements_exactly(value)
        if exact is not None:
            exact.reverse()
            self._put(value, {**dict(enumerate(exact)), LENGTH: constant(len(exact))})
        return UNKNOWN

    def _sort(self, value: Value, arguments: Any, position: int) -> Value:
        exact = self.elements_exactly(value)
        if exact is not None:
            self._put(value, {REST: self.elements(value)})
        return UNKNOWN

    def _nothing(self, value: Value, arguments: Any, position: int) -> Value:
        return UNKNOWN

    def _remove(self, value: Value, arguments: Any, position: int) -> Value:
        wanted = arguments.position(0)
        exact = self.elements_exactly(value)
        if exact is not None and wanted is not None:
            for index, one in enumerate(exact):
                if one[1] is not NO and one[1] == wanted[1] and not one[0]:
                    del exact[index]
                    self._put(value, {**dict(enumerate(exact)), LENGTH: constant(len(exact))})
                    return UNKNOWN
            self._put(value, {REST: self.elements(value)})
        return UNKNOWN

    def _union(self, value: Value, arguments: Any, position: int) -> Value:
        element = self.elements(value)
        for other in arguments.positional:
            element = join(element, self.iterated(other))
        return self.new("builtins.set", position, {REST: element})


_METHODS: Final[dict[str, Callable[[Any, Value, Any, int], Value]]] = {
    "append": Containers._append, "appendleft": Containers._add_one, "add": Containers._add_one,
    "push": Containers._add_one, "put": Containers._add_one, "put_nowait": Containers._add_one,
    "insert": Containers._insert, "extend": Containers._extend, "pop": Containers._pop,
    "popleft": Containers._pop, "popitem": Containers._popitem, "get": Containers._get,
    "setdefault": Containers._setdefault, "update": Containers._update, "values": Containers._values,
    "keys": Containers._keys, "items": Containers._items, "clear": Containers._clear,
    "copy": Containers._copy, "reverse": Containers._reverse, "sort": Containers._sort,
    "remove": Containers._remove, "discard": Containers._nothing, "count": Containers._nothing,
    "index": Containers._nothing, "union": Containers._union, "intersection": Containers._copy,
    "difference": Containers._copy, "__getitem__": Containers._get,
}  # fmt: skip
