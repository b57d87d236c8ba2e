"""The values of expressions: names, attributes, operators, literals and comprehensions."""

# The values here are nested tuples or parsed documents, which only their tags type; one class, written in several files.
# pyright: reportPrivateUsage=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import functools
import operator
from abc import ABC
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.arguments import END_OF_OPTIONS, Arguments
from charter.analysis.taint.attributes import Attributes
from charter.analysis.taint.frame import NO_KILL, PIECES, REST, Cells
from charter.analysis.taint.values import (
    ALL_ABSOLUTE,
    ALL_DANGERS,
    ALL_PARTS,
    BIT,
    CONTROL,
    EXTERNAL,
    HOLE,
    INSTANCE,
    NO,
    PROJECT_CLASS,
    PROJECT_FUNCTION,
    TRUE,
    UNKNOWN,
    Value,
    constant,
    join,
    spread,
    tainted,
)
from charter.model import ir
from charter.model.project import Class, Function

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.model.ir import Node

_LARGEST: Final = 1 << 64
_CONTROL: Final = spread(CONTROL)
_HTML: Final = spread(BIT["xss"])
_NAMED: Final = frozenset({ir.LOCAL, ir.FREE, ir.GLOBAL, ir.ATTR})
_SCHEMA: Final = (INSTANCE, "marshmallow.Schema")
_MARKUP: Final = (INSTANCE, "markupsafe.Markup")
_NUMERIC_FORMATS: Final = frozenset("dxXobeEfFgGn%")
_TEXTS: Final = (str, bytes, tuple)


