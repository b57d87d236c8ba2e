"""Whether a value is made of nothing but the program's own texts, asked backwards from one place. It follows no taint.

The run of a function knows what is untrusted and what is constant; that something of which it knows neither was still
made from constants is worth finding out only for the few calls that are dangerous with another's data.
"""

# The values here are nested tuples, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.values import (
    BIT,
    BOUND,
    EXTERNAL,
    INSTANCE,
    NO,
    PROJECT_CLASS,
    PROJECT_FUNCTION,
    PROJECT_INSTANCE,
    UNKNOWN,
    constant,
    references,
    spread,
)
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from charter.model.ir import Node
    from charter.model.project import Function

_PURE: Final = tuple(
    (
        "builtins.str builtins.bytes builtins.bytearray builtins.repr builtins.ascii builtins.format builtins.chr builtins.hex "
        "builtins.sorted builtins.reversed builtins.list builtins.tuple builtins.iter builtins.next builtins.zip builtins.enumerate "
        "base64. binascii. html.escape html.unescape urllib.parse.quote urllib.parse.unquote urllib.parse.urlencode textwrap. "
        "json.dumps codecs.encode codecs.decode zlib. gzip.compress gzip.decompress io.StringIO io.BytesIO"
    ).split()
)
"""Functions, and modules of functions, whose result holds nothing but what they are given."""
_HARMLESS: Final = (
    "builtins.int", "builtins.float", "builtins.bool", "builtins.len", "builtins.ord", "uuid.UUID", "ipaddress.",
    "datetime.date.", "datetime.datetime.", "shlex.quote", "shlex.join", "pipes.quote",
)  # fmt: skip
"""Functions whose result is no text, or none that means anything but itself."""
_HARMLESS_METHODS: Final = frozenset({"hexdigest", "isoformat"})
_BY_KEY: Final = frozenset({"get", "pop"})
"""Methods whose first argument only chooses."""
_FILLING: Final = frozenset({"append", "extend", "insert", "add", "appendleft", "write", "writelines"})
_EXPRESSIONS: Final = {
    ir.EXPRESSION: (2,), ir.ASSIGN: (2, 3), ir.AUGMENT: (4,), ir.RETURN: (2,), ir.IF: (2,), ir.WHILE: (2,), ir.FOR: (3,),
    ir.WITH: (2,), ir.RAISE: (2,), ir.MATCH: (2,), ir.ANNOTATED: (4,),
}  # fmt: skip
"""Which parts of a statement are expressions."""
_DEEPEST: Final = 4
_MOST_STEPS: Final = 600


def is_own(frame: Any, place: int, kind: str = "") -> bool:
    """Whether the expression at a place of a run's function can hold nothing but what the program itself has written.

    Args:
        frame: the run, whose state tells which names are constants where it is.
        place: the position of an argument, as the function's representation has it.
        kind: a kind of sink; what came from elsewhere and has passed a check for it is as good as written here.
    """
    body = Body(frame.function)
    node = next((one for one in body.expressions if one[1] == place), None)
    return node is not None and _Question(frame, spread(BIT[kind]) if kind else 0).holds(node, body)


