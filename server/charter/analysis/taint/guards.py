"""What a condition shows to be safe when it holds and when it does not. It knows Python's tests; libraries' are data."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
from abc import ABC
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.frame import KILLED, NO_KILL, SOURCE, Kill
from charter.analysis.taint.strings import Strings
from charter.analysis.taint.values import (
    ALL_DANGERS,
    BIT,
    DANGERS,
    EXTERNAL,
    INSTANCE,
    LANE,
    NO,
    OBJECT,
    PART,
    PROJECT_INSTANCE,
    RAW,
    UNKNOWN,
    Value,
    lanes,
    references,
    spread,
)
from charter.api.facts.taint import SOURCE_KINDS
from charter.model import ir

if TYPE_CHECKING:
    from charter.model.ir import Node

Truth = bool | None
Test = tuple[Truth, Kill, Kill]

UNDECIDED: Final[Test] = (None, NO_KILL, NO_KILL)

_UP: Final = BIT["path"] | BIT["archive"]
_ABSOLUTE: Final = BIT["path-absolute"]
_PATH: Final = _UP | _ABSOLUTE
_HOST: Final = BIT["redirect"] | BIT["ssrf"] | BIT["ssrf-part"]
_ALL_HOSTS: Final = spread(_HOST)
_CONTROL: Final = BIT["log"] | BIT["header"] | BIT["mail"] | BIT["cookie"] | BIT["memcache"]
_QUOTE: Final = BIT["sql"] | BIT["xpath"]

OF_CHARACTERS: Final = DANGERS & ~(
    _HOST | BIT["trust"] | BIT["prompt"] | BIT["instructions"] | BIT["cookie"] | BIT["attribute"]
)
"""Texts of harmless characters still name hosts, users and orders."""

_FORBIDDEN: Final = {
    "..": _UP,
    "../": _UP,
    "/..": _UP,
    "/": _PATH,
    "\\": 0,
    "'": _QUOTE,
    '"': BIT["xpath"],
    "\n": _CONTROL,
    "\r": _CONTROL,
    "\r\n": _CONTROL,
    "<": BIT["xss"],
    ">": BIT["xss"],
    ";": BIT["sql"],
    "(": BIT["ldap"] | BIT["code"],
    "*": BIT["ldap"],
    "__": BIT["attribute"],
    "{": BIT["template"] | BIT["format"],
    "{{": BIT["template"],
}
"""What is impossible in a text that does not contain another."""

_CLASS_TESTS: Final = {
    "isalnum": DANGERS, "isdigit": DANGERS, "isnumeric": DANGERS, "isdecimal": DANGERS, "isalpha": DANGERS,
    "isidentifier": DANGERS, "isspace": DANGERS, "islower": 0, "isupper": 0, "istitle": 0,
}  # fmt: skip

_HOST_PARTS: Final = frozenset({"netloc", "hostname", "host", "_replace"})
_CONFINED: Final = re.compile(r"[A-Za-z][\w+.\-]*://[^/?#\\]+[/?#]|/[^/\\]")


def both(first: Kill, second: Kill) -> Kill:
    """What is safe if both are."""
    if first is NO_KILL:
        return second
    if second is NO_KILL:
        return first
    return (first[0] | second[0], first[1] + second[1])


def either(first: Kill, second: Kill) -> Kill:
    """What is safe whichever of the two holds."""
    mask = first[0] & second[0]
    names: list[tuple[str, int]] = []
    if first[1] and second[1]:
        other = dict(second[1])
        names = [(name, bits & other[name]) for name, bits in first[1] if bits & other.get(name, 0)]
    return (mask, tuple(names)) if mask or names else NO_KILL


class Guards(Strings, ABC):
    """Conditions."""

    def test(self, node: Node) -> Test:
        """Whether a condition holds (None if unknown), what is safe if it does, and what if it does not."""
        opcode = node[0]
        if opcode == ir.NOT:
            truth, yes, no = self.test(node[2])
            return (None if truth is None else not truth, no, yes)
        if opcode == ir.BOOLEAN:
            return self._test_boolean(node)
        if opcode == ir.COMPARE:
            return self._test_comparison(node)
        if opcode == ir.CALL:
            return self._test_call(node)
        if opcode == ir.WALRUS:
            return self._truth(node, self.value(node))
        return self._truth(node, self.value(node))

    def _truth(self, node: Node, value: Value) -> Test:
        """The test of a plain value: what is false is empty, and so harmless."""
        if node[0] == ir.LOCAL and self.state is not None:
            remembered = self.state.get("?" + node[2])
            if remembered is not None:
                return (self.truth_of(value), remembered[4], remembered[5])
        if not value[0] & ALL_DANGERS:
            return (self.truth_of(value), NO_KILL, NO_KILL)
        last = self._last_name(value)
        if last in _HOST_PARTS or last == "scheme":
            hosts = self._of_lanes(value, _HOST if last != "scheme" else 0)
            return (self.truth_of(value), NO_KILL, (hosts, ()) if hosts else NO_KILL)
        return (self.truth_of(value), NO_KILL, self.cleared(node, value, DANGERS))

    def truth_of(self, value: Value) -> Truth:
        """Whether a value is true, if that is known."""
        known = value[1]
        if known is NO:
            if value[2] is not None and not value[3] and value[2][0] in {"f", "c", "m"}:
                return True
            return None
        if isinstance(known, tuple):
            return True if known[1].strip("\0") else None
        return bool(known)

    def cleared(self, node: Node, value: Value, dangers: int, of_part: int = DANGERS) -> Kill:
        """A check of an expression: it speaks for the origin, or for the name alone if it holds only a part.

        Args:
            node: the expression.
            value: its value.
            dangers: what is impossible once the check has succeeded.
            of_part: what is impossible if only a part, such as a character, was checked.
        """
        taint = value[0]
        mask = 0
        partial = False
        for lane in lanes(taint):
            if taint >> LANE * lane & PART:
                partial = True
            else:
                mask |= dangers << LANE * lane
        names: tuple[tuple[str, int], ...] = ()
        if partial:
            inner = node
            while inner[0] in {ir.WALRUS, ir.CALL}:
                inner = inner[2]
                if inner[0] == ir.ATTR:
                    inner = inner[2]
            if inner[0] == ir.LOCAL:
                names = ((inner[2], spread(dangers & of_part)),)
        return (mask, names) if mask or names else NO_KILL

    def _of_lanes(self, value: Value, dangers: int) -> int:
        mask = 0
        for lane in lanes(value[0]):
            mask |= dangers << LANE * lane
        return mask

    def is_doubtful(self, value: Value) -> bool:
        """Whether a value that others are compared with may be an attacker's: the settings of the program are not."""
        for lane in lanes(value[0]):
            origin = self.origins[lane] if lane < len(self.origins) else None
            if origin is None or origin[0] != SOURCE or SOURCE_KINDS[origin[1].kind] != "local":
                return True
        return False

    def _last_name(self, value: Value) -> str:
        reference = value[2]
        if reference is not None and reference[0] in {EXTERNAL, INSTANCE}:
            return reference[1].rpartition(".")[2]
        return ""

    # and, or
    def _local_path(self, node: Node) -> Kill:
        """What `x.startswith("/") and not x.startswith("//")` shows, or its opposite with `or`: no other host."""
        begins: dict[tuple[str, str], tuple[bool, Node]] = {}
        for operand in node[3]:
            negated = operand[0] == ir.NOT
            call = operand[2] if negated else operand
            if call[0] == ir.CALL and call[2][0] == ir.ATTR and call[2][3] == "startswith" and call[3]:
                for text in self._alternatives(self.value(call[3][0])):
                    begins[_spelled(call[2][2]), text] = (not negated, call[2][2])
        wanted = node[2] == "and"
        for (one, text), (positive, checked) in begins.items():
            other = begins.get((one, "//"))
            if one and text == "/" and positive is wanted and other is not None and other[0] is not wanted:
                return self.cleared(checked, self.value(checked), _HOST)
        return NO_KILL

    def _test_boolean(
        self, node: Node
    ) -> Test:  # charter: ignore[tangled-function] -- what `and` and `or` say belongs together
        """Operands in order; each later one is evaluated where the earlier ones leave it to."""
        conjunction = node[2] == "and"
        before = self.state
        yes: Kill | None = None
        no: Kill | None = None
        truth: Truth = conjunction
        self.state = dict(before) if before is not None else None
        for operand in node[3]:
            held, if_true, if_false = self.test(operand)
            if conjunction:
                yes = if_true if yes is None else both(yes, if_true)
                no = if_false if no is None else either(no, if_false)
                self.kill(if_true)
            else:
                yes = if_true if yes is None else either(yes, if_true)
                no = if_false if no is None else both(no, if_false)
                self.kill(if_false)
            if held is None:
                truth = None if truth is conjunction else truth
            elif held is not conjunction:
                truth = held
                if_last = NO_KILL
                yes, no = (yes, if_last) if conjunction else (if_last, no)
                break
        after = self.state
        local = self._local_path(node)
        if before is not None and after is not None:
            # Where all operands were asked, what their calls have checked holds too.
            local = both(local, (after[KILLED] & ~before[KILLED], ()))
            # Keep what the operands assigned (`:=`) or wrote, but not what only one outcome shows.
            for key, entry in after.items():
                if key not in before:
                    before[key] = entry
        self.state = before
        self.kill((self.looked_up, ()))
        if local[0] or local[1]:
            yes, no = (both(yes or NO_KILL, local), no) if conjunction else (yes, both(no or NO_KILL, local))
        return (truth, yes or NO_KILL, no or NO_KILL)

    # Comparisons
    def _test_comparison(self, node: Node) -> Test:
        self.last_kills = (NO_KILL, NO_KILL)
        left = self.value(node[2])
        shown = self._shown(node[2]) if node[3][0] in {"is", "is not"} else None
        if len(node[3]) != 1:
            for one in node[4]:
                self.value(one)
            return UNDECIDED
        operator, right_node = node[3][0], node[4][0]
        right = self.value(right_node)
        truth = self._compared(operator, left, right)
        if operator in _ORDER and truth is None and isinstance(right[1], int):
            return self._bounded(node[2], operator)
        if shown is not None and right[1] is None:
            yes, no = shown
            return (truth, no, yes) if operator == "is" else (truth, yes, no)
        if operator in {"==", "is", "!=", "is not"}:
            yes = self._equal(node[2], left, right_node, right)
            positive = operator in {"==", "is"}
            return (truth, yes if positive else NO_KILL, NO_KILL if positive else yes)
        if operator in {"<=", "<"} and _is_set_of(node[2]) and not self.deep(right):
            return (truth, self.cleared(node[2][3][0], self.value(node[2][3][0]), OF_CHARACTERS), NO_KILL)
        if operator in {"in", "not in"}:
            yes, no = self._member(node[2], left, right_node, right)
            return (truth, yes, no) if operator == "in" else (truth, no, yes)
        return (truth, NO_KILL, NO_KILL)

    def _bounded(self, node: Node, operator: str) -> Test:
        """`len(text) < 100`: a short text makes no pattern slow."""
        if node[0] != ir.CALL or node[2][0] != ir.GLOBAL or node[2][2] != "len" or not node[3]:
            return UNDECIDED
        checked = node[3][0]
        kill = self.cleared(checked, self.value(checked), BIT["redos"])
        return (None, kill, NO_KILL) if operator[0] == "<" else (None, NO_KILL, kill)

    def _shown(self, node: Node) -> tuple[Kill, Kill] | None:
        """What the result of a check shows that is compared with None, as that of `re.match` is."""
        kills: tuple[Kill, Kill] | None = None
        if node[0] == ir.CALL:
            kills = self.last_kills
        elif node[0] == ir.LOCAL and self.state is not None:
            remembered = self.state.get("?" + node[2])
            kills = None if remembered is None else (remembered[4], remembered[5])
        return None if kills == (NO_KILL, NO_KILL) else kills

    def _equal(self, left_node: Node, left: Value, right_node: Node, right: Value) -> Kill:
        """A value that equals a trusted one is trusted."""
        if right[0] & ALL_DANGERS and not left[0] & ALL_DANGERS:
            left_node, left, right_node, right = right_node, right, left_node, left
        for one, other in ((left, right), (right, left)):
            if self._last_name(one) in _HOST_PARTS and other[0] and not other[0] & _ALL_HOSTS:
                return (self._of_lanes(one, _HOST), ())  # the request's own host
        last = self._last_name(left)
        if not left[0] & ALL_DANGERS or self.is_doubtful(right):
            return NO_KILL
        if last in _HOST_PARTS:
            return (self._of_lanes(left, _HOST), ())
        if last == "scheme":
            return NO_KILL
        if right[1] is NO or right[1] is None or isinstance(right[1], tuple):
            if left_node[0] == ir.CALL or self._is_resolved(right):
                return self._component(left_node, left)
            if right[1] is None:
                return self.cleared(left_node, left, DANGERS)
        if left_node[0] == ir.CALL:
            return self._component(left_node, left)
        return self.cleared(left_node, left, DANGERS)

    def _is_resolved(self, value: Value) -> bool:
        return value[2] is not None and value[2][0] in {EXTERNAL, INSTANCE} and "path" in value[2][1].lower()

    def _component(self, node: Node, value: Value) -> Kill:
        """Equality of something computed from a value, such as `os.path.dirname(p) == base`."""
        raw = any(value[0] >> LANE * lane & RAW for lane in lanes(value[0]))
        if node[0] == ir.CALL and node[2][-1] == "commonprefix":
            return NO_KILL  # it compares characters: `/srv/files-of-others` has the prefix `/srv/files`
        if (
            node[0] == ir.CALL
            and node[2][0] == ir.ATTR
            and node[2][3] in {"lower", "upper", "strip", "casefold"}
        ):
            return self.cleared(node, value, DANGERS)
        return (self._of_lanes(value, _PATH), ()) if not raw else NO_KILL

    def _member(self, left_node: Node, left: Value, right_node: Node, right: Value) -> tuple[Kill, Kill]:
        """`left in right`: membership in something trusted; and what a text does not contain."""
        if left[1] == ".." and (whole := _split_whole(right_node)) is not None:
            return NO_KILL, self.cleared(whole, self.value(whole), _UP)
        if right[0] & ALL_DANGERS and not self.has_cells(right):
            if isinstance(left[1], str):
                dangers = _FORBIDDEN.get(left[1], 0)
                if left[1] in {"'", '"'} and _is_inside(right_node):
                    return NO_KILL, (self._of_lanes(right, _LITERAL), ())
                return NO_KILL, (self.cleared(right_node, right, dangers) if dangers else NO_KILL)
            if left[2] is not None and not left[0] and self._is_resolved(left):
                return self._contained(right), NO_KILL
            return NO_KILL, NO_KILL
        if self._last_name(left) in _HOST_PARTS and left[0] and not self.deep(right) & _ALL_HOSTS:
            return (self._of_lanes(left, _HOST), ()), NO_KILL
        if not left[0] & ALL_DANGERS or self.deep(right) & ALL_DANGERS:
            return self._contained(right) if self._last_name(right) == "parents" else NO_KILL, NO_KILL
        if self._last_name(left) == "scheme":
            return NO_KILL, NO_KILL
        return self.cleared(left_node, left, DANGERS), NO_KILL

    def _contained(self, value: Value) -> Kill:
        """A path that was shown to lie below a folder; only a normalised one counts."""
        mask = 0
        for lane in lanes(value[0]):
            if not value[0] >> LANE * lane & RAW:
                mask |= _PATH << LANE * lane
        return (mask, ()) if mask else NO_KILL

    def _compared(self, operator: str, left: Value, right: Value) -> Truth:
        """The outcome where both sides are known."""
        one, two = left[1], right[1]
        if one is NO or isinstance(one, tuple) or left[0]:
            return None
        if operator in {"in", "not in"} and right[3]:
            return self._in_container(operator, one, right)
        if two is NO or isinstance(two, tuple) or right[0]:
            return None
        try:
            return bool(_OPERATIONS[operator](one, two))
        except Exception:  # noqa: BLE001 - the analysed program would raise it; any error means "unknown"
            return None

    def _in_container(self, operator: str, known: Any, right: Value) -> Truth:
        state = self.state
        if state is None or len(right[3]) != 1:
            return None
        cells = state.get(right[3][0]) or {}
        from charter.analysis.taint.frame import LENGTH, REST

        if LENGTH not in cells or REST in cells:
            return None
        values = [value[1] for key, value in cells.items() if key is not LENGTH]
        if any(value is NO or isinstance(value, tuple) for value in values):
            return None
        return (known in values) is (operator == "in")

    # Calls
    def _test_call(self, node: Node) -> Test:
        """The test of a call: of a text's class, its beginning, a type, a library's or the project's own check."""
        function = node[2]
        if function[0] == ir.ATTR and len(node[3]) <= 2:
            tested = self._method_test(node, function)
            if tested is not None:
                return tested
        if function[0] == ir.GLOBAL and function[2] in {"isinstance", "all", "any", "bool", "callable"}:
            tested = self._builtin_test(node, function[2])
            if tested is not None:
                return tested
        self.last_kills = (NO_KILL, NO_KILL)
        value = self.value(node)
        yes, no = self.last_kills
        self.last_kills = (NO_KILL, NO_KILL)
        truth = self.truth_of(value)
        if value[0] & ALL_DANGERS:
            no = both(no, self.cleared(node, value, DANGERS))
        return (truth, yes, no)

    last_kills: tuple[Kill, Kill] = (NO_KILL, NO_KILL)
    """What the call evaluated last shows if its result is true, and if it is false."""

    def _method_test(self, node: Node, function: Node) -> Test | None:
        name = function[3]
        if name in _CLASS_TESTS:
            value = self.value(function[2])
            if not value[0]:
                return None
            return (None, self.cleared(function[2], value, _CLASS_TESTS[name], OF_CHARACTERS), NO_KILL)
        if name in {"issuperset", "issubset"} and len(node[3]) == 1:
            whole, part = (function[2], node[3][0]) if name == "issuperset" else (node[3][0], function[2])
            part = part[3][0] if _is_set_of(part) else part
            if not self.deep(self.value(whole)):
                return (None, self.cleared(part, self.value(part), OF_CHARACTERS), NO_KILL)
        if name in {"startswith", "endswith", "is_relative_to"}:
            value = self.value(function[2])
            if not value[0] & ALL_DANGERS or not node[3]:
                return None
            prefix = self.value(node[3][0])
            if name == "endswith":
                return UNDECIDED
            return (None, *self._beginning(function[2], value, prefix))
        if name in {"is_absolute", "isabs"}:
            checked = function[2] if name == "is_absolute" else node[3][0] if node[3] else None
            if checked is not None and checked[0] == ir.CALL and checked[3]:
                checked = checked[3][0]  # `Path(name).is_absolute()`
            value = UNKNOWN if checked is None else self.value(checked)
            if checked is not None and value[0] & ALL_DANGERS:
                return (None, NO_KILL, self.cleared(checked, value, _ABSOLUTE))
        return None

    def _beginning(self, node: Node, value: Value, prefix: Value) -> tuple[Kill, Kill]:
        """`value.startswith(prefix)`."""
        if self.is_doubtful(prefix):
            return NO_KILL, NO_KILL
        texts = self._alternatives(prefix)
        yes = self._contained(value)
        if texts and all(_CONFINED.match(text) for text in texts):
            yes = both(yes, self.cleared(node, value, _HOST))
        no = NO_KILL
        if "/" in texts:
            no = self.cleared(node, value, _ABSOLUTE)
        if "../" in texts or ".." in texts:
            no = both(no, NO_KILL)
        return yes, no

    def _alternatives(self, prefix: Value) -> list[str]:
        if isinstance(prefix[1], str):
            return [prefix[1]]
        if isinstance(prefix[1], tuple):
            return [prefix[1][1]]
        elements = self.elements_exactly(prefix)
        return [one[1] for one in elements if isinstance(one[1], str)] if elements else []

    def elements_exactly(self, value: Value) -> list[Value] | None:
        """The elements of a container of known length."""
        from charter.analysis.taint.frame import LENGTH, REST

        if self.state is None or len(value[3]) != 1:
            return None
        cells = self.state.get(value[3][0]) or {}
        length = cells.get(LENGTH)
        if length is None or REST in cells or length[1] > 200:
            return None
        return [cells.get(index, UNKNOWN) for index in range(length[1])]

    def _builtin_test(self, node: Node, name: str) -> Test | None:
        arguments = node[3]
        if name == "isinstance" and len(arguments) == 2:
            value = self.value(arguments[0])
            return self._instance_test(arguments[0], value, arguments[1])
        if name in {"all", "any"} and len(arguments) == 1 and arguments[0][0] == ir.COMPREHENSION:
            return self._quantified(arguments[0], name)
        if name == "bool" and len(arguments) == 1:
            return self.test(arguments[0])
        return None

    def _instance_test(self, node: Node, value: Value, classes: Node) -> Test | None:
        wanted = self.value(classes)
        options = self.elements_exactly(wanted) or [wanted]
        names = [one[2][1] if one[2] is not None and one[2][0] == EXTERNAL else "" for one in options]
        if value[0] & ALL_DANGERS and names and all(name in _HARMLESS_TYPES for name in names):
            return (None, self.cleared(node, value, DANGERS), NO_KILL)
        if "builtins.str" in names and len(names) == 1 and value[0]:
            return (True if isinstance(value[1], str) else None, (self._of_lanes(value, OBJECT), ()), NO_KILL)
        exact = {reference[1] for reference in references(value[2]) if reference[0] == INSTANCE}
        if value[1] is not NO and not isinstance(value[1], tuple) and not value[0]:
            own = f"builtins.{type(value[1]).__name__}"
            if all(names):
                return (own in names, NO_KILL, NO_KILL)
        if exact and all(names) and not value[0] and exact <= set(names):
            return (True, NO_KILL, NO_KILL)
        if node[0] == ir.LOCAL and self.state is not None and value[2] is None and len(options) == 1:
            self._narrow(node[2], value, options[0])
        return UNDECIDED

    def _narrow(self, name: str, value: Value, cls: Value) -> None:
        """Give a name the type that it was tested for; it holds well enough for the other branch too."""
        reference = cls[2]
        if reference is None or self.state is None or name not in self.state:
            return
        if reference[0] == "c":
            self.state[name] = (value[0], value[1], (PROJECT_INSTANCE, reference[1], False), value[3])
        elif reference[0] == EXTERNAL and not reference[1].startswith("builtins."):
            self.state[name] = (value[0], value[1], (INSTANCE, reference[1]), value[3])

    def _quantified(self, comprehension: Node, name: str) -> Test:
        """`all(check(c) for c in text)` and `any(bad in text for bad in …)` speak for the whole text."""
        generators = comprehension[5]
        target, iterable, conditions = generators[0]
        container = self.value(iterable)
        if len(generators) != 1 or conditions:
            self.value(comprehension)
            return UNDECIDED
        before = self.state
        if before is None:
            return UNDECIDED
        self.state = dict(before)
        own = container[0] & ALL_DANGERS and not self.has_cells(container)
        self.assign(target, (container[0], NO, None, ()) if own else self.elements(container))
        yes: Kill = NO_KILL
        no: Kill = NO_KILL
        exact = None if own else self.elements_exactly(container)
        if exact is not None and name == "any":
            for element in exact:
                self.assign(target, element)
                no = both(no, self.test(comprehension[4])[2])
        else:
            _, yes, no = self.test(comprehension[4])
        self.state = before
        if name == "all":
            return (None, yes, NO_KILL)
        return (None, NO_KILL, no)