class Expressions(Attributes, ABC):
    """Expressions."""

    def value(self, node: Node) -> Value:
        """The value of an expression."""
        return _EVALUATE[node[0]](self, node)

    # Names
    def _const(self, node: Node) -> Value:
        return (0, node[2], None, ())

    def _local(self, node: Node) -> Value:
        state = self.state
        if state is None:
            return UNKNOWN
        found = state.get(node[2])
        if found is not None:
            return found
        nested = self.function.record[ir.NESTED].get(node[2])
        if nested is not None:
            return (0, NO, (PROJECT_FUNCTION, self.module.functions[nested], None), ())
        return UNKNOWN

    def _global(self, node: Node) -> Value:
        state = self.state
        if state is not None:
            own = state.get("::" + node[2])
            if own is not None:
                return own
        return self.global_value(self.module, node[2], node[1])

    def external(self, path: str, position: int) -> Value:
        """The value of a name outside the project: untrusted if the models say so."""
        entry = self.index.entry(path)
        reference = (INSTANCE, entry.value_type) if entry.value_type else (EXTERNAL, path)
        taint = 0
        for source in entry.sources:
            taint |= self.source(path, source, position)
        return (taint, NO, reference, ())

    def _free(self, node: Node) -> Value:
        name = node[2]
        found = self.captured.get(name)
        if found is not None:
            return found
        state = self.state
        if state is not None and name in state:
            return state[name]
        scope = self.function.parent
        while scope is not None and scope.index:
            if not scope.flags & ir.CLASS_BODY:
                nested = scope.record[ir.NESTED].get(name)
                if nested is not None:
                    return (0, NO, (PROJECT_FUNCTION, self.module.functions[nested], None), ())
                value = self.engine.outer_value(scope, name, self)
                if value is not None:
                    return value
            scope = scope.parent
        return UNKNOWN

    # Calls
    def _call_node(self, node: Node) -> Value:
        self.budget -= 1
        if self.budget < 0:
            return self._coarse(node)
        function = node[2]
        position = node[1]
        if function[0] == ir.ATTR:
            if self._is_super(function[2]):
                value = self._call_super(function[3], node)
            else:
                owner = self.value(function[2])
                if function[3] == "load" and owner[2] is None and _is_schema(function[2]):
                    owner = (owner[0], owner[1], _SCHEMA, owner[3])
                arguments = self.arguments(node)
                value = self.call_method(owner, function[3], arguments, position)
                if function[3] in _FILLING and not owner[3] and owner[2] in _FILLED:
                    self._fill(function[2], owner, arguments)
        else:
            target = self.value(function)
            arguments = self.arguments(node)
            value = self.invoke(target, arguments, position)
        if self.pending:
            self.pending = False
        else:
            self.last_kills = (NO_KILL, NO_KILL)
        return value

    def _fill(self, node: Node, owner: Value, arguments: Arguments) -> None:
        """A list or mapping of which nothing else is known here takes something untrusted."""
        taint = owner[0]
        for one in arguments.everything():
            taint |= self.deep(one)
        if taint == owner[0] or self.state is None:
            return
        new: Value = (taint, NO, owner[2], ())
        if node[0] == ir.LOCAL:
            self.assign(node, new)
        elif node[0] == ir.ATTR:
            self.write(self.value(node[2]), "." + node[3], new)

    def _coarse(self, node: Node) -> Value:
        """The work on this function has reached its bound: a call hands on the taint of all its parts."""
        taint = 0
        for one in node[3]:
            taint |= self.value(one)[0]
        return (taint, NO, None, ())

    def arguments(self, node: Node) -> Arguments:
        """The arguments of a call, evaluated."""
        result = Arguments(node[1])
        for argument in node[3]:
            if argument[0] == ir.STARRED:
                star = self.value(argument[2])
                exact = self.elements_exactly(star) if result.star is None else None
                if exact is not None:
                    result.positional.extend(exact)
                    result.places.extend([argument[1]] * len(exact))
                elif result.star is None:
                    result.star = star
            else:
                result.positional.append(self.value(argument))
                result.places.append(argument[1])
        for name, argument in node[4]:
            value = self.value(argument)
            if name is None:
                result.double = value if result.double is None else join(result.double, value)
            else:
                result.keywords[name] = value
                result.keyword_places[name] = argument[1]
        return result

    def _is_super(self, node: Node) -> bool:
        return node[0] == ir.CALL and node[2][0] == ir.GLOBAL and node[2][2] == "super"

    def _call_super(self, name: str, node: Node) -> Value:
        arguments = self.arguments(node)
        function = self.function
        while function.parent is not None and function.cls is None:
            function = function.parent
        cls = function.cls
        receiver = self._own_receiver()
        if cls is None:
            return UNKNOWN
        for one in (cls.order or (cls,))[1:]:
            if isinstance(one, Class):
                method = one.methods.get(name)
                if method is not None:
                    return self.call_function(method, receiver, arguments, node[1], None)
            else:
                return self.call_external(self.index.canonical(f"{one}.{name}"), receiver, arguments, node[1])
        return UNKNOWN

    def _own_receiver(self) -> Value:
        parameters = self.function.parameters
        if not parameters or self.state is None:
            return UNKNOWN
        return self.state.get(parameters[0][0], UNKNOWN)

    # Operators
    def _binary(self, node: Node) -> Value:
        left, right = self.value(node[3]), self.value(node[4])
        return self.operated(node[2], left, right, node[1])

    def operated(self, operator: str, left: Value, right: Value, position: int) -> Value:
        """`left operator right`."""
        if operator in "+%" and _MARKUP in (left[2], right[2]):
            sides = [side[0] if side[2] == _MARKUP else self.deep(side) & ~_HTML for side in (left, right)]
            return (sides[0] | sides[1], NO, _MARKUP, ())
        one, two = left[1], right[1]
        if (
            one is not NO
            and two is not NO
            and not left[0]
            and not right[0]
            and not isinstance(one, tuple)
            and not isinstance(two, tuple)
        ):
            folded = _folded(operator, one, two)
            if folded is not None:
                return folded
        if operator == "+":
            if isinstance(one, _TEXTS) or isinstance(two, _TEXTS):
                return self.concat([left, right])
            return self._added(left, right, position)
        if operator == "-" and left[3]:
            # What is left of a set: if nothing is, all of it was in the other.
            return tainted(self.deep(left))
        if operator == "%":
            if left[0] or isinstance(one, str | tuple) or (one is NO and (right[0] or right[3])):
                return self.percent(left, right)
            return UNKNOWN
        if operator == "/":
            return self._divided(left, right)
        if operator == "*":
            if isinstance(one, str) or left[0] or left[3]:
                return (left[0], NO, left[2], left[3])
            return (right[0], NO, right[2], right[3]) if right[0] or right[3] else UNKNOWN
        if operator == "|" and (left[3] or right[3]):
            result = self.new("builtins.dict", position, {})
            self.merge(result, left)
            self.merge(result, right)
            return result
        return UNKNOWN

    def _added(self, left: Value, right: Value, position: int) -> Value:
        """One sequence behind another, or what is neither known to be a sequence nor a text."""
        if not (left[3] or right[3]):
            return self.concat([left, right]) if left[0] or right[0] else UNKNOWN
        exact, more = self.elements_exactly(left), self.elements_exactly(right)
        if exact is not None and more is not None and len(exact) + len(more) < 200:
            return self.sequence([*exact, *more], self.sort_of(left), position)
        if exact is not None:
            return self.new("builtins.list", position, {**dict(enumerate(exact)), REST: self.elements(right)})
        begun = self._beginning_of(left, right)
        element = join(self.elements(left), self.elements(right))
        return self.new("builtins.list", position, {**begun, REST: element})

    def _beginning_of(self, value: Value, behind: Value | None = None) -> dict[Any, Value]:
        """The elements that a list of unknown length begins with: those of what stands behind it, if it is empty.

        Nothing is known of what a list begins with of which nothing is known; but it is none of what stands behind it.
        """
        if behind is not None and not value[3] and not value[0]:
            return {0: UNKNOWN}
        if len(value[3]) > 1:  # one of several lists
            begun = [self._beginning_of((*value[:3], (identity,)), behind) for identity in value[3]]
            if not all(0 in one for one in begun):
                return {}
            return {0: functools.reduce(join, [one[0] for one in begun])}
        if behind is not None and self.elements_exactly(value) == []:
            return self._beginning_of(behind)
        cells = self.cells(value)
        if cells is None or not self.is_sequence(value):
            return {}
        return {key: one for key, one in cells.items() if isinstance(key, int) or key == END_OF_OPTIONS}

    def _divided(self, left: Value, right: Value) -> Value:
        """`path / part`: an absolute part discards what stands before it."""
        if isinstance(left[1], int | float) or isinstance(right[1], int | float):
            return UNKNOWN  # numbers
        taint = left[0] | right[0]
        reference = left[2] or right[2]
        if not taint and reference is None:
            return UNKNOWN
        if taint & ALL_DANGERS and (reference is None or reference[0] != INSTANCE):
            reference = (INSTANCE, "pathlib.Path")  # texts do not divide
        if not taint or (left[1] is NO and left[0] & ALL_ABSOLUTE):
            return (taint, NO, reference, ())  # of whose beginning is another's, all is
        text = "/".join(one if isinstance(one, str) else HOLE for one in (left[1], right[1]))
        return (taint, ("~", text), reference, ())

    def _boolean(self, node: Node) -> Value:
        """`a and b`, `a or b` as a value: any operand that can be the outcome."""
        result: Value | None = None
        conjunction = node[2] == "and"
        for operand in node[3][:-1]:
            value = self.value(operand)
            truth = self.truth_of(value)
            if truth is (not conjunction):
                return value if result is None else join(result, value)
            if truth is None:
                kept = value
                if conjunction:
                    kept = (0, NO, None, ())
                result = kept if result is None else join(result, kept)
        last = self.value(node[3][-1])
        return last if result is None else join(result, last)

    def _not(self, node: Node) -> Value:
        truth = self.test(node)[0]
        return UNKNOWN if truth is None else constant(truth)

    def _unary(self, node: Node) -> Value:
        value = self.value(node[3])
        known = value[1]
        if isinstance(known, int | float) and not value[0]:
            return constant(
                -known if node[2] == "-" else ~known if node[2] == "~" and isinstance(known, int) else known
            )
        return UNKNOWN

    def _compare(self, node: Node) -> Value:
        truth = self.test(node)[0]
        return UNKNOWN if truth is None else constant(truth)

    def _choice(self, node: Node) -> Value:
        truth, yes, no = self.test(node[2])
        if truth is not None:
            self.kill(yes if truth else no)
            return self.value(node[3] if truth else node[4])
        before = self.state
        if before is None:
            return UNKNOWN
        self.state = dict(before)
        self.kill(yes)
        one = self.value(node[3])
        after = self.state
        self.state = dict(before)
        self.kill(no)
        two = self.value(node[4])
        self.state = self.joined(after, self.state)
        return join(one, two)

    # Literals
    def _format(self, node: Node) -> Value:
        parts: list[Value] = []
        for part in node[2]:
            if isinstance(part, str):
                parts.append(constant(part))
                continue
            expression, conversion, form = part
            value = self.stringed(self.value(expression))
            if conversion in {114, 97}:  # !r, !a
                value = (value[0] & ~_CONTROL, NO, None, ())
            if form is not None:
                shape = self.value(form)
                if isinstance(shape[1], str) and shape[1][-1:] in _NUMERIC_FORMATS:
                    value = UNKNOWN
                elif shape[0]:
                    value = (value[0] | shape[0], NO, None, ())
            parts.append(value)
        return self.concat(parts)

    def _sequence(self, node: Node) -> Value:
        values: list[Value] = []
        rest: Value | None = None
        more: Cells = {}
        for element in node[3]:
            if element[0] == ir.STARRED:
                star = self.value(element[2])
                exact = self.elements_exactly(star)
                if exact is not None and rest is None:
                    values.extend(exact)
                else:
                    one = self.iterated(star)
                    if rest is None:
                        more[len(values)] = one  # it is hardly ever empty
                    rest = one if rest is None else join(rest, one)
            elif rest is None:
                values.append(self.value(element))
            else:
                one = self.value(element)
                if one[1] == END_OF_OPTIONS:
                    more[END_OF_OPTIONS] = TRUE
                rest = join(rest, one)
        if rest is None:
            if node[2] == "tuple" and len(values) > 1:
                self._note_route(values[0], values[1])
            return self.sequence(values, node[2], node[1])
        return self.new(f"builtins.{node[2]}", node[1], {**dict(enumerate(values)), **more, REST: rest})

    def _note_route(self, pattern: Value, target: Value) -> None:
        """`("/users/(?P<name>[a-z]+)", Handler)`: how Tornado's tables say what a handler's methods get."""
        reference = target[2]
        if reference is not None and reference[0] == PROJECT_CLASS and isinstance(pattern[1], str):
            self.engine.route(self.module, reference[1], pattern[1])

    def _mapping(self, node: Node) -> Value:
        result = self.new("builtins.dict", node[1], {})
        for key, element in node[2]:
            value = self.value(element)
            if key is None:
                self.merge(result, value)
            else:
                self.store(result, self.value(key), value)
        return result

    def _function(self, node: Node) -> Value:
        return self.closure(self.module.functions[node[2]])

    def closure(self, function: Function) -> Value:
        """The value of a nested function, with what it takes along."""
        state = self.state
        if not function.frees or state is None:
            return (0, NO, (PROJECT_FUNCTION, function, None), ())
        taken = tuple(
            (name, value)
            for name in function.frees
            if (value := state.get(name, self.captured.get(name))) is not None and value is not UNKNOWN
        )
        return (0, NO, (PROJECT_FUNCTION, function, taken or None), ())

    def _comprehension(self, node: Node) -> Value:
        before = self.loops
        self.loops += 1
        source = self._generators(node[5])
        if self.state is None:
            self.loops = before
            return UNKNOWN
        key = self.value(node[3]) if node[3] is not None else None
        element = self.value(node[4])
        self.loops = before
        sort = {"iterator": "list"}.get(node[2], node[2])
        exact = self._exact_comprehension(node) if node[3] is None else None
        if exact is not None:
            return exact
        cells: Cells = {REST: element}
        if element[0] and source[0] and not source[3] and not source[0] & ALL_PARTS and not node[5][0][2]:
            cells[PIECES] = TRUE
        result = self.new(f"builtins.{sort}", node[1], cells)
        if key is not None and key[0]:
            self._add_key(result, key)
        return result

    def _exact_comprehension(self, node: Node) -> Value | None:
        """A comprehension over known constants without conditions, element by element."""
        generators = node[5]
        if len(generators) != 1 or generators[0][2] or node[2] != "list" or self.loops:
            return None
        source = self.value(generators[0][1])
        exact = self.elements_exactly(source)
        if exact is None or len(exact) > 8:
            return None
        values: list[Value] = []
        for one in exact:
            self.assign(generators[0][0], one)
            values.append(self.value(node[4]))
        return self.sequence(values, "list", node[1])

    def _generators(self, generators: tuple[Node, ...]) -> Value:
        """Bind what the generators of a comprehension give; the value that the last of them goes through."""
        source = UNKNOWN
        for target, iterable, conditions in generators:
            source = self.value(iterable)
            self.assign(target, self.iterated(source))
            for condition in conditions:
                truth, yes, _ = self.test(condition)
                if truth is not False:
                    self.kill(yes)
        return source

    def _yield(self, node: Node) -> Value:
        value = UNKNOWN if node[2] is None else self.value(node[2])
        if self.state is not None:
            self.returned.append((value, self.state[0], NO_KILL, NO_KILL))
        return UNKNOWN

    def _delegate(self, node: Node) -> Value:
        value = self.iterated(self.value(node[2]))
        if self.state is not None:
            self.returned.append((value, self.state[0], NO_KILL, NO_KILL))
        return UNKNOWN

    def _walrus(self, node: Node) -> Value:
        return self.bound((node[2],), node[3])

    def _starred(self, node: Node) -> Value:
        return self.elements(self.value(node[2]))

    def _slice(self, node: Node) -> Value:
        return UNKNOWN

    def _opaque(self, node: Node) -> Value:
        taint = 0
        for one in node[2]:
            taint |= self.value(one)[0]
        return (taint, NO, None, ()) if taint else UNKNOWN