class Body:
    """What a function's code binds and gives back.

    Attributes:
        function: the function.
        given: by local name what it is bound to and where; None for what is not known.
        parameters: the names of its parameters.
        own: those that are known to hold the program's own texts.
        expressions: all expressions.
        returned: what it returns.
        passed: the names that calls are given, which may fill what they hold.
    """

    def __init__(self, function: Function, own: Iterable[str] = ()) -> None:
        self.function = function
        self.own = frozenset(own)
        self.parameters = frozenset(parameter[0] for parameter in function.parameters)
        self.given: dict[str, list[tuple[int, Node | None]]] = {}
        self.expressions: list[Node] = []
        self.returned: list[Node] = []
        self.passed: set[str] = set()
        self._read(marshal.loads(function.record[ir.BODY]))  # noqa: S302 (our own lowering)

    def _read(self, body: Sequence[Node]) -> None:
        for statement in body:
            self._bind(statement)
            for index in _EXPRESSIONS.get(statement[0], ()):
                if statement[index] is not None:
                    self._look(statement[index])
            for inner in ir.blocks(statement):
                self._read(inner)

    def _bind(self, node: Node) -> None:
        opcode = node[0]
        if opcode == ir.ASSIGN:
            for target in node[2]:
                self._give(target, node[3])
        elif opcode == ir.AUGMENT or (opcode == ir.ANNOTATED and node[4] is not None):
            self._give(node[2], node[4])
        elif opcode == ir.FOR:
            self._give(node[2], node[3])
        elif opcode == ir.WITH:
            for expression, target in node[2]:
                if target is not None:
                    self._give(target, expression)
        elif opcode == ir.TRY:
            for _, name, _ in node[3]:
                if name is not None:
                    self._give(name, None)
        elif opcode in {ir.IMPORT, ir.DEFINE, ir.CLASS}:
            self._give(node[2], None)
        elif opcode == ir.RETURN and node[2] is not None:
            self.returned.append(node[2])

    def _give(self, target: Node, value: Node | None) -> None:
        if target[0] in {ir.LOCAL, ir.GLOBAL}:
            self.given.setdefault(target[2], []).append((target[1], value))
        elif target[0] == ir.SEQUENCE:
            for one in target[3]:
                self._give(one, value)
        elif target[0] in {ir.STARRED, ir.ITEM}:
            self._give(target[2], value)

    def _look(self, part: tuple[Any, ...]) -> None:
        """Note the expressions in an expression, or in a tuple of them, and what they bind and fill."""
        if part and isinstance(part[0], int):
            self.expressions.append(part)
            if part[0] == ir.CALL:
                self._look_at_call(part)
            elif part[0] == ir.WALRUS:
                self._give(part[2], part[3])
            elif part[0] == ir.COMPREHENSION:
                for target, iterable, _ in part[5]:
                    self._give(target, iterable)
        for one in part:
            if isinstance(one, tuple):
                self._look(one)

    def _look_at_call(self, call: Node) -> None:
        function = call[2]
        arguments = [*call[3], *(value for _, value in call[4])]
        if function[0] == ir.ATTR and function[3] in _FILLING:
            for argument in arguments:
                self._give(function[2], argument)
        elif function[0] != ir.ATTR or function[3] != "join":
            self.passed.update(one[2] for one in arguments if one[0] == ir.LOCAL)


