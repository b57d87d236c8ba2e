"""Parses a text with LibCST and converts it to the same `ast` objects that the newest Python would make."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    import ast

    from libcst import Module

_WHERE: Final = re.compile(r"error at (\d+):(\d+)")


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
    from libcst import CSTLogicError, CSTValidationError, ParserSyntaxError
    from libcst.native import parse_module  # pyright: ignore[reportUnknownVariableType]

    from charter.syntax.convert.cursor import Cursor
    from charter.syntax.convert.suites import module

    try:
        tree = cast("Module", parse_module(text, "utf-8"))
        return module(Cursor(text), tree)
    except ParserSyntaxError as error:
        where = _WHERE.search(error.message)
        line, column = (int(where[1]), int(where[2])) if where else (error.raw_line, error.raw_column)
        raise SyntaxError("invalid syntax", ("<unknown>", line, column, None)) from None
    except (CSTLogicError, CSTValidationError) as error:
        raise SyntaxError(str(error)) from None
    except RecursionError:
        raise SyntaxError("too many nested expressions") from None
