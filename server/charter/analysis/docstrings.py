"""How docstrings are read and begun, in the Google, NumPy and Sphinx styles. It knows nothing of the code they document.

Sources: PEP 257; the Google Python Style Guide, section 3.8; the numpydoc format guide; Sphinx's Python domain (field lists).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Style = Literal["google", "numpy", "sphinx"]

_SECTIONS = {
    "args": "parameters",
    "arguments": "parameters",
    "parameters": "parameters",
    "params": "parameters",
    "keyword args": "others",
    "keyword arguments": "others",
    "other parameters": "others",
    "other args": "others",
    "attributes": "attributes",
    "returns": "returns",
    "return": "returns",
    "yields": "yields",
    "yield": "yields",
    "raises": "raises",
    "raise": "raises",
    "exceptions": "raises",
    "example": "",
    "examples": "",
    "note": "",
    "notes": "",
    "see also": "",
    "references": "",
    "warning": "",
    "warnings": "",
    "warns": "",
    "todo": "",
    "methods": "",
    "receives": "",
}
"""What each heading opens; "" for prose that holds no entries of ours."""

_GOOGLE_HEADING = regex(r"([A-Z][A-Za-z ]+):")
_UNDERLINE = regex(r"-{3,}")
_GOOGLE_ENTRY = regex(
    r"(?P<names>\*{0,2}[A-Za-z_][\w.]*(?:\s*,\s*\*{0,2}[A-Za-z_]\w*)*)\s*(?:\([^)]*(?:\([^)]*\)[^)]*)*\))?\s*:(?!:)"
)
_NUMPY_ENTRY = regex(r"(?P<names>\\?\*{0,2}[A-Za-z_][\w.]*(?:\s*,\s*\\?\*{0,2}[A-Za-z_]\w*)*)\s*(?::.*)?")
_FIELD = regex(
    r"[:@](?P<field>param|parameter|arg|argument|key|keyword|kwarg|raises?|except|exception|returns?|rtype|yields?|type|ivar|cvar|var)"
    r"\b(?P<rest>[^:\n]*):"
)
_NAMES = regex(r"\s*[\w\\*.]+(\s*,\s*[\w\\*.]+)+")
_NAME = regex(r"[A-Za-z_](?:[\w.]|\\_)*")
_FIELD_KINDS = {
    "param": "parameters",
    "parameter": "parameters",
    "arg": "parameters",
    "argument": "parameters",
    "key": "parameters",
    "keyword": "parameters",
    "kwarg": "parameters",
    "raise": "raises",
    "raises": "raises",
    "except": "raises",
    "exception": "raises",
    "return": "returns",
    "returns": "returns",
    "rtype": "returns",
    "yield": "yields",
    "yields": "yields",
    "ivar": "attributes",
    "cvar": "attributes",
    "var": "attributes",
}
_PLACEHOLDER = regex(
    r"(?:\.{3}|…|_summary_|(?-i:TODO|FIXME|XXX|TBD)\b.*|docstrings?( here)?\.?|(missing|add|insert|write|fill in)( a| the)? doc(string|umentation)s?.*"
    r"|(function|method|class|module) (docstring|description)\.?|description\.?|\W*)",
    re.IGNORECASE,
)


class Entry(Struct, frozen=True):
    """One thing that a docstring names.

    Attributes:
        name: a parameter without its stars, an exception, or "" for a return.
        start: offset of the name in the text that was parsed, 0-based.
        end: offset behind the name.
    """

    name: str
    start: int
    end: int


class Docstring(Struct):
    """What a docstring says.

    Attributes:
        style: its convention; None where it has no section that tells.
        summary: the first line that has text.
        parameters: the parameters it describes, in order.
        others: what it describes beside them: keywords that are passed on, parameters of a callback.
        attributes: the attributes it describes.
        returns: where it describes what is returned; None if it does not.
        yields: where it describes what is yielded; None if it does not.
        raises: the exceptions it names.
    """

    style: Style | None = None
    summary: str = ""
    parameters: list[Entry] = field(default_factory=list[Entry])
    others: list[Entry] = field(default_factory=list[Entry])
    attributes: list[Entry] = field(default_factory=list[Entry])
    returns: Entry | None = None
    yields: Entry | None = None
    raises: list[Entry] = field(default_factory=list[Entry])

    @property
    def is_placeholder(self) -> bool:
        """Whether it is empty or says nothing yet, such as `TODO` or `_summary_`."""
        return _PLACEHOLDER.fullmatch(self.summary) is not None

    def add(self, kind: str, entry: Entry) -> None:
        """File an entry under what it describes."""
        if kind == "parameters":
            self.parameters.append(entry)
        elif kind == "others":
            self.others.append(entry)
        elif kind == "attributes":
            self.attributes.append(entry)
        elif kind == "raises":
            self.raises.append(entry)
        elif kind == "returns":
            self.returns = self.returns or entry
        elif kind == "yields":
            self.yields = self.yields or entry


class _Line(Struct, frozen=True):
    start: int
    indent: int
    text: str


def speaks(text: str) -> bool:
    """Whether a docstring may have a heading or a field, and say more than its summary."""
    return ":" in text or "@" in text or "---" in text


def parse(text: str) -> Docstring:
    """Read a docstring.

    Args:
        text: the docstring, either its value or its source without prefix and quotes.

    Returns:
        What it says; offsets are into `text`.
    """
    if not speaks(text):
        return Docstring(summary=_summary(text))
    lines = list(_lines(text))
    doc = Docstring(summary=next((line.text for line in lines if line.text), ""))
    index = 0
    while index < len(lines):
        line = lines[index]
        heading = line.text.lower()
        if (
            heading in _SECTIONS
            and index + 1 < len(lines)
            and _UNDERLINE.fullmatch(lines[index + 1].text)
            and lines[index + 1].indent == line.indent
        ):
            doc.style = "numpy"
            index = _numpy_section(doc, _SECTIONS[heading], lines, index + 2, line)
            continue
        match = _GOOGLE_HEADING.fullmatch(line.text)
        if match is not None and (kind := _SECTIONS.get(match[1].lower())) is not None:
            end = _google_section(doc, kind, lines, index + 1, line)
            if kind and end > index + 1:
                doc.style = doc.style or "google"
            index = max(end, index + 1)
            continue
        _field(doc, line)
        index += 1
    return doc


def _summary(text: str) -> str:
    """The first line that has text; the source may begin with a backslash that only continues it on the next line."""
    first, _, rest = text.strip().partition("\n")
    return _summary(rest) if first.rstrip() == "\\" else first.rstrip()


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for raw in text.splitlines(keepends=True):
        stripped = raw.lstrip(" \t")
        indent = len(raw) - len(stripped)
        said = stripped.rstrip()
        yield _Line(start + indent, len(raw[:indent].expandtabs()), "" if said == "\\" else said)
        start += len(raw)


def _google_section(doc: Docstring, kind: str, lines: Sequence[_Line], index: int, heading: _Line) -> int:
    """Read the entries under a heading such as `Args:`; gives the index of the first line behind them."""
    level: int | None = None
    # The first line of a docstring has no indentation of its own, whatever the others have.
    floor = heading.indent
    while index < len(lines):
        line = lines[index]
        if line.text:
            if line.indent <= floor:
                break
            level = line.indent if level is None else level
            if line.indent <= level:
                _google_entry(doc, kind, line)
        index += 1
    return index


def _google_entry(doc: Docstring, kind: str, line: _Line) -> None:
    if kind in {"returns", "yields"}:
        doc.add(kind, Entry("", line.start, line.start + len(line.text)))
        return
    match = _GOOGLE_ENTRY.match(line.text)
    if kind and match is not None:
        _add_names(doc, kind, match["names"], line.start)


def _numpy_section(doc: Docstring, kind: str, lines: Sequence[_Line], index: int, heading: _Line) -> int:
    """Read the entries under an underlined heading; gives the index of the first line behind them."""
    while index < len(lines):
        line = lines[index]
        if line.text and line.indent < heading.indent:
            break
        following = lines[index + 1] if index + 1 < len(lines) else None
        if (
            following is not None
            and _UNDERLINE.fullmatch(following.text)
            and line.text
            and line.indent == heading.indent
        ):
            break
        if kind and line.text and line.indent == heading.indent:
            if kind in {"returns", "yields"}:
                doc.add(kind, Entry("", line.start, line.start + len(line.text)))
            elif (match := _NUMPY_ENTRY.fullmatch(line.text)) is not None:
                _add_names(doc, kind, match["names"], line.start)
        index += 1
    return index


def _field(doc: Docstring, line: _Line) -> None:
    match = _FIELD.match(line.text)
    if match is None:
        return
    doc.style = doc.style or "sphinx"
    kind = _FIELD_KINDS.get(match["field"])
    rest = match["rest"].rstrip()
    if kind is None:
        return
    if kind in {"returns", "yields"}:
        doc.add(kind, Entry("", line.start, line.start + len(line.text)))
        return
    # `:param int count:` and `:param dict[str, int] count:` name the type first; the last word is the parameter.
    names = rest if kind == "raises" or _NAMES.fullmatch(rest) else rest.rpartition(" ")[2]
    offset = match.start("rest") + len(rest) - len(names)
    _add_names(doc, kind, names.partition("(")[0], line.start + offset)


def _add_names(doc: Docstring, kind: str, names: str, start: int) -> None:
    for match in _NAME.finditer(names):
        name = match[0].replace("\\", "")
        if name != "optional":
            doc.add(kind, Entry(name, start + match.start(), start + match.end()))


class Parameter(Struct, frozen=True):
    """A parameter as a docstring describes it.

    Attributes:
        name: its name, with the stars of `*args` and `**kwargs`.
        annotation: its type as written; "" if it has none.
        default: its default as written; "" if it has none.
    """

    name: str
    annotation: str = ""
    default: str = ""


class Outline(Struct, frozen=True):
    """What a new docstring must speak of.

    Attributes:
        summary: the first line.
        parameters: the parameters in order, without `self` and `cls`.
        returns: the type of what is returned; None for a procedure, "" if it is unknown.
        yields: likewise for a generator.
        raises: the exceptions that the body raises.
    """

    summary: str
    parameters: tuple[Parameter, ...] = ()
    returns: str | None = None
    yields: str | None = None
    raises: tuple[str, ...] = ()


def skeleton(outline: Outline, style: Style, *, quote: str = '"""') -> str:
    """Begin a docstring in a convention, the descriptions left open with `…`.

    Args:
        outline: what it must speak of.
        style: the convention.
        quote: the triple quote to use.

    Returns:
        The whole literal, its lines unindented.
    """
    sections = {"google": _google, "numpy": _numpy, "sphinx": _sphinx}[style](outline)
    if not sections:
        return f"{quote}{outline.summary}{quote}"
    return f"{quote}{outline.summary}\n\n{sections}\n{quote}"