def _folded(sign: str, left: Any, right: Any) -> Value | None:
    """The value of an operation on constants, None if it has none or is too large."""
    compute = _OPERATIONS.get(sign)
    if compute is None or _may_be_large(sign, left, right):
        return None
    try:
        result = compute(left, right)
    except Exception:  # noqa: BLE001 - the analysed program would raise it; any error means "unknown"
        return None
    if isinstance(result, int) and abs(result) > _LARGEST:
        return None
    if isinstance(result, str | bytes) and len(result) > 4000:
        return None
    return constant(result)


def _is_schema(owner: Node) -> bool:
    """Whether what a method is called of is named for a schema, wherever it comes from: `self.edit_schema`."""
    return owner[0] in _NAMED and "schema" in owner[-1]


def _may_be_large(sign: str, left: Any, right: Any) -> bool:
    """Whether an operation could take very long or fill the memory, or is one of texts that is followed elsewhere."""
    if sign == "*":
        if not isinstance(left, str | bytes) and not isinstance(right, str | bytes):
            return False
        count = right if isinstance(left, str | bytes) else left
        return not isinstance(count, int) or count > 1000
    if sign in {"<<", "**"}:
        return not isinstance(left, int) or not isinstance(right, int) or abs(left) > 1000 or abs(right) > 63
    return sign == "%" and isinstance(left, str | bytes)


_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "<<": operator.lshift, ">>": operator.rshift, "&": operator.and_,
    "|": operator.or_, "^": operator.xor,
}  # fmt: skip

_FILLING: Final = frozenset({"append", "extend", "insert", "add", "appendleft", "update"})
_FILLED: Final = frozenset(
    (INSTANCE, name) for name in ("builtins.list", "builtins.dict", "builtins.set", "collections.deque")
)

_EVALUATE: Final[list[Callable[[Any, Node], Value]]] = [
    Expressions._const, Expressions._local, Expressions._global, Expressions._free, Expressions._attribute,
    Expressions._item, Expressions._slice, Expressions._call_node, Expressions._binary, Expressions._boolean,
    Expressions._not, Expressions._unary, Expressions._compare, Expressions._choice, Expressions._format,
    Expressions._sequence, Expressions._mapping, Expressions._function, Expressions._comprehension,
    Expressions._yield, Expressions._delegate, Expressions._walrus, Expressions._starred, Expressions._opaque,
]  # fmt: skip
