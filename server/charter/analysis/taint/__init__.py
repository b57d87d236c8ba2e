"""Flows of untrusted data through the whole project: from the models' sources to their sinks.

`extract` lowers a file; `Solver` links the files, computes the functions' summaries and keeps them between edits.
What is a source, a sink or a sanitizer is data (`charter.model.library`); which flows are findings is the rules' affair.
"""

# Modules of one class name each other in annotations only.
# pyright: reportImportCycles=false

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.analysis.taint.solver import Solver

if TYPE_CHECKING:
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 5


def extract(source: Source, names: Names) -> object:
    """The file lowered to the intermediate representation.

    Args:
        source: the file.
        names: not needed; names are resolved when files are linked.

    Returns:
        A file record as `charter.model.ir` describes it.
    """
    from charter.model.lower import lower

    del names
    return lower(source)


__all__ = ["VERSION", "Solver", "extract"]
