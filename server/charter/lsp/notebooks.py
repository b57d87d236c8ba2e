"""Notebooks: their code cells as one text, so that a name defined in one cell is known in the next. It parses nothing."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from charter.lsp.documents import Document, Mark
from charter.lsp.positions import Text
from charter.lsp.rpc import fields, items
from charter.syntax.notebook import without_magics

if TYPE_CHECKING:
    from charter.lsp.positions import Encoding


class Notebook:
    """One open notebook.

    Args:
        uri: its identifier.
        version: its version.
    """

    def __init__(self, uri: str, version: int) -> None:
        self.cells: list[Document] = []
        self.whole = Document(uri, "python", version, Text(""))
        self._starts: list[int] = []

    def join(self) -> tuple[int, int, str] | None:
        """Put the cells together again. Returns the edit of the whole that they make; None if there is none."""
        parts: list[str] = []
        self._starts = []
        at = 0
        for cell in self.cells:
            text = without_magics(cell.text.text) + "\n" if cell.language == "python" else ""
            self._starts.append(at)
            parts.append(text)
            at += len(text)
        joined = "".join(parts)
        if joined == self.whole.text.text:
            return None
        (edit,) = self.whole.change(self.whole.version + 1, [{"text": joined}], "utf-32")
        return edit

    def cell(self, uri: str) -> Document | None:
        """The cell of this identifier."""
        return next((cell for cell in self.cells if cell.uri == uri), None)

    def place(self, offset: int) -> tuple[Document, int]:
        """The cell and the offset in it of an offset in the whole."""
        at = max(bisect_right(self._starts, offset) - 1, 0)
        while at and self.cells[at].language != "python":
            at -= 1
        return self.cells[at], offset - self._starts[at]

    def offset(self, cell: Document, offset: int) -> int:
        """The offset in the whole of an offset in a cell."""
        return self._starts[self.cells.index(cell)] + offset

    def by_cell(self) -> list[tuple[Document, list[Mark]]]:
        """The findings of each cell, at their offsets there."""
        found: dict[str, list[Mark]] = {cell.uri: [] for cell in self.cells}
        for mark in self.whole.marks if self.cells else ():
            cell, start = self.place(mark.start)
            end = min(start + mark.end - mark.start, len(cell.text.text))
            found[cell.uri].append(Mark(start, end, mark.row))
        return [(cell, found[cell.uri]) for cell in self.cells]

    def change_cells(self, change: Any, encoding: Encoding) -> tuple[list[str], list[str]]:
        """Take a change of the notebook. Returns the identifiers of cells that came and of cells that went."""
        came: list[str] = []
        gone: list[str] = []
        cells = fields(change.get("cells"))
        structure = fields(cells.get("structure"))
        if structure:
            texts = {item["uri"]: item for item in items(structure.get("didOpen"))}
            array = structure["array"]
            new = [self._cell(cell, texts) for cell in items(array.get("cells"))]
            at, count = array["start"], array["deleteCount"]
            kept = {cell.uri for cell in new}
            gone = [cell.uri for cell in self.cells[at : at + count] if cell.uri not in kept]
            self.cells[at : at + count] = new
            came = [cell.uri for cell in new]
        for item in items(cells.get("textContent")):
            cell = self.cell(item["document"]["uri"])
            if cell is not None:
                cell.change(item["document"].get("version", cell.version + 1), item["changes"], encoding)
        return came, gone

    def _cell(self, cell: Any, texts: dict[str, Any]) -> Document:
        item = texts.get(cell["document"])
        known = self.cell(cell["document"])
        if item is None:
            return known or Document(cell["document"], "", 0, Text(""))
        language = item.get("languageId", "python") if cell.get("kind", 2) == 2 else "markdown"
        return Document(item["uri"], language, item.get("version", 0), Text(item["text"]))

    def open(self, cells: Any, texts: Any) -> None:
        """Take the cells that the notebook is opened with."""
        by_uri = {item["uri"]: item for item in texts}
        self.cells = [self._cell(cell, by_uri) for cell in cells]
