"""How texts are built from others and what their place in the whole makes impossible. It knows no libraries."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
from abc import ABC
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.arguments import Arguments
from charter.analysis.taint.frame import LENGTH, PIECES, REST, Frame
from charter.analysis.taint.values import (
    ALL_ABSOLUTE,
    ALL_PARTS,
    ALL_SEGMENTS,
    BIT,
    BOUND,
    CONTAINERS,
    CONTROL,
    ELSEWHERE,
    EMPTY_TEXT,
    EXTERNAL,
    HOLE,
    INSTANCE,
    LANE,
    LONGEST_TEXT,
    NO,
    OBJECT,
    PART,
    PATH,
    PROJECT_INSTANCE,
    SEGMENT,
    SLASHED,
    SLASHES,
    TRUE,
    UNKNOWN,
    UP,
    Value,
    constant,
    lanes,
    references,
    spread,
    text_of,
    with_marks,
)
from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.model.project import Class

_OPEN_AUTHORITY = regex(r"(?:[A-Za-z\0][\w+.\-\0]*:)?/{0,2}[^/?#\\]*\Z")
_OF_NAME: Final = regex(rf"[^.\\{HOLE}]")
"""What is part of a name in a path, and neither a dot nor unknown."""
_SCHEME = regex(r"[A-Za-z\0][\w+.\-\0]*:")
_PERCENT = regex(r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<sort>[a-zA-Z%])")
_BRACES = regex(
    r"\{\{|\}\}|\{(?P<name>[^{}!:]*)(?:!(?P<conversion>[rsa]))?(?::(?P<form>(?:[^{}]|\{[^{}]*\})*))?\}"
)

_DICT: Final = (INSTANCE, "builtins.dict")
_SHOWN: Final = CONTAINERS | {"builtins.bytes"}
"""Built-in classes whose texts show line breaks as escapes."""
_VIEWS: Final = (".items()", ".keys()", ".values()")
"""What a library's mapping shows as a list."""
_WRITES: Final = ("__str__", "__repr__", "__format__")
_SLASHES: Final = spread(SLASHES)
_HOST: Final = spread(ELSEWHERE | BIT["ssrf"]) | _SLASHES
BEGINNING: Final = (EXTERNAL, "str.partition()[0]")
"""What the first piece of a text is: what it begins with, the text begins with."""
_NO_SLASH: Final = (EXTERNAL, "str.lstrip(/)")
_ENDPOINT: Final = spread(BIT["ssrf-part"])
"""What is impossible in the query of an address: it goes to the endpoint that stands before it."""
_CONNECTION: Final = spread(BIT["ssrf"])
"""What is impossible behind a slash at the beginning: it names no host."""
_NO_SLASHES: Final = (EXTERNAL, "str.lstrip(/\\)")
_STRIPPED: Final = {_NO_SLASH: _HOST & ~_SLASHES, _NO_SLASHES: _HOST}
"""What is impossible for a text behind a slash of its own from which all others in front were taken."""
_CELL: Final = spread(BIT["csv"])
_FORMULA: Final = "=+-@\t\r" + HOLE
"""What a cell begins with that a spreadsheet runs, or may."""
_ATTRIBUTE: Final = spread(BIT["attribute"])
_CONTROL: Final = spread(CONTROL)
_FOLDERS: Final = spread(PATH)
_UP: Final = spread(UP)
_NOT_BEHIND: Final = {"/": _FOLDERS, ".": _UP}
"""What is impossible behind the last slash of a text, and behind its last dot: `..` needs two of them."""
_NAME_QUOTES: Final = frozenset('"`')
"""What databases write around names."""
_QUOTES: Final = spread(BIT["sql"] | BIT["xpath"])
_FORMAT: Final = spread(BIT["format"])
_OBJECT: Final = spread(OBJECT)
_HTML: Final = spread(BIT["xss"])

_REPLACEMENTS: Final = {
    "\n": _CONTROL,
    "\r": _CONTROL,
    "\r\n": _CONTROL,
    "'": _QUOTES,
    '"': spread(BIT["xpath"]),
    "<": _HTML,
    "-": spread(BIT["argument"]),
    "{": spread(BIT["template"] | BIT["format"]),
}
"""What is impossible once a text is replaced by another."""

