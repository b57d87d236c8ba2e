"""Parses a text with LibCST and converts it to the same `ast` objects that the newest Python would make.

LibCST recurses as deeply as the text nests and dies with the process when the stack ends, so texts that nest beyond
what people write are refused first. That limit has a margin for a stack of 8 MB; whoever parses text that nobody
vouches for does it in a process that may die.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from charter.api import regex
from charter.syntax.convert.lines import DEPTH_LIMIT, layout

if TYPE_CHECKING:
    import ast

    from libcst import Module

MAY_BE_NEWER: Final = regex(
    r"""\b(?:[rR]?[fFtT][rR]?)['"]|^\s*type\s+\w|^\s*(?:(?:async\s+)?def|class)\s+\w+\s*\["""
    r"""|^\s*except\*?\s[^(\n]*,|^\s*lazy\s+(?:import|from)\b|[\[{(,]\s*\*{1,2}[^\n]*\sfor\s""",
    re.MULTILINE,
)
"""What text contains that may be in newer syntax than the host's.

Strings with fields (PEP 701 and 750), type parameters (695), `except A, B` (758), `lazy import` (810) and unpacking in
comprehensions (798).
"""
_WHERE: Final = regex(r"error at (\d+):(\d+)")


def parse(text: str) -> ast.Module:
    """Parse the text of a file in the syntax of any Python 3.

    Args:
        text: the whole text, without a byte order mark.

    Returns:
        What `ast.parse` of a Python that knows the syntax gives, with the same places. Parts of f-strings are placed as
        since 3.12. Nodes that the host's `ast` lacks are those of `syntax.nodes`.

    Raises:
        SyntaxError: if LibCST does not parse it, or it is nested deeper than is safe to try.
    """
    return _parse(text, 0)


def parse_within(text: str, line: int, *, nested: bool) -> list[ast.stmt]:
    """Parse whole lines of a file in the syntax of any Python 3.

    Args:
        text: the lines of one or more statements.
        line: the 1-based number of the first of them in the file.
        nested: whether they are indented.

    Returns:
        The statements, with their places in the file.

    Raises:
        SyntaxError: as `parse`, with the line in the file.
    """
    if not nested:
        return _parse(text, line - 1).body
    return cast("ast.If", _parse("if 1:\n" + text, line - 2).body[0]).body


def _parse(text: str, shift: int) -> ast.Module:
    from libcst import CSTLogicError, CSTValidationError, ParserSyntaxError
    from libcst.native import parse_module  # pyright: ignore[reportUnknownVariableType]

    from charter.syntax.convert.cursor import Cursor
    from charter.syntax.convert.suites import module

    if layout(text).depth > DEPTH_LIMIT:
        raise SyntaxError("the code is nested too deeply to be parsed")
    try:
        tree = cast("Module", parse_module(text, "utf-8"))
        return module(Cursor(text, shift), tree)
    except ParserSyntaxError as error:
        where = _WHERE.search(error.message)
        line, column = (int(where[1]), int(where[2])) if where else (error.raw_line, error.raw_column)
        raise SyntaxError("invalid syntax", (None, line + shift, max(column, 1), None)) from None
    except (CSTLogicError, CSTValidationError, ValueError) as error:  # ValueError: a lone surrogate
        raise SyntaxError(str(error)) from None
    except RecursionError:
        raise SyntaxError("the code is nested too deeply to be parsed") from None
