"""Ways to mend a flow of untrusted data where it ends: parameters, lists, escapes, filters. It follows no data itself."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.api import AddImport, Fix, Grade, regex
from charter_rules import building, calls, flows, shapes
from charter_rules.security.shell_with_built_text import list_fix

if TYPE_CHECKING:
    from charter.api import Context
    from charter.api.facts.taint import TaintFlow
    from charter_rules.building import Piece

_UNESCAPABLE: Final = regex(
    r"<\s*(?:script|style)\b|\bon\w+\s*=\s*[\"']?[^\"']*$|=\s*$|(?:href|src)\s*=\s*[\"']?$", re.IGNORECASE
)
_ESCAPES: Final = regex(r"(?i)escape|quote|sanitiz|clean|bleach|format_html|render")


def argument_list(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Run a program from a list of arguments, where the constant part has no words for the shell."""
    call, argument = flows.call(flow, ctx), flows.argument(flow, ctx)
    if call is None or argument is None:
        return None
    written = ctx.origin(argument)
    parts = building.pieces(written, ctx)
    return list_fix(call, ctx.name(call.func) or "", argument, written, parts, ctx) if parts else None


def literal(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Parse a literal instead of evaluating an expression."""
    call = flows.call(flow, ctx)
    if call is None or flow.sink != "builtins.eval" or len(call.args) != 1:
        return None
    return Fix(
        "Parse it with `ast.literal_eval`",
        (ctx.replace(call.func, "ast.literal_eval"), AddImport("ast")),
        Grade.UNSAFE,
    )


def template_variables(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Hand values to a constant template as variables."""
    call, argument = flows.call(flow, ctx), flows.argument(flow, ctx)
    if call is None or argument is None or not flow.sink.endswith("render_template_string"):
        return None
    parts = building.pieces(argument, ctx)
    if not parts or not all(piece.value is None or isinstance(piece.value, ast.Name) for piece in parts):
        return None
    names = list(dict.fromkeys(piece.value.id for piece in parts if isinstance(piece.value, ast.Name)))
    if calls.has_unpacking(call) or any(keyword.arg in names for keyword in call.keywords):
        return None
    text = "".join(
        f"{{{{ {piece.value.id} }}}}" if isinstance(piece.value, ast.Name) else piece.text for piece in parts
    )
    if any(char in text for char in "\\\n") or ('"' in text and "'" in text):
        return None
    quote = "'" if '"' in text else '"'
    given = ", ".join(f"{name}={name}" for name in names)
    return Fix(
        "Pass the values as variables",
        (ctx.replace(argument, f"{quote}{text}{quote}, {given}"),),
        Grade.UNSAFE,
    )


def escaped(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Escape the values in HTML text."""
    found = shapes.node_at(flow.location.span, ctx, ast.JoinedStr, ast.BinOp, ast.Call)
    parts = building.pieces(found, ctx) if found is not None else None
    if not parts or _MARKUP.search("".join(piece.text for piece in parts)) is None:
        return None
    values = [piece.value for piece in _unescaped(parts, ctx) if piece.value is not None]
    if not values or not _escapable(parts):
        return None
    edits = [ctx.replace(value, f"escape({ctx.source(value)})") for value in values]
    return Fix("Escape the values", (*edits, AddImport("markupsafe", "escape")), Grade.UNSAFE)


_MARKUP: Final = regex(r"<\s*[a-zA-Z/!]")


def _unescaped(parts: tuple[Piece, ...], ctx: Context) -> list[Piece]:
    found: list[Piece] = []
    for piece in parts:
        value = piece.value
        if value is None or piece.numeric:
            continue
        if isinstance(value, ast.Call) and _ESCAPES.search(ctx.source(value.func)):
            continue
        found.append(piece)
    return found


def _escapable(parts: tuple[Piece, ...]) -> bool:
    """Whether all values stand in text or in quoted attributes, where HTML escapes are enough."""
    text = ""
    for piece in parts:
        if piece.value is None:
            text += piece.text
        elif not piece.plain or _UNESCAPABLE.search(text):
            return False
    return True


def extraction_filter(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Unpack a tar archive with the filter for data."""
    call = flows.call(flow, ctx)
    if call is None or "tarfile" not in flow.sink or calls.keyword(call, "filter") is not None:
        return None
    return Fix('Unpack with `filter="data"`', (ctx.set_keyword(call, "filter", '"data"'),), Grade.UNSAFE)


def escaped_filter(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Escape the values of an LDAP filter."""
    argument = flows.argument(flow, ctx)
    parts = building.pieces(argument, ctx) if argument is not None else None
    if not parts or not parts[0].text.startswith("("):
        return None
    values = [piece.value for piece in _unescaped(parts, ctx) if piece.value is not None]
    if not values or not all(piece.plain for piece in parts):
        return None
    module = "ldap3.utils.conv" if flow.sink.startswith("ldap3.") else "ldap.filter"
    edits = [ctx.replace(value, f"escape_filter_chars({ctx.source(value)})") for value in values]
    return Fix("Escape the values", (*edits, AddImport(module, "escape_filter_chars")), Grade.UNSAFE)


def escaped_pattern(flow: TaintFlow, ctx: Context) -> Fix | None:
    """Find the text literally."""
    argument = flows.argument(flow, ctx)
    if argument is None or not isinstance(argument, ast.Name | ast.Attribute | ast.Subscript):
        return None
    return Fix(
        "Match it literally with `re.escape`",
        (ctx.replace(argument, f"re.escape({ctx.source(argument)})"), AddImport("re")),
        Grade.UNSAFE,
    )
