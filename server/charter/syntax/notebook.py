"""A Jupyter notebook's code cells as one Python source. It reads the nbformat 4 JSON and writes none.

Cells follow each other in one text, as the kernel would run them from top to bottom, so that names of one cell mean
something in the next. Lines that are no Python but IPython's own (`%magic`, `!command`, `name?`) become comments of
the same length: every place in the text is also a place in its cell.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from charter.api import regex
from charter.syntax.source import Source

_MAGIC = regex(r"\s*[%!?]|\s*[\w.]+\?\??\s*$")
_ASSIGNED = regex(r"(\s*[\w.,\[\] ]+=[ \t]*)([%!].*)")
_CELL_MAGIC = regex(r"^\s*%%(?!time\b|timeit\b|capture\b|prun\b)")


class Notebook(Source):
    """A notebook's code cells as one source.

    Args:
        path: the file, relative to the project's root.
        cells: the code of each code cell, with its 1-based number among all cells.
    """

    def __init__(self, path: str, cells: list[tuple[int, str]]) -> None:
        self._starts: list[int] = []
        self._numbers: list[int] = []
        parts: list[str] = []
        line = 1
        for number, code in cells:
            text = code if code.endswith("\n") else code + "\n"
            self._starts.append(line)
            self._numbers.append(number)
            parts.append(without_magics(text))
            line += text.count("\n")
        super().__init__(path, "".join(parts))

    def cell(self, line: int) -> tuple[int, int]:
        """The 1-based number of the cell that holds a 1-based line of the text, and the line within the cell."""
        at = max(bisect_right(self._starts, line) - 1, 0)
        return (self._numbers[at], line - self._starts[at] + 1) if self._numbers else (1, line)


class _Cell(msgspec.Struct):
    cell_type: str
    source: str | list[str] = ""


class _Language(msgspec.Struct):
    name: str = "python"


class _Metadata(msgspec.Struct):
    language_info: _Language = msgspec.field(default_factory=_Language)


class _Document(msgspec.Struct):
    cells: list[_Cell]
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def source_of_notebook(path: str, data: bytes) -> Notebook:
    """Read a notebook; one in another language than Python has no code here.

    Raises:
        ValueError: with a message for the user, if it is no notebook of nbformat 4.
    """
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"is not a notebook of format 4 ({error})") from None
    if document.metadata.language_info.name not in {"python", "ipython"}:
        return Notebook(path, [])
    codes = [
        (number, cell.source) for number, cell in enumerate(document.cells, 1) if cell.cell_type == "code"
    ]
    return Notebook(
        path, [(number, code if isinstance(code, str) else "".join(code)) for number, code in codes]
    )


def without_magics(text: str) -> str:
    """The text of a cell with IPython's own lines blanked, at the same length, so that places stay what they are."""
    lines = text.split("\n")
    if _CELL_MAGIC.match(text):
        return "\n".join(_commented(line) for line in lines)
    return "\n".join(_without_magic(line) for line in lines)


def _without_magic(line: str) -> str:
    if _MAGIC.match(line):
        # An indented magic may be all that its block has: a statement must stay.
        return _commented(line) if line[0] not in " \t" else _blanked(line, len(line) - len(line.lstrip()))
    assigned = _ASSIGNED.match(line)
    # `files = !ls` binds a name that later lines use.
    return _blanked(line, assigned.end(1)) if assigned else line


def _blanked(line: str, start: int) -> str:
    """A line with a number in the place of all that follows a column."""
    end = len(line.rstrip("\r"))
    return line[:start] + "0" + " " * (end - start - 1) + line[end:]


def _commented(line: str) -> str:
    stripped = line.lstrip()
    if not stripped:
        return line
    return line[: len(line) - len(stripped)] + "#" + stripped[1:]