def _spelled(node: Node) -> str:
    """A name or attribute as it is written; "" for anything else."""
    if node[0] == ir.ATTR:
        owner = _spelled(node[2])
        return f"{owner}.{node[3]}" if owner else ""
    return node[2] if node[0] in {ir.LOCAL, ir.GLOBAL, ir.FREE} else ""


def _is_set_of(node: Node) -> bool:
    """Whether an expression is `set(text)`: its characters."""
    return node[0] == ir.CALL and node[2][0] == ir.GLOBAL and node[2][2] == "set" and len(node[3]) == 1


def _split_whole(node: Node) -> Node | None:
    """Of `path.split("/")` and `Path(path).parts` the path."""
    if node[0] == ir.CALL and node[2][0] == ir.ATTR and node[2][3] == "split":
        return node[2][2]
    return node[2] if node[0] == ir.ATTR and node[3] == "parts" else None


def _is_inside(node: Node) -> bool:
    """Whether an expression is `text[1:-1]`: the inside of what is checked to be a plain literal."""
    if node[0] != ir.ITEM or node[3][0] != ir.SLICE:
        return False
    lower, upper = node[3][2], node[3][3]
    return lower is not None and upper is not None and lower[2:] == (1,) and upper[0] == ir.UNARY


_LITERAL: Final = BIT["code"] | BIT["sql"] | BIT["xpath"]

_HARMLESS_TYPES: Final = frozenset(
    "builtins.int builtins.float builtins.bool builtins.complex uuid.UUID datetime.date datetime.datetime "
    "datetime.time datetime.timedelta decimal.Decimal numbers.Number numbers.Integral numbers.Real enum.Enum".split()
)

_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_OPERATIONS: Final[dict[str, Any]] = {
    "==": lambda one, two: one == two,
    "!=": lambda one, two: one != two,
    "<": lambda one, two: one < two,
    "<=": lambda one, two: one <= two,
    ">": lambda one, two: one > two,
    ">=": lambda one, two: one >= two,
    "is": lambda one, two: one is two,
    "is not": lambda one, two: one is not two,
    "in": lambda one, two: one in two,
    "not in": lambda one, two: one not in two,
}
