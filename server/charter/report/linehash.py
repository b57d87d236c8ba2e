"""GitHub's `primaryLocationLineHash`: a hash of a line and what follows it, by which alerts are matched between runs.

The algorithm is that of github/codeql-action (src/fingerprints.ts): white space within lines does not count, line
ends are equal, and the next 100 UTF-16 units from the line's start go into a rolling polynomial hash modulo 2**64.
Equal hashes in a file are numbered. Here only the lines that are asked for are hashed, which gives the same values.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

_BLOCK = 100
_FACTOR = 37
_END = "\uffff"
_POWERS = [pow(_FACTOR, _BLOCK - 1 - at, 1 << 64) for at in range(_BLOCK)]


class LineHashes:
    """The hashes of one text's lines.

    Args:
        text: the file's whole text, with a byte order mark if the file has one.
    """

    def __init__(self, text: str) -> None:
        bare = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
        if not bare.isascii():
            units = bare.encode("utf-16-le", "surrogatepass")
            bare = "".join(chr(units[at] | units[at + 1] << 8) for at in range(0, len(units), 2))
        self._text = bare + _END + "\0" * _BLOCK
        self._starts = [0, *(match.end() for match in re.finditer("\n", bare))]
        self._blocks: list[str] = []
        self._known: dict[int, str] = {}
        self._seen: Counter[str] = Counter()

    def line(self, number: int) -> str:
        """The hash of a 1-based line with its number among equals, such as `c129715d7a2bc9a3:1`; "" beyond the text."""
        if not 1 <= number <= len(self._starts):
            return ""
        for start in islice(self._starts, len(self._blocks), number):
            block = self._text[start : start + _BLOCK]
            self._seen[block] += 1
            self._blocks.append(block)
            self._known[len(self._blocks)] = str(self._seen[block])
        block = self._blocks[number - 1]
        value = sum(ord(unit) * power for unit, power in zip(block, _POWERS, strict=True)) % (1 << 64)
        return f"{value:x}:{self._known[number]}"