def summary_of(name: str) -> str:
    """The first line for something of this name: its words as a sentence.

    `read_user_names` gives "Read user names.", `HTTPServer` "HTTP server.".
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    if not words:
        return f"{name}."
    parts = [word if word.isupper() and len(word) > 1 else word.lower() for word in words]
    sentence = " ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _google(outline: Outline) -> str:
    blocks: list[str] = []
    if outline.parameters:
        entries = (
            f"    {p.name}{f' ({p.annotation})' if p.annotation else ''}: {_description(p)}"
            for p in outline.parameters
        )
        blocks.append("Args:\n" + "\n".join(entries))
    for title, kind in (("Returns", outline.returns), ("Yields", outline.yields)):
        if kind is not None:
            blocks.append(f"{title}:\n    {f'{kind}: …' if kind else '…'}")
    if outline.raises:
        blocks.append("Raises:\n" + "\n".join(f"    {name}: …" for name in outline.raises))
    return "\n\n".join(blocks)


def _numpy(outline: Outline) -> str:
    blocks: list[str] = []
    if outline.parameters:
        entries = (
            f"{p.name}{f' : {p.annotation}' if p.annotation else ''}{_numpy_default(p)}\n    …"
            for p in outline.parameters
        )
        blocks.append("Parameters\n----------\n" + "\n".join(entries))
    for title, kind in (("Returns", outline.returns), ("Yields", outline.yields)):
        if kind is not None:
            blocks.append(f"{title}\n{'-' * len(title)}\n{f'{kind}' if kind else 'object'}\n    …")
    if outline.raises:
        blocks.append("Raises\n------\n" + "\n".join(f"{name}\n    …" for name in outline.raises))
    return "\n\n".join(blocks)


def _numpy_default(parameter: Parameter) -> str:
    if not parameter.default:
        return ""
    return f", default {parameter.default}" if parameter.annotation else f" : default {parameter.default}"


def _sphinx(outline: Outline) -> str:
    lines = [
        f":param {p.annotation + ' ' if _is_word(p.annotation) else ''}{p.name.lstrip('*')}: {_description(p)}"
        for p in outline.parameters
    ]
    for field_name, kind in (("returns", outline.returns), ("yields", outline.yields)):
        if kind is not None:
            lines.append(f":{field_name}: …")
            if kind and field_name == "returns":
                lines.append(f":rtype: {kind}")
    lines.extend(f":raises {name}: …" for name in outline.raises)
    return "\n".join(lines)


def _is_word(annotation: str) -> bool:
    return annotation.replace(".", "").isidentifier()


def _description(parameter: Parameter) -> str:
    return f"… Defaults to {parameter.default}." if parameter.default else "…"