_SAME: Final = frozenset(
    "lower upper strip lstrip rstrip title capitalize swapcase casefold center ljust rjust zfill expandtabs translate "
    "encode decode removeprefix removesuffix tobytes as_posix __str__ __format__ copy __copy__ "
    "__deepcopy__ __await__ __enter__ __aenter__ __iter__ __aiter__ expanduser isoformat tolist".split()
)
"""Methods whose result is as dangerous as the receiver."""

_OF_TEXTS: Final = frozenset(
    "lower upper strip lstrip rstrip title capitalize swapcase casefold center ljust rjust zfill expandtabs "
    "removeprefix removesuffix".split()
)
"""Those whose result is a text, and nothing that the receiver might hold besides."""

_CODING: Final = frozenset({"encode", "decode"})
_ESCAPING: Final = frozenset({"unicode_escape", "unicode-escape", "idna", "punycode"})
"""Codecs that leave no line break as it is."""

_PIECES: Final = frozenset("split rsplit splitlines partition rpartition".split())
_NUMBERS: Final = frozenset(
    "find rfind index rindex count startswith endswith isalnum isalpha isascii isdecimal isdigit isidentifier islower "
    "isnumeric isprintable isspace istitle isupper __len__ __contains__ __eq__ hex fileno tell".split()
)
_FOLDED: Final = frozenset(
    "lower upper strip lstrip rstrip title capitalize swapcase casefold replace split rsplit splitlines partition "
    "rpartition removeprefix removesuffix zfill startswith endswith find rfind index count isalnum isalpha isdigit "
    "isdecimal isnumeric isidentifier islower isupper isspace encode decode join center ljust rjust".split()
)
"""Methods that are computed where everything is known."""


def impossible_after(text: str) -> int:
    """The bits that are safe for data that stands behind a text (with `HOLE` for unknown parts)."""
    if not text:
        return 0
    safe = ALL_ABSOLUTE | _ATTRIBUTE
    if text[0] not in _FORMULA:
        safe |= _CELL
    if "?" in text or "#" in text:
        safe |= _ENDPOINT
    if text == "/":
        safe |= _CONNECTION
    if text == HOLE:
        return safe | _HOST
    if "/" in text[1:] or _SCHEME.match(text) or text[0] in "/\\":
        open_host = _OPEN_AUTHORITY.match(text) if _SCHEME.match(text) or text.startswith("//") else None
        if open_host is None and text not in {"/", "\\"}:
            safe |= _HOST
    else:
        safe |= _HOST
    return safe


