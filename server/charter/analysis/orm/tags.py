"""The tags and filters that a project registers for Django's templates, and how the arguments of a tag are taken apart."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec import Struct, field

from charter.analysis.orm.declarations import keyword_of
from charter.analysis.orm.mentions import last_name
from charter.analysis.orm.values import Function
from charter.api import regex

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine
    from charter.analysis.orm.world import FunctionNode, Module

_WORD = regex(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
_KINDS = frozenset({"filter", "simple_tag", "inclusion_tag"})


class Tag(Struct, frozen=True):
    """A tag that calls a function.

    Attributes:
        function: the function.
        template: the template that an inclusion tag renders with what the function gives; "" for a simple tag.
        takes_context: whether the function is given the context before the tag's arguments.
    """

    function: Function
    template: str = ""
    takes_context: bool = False


class Library(Struct):
    """The project's own filters and tags, by the names under which templates use them."""

    filters: dict[str, Function] = field(default_factory=dict[str, Function])
    tags: dict[str, Tag] = field(default_factory=dict[str, Tag])


def library(run: Machine) -> Library:
    """The filters and tags that the project registers."""
    made = Library()
    for path, module in run.world.by_path.items():
        if "/templatetags/" in f"/{path}":
            _ = module.names
            for node in module.functions:
                _register(made, node, module)
    return made


def _register(made: Library, node: FunctionNode, module: Module) -> None:
    for decorator in node.decorator_list:
        kind = last_name(decorator)
        if kind not in _KINDS:
            continue
        call = decorator if isinstance(decorator, ast.Call) else None
        function = Function(node, module)
        name = _text(keyword_of(call, "name")) if call else ""
        if kind == "filter":
            first = call.args[0] if call and call.args else None
            made.filters[name or _text(first) or node.name] = function
            continue
        template = (call.args[0] if call.args else keyword_of(call, "filename")) if call else None
        if kind == "inclusion_tag" and not _text(template):
            continue
        takes = keyword_of(call, "takes_context") if call else None
        with_context = isinstance(takes, ast.Constant) and takes.value is True
        made.tags[name or node.name] = Tag(
            function, _text(template) if kind == "inclusion_tag" else "", with_context
        )


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def words(text: str) -> list[str]:
    """What stands between the spaces of a tag; texts in quotes stay whole."""
    return _WORD.findall(text)


def arguments(text: str) -> list[str]:
    """What stands between the commas of a call, those inside brackets and quotes apart."""
    found: list[str] = []
    depth, start, quote = 0, 0, ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and not depth:
            found.append(text[start:position].strip())
            start = position + 1
    last = text[start:].strip()
    return [*found, last] if last else found
