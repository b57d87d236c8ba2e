"""Questions about calls that security rules ask: which argument, which name, what a value is used for. It judges nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from charter.api import UNKNOWN, regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Related
    from charter.api.facts.names import PassedValue


CHOICE: Final = regex(
    r"(?i)verif|secure|ssl|tls|cert|crt\b|check|hostname|host_?key|skip|validate|self_?signed|\b(?:ca|bundle)\w* is (?:not )?False"
)
"""Words of a condition under which the user decides on a weaker protection."""
_FIELDS: Final = frozenset(
    {"form", "args", "values", "POST", "GET", "params", "query_params", "json", "data"}
)
"""Attributes of requests that hold what the client filled in."""
_TRIES: Final = regex(r"_*(?:(?:self_?)?test|dummy|fake|mock)_\w+")
"""Names of functions that try the program out, or stand in for others, wherever they are kept."""
NAMED_FOR_IT: Final = regex(
    r"(?i)unverified|without_?(?:verif|valid|check|signature)|insecure|unsecure|no_?verify|non_?verify|not_?verify|unsafe|(?:remove|disable|ignore)_?(?:ssl|tls|cert|verif)|(?:ssl|tls|cert)_?ignore|no_?(?:ssl|tls|cert)_?valid"
)
"""Words in the name of a function that is made for a weaker protection."""

_OF_TESTS: Final = regex(r"(?:^|/)(?:(?:\w+_)?test(?:s|ing)?/|testing\.py$)")
_CERTIFICATE: Final = regex(r"\.getpeercert\((?:True|binary_form=True)|\.get_peer_cert\w*\(")


def is_of_tests(ctx: Context) -> bool:
    """Whether a file belongs to tests: to the project's, or to a folder that is called so."""
    return ctx.is_test or _OF_TESTS.search(ctx.path) is not None


def called(ctx: Context, call: ast.Call) -> str:
    """What a call calls: a library's function, or a method by the class of its object; "" for the project's own or unknown."""
    name = ctx.name(call.func)
    if name is not None and not (ctx.module and name.startswith(f"{ctx.module}.")):
        return name
    owner = ctx.type_name(call.func.value) if isinstance(call.func, ast.Attribute) else None
    return f"{owner}.{call.func.attr}" if owner and isinstance(call.func, ast.Attribute) else ""


def keyword(call: ast.Call, name: str) -> ast.keyword | None:
    """A keyword argument that stands in the call itself."""
    return next((item for item in call.keywords if item.arg == name), None)


def has_unpacking(call: ast.Call) -> bool:
    """Whether a call takes arguments out of a `*list` or `**dict`, so that not all of them are seen."""
    return any(isinstance(item, ast.Starred) for item in call.args) or any(
        item.arg is None for item in call.keywords
    )


def given(ctx: Context, call: ast.Call, position: int | None, name: str) -> ast.expr | None:
    """An argument by position or keyword; also one that a `**` brings from a dictionary written in this file."""
    found = ctx.argument(call, position, name)
    if found is not None:
        return found
    for item in call.keywords:
        if item.arg is None:
            value = held(ctx, call, item.value, name)
            if value is not None:
                return value
    return None


def held(ctx: Context, call: ast.Call, mapping: ast.expr, key: str) -> ast.expr | None:
    """What a dictionary of this file holds under a key when a call is given it, if that is certain."""
    found = entry(ctx.origin(mapping), key)
    if not isinstance(mapping, ast.Name):
        return found
    function = ctx.function(call)
    places = [*ctx.reads.get(mapping.id, ()), *ctx.binds.get(mapping.id, ())]
    for place in sorted(places, key=lambda one: (one.lineno, one.col_offset)):
        if place.lineno >= call.lineno or ctx.function(place) is not function:
            continue
        change = _change(ctx.parent(place), key, found, ctx)
        if change is not found:
            found = change if ctx.parent(ctx.statement(place)) in {function, ctx.tree} else None
    return found


