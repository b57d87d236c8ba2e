"""Text that is put together at run time: f-strings, `+`, `%` and `format` taken apart into constant and computed pieces."""

from __future__ import annotations

import ast
import string
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from charter.api import Sensitivity, regex, sensitivity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.api import Context

_PERCENT: Final = regex(
    r"%(?:\((?P<name>[^)]*)\))?(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.\d+)?(?P<kind>[a-zA-Z%])"
)
_GETTER: Final = regex(r"(?:get|read|fetch|load|ask_for|prompt_for)_(\w+)$")


class Piece(Struct, frozen=True):
    """A part of a text that is built.

    Attributes:
        text: constant characters; "" for a computed part.
        value: the expression that is put in; None for constant characters.
        plain: whether the value goes in as `str(value)`, without conversion, padding or precision.
        numeric: whether the format forces a number (`%d`, `:02d`), which cannot carry text.
    """

    text: str = ""
    value: ast.expr | None = None
    plain: bool = True
    numeric: bool = False


def asks_for_secret(function: str) -> bool:
    """Whether a function is named for giving a password or secret: `get_password`, `read_api_key`."""
    match = _GETTER.match(function)
    return match is not None and sensitivity(match[1]) in {Sensitivity.PASSWORD, Sensitivity.SECRET}


def pieces(expression: ast.expr, ctx: Context) -> tuple[Piece, ...] | None:
    """Take a text apart.

    Returns:
        Its pieces in order, neighbouring constants joined; None if the expression does not build text.
    """
    if not is_built(expression) and not _fills_constant(expression, ctx):
        return None
    found = list(_pieces(expression, ctx))
    merged: list[Piece] = []
    for piece in found:
        if piece.value is None and merged and merged[-1].value is None:
            merged[-1] = Piece(merged[-1].text + piece.text)
        elif piece.value is not None or piece.text:
            merged.append(piece)
    return tuple(merged)


def is_built(expression: ast.expr) -> bool:
    """Whether an expression has the shape of text that is put together."""
    if isinstance(expression, ast.JoinedStr):
        return True
    if isinstance(expression, ast.BinOp):
        if isinstance(expression.op, ast.Mod):
            return _is_text(expression.left)
        return isinstance(expression.op, ast.Add) and (
            _has_text(expression.left) or _has_text(expression.right)
        )
    return (
        isinstance(expression, ast.Call)
        and isinstance(expression.func, ast.Attribute)
        and expression.func.attr == "format"
        and _is_text(expression.func.value)
    )


def _fills_constant(expression: ast.expr, ctx: Context) -> bool:
    """Whether an expression fills in a text that stands elsewhere, as `QUERY.format(name)` and `QUERY % name` do."""
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Mod):
        template = expression.left
    elif isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
        template = expression.func.value if expression.func.attr == "format" else None
    else:
        template = None
    return isinstance(template, (ast.Name, ast.Attribute)) and isinstance(ctx.value(template), str)


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_text(node.left) and _is_text(node.right)
    return (isinstance(node, ast.Constant) and isinstance(node.value, str)) or isinstance(node, ast.JoinedStr)


def _has_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return is_built(node) or _has_text(node.left) or _has_text(node.right)
    return _is_text(node) or is_built(node)


def _pieces(node: ast.expr, ctx: Context) -> Iterator[Piece]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield Piece(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield from _of_f_string(node, ctx)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _pieces(node.left, ctx)
        yield from _pieces(node.right, ctx)
    elif isinstance(node, ast.BinOp) and (is_built(node) or _fills_constant(node, ctx)):
        yield from _of_percent(node, ctx)
    elif isinstance(node, ast.Call) and (is_built(node) or _fills_constant(node, ctx)):
        yield from _of_format(node, ctx)
    else:
        yield from _of_value(node, ctx)


def _of_value(node: ast.expr, ctx: Context, *, plain: bool = True, numeric: bool = False) -> Iterator[Piece]:
    value = ctx.value(node)
    if isinstance(value, (str, int, float)) and plain and not isinstance(node, ast.Attribute):
        yield Piece(str(value))
    else:
        yield Piece(value=node, plain=plain, numeric=numeric)


def _of_f_string(node: ast.JoinedStr, ctx: Context) -> Iterator[Piece]:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            spec = ctx.value(part.format_spec) if part.format_spec is not None else ""
            numeric = isinstance(spec, str) and spec[-1:] in set("bcdeEfFgGnoxX%") and spec != ""
            plain = spec == "" and part.conversion in {-1, 115}
            yield from _of_value(part.value, ctx, plain=plain, numeric=numeric)
        else:
            yield from _pieces(part, ctx)


def _of_percent(node: ast.BinOp, ctx: Context) -> Iterator[Piece]:
    template = ctx.value(node.left)
    if not isinstance(template, str):
        yield from _pieces(node.left, ctx)
        yield Piece(value=node.right, plain=False)
        return
    values: Sequence[ast.expr] = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    named: dict[str, ast.expr] = {}
    filled = ctx.origin(node.right)
    if isinstance(filled, ast.Dict):
        named = {
            key.value: value
            for key, value in zip(filled.keys, filled.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
    at = used = 0
    for match in _PERCENT.finditer(template):
        yield Piece(template[at : match.start()])
        at = match.end()
        if match["kind"] == "%":
            yield Piece("%")
            continue
        value = named.get(match["name"]) if match["name"] else values[used] if used < len(values) else None
        used += not match["name"]
        plain = match["kind"] in "sd" and not match["flags"] and not match["width"]
        if value is None:
            yield Piece(value=node.right, plain=False)
        else:
            yield from _of_value(value, ctx, plain=plain, numeric=match["kind"] in "diouxXeEfFgGc")
    yield Piece(template[at:])


def _of_format(node: ast.Call, ctx: Context) -> Iterator[Piece]:
    assert isinstance(node.func, ast.Attribute)
    template = ctx.value(node.func.value)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    try:
        fields = list(string.Formatter().parse(template)) if isinstance(template, str) else None
    except ValueError:
        fields = None
    if fields is None:
        yield from _pieces(node.func.value, ctx)
        yield Piece(value=node, plain=False)
        return
    used = 0
    for text, name, spec, conversion in fields:
        yield Piece(text)
        if name is None:
            continue
        value: ast.expr | None
        if name == "" or name.isdigit():
            index = int(name) if name else used
            used += 1
            value = node.args[index] if index < len(node.args) else None
        else:
            value = keywords.get(name)
        if value is None or isinstance(value, ast.Starred):
            yield Piece(value=node, plain=False)
        else:
            yield from _of_value(
                value,
                ctx,
                plain=not spec and conversion in {None, "s"},
                numeric=bool(spec) and spec[-1] in "dfxgeb",
            )