class _Question:
    """One question, through the functions that it leads to.

    Args:
        frame: the run of the function in which it was asked.
        danger: the bits without which what came from elsewhere has been checked; 0 if no check is enough.
    """

    def __init__(self, frame: Any, danger: int = 0) -> None:
        self._frame = frame
        self._danger = danger
        self._steps = _MOST_STEPS
        self._depth = 0
        self._asked: set[tuple[int, str]] = set()

    def holds(self, node: Node, body: Body) -> bool:
        """Whether an expression can hold nothing but the program's own texts."""
        self._steps -= 1
        if self._steps < 0:
            return False
        opcode = node[0]
        if opcode in {ir.CONST, ir.COMPARE, ir.NOT}:
            return True
        if opcode in {ir.LOCAL, ir.GLOBAL}:
            return self._holds_name(node, body)
        if opcode == ir.CALL:
            return self._holds_call(node, body)
        if opcode == ir.ITEM:
            return self._is_constant_item(node, body) or self.holds(node[2], body)
        if opcode == ir.ATTR:
            return self._is_constant_path(node, body)
        if opcode == ir.COMPREHENSION:
            return self.holds(node[4], body) and (node[3] is None or self.holds(node[3], body))
        return opcode in _MADE_OF and all(self.holds(one, body) for one in _parts(node))

    def _holds_name(self, node: Node, body: Body) -> bool:
        """A name: a constant where the question was asked, or bound to nothing but what holds."""
        name = node[2]
        if node[0] == ir.GLOBAL:
            if isinstance(self._frame.global_value(body.function.module, name, node[1])[1], str | bytes):
                return True
            if body.function.index:
                body = Body(body.function.module.functions[0])
        given = body.given.get(name, [])
        if body.function is self._frame.function and all(place <= node[1] for place, _ in given):
            held = (self._frame.state or {}).get(name, UNKNOWN)
            if isinstance(held[1], str | bytes) and not held[0]:
                return True
            if self._danger and held[0] and not held[0] & self._danger:
                return True
        key = (id(body.function), name)
        if key in self._asked:
            return True  # it holds if all else that the name is bound to does
        self._asked.add(key)
        found = name in body.own if name in body.parameters else bool(given)
        for _, one in given:
            filled = one is not None and one[0] in _CONTAINERS and name in body.passed
            found = found and one is not None and not filled and self.holds(one, body)
        self._asked.discard(key)
        return found

    def _is_constant_item(self, node: Node, body: Body) -> bool:
        """`words[1]` of a list of which the run knows that item, whatever the others are."""
        if node[2][0] != ir.LOCAL or node[3][0] != ir.CONST or body.function is not self._frame.function:
            return False
        held = (self._frame.state or {}).get(node[2][2], UNKNOWN)
        item = self._frame.item(held, constant(node[3][2]), node[1]) if held[3] else UNKNOWN
        return isinstance(item[1], str | bytes) and not item[0]

    def _is_constant_path(self, node: Node, body: Body) -> bool:
        """`request.path` in a handler of a route without parameters."""
        frame = self._frame
        if not frame.engine.is_static_route(body.function):
            return False
        found = references(self._callee(node[2], body)[2])
        return any(
            one[0] in {EXTERNAL, INSTANCE} and source.part == "path"
            for one in found
            for source in frame.index.entry(f"{one[1]}.{node[3]}").sources
        )

    def _holds_call(self, node: Node, body: Body) -> bool:
        function = node[2]
        arguments = [*node[3], *(value for _, value in node[4])]
        if function[0] == ir.ATTR and function[3] in _HARMLESS_METHODS:
            return True
        if function[0] == ir.ATTR and self.holds(function[2], body):
            given = arguments[1:] if function[3] in _BY_KEY else arguments
            return all(self.holds(one, body) for one in given)  # a method of a text, or of a list of them
        called = references(self._callee(function, body)[2])
        if not called or self._depth > _DEEPEST:
            return False
        for reference in called:
            if reference[0] == EXTERNAL:
                if reference[1].startswith(_HARMLESS):
                    continue
                if not reference[1].startswith(_PURE) or not all(self.holds(one, body) for one in arguments):
                    return False
            elif reference[0] == BOUND:
                if not self._gives(reference[2], 1, node, body):
                    return False
            elif reference[0] != PROJECT_FUNCTION or not self._gives(reference[1], 0, node, body):
                return False
        return True

    def _gives(self, function: Function, first: int, call: Node, body: Body) -> bool:
        """Whether a function of the project gives back nothing else for a call that fills its parameters from one on."""
        if function.flags & (ir.GENERATOR | ir.CLASS_BODY):
            return False
        names = [parameter[0] for parameter in function.parameters[first:]]
        passed = [*zip(names, call[3], strict=False), *call[4]]
        inner = Body(function, [name for name, one in passed if name and self.holds(one, body)])
        self._depth += 1
        found = bool(inner.returned) and all(self.holds(one, inner) for one in inner.returned)
        self._depth -= 1
        return found

    def _callee(self, function: Node, body: Body) -> Any:
        """The value of what is called, as far as it needs no run."""
        frame = self._frame
        if function[0] == ir.GLOBAL:
            return frame.global_value(body.function.module, function[2], function[1])
        if function[0] == ir.LOCAL and body.function is frame.function:
            return (frame.state or {}).get(function[2], UNKNOWN)
        if function[0] == ir.ATTR:
            owner = self._callee(function[2], body)
            return UNKNOWN if owner[2] is None else frame.attribute(owner, function[3], function[1])
        if function[0] == ir.CALL:
            made = self._callee(function[2], body)[2]
            if made is not None and made[0] == PROJECT_CLASS:
                return (0, NO, (PROJECT_INSTANCE, made[1], True), ())
        return UNKNOWN


_CONTAINERS: Final = frozenset({ir.SEQUENCE, ir.MAPPING, ir.COMPREHENSION})
_MADE_OF: Final = frozenset(
    {ir.BINARY, ir.BOOLEAN, ir.UNARY, ir.CHOICE, ir.FORMAT, ir.SEQUENCE, ir.MAPPING, ir.WALRUS, ir.STARRED}
)
"""Expressions that hold what their parts hold."""


def _parts(node: Node) -> Iterator[Node]:
    """The expressions of which a value is made; a condition is none of them."""
    opcode = node[0]
    if opcode in {ir.BINARY, ir.CHOICE}:
        yield from node[3:5]
    elif opcode in {ir.BOOLEAN, ir.SEQUENCE}:
        yield from node[3]
    elif opcode in {ir.UNARY, ir.WALRUS}:
        yield node[3]
    elif opcode == ir.STARRED:
        yield node[2]
    elif opcode == ir.FORMAT:
        yield from (part[0] for part in node[2] if isinstance(part, tuple))
    else:
        for key, value in node[2]:
            yield from (value,) if key is None else (key, value)
