"""The values of string literals and the parts of f-strings and t-strings. It knows no statements.

Parts of f-strings have the places that CPython gives them since 3.12 (PEP 701); 3.11 places them by the whole string.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from typing import TYPE_CHECKING, Any, cast

import libcst as cst

from charter.api import regex
from charter.syntax import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.syntax.convert.cursor import Cursor

    Expression = Callable[[Cursor, cst.BaseExpression], ast.expr]
    Text = cst.FormattedStringText | cst.TemplatedStringText
    Hole = cst.FormattedStringExpression | cst.TemplatedStringExpression
    Piece = cst.SimpleString | cst.FormattedString | cst.TemplatedString

_PREFIX = regex(r"[A-Za-z]*")
_ESCAPE = regex(
    r"\\(\r\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]+\}|.)", re.DOTALL
)
_BYTE_ESCAPE = regex(r"\\(\r\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_LINE_END = regex(r"\r\n?")
_SIMPLE = {
    "\n": "", "\r": "", "\r\n": "", "\\": "\\", "'": "'", '"': '"',
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_COMMENT = regex(r"""("[^"]*"|'[^']*')|#[^\r\n]*""")


def literal(value: str) -> tuple[str | bytes, str | None]:
    """The value of a string literal without holes, and its `kind` ("u" or None), as `ast.Constant` has them.

    Raises:
        SyntaxError: for an escape that is malformed or a byte that is not ASCII.
    """
    prefix = cast("re.Match[str]", _PREFIX.match(value))[0].lower()
    quotes = 3 if value[len(prefix) : len(prefix) + 3] in {'"""', "'''"} else 1
    body = value[len(prefix) + quotes : -quotes]
    if "\r" in body:
        body = _LINE_END.sub("\n", body)
    raw = "r" in prefix
    if "b" in prefix:
        return _bytes(body, raw=raw), None
    return body if raw else unescape(body), "u" if prefix == "u" else None


def unescape(body: str) -> str:
    """Replace the escapes of a string literal's body; an unknown escape stays as it is, as in Python.

    Raises:
        SyntaxError: for a malformed escape of a character by number or name.
    """
    return _ESCAPE.sub(_character, body) if "\\" in body else body


def _character(match: re.Match[str]) -> str:
    escape = match[1]
    simple = _SIMPLE.get(escape)
    if simple is not None:
        return simple
    first = escape[0]
    if first in "01234567":
        return chr(int(escape, 8))
    try:
        if first in "xuU":
            return chr(int(escape[1:], 16))
        if first == "N":
            return unicodedata.lookup(escape[2:-1])
    except (ValueError, OverflowError, KeyError):
        raise SyntaxError(f"malformed \\{first} character escape") from None
    return match[0]


def _bytes(body: str, *, raw: bool) -> bytes:
    if not body.isascii():
        raise SyntaxError("bytes can only contain ASCII literal characters")
    if raw or "\\" not in body:
        return body.encode("ascii")
    return _BYTE_ESCAPE.sub(_byte, body).encode("latin-1")


def _byte(match: re.Match[str]) -> str:
    escape = match[1]
    simple = _SIMPLE.get(escape)
    if simple is not None:
        return simple
    if escape[0] in "01234567":
        return chr(int(escape, 8) & 0xFF)
    if escape[0] == "x":
        if len(escape) == 1:
            raise SyntaxError("malformed \\x character escape")
        return chr(int(escape[1:], 16))
    return match[0]


