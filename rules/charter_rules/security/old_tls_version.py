"""Finds connections that allow SSL, TLS 1.0 or TLS 1.1."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import AddImport, Confidence, Fix, Grade, Severity, rule
from charter.api.facts.objects import ObjectHistory
from charter_rules import calls, places, shapes, tls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding, Location

_TITLES: Final = {"SSLv2": "SSL 2", "SSLv3": "SSL 3", "TLSv1": "TLS 1.0", "TLSv1_1": "TLS 1.1"}
_METHODS: Final = {
    "ssl.PROTOCOL_SSLv2": "SSL 2",
    "ssl.PROTOCOL_SSLv3": "SSL 3",
    "ssl.PROTOCOL_TLSv1": "TLS 1.0",
    "ssl.PROTOCOL_TLSv1_1": "TLS 1.1",
    **{
        f"{package}.SSL.{name}_METHOD": title
        for package in ("OpenSSL", "pyOpenSSL")
        for name, title in (
            ("SSLv2", "SSL 2"),
            ("SSLv3", "SSL 3"),
            ("TLSv1", "TLS 1.0"),
            ("TLSv1_1", "TLS 1.1"),
        )
    },
}
_LAST: Final = frozenset(name.rpartition(".")[2] for name in _METHODS)


@rule(
    ast.Attribute,
    ObjectHistory,
    code="SEC024",
    principles=("verified-transport", "sound-cryptography"),
    severity=Severity.HIGH,
    cwe=(327, 326, 757),
    mentions=("PROTOCOL_", "_METHOD"),
    aliases=("B502", "B503", "S502", "S503"),
    references=(
        "https://www.rfc-editor.org/rfc/rfc8996",
        "https://docs.python.org/3/library/ssl.html#protocol-versions",
    ),
)
def old_tls_version(node: ast.Attribute | ObjectHistory, ctx: Context) -> Iterator[Finding]:
    """Speak TLS 1.2 or newer.

    SSL 2 and 3, TLS 1.0 and 1.1 can be broken by those on the way (POODLE, BEAST) and were withdrawn in 2021 (RFC 8996). A context
    from `ssl.create_default_context()` needs no further choice: since Python 3.10 it allows TLS 1.2 and 1.3 only.

    ```python bad
    import ssl

    def context():
        return ssl.SSLContext(ssl.PROTOCOL_TLSv1)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ TLS 1.0 is used, which those on the way can break
    ```
    ```python good
    import ssl

    def context():
        return ssl.create_default_context()

    def strict():
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_3
        return made
    ```
    """
    if calls.is_of_tests(ctx) or places.examines_others(ctx):
        return
    if isinstance(node, ObjectHistory):
        yield from _context(node, ctx)
        return
    if node.attr not in _LAST:
        ctx.not_an_opportunity()
        return
    title = _METHODS.get(ctx.name(node) or "")
    place = _use(node, ctx)
    if title is None or place is None:
        return
    fix = _fix(place, node, ctx) if isinstance(place, ast.Call) else None
    yield ctx.finding(place, f"{title} is used, which those on the way can break", fix=fix)


def _context(history: ObjectHistory, ctx: Context) -> Iterator[Finding]:
    """Versions that a context allows in the end, said where that is decided."""
    allowed, decided = tls.old_versions(history)
    if not allowed or _is_meant(history.location if decided is None else decided.location, ctx):
        return
    message = f"{_TITLES[allowed[0]]} is allowed, which those on the way can break"
    if decided is None:
        yield ctx.finding(history.location, message, confidence=Confidence.MEDIUM)
    elif decided.location.path == ctx.path:
        fix = None
        assign = shapes.node_at(decided.location.span, ctx, ast.Assign)
        if assign is not None and decided.name == "minimum_version":
            edits = (ctx.replace(assign.value, "ssl.TLSVersion.TLSv1_2"), AddImport("ssl"))
            fix = Fix("Speak TLS 1.2 or newer", edits, Grade.UNSAFE)
        yield ctx.finding(decided.location, message, fix=fix)


def _is_meant(place: Location, ctx: Context) -> bool:
    """Whether a class or function is named for it that a context is weak, or a function only tries the module out."""
    node = shapes.node_at(place.span, ctx, ast.Call, ast.Assign)
    if node is None:
        return False
    class_ = ctx.class_(node)
    function = ctx.function(node)
    if any(one is not None and calls.NAMED_FOR_IT.search(one.name) for one in (class_, function)):
        return True
    return function is not None and any(
        isinstance(parent, ast.If) and "__main__" in ctx.source(parent.test) for parent in ctx.ancestors(node)
    )


def _use(node: ast.Attribute, ctx: Context) -> ast.AST | None:
    """The call that takes a version, or the default or constant that keeps it; None for tables and comparisons."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.keyword):
        parent = ctx.parent(parent)
    if isinstance(parent, ast.Call):
        return (
            parent
            if calls.identifier(parent.func) not in {"getattr", "hasattr", "isinstance", "print"}
            else None
        )
    return node if isinstance(parent, ast.arguments) else None


def _fix(node: ast.Call, argument: ast.expr, ctx: Context) -> Fix | None:
    """A client context that checks certificates and speaks the newest versions both sides know."""
    if ctx.name(node.func) != "ssl.SSLContext" or argument not in node.args:
        return None
    edits = (ctx.replace(argument, "ssl.PROTOCOL_TLS_CLIENT"), AddImport("ssl"))
    return Fix("Agree on the newest version that both sides know", edits, Grade.SUGGESTION)