class Strings(Frame, ABC):
    """Texts built of texts."""

    def concat(self, parts: Sequence[Value]) -> Value:
        """The text made of these parts, one behind the other."""
        text = ""
        taint = 0
        known = True
        for at, part in enumerate(parts):
            value = part[1]
            if part[0]:
                own = part[0]
                if own & ALL_SEGMENTS:
                    own = _glued(own, text, text_of(parts[at + 1]) if at + 1 < len(parts) else "")
                if text:
                    own &= ~impossible_after(text)
                    if text == "/" and part[2] in _STRIPPED:
                        own &= ~_STRIPPED[part[2]]
                taint |= own
            if isinstance(value, str) and not part[0]:
                text += value
            else:
                known = False
                text += HOLE if part[0] and not isinstance(value, tuple) else text_of(part)
            if len(text) > LONGEST_TEXT:
                text = text[:LONGEST_TEXT] + HOLE
                known = False
                taint |= self._rest_of(parts)
                break
        if known:
            return (taint, text, None, ())
        return (taint, ("~", text), None, ())

    @staticmethod
    def _rest_of(parts: Sequence[Value]) -> int:
        taint = 0
        for part in parts:
            taint |= part[0]
        return taint & ~(ALL_ABSOLUTE | _HOST)

    def stringed(self, value: Value) -> Value:
        """`str(value)`."""
        if value[2] is not None and self._shows_parts(value[2]):
            taint = self.deep(value)
            if taint:
                return (taint & ~self._in_parts(value, taint) & ~_OBJECT, NO, None, ())
        if value[0] & _OBJECT:
            value = (value[0] & ~_OBJECT, *value[1:])
        if value[3]:
            taint = self.deep(value)
            if taint & _CONTROL:
                taint &= ~_CONTROL | self._own_text(value)
            if taint != value[0]:
                return (taint, NO, None, ())
        known = value[1]
        if known is not NO and not isinstance(known, str | tuple) and not isinstance(known, bytes):
            return (value[0], str(known), None, ())
        if isinstance(known, bytes):
            return (value[0], NO, None, ())
        if value[2] is not None and not value[0]:
            return (0, known, None, ())
        if value[2] is None or value[2] in _STRIPPED:
            return value
        return (value[0], known, None, ())

    def _own_text(self, value: Value) -> int:
        """The line breaks that a class's `__str__` lets into the text of an instance: none if it shows what a list or dictionary shows."""
        reference = value[2]
        method = None
        if reference is not None and reference[0] == PROJECT_INSTANCE:
            method = self.project.method(reference[1], "__str__")
        if method is None:
            return _CONTROL
        return self.invoke((0, NO, (BOUND, value, method), ()), Arguments(0), 0)[0]

    def _shows_parts(self, reference: Any) -> bool:
        """Whether the text of whatever it may be is made with `repr` of its parts, as that of lists and data classes is."""
        if reference[0] == EXTERNAL:
            return reference[1].endswith(_VIEWS)
        known = [one for one in references(reference) if one[0] != EXTERNAL]
        return bool(known) and all(
            not _SHOWN.isdisjoint(self.index.ancestors(one[1]))
            if one[0] == INSTANCE
            else one[0] == PROJECT_INSTANCE and self._has_no_text(one[1])
            for one in known
        )

    @staticmethod
    def _in_parts(value: Value, taint: int) -> int:
        """The bits of line breaks that are only in parts. What is joined with a text goes by the class of the other."""
        if value[2][0] == EXTERNAL or (value[2][0] == INSTANCE and value[2][1] not in CONTAINERS):
            return _CONTROL
        own = 0
        for lane in lanes(value[0]):
            if not value[0] >> LANE * lane & OBJECT:
                own |= value[0] & CONTROL << LANE * lane
        return taint & _CONTROL & ~own

    def _has_no_text(self, cls: Class) -> bool:
        """Whether neither a class of the project nor its bases say how its instances are written, as exceptions and texts do."""
        if any(name in one.methods for one in self.project.lineage(cls) for name in _WRITES):
            return False
        return not any(
            (base.startswith("builtins.") and base not in CONTAINERS) or base.endswith(("Error", "Exception"))
            for base in self.project.externals(cls)
        )

    def percent(self, template: Value, operand: Value) -> Value:
        """`template % operand`."""
        text = template[1]
        if not isinstance(text, str):
            return (template[0] | self.deep(operand), NO, None, ())
        parts: list[Value] = []
        at = 0
        position = 0
        for match in _PERCENT.finditer(text):
            parts.append(constant(text[at : match.start()]))
            at = match.end()
            sort = match["sort"]
            if sort == "%":
                parts.append(constant("%"))
                continue
            if match["key"] is not None:
                value = self.read(operand, match["key"])
            else:
                value = self.read(operand, position) if operand[3] else operand if position == 0 else None
                position += 1
            if value is None:
                whole = match["key"] is None and operand[2] == _DICT
                value = operand if whole else (self.deep(operand), NO, None, ())
            parts.append(self._converted(value, sort))
        parts.append(constant(text[at:]))
        result = self.concat(parts)
        return (result[0] | template[0], result[1], None, ())

    def _converted(self, value: Value, sort: str) -> Value:
        if sort in "diouxXeEfFgGc":
            return (
                UNKNOWN if value[1] is NO or not isinstance(value[1], int | float) else self.stringed(value)
            )
        value = self.stringed(value)
        if sort in "ra":
            return (value[0] & ~_CONTROL, NO, None, ())
        return value

    def braces(self, template: Value, arguments: Any) -> Value:
        """`template.format(…)`."""
        text = template[1]
        everything = template[0]
        if template[0] & _FORMAT and any(one[1] is NO for one in arguments.everything()):
            self.reach("format", "str.format", template[0], arguments.place, arguments.place, "", template)
        for value in arguments.everything():
            everything |= self.deep(value)
        if not isinstance(text, str):
            return (everything, NO, None, ())
        parts: list[Value] = []
        at = 0
        automatic = 0
        for match in _BRACES.finditer(text):
            parts.append(constant(text[at : match.start()]))
            at = match.end()
            if match[0] in {"{{", "}}"}:
                parts.append(constant(match[0][0]))
                continue
            name = match["name"] or ""
            if not name:
                name, automatic = str(automatic), automatic + 1
            value = self._field(name, arguments)
            if match["form"] and match["form"][-1] in "dxXobeEfFgGn%":
                value = UNKNOWN
            parts.append(self._converted(value, match["conversion"] or "s"))
        parts.append(constant(text[at:]))
        result = self.concat(parts)
        return (result[0] | template[0], result[1], None, ())

    def _field(self, name: str, arguments: Any) -> Value:
        """The value of a replacement field such as `0`, `user`, `user.name` or `row[key]`."""
        head, *rest = re.split(r"\.|\[|\]\.?", name)
        value = arguments.position(int(head)) if head.isdigit() else arguments.keyword(head)
        if value is None and arguments.double is not None:
            value = self.read(arguments.double, head)
        if value is None:
            value = UNKNOWN
            for one in arguments.unpacked():
                value = (value[0] | self.deep(one), NO, None, ())
        for step in rest:
            if step:
                found = self.read(value, step) or self.read(value, "." + step)
                value = found if found is not None else (value[0], NO, None, ())
        return value

    def joined_text(self, separator: Value, value: Value) -> Value:
        """`separator.join(value)`."""
        state = self.state
        if len(value[3]) == 1 and state is not None:
            cells = state.get(value[3][0]) or {}
            length = cells.get(LENGTH)
            if length is not None and length[1] < 64 and REST not in cells:
                parts: list[Value] = []
                for index in range(length[1]):
                    if index and separator[1] != "":
                        parts.append(separator)
                    parts.append(self.stringed(cells.get(index, UNKNOWN)))
                return self.concat(parts) if parts else EMPTY_TEXT
        taint = self.any_key(value)[0] if value[2] == _DICT and value[3] else self.deep(value)
        if separator[1] == "" and value[3] and self.read(value, PIECES) == TRUE:
            taint &= ~ALL_PARTS
        if not _is_no_separator(separator[1]):
            taint &= ~ALL_SEGMENTS
        return (separator[0] | taint, NO, None, ())

    def string_method(self, value: Value, name: str, arguments: Any, position: int) -> Value | None:
        """The result of a method that texts have; None if no text has it."""
        computed = self._computed(value, name, arguments)
        if computed is not None:
            return computed
        if name == "format_map":
            name, mapping = "format", arguments.position(0)
            arguments = Arguments(position)
            arguments.double = mapping
        if name == "join":
            first = arguments.position(0)
            return None if first is None else self.joined_text(value, first)
        if name == "format" and value[0] and value[1] is NO and self.project.methods_named("format"):
            return (value[0], NO, None, ())  # perhaps a method of the project's own
        if name == "format" and (value[1] is not NO or value[0]):
            return self.braces(value, arguments)
        if name in {"strip", "lstrip"} and (begins := _stripped(arguments)) is not None:
            return (value[0] & ~ALL_ABSOLUTE, NO, begins, ())
        if name in _SAME:
            escaped = name == "encode" and (arguments.get(0, "encoding") or UNKNOWN)[1] in _ESCAPING
            escaped = escaped or (name == "translate" and self._takes_breaks(arguments))
            text = value[1] if name in _CODING and isinstance(value[1], tuple) else NO
            if name in _OF_TEXTS:
                return (value[0], NO, None, ())
            return (value[0] & ~_CONTROL if escaped else value[0], text, value[2], value[3])
        if name == "replace":
            return self._replaced(value, arguments)
        if name in _PIECES:
            return self._pieces(value, name, arguments, position)
        if name in _NUMBERS:
            return UNKNOWN
        return None

    def _computed(self, value: Value, name: str, arguments: Any) -> Value | None:
        """The result of a method of a known text with known arguments."""
        known = value[1]
        if name not in _FOLDED or not isinstance(known, str | bytes) or value[0] or arguments.keywords:
            return None
        operands = [one[1] for one in arguments.positional]
        if arguments.unpacked() or not all(isinstance(one, str | int | bytes) for one in operands):
            return None
        if any(isinstance(one, int) and one > LONGEST_TEXT for one in operands):
            return UNKNOWN  # a width, which would have to be computed to be seen
        try:
            result = getattr(known, name)(*operands)
        except Exception:  # noqa: BLE001 - the analysed program would raise it; any error means "unknown"
            return None
        if isinstance(result, list | tuple):
            return self.sequence([constant(one) for one in result], "list", arguments.place)
        return (
            UNKNOWN if isinstance(result, str | bytes) and len(result) >= LONGEST_TEXT else constant(result)
        )

    def sequence(self, values: list[Value], sort: str, position: int) -> Value:
        """A new list, tuple or set with these elements."""
        cells: dict[Any, Value] = dict(enumerate(values))
        cells[LENGTH] = constant(len(values))
        return self.new(f"builtins.{sort}", position, cells)

    def _takes_breaks(self, arguments: Any) -> bool:
        """Whether a table for `translate` names line breaks."""
        table = arguments.position(0)
        cells = (self.state or {}).get(table[3][0]) or {} if table is not None and len(table[3]) == 1 else {}
        return any(key in cells for key in (10, 13, "\n", "\r"))

    def _replaced(self, value: Value, arguments: Any) -> Value:
        old = arguments.position(0)
        new = arguments.position(1)
        taint = value[0] | (new[0] if new is not None else 0)
        if old is not None and isinstance(old[1], str) and (new is None or not new[0]):
            known = NO if new is None else new[1]
            taint &= ~self.gone_with(old[1], known)
            if not _is_no_separator(known):
                taint &= ~ALL_SEGMENTS
            if old[1] == "\\" and known == "/":
                taint = with_marks(taint, SLASHED)
        return (taint, NO, None, ())

    @staticmethod
    def gone_with(old: str, new: Any) -> int:
        """What is impossible once a text is replaced by another, which may be `NO`."""
        gone = _REPLACEMENTS.get(old, 0)
        if old == ".." and isinstance(new, str) and "." not in new:
            gone |= _UP  # unlike `../`, which `....//` leaves behind
        if old in _NAME_QUOTES and new == old + old:
            gone |= _QUOTES  # it stands in a quoted name
        if old == "/" and _is_no_separator(new):
            gone |= _FOLDERS
        return gone | _SLASHES if old == "\\" and new != "/" else gone

    def _pieces(self, value: Value, name: str, arguments: Any, position: int) -> Value:
        piece = (with_marks(value[0], PART), NO, None, ())
        separator = arguments.position(0) or UNKNOWN
        if (
            name == "split"
            and separator[1] == "/"
            and arguments.position(1) is None
            and not arguments.keywords
        ):
            piece = (with_marks(piece[0] & ~ALL_ABSOLUTE, SEGMENT), NO, None, ())
        if name in {"split", "rsplit"} and separator[1] == "." and arguments.position(1) is None:
            piece = (piece[0] & ~_UP, NO, None, ())  # no piece holds a dot
        if name == "splitlines" or (
            name in {"split", "rsplit"} and not arguments.positional and not arguments.keywords
        ):
            piece = (piece[0] & ~_CONTROL, NO, None, ())  # no piece holds the line break
        if name in {"partition", "rpartition"} or (name == "rsplit" and _is_one(arguments.position(1))):
            last = piece
            if name != "partition" and separator[1] in _NOT_BEHIND:
                last = (piece[0] & ~_NOT_BEHIND[separator[1]], NO, None, ())
            if name == "rsplit":
                return self.sequence([piece, last], "list", position)
            return self.sequence([(*piece[:2], BEGINNING, ()), separator, last], "tuple", position)
        first = {} if arguments.position(1) is None else {0: (*piece[:2], BEGINNING, ())}
        if name == "split" and (not arguments.positional or separator[1] == " "):
            first = first_word(value) or first
        return self.new("builtins.list", position, {**first, REST: piece})


