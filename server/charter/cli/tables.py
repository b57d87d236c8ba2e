"""Tables for a terminal, which are plain text elsewhere. It knows not what they show."""

from __future__ import annotations

import sys
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType


_PIPED_WIDTH = 240


def console_print(*things: RenderableType) -> None:
    """Print with rich; piped output gets no colours, no trailing blanks and is as wide as it needs."""
    from rich.console import Console

    if sys.stdout.isatty():
        console = Console(highlight=False, markup=False, emoji=False)
        for thing in things:
            console.print(thing)
        return
    text = StringIO()
    console = Console(file=text, highlight=False, markup=False, emoji=False, width=_PIPED_WIDTH)
    for thing in things:
        console.print(thing)
    sys.stdout.writelines(line.rstrip() + "\n" for line in text.getvalue().splitlines())


def table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()
) -> RenderableType:
    """A table without frames.

    Args:
        titles: of the columns.
        rows: the cells, as plain text.
        right: columns, 0-based, that are set to the right (numbers).
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    numbers = frozenset(right)
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, title in enumerate(titles):
        made.add_column(title, justify="right" if at in numbers else "left", no_wrap=at in numbers)
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made
