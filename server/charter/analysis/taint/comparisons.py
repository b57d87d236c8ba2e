"""What comparisons show to be safe: equality, order, membership, and their outcome where both sides are known."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.characters import FORBIDDEN
from charter.analysis.taint.checks import (
    HOST_PARTS,
    OF_CHARACTERS,
    UNDECIDED,
    Checks,
    Test,
    Truth,
    both,
    is_call_of,
    is_set_of,
)
from charter.analysis.taint.frame import LENGTH, NO_KILL, PARAMETER, REST, Kill
from charter.analysis.taint.values import (
    ALL_DANGERS,
    BIT,
    DANGERS,
    HOST,
    IP_ADDRESS,
    LANE,
    NO,
    PATH,
    RAW,
    UP,
    Value,
    lanes,
    spread,
)
from charter.model import ir

if TYPE_CHECKING:
    from charter.model.ir import Node

_ALL_HOSTS: Final = spread(HOST)
_LITERAL: Final = BIT["code"] | BIT["sql"] | BIT["xpath"]

_EMPTY: Final = ("", b"", None)

_IDENTITY: Final = frozenset({"==", "is", "!=", "is not"})
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


class Comparisons(Checks, ABC):
    """Comparisons."""

    def _test_comparison(self, node: Node) -> Test:
        self.last_kills = (NO_KILL, NO_KILL)
        left_node = node[2]
        left = self.value(left_node)
        if left_node[0] == ir.WALRUS:
            left_node = left_node[2]
        shown = self._shown(left_node) if node[3][0] in _IDENTITY else None
        if len(node[3]) != 1:
            for one in node[4]:
                self.value(one)
            return UNDECIDED
        operator, right_node = node[3][0], node[4][0]
        right = self.value(right_node)
        truth = self._compared(operator, left, right)
        if not self.origins:
            return (truth, NO_KILL, NO_KILL)
        if operator == ">" and right[1] == 0 and _is_length_of_rest(left_node):
            return self.test(left_node[3][0])
        if operator in _ORDER and truth is None and isinstance(right[1], int):
            return self._bounded(left_node, operator)
        if shown is not None and (right[1] is None or isinstance(right[1], bool)):
            yes, no = shown if right[1] else shown[::-1]
            return (truth, yes, no) if operator in {"is", "=="} else (truth, no, yes)
        if operator in _IDENTITY:
            yes = self._equal(left_node, left, right_node, right)
            if self.signed is not NO_KILL and _is_one_untrusted(left, right):
                yes = both(yes, self.signed)
            yes, no = self.of_name(left_node, left, [right], yes)
            return (truth, yes, no) if operator in {"==", "is"} else (truth, no, yes)
        if operator in {"<=", "<"} and is_set_of(left_node) and not self.deep(right):
            return (truth, self.cleared(left_node[3][0], self.value(left_node[3][0]), OF_CHARACTERS), NO_KILL)
        if operator in {"in", "not in"}:
            yes, no = self._member(left_node, left, right_node, right)
            return (truth, yes, no) if operator == "in" else (truth, no, yes)
        return (truth, NO_KILL, NO_KILL)

    def _bounded(self, node: Node, operator: str) -> Test:
        """`len(text) < 100`: a short text makes no pattern slow."""
        if not is_call_of(node, "len"):
            return UNDECIDED
        checked = node[3][0]
        kill = self.cleared(checked, self.value(checked), BIT["redos"])
        return (None, kill, NO_KILL) if operator[0] == "<" else (None, NO_KILL, kill)

    def _shown(self, node: Node) -> tuple[Kill, Kill] | None:
        """What the result of a check shows that is compared with None or a truth value, as that of `re.match` is."""
        kills: tuple[Kill, Kill] | None = None
        if node[0] == ir.CALL:
            kills = self.last_kills
        elif node[0] == ir.LOCAL:
            kills = self.remembered(node[2])
        return None if kills == (NO_KILL, NO_KILL) else kills

    def _equal(self, left_node: Node, left: Value, right_node: Node, right: Value) -> Kill:
        """A value that equals a trusted one is trusted."""
        if right[0] & ALL_DANGERS and not left[0] & ALL_DANGERS:
            left_node, left, right_node, right = right_node, right, left_node, left
        for one, other in ((left, right), (right, left)):
            if self._last_name(one) in HOST_PARTS and other[0] and not other[0] & _ALL_HOSTS:
                return self.of_host(one, empty_passes=False)  # the request's own host
            if self._last_name(one) in HOST_PARTS and self._is_given(other):
                return self.of_host(one, empty_passes=False)
        left = self._whole_host(left_node, left)
        last = self._last_name(left)
        if left[0] & ALL_DANGERS and right[0] & ALL_DANGERS and left[0] != right[0]:
            return self._unchanged(left, right)
        if not left[0] & ALL_DANGERS or self.is_doubtful(right):
            return NO_KILL
        if last in HOST_PARTS:
            return self.of_host(left, empty_passes=right[1] in _EMPTY)
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

    def _is_given(self, hosts: Value) -> bool:
        """Whether the host or hosts that an address's host is compared with are a parameter: callers give their own."""
        mask = self.deep(hosts)
        return bool(mask) and all(
            lane < len(self.origins) and self.origins[lane][0] == PARAMETER for lane in lanes(mask)
        )

    def _whole_host(self, node: Node, value: Value) -> Value:
        """The host of which the end is compared, or all but its port: `host.split(".")[-2:]`, `netloc.split(":")[0]`."""
        whole = _behind_split(node)
        host = value if whole is None else self.value(whole)
        return host if self.is_host(host) else value

    def _unchanged(self, left: Value, right: Value) -> Kill:
        """`cleaned(text) == text`: the text has nothing of what the cleaning takes out."""
        mask = 0
        for lane in lanes(left[0]):
            one, two = left[0] >> LANE * lane & DANGERS, right[0] >> LANE * lane & DANGERS
            if two and (one & two == one or one & two == two):
                mask |= (one ^ two) << LANE * lane
        return (mask, ()) if mask else NO_KILL

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
        return (self._of_lanes(value, PATH), ()) if not raw else NO_KILL

    def _member(self, left_node: Node, left: Value, right_node: Node, right: Value) -> tuple[Kill, Kill]:
        """`left in right`: membership in something trusted; and what a text does not contain."""
        if left[2] == IP_ADDRESS:
            self.look_up(left)
            return NO_KILL, NO_KILL
        left = self._whole_host(left_node, left)
        if left[1] == ".." and right[3] and (names := self.named(self.elements(right))):
            return NO_KILL, (names & spread(UP), ())
        if right[0] & ALL_DANGERS and not self.has_cells(right):
            if isinstance(left[1], str):
                dangers = FORBIDDEN.get(left[1], 0)
                if left[1] in {"'", '"'} and _is_inside(right_node):
                    return NO_KILL, (self._of_lanes(right, _LITERAL), ())
                return NO_KILL, (self.cleared(right_node, right, dangers) if dangers else NO_KILL)
            if not left[0] and (self._is_resolved(left) or self._last_name(right) == "parents"):
                return self._contained(right), NO_KILL
            return NO_KILL, NO_KILL
        if (
            self._last_name(left) in HOST_PARTS
            and left[0]
            and (not self.deep(right) & _ALL_HOSTS or self._is_given(right))
        ):
            known = self.elements_exactly(right) or ()
            empty = isinstance(right[1], str) or any(one[1] in _EMPTY for one in known)
            return self.of_host(left, empty_passes=empty), NO_KILL
        if not left[0] & ALL_DANGERS or self.deep(right) & ALL_DANGERS:
            return self._contained(right) if self._last_name(right) == "parents" else NO_KILL, NO_KILL
        if self._last_name(left) == "scheme":
            return NO_KILL, NO_KILL
        yes = self.cleared(left_node, left, DANGERS)
        return self.of_name(left_node, left, self.elements_exactly(right) or (), yes)

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
        if LENGTH not in cells or REST in cells:
            return None
        values = [value[1] for key, value in cells.items() if key is not LENGTH]
        if any(value is NO or isinstance(value, tuple) for value in values):
            return None
        return (known in values) is (operator == "in")