def first_word(text: Value) -> dict[int, Value]:
    """The first of the words of a text, as a cell of their list: the program of a command; {} if it is not known."""
    begins = text_of(text).partition(HOLE)[0]
    words = begins.split()
    return {0: constant(words[0])} if len(words) > 1 or (words and begins[-1:].isspace()) else {}


def _stripped(arguments: Any) -> Any:
    """What a text is from whose beginning slashes were taken; None if it is others, or spaces."""
    taken = (arguments.position(0) or UNKNOWN)[1]
    if not isinstance(taken, str) or "/" not in taken:
        return None
    return _NO_SLASHES if "\\" in taken else _NO_SLASH


def _glued(taint: int, before: str, after: str) -> int:
    """The taint of a text of which pieces are one name of a path, where more of that name stands beside it: it is no `..`."""
    if not (_OF_NAME.search(before.rpartition("/")[2]) or _OF_NAME.search(after.partition("/")[0])):
        return taint
    for lane in lanes(taint):
        if taint >> LANE * lane & SEGMENT:
            taint &= ~(PATH << LANE * lane)
    return taint


def _is_one(value: Value | None) -> bool:
    return value is not None and value[1] == 1


def _is_no_separator(text: object) -> bool:
    """Whether a known text parts no folders."""
    return isinstance(text, str) and "/" not in text and "\\" not in text