def _change(user: ast.AST | None, key: str, before: ast.expr | None, ctx: Context) -> ast.expr | None:
    """What a dictionary holds under a key after it was used, by the node that uses it, and what there was before."""
    if isinstance(user, ast.AugAssign):
        return entry(user.value, key) or before
    if isinstance(user, ast.Subscript) and not isinstance(user.ctx, ast.Load):
        if identifier_of_key(user.slice) != key:
            return before
        stored = ctx.parent(user)
        return stored.value if isinstance(stored, ast.Assign) else None
    method = ctx.parent(user) if isinstance(user, ast.Attribute) else None
    if not isinstance(user, ast.Attribute) or not isinstance(method, ast.Call):
        return before
    first = method.args[0] if method.args else None
    if user.attr == "update":
        told = keyword(method, key)
        return told.value if told else (entry(first, key) if first else None) or before
    if user.attr in {"pop", "setdefault"} and identifier_of_key(first) == key:
        return None if user.attr == "pop" else before or ctx.argument(method, 1)
    return before


def entry(mapping: ast.expr, key: str) -> ast.expr | None:
    """The value under a key of a dictionary display or a `dict(…)` call."""
    if isinstance(mapping, ast.Dict):
        for each, value in zip(mapping.keys, mapping.values, strict=True):
            if isinstance(each, ast.Constant) and each.value == key:
                return value
    if isinstance(mapping, ast.Call) and isinstance(mapping.func, ast.Name) and mapping.func.id == "dict":
        found = keyword(mapping, key)
        return found.value if found else None
    return None


def value(ctx: Context, call: ast.Call, position: int | None, name: str, default: object = UNKNOWN) -> object:
    """The constant that an argument has; the default if it is not given (and nothing is unpacked); else `UNKNOWN`."""
    argument = given(ctx, call, position, name)
    if argument is not None:
        return ctx.value(argument)
    hidden = any(isinstance(item, ast.Starred) for item in call.args)
    for item in call.keywords:
        if item.arg is None:
            unpacked = ctx.value(item.value)
            if not isinstance(unpacked, dict):
                hidden = True
            elif name in unpacked:
                return cast("dict[str, object]", unpacked)[name]
    return UNKNOWN if hidden else default


def usual(ctx: Context, call: ast.Call, position: int | None, name: str) -> object:
    """The constant that an argument has unless somebody says otherwise; `UNKNOWN` if it is not given."""
    argument = given(ctx, call, position, name)
    return UNKNOWN if argument is None else ctx.usual(argument)


class Choice(NamedTuple):
    """One value that an argument has in some run.

    Attributes:
        value: the constant, or `UNKNOWN`.
        name: what it is a name for (`ssl.CERT_NONE`); "" if nothing.
        told: the call elsewhere that gives it; None if it stands at the argument itself.
    """

    value: object
    name: str
    told: PassedValue | None = None


def choices(ctx: Context, call: ast.Call, position: int | None, name: str) -> Iterator[Choice]:
    """The values that an argument may have: its own, the default of a parameter it is, and what calls give to that.

    Calls that stand under a condition about the protection, or in functions made for it, are left out.
    """
    argument = given(ctx, call, position, name)
    if argument is not None:
        yield from values_of(ctx, argument)
        return
    for item in call.keywords:
        if item.arg is None:
            unpacked = ctx.value(item.value)
            if isinstance(unpacked, dict) and name in unpacked:
                yield Choice(cast("dict[str, object]", unpacked)[name], "")
            else:
                yield from _passed(ctx, item.value, name)


def values_of(ctx: Context, expression: ast.expr) -> Iterator[Choice]:
    """The values that an expression may have, as for `choices`."""
    own = ctx.usual(expression)
    target = ctx.name(ctx.origin(expression, usual=True)) or ctx.name(expression) or ""
    if own is not UNKNOWN or target:
        yield Choice(own, target)
    for override in ctx.overrides(expression):
        yield Choice(ctx.value(override), qualified(ctx, override))
    yield from _passed(ctx, expression)


def _passed(ctx: Context, expression: ast.expr, keyword: str = "") -> Iterator[Choice]:
    for told in ctx.passed(expression, keyword):
        if not (CHOICE.search(told.condition) or NAMED_FOR_IT.search(told.function)):
            yield Choice(told.value, told.target, told)


def chosen(choice: Choice, ctx: Context) -> tuple[Related, ...]:
    """The place that a finding about a choice should show besides its own."""
    if choice.told is None:
        return ()
    return (ctx.related(choice.told.location, "this is where the value comes from"),)