def _is_one_untrusted(left: Value, right: Value) -> bool:
    """Whether what came in is compared with what the program has made, as a signature is with that of the text."""
    came_in, made = (left, right) if left[0] & ALL_DANGERS else (right, left)
    return bool(came_in[0] & ALL_DANGERS) and not made[0] & ALL_DANGERS and made[1] is NO


def _is_length_of_rest(node: Node) -> bool:
    """Whether an expression is `len(one.difference(other))`."""
    if not is_call_of(node, "len"):
        return False
    counted = node[3][0]
    return counted[0] == ir.CALL and counted[2][0] == ir.ATTR and counted[2][3] == "difference"


def _behind_split(node: Node) -> Node | None:
    """The text of whose labels the last are taken, or of which a port is cut off; None if it is something else."""
    if node[0] == ir.CALL and node[2][0] == ir.ATTR and node[2][3] == "join" and len(node[3]) == 1:
        node = node[3][0]
    if node[0] != ir.ITEM or node[2][0] != ir.CALL or node[2][2][0] != ir.ATTR or node[2][2][3] != "split":
        return None
    call, index = node[2], node[3]
    separator = call[3][0][2:] if call[3] and call[3][0][0] == ir.CONST else ()
    ends = index[0] == ir.SLICE and index[2] is not None and index[3] is None and index[2][0] == ir.UNARY
    starts = index[0] == ir.CONST and index[2] == 0
    return call[2][2] if (separator == (".",) and ends) or (separator == (":",) and starts) else None


def _is_inside(node: Node) -> bool:
    """Whether an expression is `text[1:-1]`: the inside of what is checked to be a plain literal."""
    if node[0] != ir.ITEM or node[3][0] != ir.SLICE:
        return False
    lower, upper = node[3][2], node[3][3]
    return lower is not None and upper is not None and lower[2:] == (1,) and upper[0] == ir.UNARY
