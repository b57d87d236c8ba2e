"""Finds XML parsers that are told to read files and addresses which a document names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Fix,
    Grade,
    Severity,
    rule,
)
from charter.api.facts.taint import OwnText
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_PARSER: Final[tuple[tuple[str, object, str], ...]] = (
    ("resolve_entities", True, "the document decides which files are read"),
    ("no_network", False, "the document decides which addresses are fetched"),
    ("load_dtd", True, "the document decides which definitions are fetched"),
)
_SWITCHES: Final[dict[str, tuple[tuple[str, object, str], ...]]] = {
    "parse": (("disable_entities", False, "a small document may fill the memory"),),
    "XSLTAccessControl": (("read_network", True, "a style sheet decides which addresses are fetched"),),
    "HTMLParser": (),
    "DTD": (),
    "make_parser": (),
}
_DEFUSED: Final = tuple(
    f"defusedxml.{module}.{name}"
    for module in ("ElementTree", "cElementTree", "minidom", "pulldom", "sax", "lxml")
    for name in ("parse", "fromstring", "iterparse", "XMLParser", "parseString")
)
_GUARDS: Final = (
    ("forbid_entities", False, "a small document may fill the memory"),
    ("forbid_external", False, "the document decides which files and addresses are read"),
)
_FEATURES: Final = frozenset({"xml.sax.handler.feature_external_ges", "xml.sax.handler.feature_external_pes"})
_ADDRESSES: Final = frozenset(
    {f"http://xml.org/sax/features/external-{kind}-entities" for kind in ("general", "parameter")}
)


@rule(
    ast.Call,
    code="SEC042",
    principles=("safe-xml",),
    severity=Severity.HIGH,
    cwe=(611, 776, 827),
    excused_by=(OwnText,),
    calls=(
        "lxml.etree.XMLParser",
        "lxml.etree.iterparse",
        "lxml.etree.XMLPullParser",
        "lxml.etree.ETCompatXMLParser",
        "*.setFeature",
        "lxml.etree.DTD",
        "xml.sax.make_parser",
        "lxml.objectify.makeparser",
        "xmltodict.parse",
        "lxml.etree.XSLTAccessControl",
        "lxml.etree.HTMLParser",
        *_DEFUSED,
    ),
    references=(
        "https://lxml.de/parsing.html#parser-options",
        "https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html",
    ),
)
def xml_entities_resolved(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Leave external entities, document types and limits of XML parsers as they are.

    An XML document can name files and addresses as entities; a parser that resolves them hands `/etc/passwd` or an internal service's answer to
    whoever wrote the document. Entities that repeat entities fill the memory. lxml since 5.0, expat and `xml.sax` refuse both unless these
    switches are set.

    ```python bad
    from lxml import etree

    def read(path):
        parser = etree.XMLParser(resolve_entities=True, no_network=False)
    #            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `resolve_entities=True`: the document decides which files are read
        return etree.parse(path, parser)
    ```
    ```python good
    from lxml import etree

    def read(path):
        return etree.parse(path, etree.XMLParser(resolve_entities=False))
    ```
    """
    if ctx.is_test:
        return
    name = ctx.name(call.func)
    if name is None:
        yield from _feature(call, ctx)
        return
    switches = _GUARDS if name in _DEFUSED else _SWITCHES.get(name.rpartition(".")[2], _PARSER)
    for keyword, bad, message in switches:
        if calls.value(ctx, call, None, keyword) is bad and not _writes_type(call, ctx):
            fix = None
            if calls.keyword(call, keyword) is not None:
                fix = Fix(f"Leave `{keyword}` as it is", (ctx.remove_argument(call, keyword),), Grade.UNSAFE)
            yield ctx.finding(call, f"`{keyword}={bad}`: {message}", fix=fix)
            return


def _feature(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`parser.setFeature(feature_external_ges, True)`."""
    if len(call.args) != 2:
        ctx.not_an_opportunity()
        return
    feature = calls.qualified(ctx, call.args[0])
    if feature not in _FEATURES and ctx.value(call.args[0]) not in _ADDRESSES:
        ctx.not_an_opportunity()
        return
    switched_on = ctx.value(call.args[1]) is True or ctx.value(call.args[1]) == 1
    if switched_on and not _reads_own_text(call, ctx) and not _set_again(call, ctx):
        fix = Fix("Keep them unresolved", (ctx.replace(call.args[1], "False"),), Grade.UNSAFE)
        yield ctx.finding(call, "the document decides which files and addresses are read", fix=fix)


def _set_again(call: ast.Call, ctx: Context) -> bool:
    """Whether a later call sets the same feature of the same parser; that one is looked at by itself."""
    target = ctx.source(call.func)
    return any(
        isinstance(other, ast.Call)
        and (other.lineno, other.col_offset) > (call.lineno, call.col_offset)
        and len(other.args) == len(call.args)
        and ctx.source(other.func) == target
        and ctx.source(other.args[0]) == ctx.source(call.args[0])
        for other in ctx.walk(ctx.function(call) or ctx.tree)
    )


def _writes_type(call: ast.Call, ctx: Context) -> bool:
    """Whether the function writes the one document type itself that a document may have, and so which definitions there are."""
    function = ctx.function(call)
    return function is not None and "<!DOCTYPE " in ctx.source(function)


def _reads_own_text(call: ast.Call, ctx: Context) -> bool:
    """Whether all that the function parses is text that the program itself has written."""
    documents = [
        other.args[0]
        for other in ctx.walk(ctx.function(call) or ctx.tree)
        if isinstance(other, ast.Call)
        and calls.identifier(other.func) in {"parse", "parseString"}
        and other.args
    ]
    return bool(documents) and all(isinstance(ctx.value(document), (str, bytes)) for document in documents)
