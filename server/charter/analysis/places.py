"""Where definitions have their names; what analyses point at. It knows nothing of their meaning."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from charter.api import Span

if TYPE_CHECKING:
    from charter.syntax.source import Source

_HEAD = re.compile(r"(?:async[ \t\\\r\n]+def|def|class)[\s\\]+")


def name_span(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Span:
    """The offsets of the name in a definition.

    Args:
        source: the file.
        node: the definition.
    """
    span = source.span(node)
    match = _HEAD.match(source.text, span.start, span.end)
    start = match.end() if match else span.start
    return Span(start, start + len(node.name))
