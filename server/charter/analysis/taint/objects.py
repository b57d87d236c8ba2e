"""Objects of the standard library that keep what they are given: patterns, configurations, text buffers, parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.frame import REST
from charter.analysis.taint.patterns import found, matched, substituted
from charter.analysis.taint.values import EXTERNAL, INSTANCE, NO, PART, UNKNOWN, Value, with_marks

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.analysis.taint.arguments import Arguments


def _pattern(frame: Any, name: str, receiver: Value, arguments: Arguments, place: int) -> Value | None:
    """`re.Pattern`."""
    pattern = (frame.read(receiver, ".pattern") or UNKNOWN)[1]
    text = arguments.position(0) or UNKNOWN
    if name in {"match", "fullmatch", "search"}:
        return matched(frame, pattern, text, place, whole=name == "fullmatch", begins=name != "search")
    if name in {"sub", "subn"}:
        return substituted(frame, pattern, text, arguments.get(1, "string") or UNKNOWN)
    if name == "findall":
        return found(pattern, text)
    if name in {"split", "finditer"}:
        return (with_marks(text[0], PART), NO, None, ())
    return None


def _match(frame: Any, name: str, receiver: Value, arguments: Arguments, place: int) -> Value | None:
    """`re.Match`: what the groups have matched."""
    if name == "groups":
        cells: dict[Any, Value] = frame.cells(receiver) or {}
        numbers = [key for key in cells if isinstance(key, int)]
        return frame.sequence([cells[key] for key in sorted(numbers)], "tuple", place) if numbers else None
    if name not in {"group", "__getitem__"} or not arguments.positional:
        return None
    whole = (receiver[0], NO, None, ())
    parts = [frame.read(receiver, one[1]) or whole for one in arguments.positional]
    return parts[0] if len(parts) == 1 else frame.sequence(parts, "tuple", place)


def _configuration(frame: Any, name: str, receiver: Value, arguments: Arguments, place: int) -> Value | None:
    """`configparser.ConfigParser`: values by section and option."""
    section, option = arguments.get(0, "section") or UNKNOWN, arguments.get(1, "option") or UNKNOWN
    known = isinstance(section[1], str) and isinstance(option[1], str)
    key = (section[1], option[1].lower()) if known else REST
    if name == "set":
        frame.write(receiver, key, arguments.get(2, "value") or UNKNOWN)
        return UNKNOWN
    if name in {"get", "getint", "getfloat", "getboolean"}:
        if name != "get":
            return UNKNOWN
        if not known:
            return frame.elements(receiver)
        found = frame.read(receiver, key)
        return found if found is not None else (receiver[0], NO, None, ())
    return None


def _buffer(frame: Any, name: str, receiver: Value, arguments: Arguments, place: int) -> Value | None:
    """`io.StringIO`: one text."""
    held = frame.read(receiver, ".text")
    if name in {"write", "writelines"}:
        new = arguments.position(0) or UNKNOWN
        if name == "writelines":
            new = (frame.deep(new), NO, None, ())
        before = held if held is not None else (receiver[0], "" if not receiver[0] else NO, None, ())
        frame.write(receiver, ".text", frame.concat([before, frame.stringed(new)]))
        return UNKNOWN
    if name in {"getvalue", "read", "readlines", "readline"}:
        return held if held is not None else (receiver[0], NO, None, ())
    return None


def _reader(frame: Any, name: str, receiver: Value, arguments: Arguments, place: int) -> Value | None:
    """`xml.sax` readers: which features are on."""
    if name != "setFeature":
        return None
    feature, on = arguments.position(0) or UNKNOWN, arguments.position(1) or UNKNOWN
    reference = feature[2]
    word = ""
    if reference is not None and reference[0] == EXTERNAL:
        word = reference[1].rpartition(".")[2]
    elif isinstance(feature[1], str):
        word = _FEATURES.get(feature[1].rpartition("/")[2], "")
    if word:
        value = (0, bool(on[1]), None, ()) if isinstance(on[1], int) else on
        frame.write(receiver, "." + word, value)
        for identity in receiver[3]:
            frame.set_up.setdefault(identity, []).append(place)
    return UNKNOWN


def _environment(frame: Any, name: str, receiver: Value, arguments: Arguments, place: int) -> Value | None:
    """`jinja2.Environment`: its templates escape if it does."""
    if name not in {"get_template", "select_template", "from_string"}:
        return None
    escaping = frame.read(receiver, ".autoescape")
    cells = {} if escaping is None else {".autoescape": escaping}
    return frame.new_object((INSTANCE, "jinja2.Template"), place, cells)


_FEATURES: Final = {
    "external-general-entities": "feature_external_ges",
    "external-parameter-entities": "feature_external_pes",
}

OBJECT_METHODS: Final[dict[str, Callable[[Any, str, Value, Arguments, int], Value | None]]] = {
    "re.Pattern": _pattern,
    "re.Match": _match,
    "configparser.ConfigParser": _configuration,
    "configparser.RawConfigParser": _configuration,
    "configparser.SafeConfigParser": _configuration,
    "io.StringIO": _buffer,
    "io.BytesIO": _buffer,
    "jinja2.Environment": _environment,
    "xml.sax.xmlreader.XMLReader": _reader,
}
"""Class to what its methods do; None from one leaves the call to the models."""