def string(at: Cursor, pieces: Sequence[Piece], expression: Expression, start: int) -> ast.expr:
    """Convert adjacent string literals, which are one value.

    Args:
        at: the position, before the first piece.
        pieces: the literals in order; one or more.
        expression: converts the expressions in the holes.
        start: offset of the first piece.

    Raises:
        SyntaxError: for a malformed escape, or bytes beside text.
    """
    values: list[ast.expr] = []
    holes: type[ast.JoinedStr | nodes.TemplateStr] | None = None
    for piece in pieces:
        if isinstance(piece, cst.SimpleString):
            begin = at.take(len(piece.value))
            value, kind = literal(piece.value)
            values.append(at.place(ast.Constant(value=value, kind=kind), begin))
            continue
        template = isinstance(piece, cst.TemplatedString)
        holes = nodes.TemplateStr if template else holes or ast.JoinedStr
        at.take(len(piece.start))
        raw = "r" in piece.start.lower()
        values.extend(_parts(at, piece.parts, expression, raw=raw))
        at.pos += len(piece.end)
    if holes is None:
        return values[0] if len(values) == 1 else _joined(at, cast("list[ast.Constant]", values), start)
    return at.place(holes(values=_merged(values)), start)


def _joined(at: Cursor, values: list[ast.Constant], start: int) -> ast.expr:
    texts: list[Any] = [value.value for value in values]
    try:
        whole: str | bytes = (b"" if isinstance(texts[0], bytes) else "").join(texts)
    except TypeError:
        raise SyntaxError("cannot mix bytes and nonbytes literals") from None
    return at.place(ast.Constant(value=whole, kind=values[0].kind), start)


def _parts(
    at: Cursor,
    parts: Sequence[cst.BaseFormattedStringContent | cst.BaseTemplatedStringContent],
    expression: Expression,
    *,
    raw: bool,
) -> list[ast.expr]:
    """Convert texts and holes; a hole with `=` brings its own text before it."""
    values: list[ast.expr] = []
    for part in parts:
        if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
            start = at.pos
            at.pos += len(part.value)
            body = part.value.replace("{{", "{").replace("}}", "}")
            if "\r" in body:
                body = _LINE_END.sub("\n", body)
            values.append(at.place(ast.Constant(value=body if raw else unescape(body)), start))
        else:
            values.extend(_hole(at, cast("Hole", part), expression, raw=raw))
    return values


def _hole(at: Cursor, part: Hole, expression: Expression, *, raw: bool) -> list[ast.expr]:
    start = at.pos
    at.pos += 1
    inside = at.pos
    value = expression(at, part.expression)
    shown = at.text[inside : at.pos].strip()
    before: list[ast.expr] = []
    if part.equal is not None:
        at.take(1)
        at.skip()
        text = _COMMENT.sub(_without_comment, at.text[inside : at.pos])
        before.append(at.place(ast.Constant(value=text), inside))
    at.skip()
    conversion = -1
    if part.conversion is not None:
        at.pos += 1
        conversion = ord(part.conversion)
        at.take(len(part.conversion))
        at.skip()
    elif part.equal is not None and part.format_spec is None:
        conversion = ord("r")
    spec = None
    if part.format_spec is not None:
        colon = at.pos
        at.pos += 1
        values = _merged(_parts(at, part.format_spec, expression, raw=raw))
        spec = at.place(ast.JoinedStr(values=values), colon)
    at.take(1)
    if isinstance(part, cst.TemplatedStringExpression):
        hole: ast.expr = nodes.Interpolation(value=value, str=shown, conversion=conversion, format_spec=spec)
    else:
        hole = ast.FormattedValue(value=value, conversion=conversion, format_spec=spec)
    return [*before, at.place(hole, start)]


def _without_comment(match: re.Match[str]) -> str:
    return match[1] or ""


def _merged(values: list[ast.expr]) -> list[ast.expr]:
    """Join neighbouring texts into one and drop empty ones, as CPython does."""
    merged: list[ast.expr] = []
    for value in values:
        last = merged[-1] if merged else None
        if isinstance(value, ast.Constant) and isinstance(last, ast.Constant):
            joined = ast.Constant(value=cast("str", last.value) + cast("str", value.value), kind=last.kind)
            joined.lineno, joined.col_offset = last.lineno, last.col_offset
            joined.end_lineno, joined.end_col_offset = value.end_lineno, value.end_col_offset
            merged[-1] = joined
        else:
            merged.append(value)
    return [value for value in merged if not isinstance(value, ast.Constant) or value.value]
