"""Which calls set a cookie on a response, and what becomes of the cookies of `http.cookies`. It judges nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import regex, sensitivity
from charter_rules import building, calls, headers

if TYPE_CHECKING:
    from charter.api import Context

SETTERS: Final = (
    "*.set_cookie", "*.add_cookie", "*.set_secure_cookie", "*.set_signed_cookie", "*.send_header", "*.add", "*.add_header", "*.set_header",
)  # fmt: skip
"""Methods of responses that may set a cookie, by themselves or as a header."""

_CREDENTIAL: Final = regex(
    r"(?i)sess(ion)?(_?id)?$|session|(?<![a-z])auth|(?<!csrf)(?<!xsrf)(?<!csrf_)(?<!xsrf_)(?<!csrf-)(?<!xsrf-)token|jwt|remember|^sid$|login|credential"
)
_ABOUT: Final = regex(r"(?i)(?:is|has|show|no|did)[_-]")
_PLACE: Final = regex(r"(?i)(?:redirect|next|return|referr?er|url|path|page|origin|hint)(?:_?to)?$")
"""Ends of names of cookies that say where a visitor goes, with or without a login, or (OpenID's `login_hint`) who may be."""
_SCRIPTS: Final = regex(r"(?i)csrf|xsrf|lang|theme|locale|tz|timezone")
_ASKED_FOR: Final = regex(r"(?i)get_(?:\w+_)?cookie|cookies\b")
"""What asks a request for its cookies."""
_NO_KEY: Final = frozenset({"self", "handler", "request", "response", "resp"})


def is_response(call: ast.Call, ctx: Context) -> bool:
    """Whether a call sets a cookie on a response, rather than in the jar of a client or by a helper of one's own."""
    if not isinstance(call.func, ast.Attribute) or (len(call.args) < 2 and not calls.keyword(call, "value")):
        return False
    key = call.args[0] if call.args else None
    if isinstance(key, ast.Name) and key.id in _NO_KEY:
        return False
    receiver = calls.identifier(call.func.value).lower()
    if call.func.attr == "add_cookie":
        return "sanic" in ctx.text
    return "jar" not in receiver and "cookies" not in receiver and "super" not in ctx.source(call.func.value)


def is_usually(call: ast.Call, attribute: str) -> bool | None:
    """What a method that sets a cookie makes of an attribute that it is not given: Sanic's `add_cookie` says `secure` itself."""
    return True if attribute == "secure" and calls.identifier(call.func) == "add_cookie" else None


def holds_credential(call: ast.Call, ctx: Context) -> bool:
    """Whether the name or value of a cookie that a call sets says that it logs somebody in, or it is signed to be believed."""
    if calls.identifier(call.func) in {"set_secure_cookie", "set_signed_cookie"}:
        return True
    name = ctx.argument(call, 0, "key") or ctx.argument(call, None, "name")
    value = ctx.argument(call, 1, "value")
    if (
        value is not None
        and isinstance(ctx.value(value), str)
        and (name is None or not isinstance(ctx.value(name), str))
    ):
        return False  # says that something is done, for whatever key
    if _is_handed_back(name, value, ctx):
        return False
    words = [ctx.value(name) if name is not None else "", calls.identifier(name), calls.identifier(value)]
    return any(is_credential(word) for word in words if isinstance(word, str)) and not any(
        _SCRIPTS.search(word) for word in words if isinstance(word, str)
    )


def is_for_scripts(call: ast.Call, ctx: Context) -> bool:
    """Whether the cookie that a call sets has, unless somebody says otherwise, the name of one that scripts have to read."""
    name = ctx.argument(call, 0, "key")
    usual = None if name is None else ctx.usual(name)
    return isinstance(usual, str) and _SCRIPTS.search(usual) is not None


def _is_handed_back(name: ast.expr | None, value: ast.expr | None, ctx: Context) -> bool:
    """Whether a page gets back as a cookie what it has sent under the same name, in a file that never asks for a cookie."""
    said = None if value is None else ctx.origin(value)
    key = None if name is None else ctx.value(name)
    return (
        isinstance(said, ast.Call)
        and bool(said.args)
        and isinstance(key, str)
        and ctx.value(said.args[0]) == key
        and not ctx.says(_ASKED_FOR)
    )


def is_credential(name: str) -> bool:
    """Whether the name of a cookie, or of what is put into it, is that of a login."""
    if _ABOUT.match(name):
        return False
    if _PLACE.search(name):
        return False
    return _CREDENTIAL.search(name) is not None or sensitivity(name) is not None


def sent(node: ast.AST, ctx: Context) -> list[ast.expr]:
    """The values of `Set-Cookie` headers that a call or an assignment sends or a dictionary of headers holds."""
    return [value for name, value in headers.set_by(node, ctx) if name == "set-cookie"]


def lacks(header: ast.expr, attribute: str, ctx: Context) -> bool:
    """Whether a `Set-Cookie` header has a computed value, or a login's name, and not an attribute, all of it in sight."""
    known = ctx.value(header)
    if isinstance(known, str):
        name, equals, _ = known.partition("=")
        return bool(equals) and is_credential(name.strip()) and not _has(known, attribute)
    parts = building.pieces(ctx.origin(header), ctx)
    if not parts or not parts[0].text.partition("=")[0].strip() or "=" not in parts[0].text:
        return False
    first = next((number for number, part in enumerate(parts) if ";" in part.text), len(parts))
    if any(part.value is not None for part in parts[first:]):
        return False  # an attribute is computed
    return not _has("".join(part.text for part in parts), attribute)


def names_credential(header: ast.expr, ctx: Context) -> bool:
    """Whether a `Set-Cookie` header names a cookie that logs somebody in, which no script needs."""
    parts = building.pieces(ctx.origin(header), ctx)
    known = ctx.value(header)
    text = known if isinstance(known, str) else parts[0].text if parts else ""
    name = text.partition("=")[0].strip()
    return is_credential(name) and _SCRIPTS.search(name) is None


def _has(header: str, attribute: str) -> bool:
    """Whether a header has an attribute, or takes its cookie back."""
    return any(word in header.lower() for word in (attribute, "max-age=0", "expires=thu, 01"))


def morsel(node: ast.Assign, attribute: str, ctx: Context) -> str | None:
    """How a cookie of `http.cookies` lacks an attribute: "off" where that is said, "not set" where it never is.

    Args:
        node: `cookie["name"] = value`, or `cookie["name"]["secure"] = False`.
        attribute: the attribute in lower case.
        ctx: the file.

    Returns:
        None if the assignment makes no cookie that is sent, or the attribute may be set.
    """
    target = node.targets[0]
    if not isinstance(target, ast.Subscript):
        return None
    if isinstance(target.value, ast.Subscript):
        says = calls.identifier(target).lower() == attribute and ctx.value(node.value) in (False, "", None)
        return "off" if says and _is_jar(target.value.value, ctx) else None
    if not _is_jar(target.value, ctx):
        return None
    around = ctx.function(node) or ctx.tree
    jar = ctx.source(target.value)
    sent = isinstance(target.value, ast.Attribute) or _is_of_server(target.value, ctx)
    for other in ctx.walk(around):
        if (
            isinstance(other, ast.Assign)
            and isinstance(other.targets[0], ast.Subscript)
            and other is not node
        ):
            if calls.identifier(other.targets[0]).lower() == attribute:
                return None
        elif isinstance(other, ast.Call):
            if _gives_away(other, jar, ctx):
                return None
            sent = sent or calls.identifier(other.func) in {
                "output",
                "OutputString",
                "js_output",
                "print",
                "str",
                "values",
            }
        elif isinstance(other, (ast.FormattedValue, ast.Return)):
            sent = True
    return "not set" if sent else None


def morsel_name(node: ast.Assign, ctx: Context) -> str:
    """The name of the cookie that an assignment makes; "" if it is computed."""
    target = node.targets[0]
    while isinstance(target, ast.Subscript) and isinstance(target.value, ast.Subscript):
        target = target.value
    name = ctx.value(target.slice) if isinstance(target, ast.Subscript) else ""
    return name if isinstance(name, str) else ""


def _gives_away(call: ast.Call, jar: str, ctx: Context) -> bool:
    """Whether a call hands the cookies to code that may set their attributes, or takes them from a request."""
    if calls.identifier(call.func) in {"load", "update"} and jar in ctx.source(call.func):
        return True
    if (ctx.name(call.func) or "").startswith("builtins."):
        return False
    return any(ctx.source(item) == jar or ctx.source(item).startswith(f"{jar}[") for item in call.args)


def _is_jar(expression: ast.expr, ctx: Context) -> bool:
    """Whether an expression holds cookies that are sent to a browser."""
    if ctx.type_name(expression) in {
        "http.cookies.SimpleCookie",
        "http.cookies.BaseCookie",
        "Cookie.SimpleCookie",
    }:
        made = ctx.origin(expression)
        return not (isinstance(made, ast.Call) and made.args)
    if _is_of_server(expression, ctx):
        return True
    return (
        isinstance(expression, ast.Attribute)
        and expression.attr == "cookies"
        and (
            (ctx.type_name(expression.value) or "").startswith("django.http.")
            or ctx.made_by(expression.value).startswith("sanic.response.")
        )
    )


def _is_of_server(expression: ast.expr, ctx: Context) -> bool:
    """Whether an expression is CherryPy's jar of the cookies that are sent with the answer."""
    return calls.qualified(ctx, expression) == "cherrypy.response.cookie"
