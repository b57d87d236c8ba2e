"""Where a key stands in a TOML text, which `tomli` does not tell, and tables of documents that may hold anything.

It judges nothing: the text may even be broken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Keys = tuple[str | int, ...]
"""Names of tables and keys from the top; an integer is the index of a table in an array of tables."""

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_HEADER = regex(rf"\s*(\[\[?)\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?")
_KEY = regex(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_TOKEN = regex(r"""#[^\n]*|"{3}(?:.|\n)*?"{3}|'{3}(?:.|\n)*?'{3}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[{}\[\]]""")


def table_in(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A table in a document; an empty one where there is none, or something else stands in its place."""
    for key in keys:
        inner = data.get(key)
        data = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    return dict(data)


def line_of(text: str, keys: Keys, *, value: str = "") -> int:
    """The line of a key.

    Args:
        text: the TOML text.
        keys: the key with the tables that lead to it; without an index any table of an array is meant.
        value: a string in the key's value; its own line counts if it stands below the key.

    Returns:
        1-based; the line of the deepest enclosing key or table that is written out, or of the first that lies in the
        key; 0 if there is none.
    """
    best, depth = 0, 0
    lines = text.splitlines()
    for number, here in _written(lines):
        taken = _depth(here, keys)
        if taken > depth:
            best, depth = number, taken
    if best and depth < len(keys) and isinstance(keys[depth], int):
        best = _inline(lines, best, keys[depth:])
    if value and best:
        quoted = re.compile(rf"""["']{re.escape(value)}["']""")
        return next((n for n, line in enumerate(lines[best - 1 :], best) if quoted.search(line)), best)
    return best


def _written(lines: list[str]) -> Iterator[tuple[int, Keys]]:
    """Every header and every key that begins a line, with its line."""
    table: Keys = ()
    counts: dict[Keys, int] = {}
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            table = ()
            parts = _parts(header[2])
            for index, part in enumerate(parts):
                table = (*table, part)
                if index == len(parts) - 1 and header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                if table in counts:
                    table = (*table, counts[table])
            yield number, table
        elif key := _KEY.match(line):
            yield number, table + _parts(key[1])


def _depth(here: Keys, keys: Keys) -> int:
    """How many of the keys a place answers, itself or by lying below them; 0 if it is elsewhere."""
    taken = 0
    for part in here:
        if taken == len(keys):
            break
        wanted = keys[taken]
        if part == wanted:
            taken += 1
        elif isinstance(wanted, int) or not isinstance(part, int):
            return 0
    return taken


def _inline(lines: list[str], start: int, keys: Keys) -> int:
    """The line of a table in the array that is the value of the key in line `start`, or of a key in that table."""
    text = "\n".join(lines[start - 1 :])
    seen, level, at = -1, 0, -1
    for token in _TOKEN.finditer(text, text.index("=") + 1):
        word = token[0]
        if word in {"{", "["}:
            level += 1
            if word == "{" and level == 2:
                seen += 1
                if seen == keys[0]:
                    at = token.start()
        elif word in {"}", "]"}:
            level -= 1
            if at >= 0 and level == 1:
                inside = re.compile(rf"\b{re.escape(str(keys[1]))}\b['\"]?\s*=") if len(keys) > 1 else None
                found = inside.search(text, at, token.start()) if inside else None
                return start + text.count("\n", 0, found.start() if found else at)
            if level <= 0:
                break
    return start


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_PART, dotted))
