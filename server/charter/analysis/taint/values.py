"""Abstract values: what the analysis knows of a value at one point. It knows no programs and no libraries.

A value is a tuple `(taint, constant, reference, objects)`:

- taint: one integer. Each origin has a lane of `LANE` bits; a set bit says that the value is still dangerous for that
  kind of sink, or has that mark. Joining is `|`, sanitizing `& ~…`.
- constant: the value itself where it is known; a `("~", text)` for a text of which parts are unknown (`HOLE`); `NO`.
- reference: what the value is: see the `*_REF` words; None if unknown.
- objects: ids of the heap objects it may be.
"""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, Final

from charter.api.facts.taint import SINK_KINDS

Value = tuple[int, Any, Any, tuple[Any, ...]]


class _No:
    """The type of `NO`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NO"


NO: Final = _No()
"""No constant is known (None is a constant)."""

LANE: Final = 41
"""Bits of one origin."""
MOST_LANES: Final = 24
"""Origins told apart in one function; further ones share the last lane."""

KINDS: Final = tuple(SINK_KINDS)
BIT: Final = {kind: 1 << index for index, kind in enumerate(KINDS)}
BIT["path-absolute"] = 1 << len(KINDS)
BIT["ssrf-part"] = 1 << len(KINDS) + 1
BIT["redirect-slashes"] = 1 << len(KINDS) + 2
"""A host that browsers see and parsers of addresses do not: behind `/\\` or `///`."""
BIT["redirect-authority"] = 1 << len(KINDS) + 3
"""A host behind `//`, in an address without a scheme."""
DANGERS: Final = (1 << len(KINDS) + 4) - 1
"""All kinds of danger."""
RAW: Final = 1 << len(KINDS) + 4
"""Mark: a path that is not normalised."""
PART: Final = 1 << len(KINDS) + 5
"""Mark: only a part of what came in, so that a check of it says nothing of the whole."""
OBJECT: Final = 1 << len(KINDS) + 6
"""Mark: perhaps a dictionary or list made by the attacker."""
SLASHED: Final = 1 << len(KINDS) + 7
"""Mark: its backslashes are slashes now, so that a parser of addresses sees what a browser sees."""
SEGMENT: Final = 1 << len(KINDS) + 8
"""Mark: what is untrusted of it holds no slash, so that it is one name of a path, or a piece of one."""
VAGUE: Final = 1 << len(KINDS) + 9
"""Mark: of something deep inside of an object, so that which part of it is untrusted is not known."""
MARKS: Final = RAW | PART | OBJECT | SLASHED | SEGMENT | VAGUE
UP: Final = BIT["path"] | BIT["archive"]
"""A path that leads out of its folder."""
ABSOLUTE: Final = BIT["path-absolute"]
PATH: Final = UP | ABSOLUTE
SLASHES: Final = BIT["redirect-slashes"]
AUTHORITY: Final = BIT["redirect-authority"]
ELSEWHERE: Final = BIT["redirect"] | AUTHORITY
"""A host that parsers of addresses see, too."""
HOST: Final = ELSEWHERE | SLASHES | BIT["ssrf"] | BIT["ssrf-part"]
CONTROL: Final = BIT["log"] | BIT["header"] | BIT["mail"] | BIT["cookie"] | BIT["memcache"]
"""What takes a line break."""
BIT["path-raw"] = RAW
BIT["object"] = OBJECT
FULL: Final = (1 << LANE) - 1
FRESH_TEXT: Final = DANGERS | RAW
"""The bits of an untrusted text at its source."""

REPEAT: Final = sum(1 << LANE * index for index in range(MOST_LANES))
_SPREAD: dict[int, int] = {}

HOLE: Final = "\0"
"""Stands for an unknown part of a text."""
WHOLE: Final = "whole"
"""Said of a path before which nothing is put where it is used, as far as is known."""

# References: tuples whose first part is one of these words.
EXTERNAL: Final = "x"  # access path of something outside
INSTANCE: Final = "i"  # qualified name of an external class
PROJECT_FUNCTION: Final = "f"  # Function, captured values or None
PROJECT_CLASS: Final = "c"  # Class
PROJECT_INSTANCE: Final = "o"  # Class, whether the class is exact
PROJECT_MODULE: Final = "m"  # Module
BOUND: Final = "b"  # receiver value, Function
BOUND_EXTERNAL: Final = (
    "y"  # receiver's reference, its constant, method's name; the value's taint and objects are the receiver's
)
PARTIAL: Final = "p"  # function value, argument values, keyword values
UNION: Final = "u"  # references
_TAKING: Final = frozenset({PROJECT_FUNCTION, BOUND, BOUND_EXTERNAL, PARTIAL, UNION})
"""References that take values of the function along in which they were made, or other references."""

CONTAINERS: Final = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "dict")
) | {"collections.deque", "collections.OrderedDict", "collections.defaultdict", "collections.Counter"}

ANNOTATED: Final = {
    **dict.fromkeys(("list", "List", "Sequence", "MutableSequence"), "builtins.list"),
    **dict.fromkeys(("tuple", "Tuple"), "builtins.tuple"),
    **dict.fromkeys(("set", "Set", "MutableSet", "AbstractSet"), "builtins.set"),
    **dict.fromkeys(("frozenset", "FrozenSet"), "builtins.frozenset"),
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping"), "builtins.dict"),
}
"""Containers by the last name of their annotation: what a value of it is."""

TUPLE: Final = (INSTANCE, "builtins.tuple")
"""What every tuple is."""
IP_ADDRESS: Final = (INSTANCE, "ipaddress.IPv4Address")
"""What every address of a machine is that `ipaddress` has read."""
UNKNOWN: Final[Value] = (0, NO, None, ())
JSON_TEXT: Final = (EXTERNAL, "json.dumps()")
"""What every text in JSON is."""
OPEN_FILE: Final = (INSTANCE, "io.TextIOWrapper")
"""What `open` gives."""
NONE: Final[Value] = (0, None, None, ())
TRUE: Final[Value] = (0, True, None, ())
FALSE: Final[Value] = (0, False, None, ())
EMPTY_TEXT: Final[Value] = (0, "", None, ())
MOST_OBJECTS: Final = 6
MOST_REFERENCES: Final = 4
LONGEST_TEXT: Final = 4000


def spread(bits: int) -> int:
    """The bits in every lane."""
    known = _SPREAD.get(bits)
    if known is None:
        known = _SPREAD[bits] = bits * REPEAT
    return known


ALL_DANGERS: Final = spread(DANGERS)
ALL_PARTS: Final = spread(PART)
ALL_RAW: Final = spread(RAW)
ALL_ABSOLUTE: Final = spread(ABSOLUTE)
ALL_SEGMENTS: Final = spread(SEGMENT)


def lanes(taint: int) -> list[int]:
    """The lanes that have any danger."""
    result: list[int] = []
    index = 0
    while taint:
        if taint & DANGERS:
            result.append(index)
        taint >>= LANE
        index += 1
    return result


def whole(taint: int) -> int:
    """All dangers of the lanes that are more than a part of what came in, of which so a check speaks."""
    mask = 0
    for index in lanes(taint):
        if not taint >> LANE * index & PART:
            mask |= DANGERS << LANE * index
    return mask


def lane_mask(taint: int) -> int:
    """All bits of all lanes in which the taint has any danger."""
    mask = 0
    for index in lanes(taint):
        mask |= FULL << LANE * index
    return mask


def with_marks(taint: int, marks: int) -> int:
    """The taint with marks added in each of its lanes."""
    for index in lanes(taint):
        taint |= marks << LANE * index
    return taint


def bits(kinds: tuple[str, ...]) -> int:
    """The bits that kinds of the models stand for; all dangers for ()."""
    if not kinds:
        return DANGERS
    result = 0
    for kind in kinds:
        result |= BIT[kind]
        if kind == "path":
            result |= BIT["path-absolute"]
        elif kind == "ssrf":
            result |= BIT["ssrf-part"]
        elif kind == "redirect":
            result |= AUTHORITY | SLASHES
    return result


def cleaned(kinds: tuple[str, ...]) -> int:
    """The bits that a sanitizer for kinds of the models clears: what is safe as a path is so in an archive."""
    return bits(kinds) | BIT["archive"] if "path" in kinds else bits(kinds)


def fresh_bits(source: Any) -> int:
    """The bits of data as it comes from a source of the models."""
    if source.kind == "archive":
        return BIT["archive"] | RAW
    own = FRESH_TEXT | (OBJECT if source.value == "object" else 0)
    return own & ~bits(source.without) if source.without else own


def text_of(value: Value) -> str:
    """The text of a value with `HOLE` for what is unknown."""
    constant = value[1]
    if isinstance(constant, str):
        return constant
    if isinstance(constant, tuple):
        return constant[1]
    if constant is NO:
        return HOLE
    if isinstance(constant, bytes):
        return constant.decode("latin-1")
    return str(constant)


def join(first: Value, second: Value) -> Value:
    """The value of one of two paths."""
    if first is second or first == second:
        return first
    taint = first[0] | second[0]
    constant = first[1]
    if constant is not NO:
        other = second[1]
        if other is NO or type(constant) is not type(other) or constant != other:
            constant = _common(constant, other)
    reference = first[2]
    if reference != second[2]:
        reference = join_references(reference, second[2])
    objects = first[3]
    if objects != second[3]:
        objects = _join_objects(objects, second[3])
    return (taint, constant, reference, objects)


def _common(first: Any, second: Any) -> Any:
    """The beginning that two texts share, if it tells something (a scheme and host, a folder)."""
    one = first if isinstance(first, str) else first[1] if isinstance(first, tuple) else None
    two = second if isinstance(second, str) else second[1] if isinstance(second, tuple) else None
    if one is None or two is None or HOLE in (one[:1], two[:1]):
        return NO
    shared = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        shared += 1
    return ("~", one[:shared] + HOLE) if shared > 3 else NO


def join_references(first: Any, second: Any) -> Any:
    """What either of two references is; None (nothing known) yields to the other."""
    if first is None or second is None:
        return first or second
    ones = first[1] if first[0] == UNION else (first,)
    twos = second[1] if second[0] == UNION else (second,)
    union = tuple(dict.fromkeys((*ones, *twos)))
    if len(union) > MOST_REFERENCES:
        return None
    return union[0] if len(union) == 1 else (UNION, union)


def _join_objects(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    if not first or not second:
        return first or second
    return tuple(dict.fromkeys((*first, *second)))[:MOST_OBJECTS]


def tainted(taint: int) -> Value:
    """A value of which only the taint is known."""
    return (taint, NO, None, ()) if taint else UNKNOWN


def constant(value: Any) -> Value:
    """A known value."""
    return (0, value, None, ())


def references(reference: Any) -> tuple[Any, ...]:
    """The references that one may be."""
    if reference is None:
        return ()
    return reference[1] if reference[0] == UNION else (reference,)


def portable(reference: Any) -> Any:
    """A reference without the lanes and objects of one function, so that it may leave it."""
    if reference is None or reference[0] not in _TAKING:
        return reference
    sort = reference[0]
    if sort == PROJECT_FUNCTION:
        return reference if reference[2] is None else (PROJECT_FUNCTION, reference[1], None)
    if sort == BOUND:
        return (BOUND, bare(reference[1]), reference[2])
    if sort == BOUND_EXTERNAL:
        return (BOUND_EXTERNAL, portable(reference[1]), *reference[2:])
    if sort == PARTIAL:
        given = tuple(bare(one) for one in reference[2])
        named = tuple((name, bare(one)) for name, one in reference[3])
        return (PARTIAL, bare(reference[1]), given, named)
    return (UNION, tuple(portable(one) for one in reference[1]))


def bare(value: Value) -> Value:
    """A value without taint and objects."""
    return (0, value[1], portable(value[2]), ())
