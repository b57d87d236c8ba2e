"""What a check shows to be safe, and for what it speaks: the text, its origin, or a name alone. It reads no condition."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.frame import LENGTH, NO_KILL, REST, SOURCE, Kill
from charter.analysis.taint.strings import Strings
from charter.analysis.taint.values import (
    ABSOLUTE,
    BIT,
    DANGERS,
    EXTERNAL,
    FULL,
    HOST,
    INSTANCE,
    LANE,
    NO,
    PART,
    PATH,
    RAW,
    SEGMENT,
    SLASHED,
    SLASHES,
    UNKNOWN,
    UP,
    Value,
    lanes,
    spread,
)
from charter.api import regex
from charter.api.facts.taint import SOURCE_KINDS
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.model.ir import Node


Truth = bool | None
Test = tuple[Truth, Kill, Kill]
"""Whether a condition holds, None if unknown; what is safe if it does; what is safe if it does not."""

UNDECIDED: Final[Test] = (None, NO_KILL, NO_KILL)

_VALIDATOR: Final = regex(
    r"_*(?:(?:validate|ensure|assert|verify|reject|raise_if|forbid)_|check_\w*(?:safe|valid|allow|trust|secur|travers|within|inside))"
)
_CONTAINMENT: Final = regex(
    r"_*is_(?:path_)?(?:inside|within|safe_path|sub_?path|contained|in_(?:dir|folder))"
)
_ADDRESS_CHECK: Final = regex(
    r"_*(?:is_?|are_|has_)?(?:(?:safe|allowed|trusted|local|internal|same|permitted)_?\w*(?:ur[li]|redirect|next|target|location|host|origin|domain)"
    r"|valid(?:ate)?_?\w*(?:redirect|return|next))|_*(?:validate|verify|check)_\w*(?:ur[li]|host|endpoint|domain)|_*(?:ur[li]|redirect|next|target|host)\w*_is_(?:safe|allowed|trusted|local|internal)"
    r"|_*(?:ur[li]|redirect|link|next)_signature_(?:is_)?(?:valid|ok|matches)$|_*(?:is_|has_)?(?:valid|verified)_(?:ur[li]|redirect|link|next)_signature$"
    r"|_*(?:is|has|verify|check|valid(?:ate)?)_\w*(?:hmac|signature|signed(?!_(?:in|up|on|out)))"
    r"|_*\w*(?:ur[li]|callback|redirect|host|service|target|origin)\w*_(?:allowed|permitted|trusted)$"
)
_OF_PATHS: Final = regex(r"path|file_?name|travers|dir(?:ectory)?(?:_|$)|folder")
_OF_HOSTS: Final = regex(r"ur[li](?:_|$)|host|address|endpoint|ssrf|domain|redirect")
NORMAL_PATH: Final = (EXTERNAL, "os.path.normpath()")
"""What a bare name is after `normpath`."""
_PARENT: Final = (EXTERNAL, "os.pardir")
HOST_PARTS: Final = frozenset({"netloc", "hostname", "host", "_replace"})

OF_CHARACTERS: Final = DANGERS & ~(
    HOST | BIT["trust"] | BIT["prompt"] | BIT["instructions"] | BIT["cookie"] | BIT["attribute"]
)
"""Texts of harmless characters still name hosts, users and orders."""


def asks_for_containment(name: object) -> bool:
    """Whether a function of this name answers whether a path lies in a folder: "is_path_inside", "is_within_directory"."""
    return isinstance(name, str) and _CONTAINMENT.match(name) is not None


def asks_for_address(name: object) -> bool:
    """Whether a function of this name answers whether an address may be gone to: "is_safe_url", "validate_redirect_url"."""
    return isinstance(name, str) and _ADDRESS_CHECK.match(name.lower()) is not None


@lru_cache(maxsize=4096)
def shown_by_name(name: str) -> int:
    """The dangers that are over once a function of this name has returned: "validate_path", "ensure_safe_url"."""
    if not _VALIDATOR.match(name) or "exist" in name:
        return 0
    shown = UP | ABSOLUTE if _OF_PATHS.search(name) else 0
    return shown | HOST if _OF_HOSTS.search(name) else shown


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


class Checks(Strings, ABC):
    """What checks show."""

    last_kills: tuple[Kill, Kill] = (NO_KILL, NO_KILL)
    """What the call evaluated last shows if its result is true, and if it is false."""

    def remembered(self, name: str, of: Any = None) -> tuple[Kill, Kill] | None:
        """What a name shows that holds the outcome of a check: if it is true, and if it is false.

        Args:
            name: the name.
            of: what the check gave: `TUPLE` if the first of several things is asked.
        """
        known = None if self.state is None else self.state.get("?" + name)
        return None if known is None or known[2] != of else (known[4], known[5])

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
        inner = _behind_calls(node)
        objects = self._tainted_object(inner)
        for lane in lanes(taint):
            if taint >> LANE * lane & PART:
                partial = True
            elif objects >> LANE * lane & FULL:
                mask |= dangers << LANE * self.lane_of_field(lane, inner[3])
            else:
                mask |= dangers << LANE * lane
        names: tuple[tuple[str, int], ...] = ()
        if partial and inner[0] == ir.LOCAL:
            names = ((inner[2], spread(dangers & of_part)),)
        return (mask, names) if mask or names else NO_KILL

    def _tainted_object(self, node: Node) -> int:
        """The taint of the project's object, which has a name, of which an expression is a field."""
        if node[0] != ir.ATTR or node[2][0] != ir.LOCAL or self.state is None:
            return 0
        held = self.state.get(node[2][2])
        if held is None or (held[2] is not None and held[2][0] in {EXTERNAL, INSTANCE}):
            return 0
        return held[0]

    def of_name(self, node: Node, value: Value, others: Sequence[Value], yes: Kill) -> tuple[Kill, Kill]:
        """What a check shows of one name of a path that is one of these, and if it is none: of `..`, whether it leads up."""
        names = self.named(value)
        if not names or not any(other[1] == ".." or other[2] == _PARENT for other in others):
            return yes, NO_KILL
        up = spread(UP)
        harmless = (yes[0] & ~up, tuple((name, bits & ~up) for name, bits in yes[1]))
        return harmless, self.cleared(node, (value[0] & names, *value[1:]), UP)

    @staticmethod
    def named(value: Value) -> int:
        """All bits of the lanes of which a value is one name of a path, or a piece of one."""
        mask = 0
        for lane in lanes(value[0]):
            if value[0] >> LANE * lane & SEGMENT:
                mask |= FULL << LANE * lane
        return mask

    def _of_lanes(self, value: Value, dangers: int) -> int:
        mask = 0
        for lane in lanes(value[0]):
            mask |= dangers << LANE * lane
        return mask

    def is_host(self, value: Value) -> bool:
        """Whether a value is the host of an address, as a parser of addresses gives it."""
        return self._last_name(value) in HOST_PARTS

    def of_host(self, value: Value, *, empty_passes: bool) -> Kill:
        """What a check of an address's host shows.

        Args:
            value: the host, as a parser of addresses gives it.
            empty_passes: whether the check is passed by an address without a host, in which browsers may still see one.
        """
        mask = 0
        for lane in lanes(value[0]):
            own = value[0] >> LANE * lane
            hidden = not own & SLASHED and (empty_passes or not own & SLASHES)
            mask |= (HOST & ~SLASHES if hidden else HOST) << LANE * lane
        return (mask, ()) if mask else NO_KILL

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

    def _is_resolved(self, value: Value) -> bool:
        return value[2] is not None and value[2][0] in {EXTERNAL, INSTANCE} and "path" in value[2][1].lower()

    def _contained(self, value: Value) -> Kill:
        """A path that was shown to lie below a folder; only a normalised one counts."""
        mask = 0
        for lane in lanes(value[0]):
            if not value[0] >> LANE * lane & RAW:
                mask |= PATH << LANE * lane
                self.asked_first(lane)
        return (mask, ()) if mask else NO_KILL

    def asked_first(self, lane: int) -> None:
        """Forget that a path was asked for whether it is there, once it turns out to be checked before anything else is done."""
        for site, origin in [*self.hits]:
            if origin == lane and site.kind == "path" and site.severity and site.function is self.function:
                del self.hits[site, origin]

    def elements_exactly(self, value: Value) -> list[Value] | None:
        """The elements of a container of known length."""
        if self.state is None or len(value[3]) != 1:
            return None
        cells = self.state.get(value[3][0]) or {}
        length = cells.get(LENGTH)
        if length is None or REST in cells or length[1] > 200:
            return None
        return [cells.get(index, UNKNOWN) for index in range(length[1])]

    def _alternatives(self, prefix: Value) -> list[str]:
        if isinstance(prefix[1], str):
            return [prefix[1]]
        if isinstance(prefix[1], tuple):
            return [prefix[1][1]]
        elements = self.elements_exactly(prefix)
        return [one[1] for one in elements if isinstance(one[1], str)] if elements else []


def _behind_calls(node: Node) -> Node:
    """The expression of which methods are called: `name` of `name.strip().lower()`."""
    while node[0] in {ir.WALRUS, ir.CALL}:
        node = node[2]
        if node[0] == ir.ATTR:
            node = node[2]
    return node


def is_call_of(node: Node, name: str) -> bool:
    """Whether an expression is a call of a builtin with one argument: `len(text)`."""
    return node[0] == ir.CALL and node[2][0] == ir.GLOBAL and node[2][2] == name and len(node[3]) == 1


def is_counted(iterable: Node) -> bool:
    """Whether a loop goes over `range(3)`, and so at least once."""
    count = iterable[3][0] if is_call_of(iterable, "range") else iterable
    return count is not iterable and count[0] == ir.CONST and isinstance(count[2], int) and count[2] > 0


def is_set_of(node: Node) -> bool:
    """Whether an expression is `set(text)`: its characters."""
    return is_call_of(node, "set")