def qualified(ctx: Context, expression: ast.expr | None) -> str:
    """The qualified name of an expression, through names bound once; "" if it has none."""
    if expression is None:
        return ""
    return ctx.name(ctx.origin(expression)) or ctx.name(expression) or ""


def decorating(decorator: ast.expr) -> ast.expr:
    """What a decorator is, without the arguments that it may be given."""
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def identifier(expression: ast.AST | None) -> str:
    """The last identifier of a name, an attribute, a constant subscript or a call of one; "" if there is none."""
    if type(expression) is ast.Name:
        return expression.id
    if type(expression) is ast.Attribute:
        return expression.attr
    if type(expression) is ast.arg:
        return expression.arg
    if type(expression) is ast.Subscript and type(expression.slice) is ast.Constant:
        return expression.slice.value if isinstance(expression.slice.value, str) else ""
    if type(expression) is ast.Call:
        if type(expression.func) is ast.Attribute and expression.func.attr in {
            "get",
            "pop",
            "getlist",
            "getenv",
        }:
            first = expression.args[0] if expression.args else None
            if type(first) is ast.Constant and isinstance(first.value, str):
                return first.value
        if type(expression.func) is ast.Attribute and expression.func.attr in {
            "encode",
            "decode",
            "strip",
        }:
            return identifier(expression.func.value)
        return identifier(expression.func)
    return ""


def is_asked_of_client(expression: ast.expr) -> bool:
    """Whether an expression reads a field of a form, of the query or of the body: `request.form["password"]`."""
    place = expression.value if isinstance(expression, ast.Subscript) else None
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
        place = expression.func.value if expression.func.attr in {"get", "getlist"} else None
    return isinstance(place, ast.Attribute) and place.attr in _FIELDS


def destinations(ctx: Context, node: ast.AST) -> Iterator[str]:
    """The names that a value goes by next: targets, keywords, dictionary keys, parameters, the function returning it."""
    child = node
    for parent in ctx.ancestors(node):
        if isinstance(parent, ast.keyword) and parent.arg:
            yield parent.arg
        elif isinstance(parent, ast.Dict) and child in parent.values:
            yield identifier_of_key(parent.keys[parent.values.index(child)])  # pyright: ignore[reportArgumentType]
        elif isinstance(parent, ast.Assign):
            yield from map(identifier, parent.targets)
        elif isinstance(parent, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            yield identifier(parent.target)
        elif isinstance(parent, ast.Return):
            function = ctx.function(parent)
            if function is not None:
                yield function.name
        elif (
            isinstance(parent, ast.Call)
            and child is not parent.func
            and isinstance(parent.func, ast.Attribute)
        ):
            yield parent.func.attr
        elif isinstance(parent, ast.Subscript) and child is parent.slice:
            return
        if isinstance(parent, (ast.stmt, ast.Lambda)):
            return
        child = parent


def identifier_of_key(key: ast.expr | None) -> str:
    """A dictionary key that is a constant string; else ""."""
    return key.value if type(key) is ast.Constant and isinstance(key.value, str) else ""


def is_chosen(ctx: Context, node: ast.AST) -> bool:
    """Whether the user decides on a weaker protection: under a condition that speaks of it, or in a function made for it."""
    function = ctx.function(node)
    if function is not None and NAMED_FOR_IT.search(function.name):
        return True
    return any(
        isinstance(parent, (ast.If, ast.IfExp)) and CHOICE.search(ctx.source(parent.test))
        for parent in ctx.ancestors(node)
    )


def tries_out(ctx: Context, node: ast.AST) -> bool:
    """Whether a function around a node is there to try the program out: `test_server`."""
    function = ctx.function(node)
    return function is not None and _TRIES.fullmatch(function.name) is not None


def reads_certificate(ctx: Context, function: ast.AST | None) -> bool:
    """Whether a function connects to read or to compare the certificate that the other side shows, in its binary form."""
    return function is not None and _CERTIFICATE.search(ctx.source(function)) is not None


def short(ctx: Context, expression: ast.AST, limit: int = 40) -> str:
    """The text of an expression for a message, in one line and not too long."""
    text = " ".join(ctx.source(expression).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
