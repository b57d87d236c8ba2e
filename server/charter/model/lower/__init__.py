"""Lowers a file's syntax tree to the intermediate representation. It knows Python's syntax, no types, no libraries.

What a function calls is written down as a dotted text besides, as far as its code alone tells: `sqlite3.connect().cursor`
begins with a name of the module, `=os.path.join` with a module that the function imports, and `?.execute` with anything
else. A local name stands for what it was assigned last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.model.lower.statements import Statements

if TYPE_CHECKING:
    from charter.model import ir
    from charter.syntax.source import Source


def lower(source: Source) -> ir.Node:
    """Lower one file.

    Args:
        source: the file; what of it does not parse is left out.

    Returns:
        The file record that `ir` describes, made of what `marshal` can store.
    """
    return Statements(source.text, source.positions).file(source.tree)


__all__ = ["lower"]
