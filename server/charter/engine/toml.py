"""Where a key stands in a TOML text, which `tomllib` does not tell. It judges nothing: the text may even be broken."""

from __future__ import annotations

import re

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_HEADER = re.compile(rf"\s*\[\[?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?")
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


def line_of(text: str, keys: tuple[str, ...], *, value: str = "") -> int:
    """The line of a key.

    Args:
        text: the TOML text.
        keys: the key with the tables that lead to it.
        value: a string in the key's value; its own line counts if it stands below the key.

    Returns:
        1-based; the line of the deepest enclosing key or table that is written out, 0 if there is none.
    """
    table: tuple[str, ...] = ()
    best, depth = 0, 0
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            table = here = _parts(header[1])
        elif key := _KEY.match(line):
            here = table + _parts(key[1])
        else:
            continue
        if keys[: len(here)] == here and len(here) > depth:
            best, depth = number, len(here)
    if value and best:
        quoted = re.compile(rf"""["']{re.escape(value)}["']""")
        return next((n for n, line in enumerate(lines[best - 1 :], best) if quoted.search(line)), best)
    return best


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_PART, dotted))
