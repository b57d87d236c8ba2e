"""Lines of styled text onto a stream: with colours on a terminal, plain everywhere else. It knows no finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Line = list[tuple[str, str]]
"""A line as pieces of text, each with the name of a rich style ("" for none)."""


def painter(out: TextIO) -> Callable[[Iterable[Line]], None]:
    """How to write lines to a stream. rich is loaded for terminals only, and honours NO_COLOR and FORCE_COLOR."""
    import os

    if not (out.isatty() or os.environ.get("FORCE_COLOR")):

        def write(lines: Iterable[Line]) -> None:
            out.writelines("".join(text for text, _ in line) + "\n" for line in lines)

        return write

    from rich.console import Console
    from rich.text import Text

    console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def paint(lines: Iterable[Line]) -> None:
        for line in lines:
            console.print(Text.assemble(*line))

    return paint
