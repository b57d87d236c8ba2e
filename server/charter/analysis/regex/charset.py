"""Sets of characters as sorted ranges of code points. It knows nothing of patterns."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

CharSet = tuple[tuple[int, int], ...]
"""Disjoint inclusive ranges of code points, in rising order."""

LAST = 0x10FFFF
EMPTY: CharSet = ()
ANY: CharSet = ((0, LAST),)
NEWLINE: CharSet = ((10, 10),)


def union(*sets: CharSet) -> CharSet:
    """All characters that are in at least one of the sets."""
    ranges = sorted(part for each in sets for part in each)
    merged: list[tuple[int, int]] = []
    for low, high in ranges:
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


@lru_cache(maxsize=4096)
def intersect(left: CharSet, right: CharSet) -> CharSet:
    """The characters that are in both sets."""
    shared: list[tuple[int, int]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            shared.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(shared)


def negate(chars: CharSet) -> CharSet:
    """The characters that are not in the set."""
    rest: list[tuple[int, int]] = []
    start = 0
    for low, high in chars:
        if start < low:
            rest.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        rest.append((start, LAST))
    return tuple(rest)


def contains(chars: CharSet, code: int) -> bool:
    """Whether a code point is in the set."""
    index = bisect_right(chars, (code, LAST)) - 1
    return index >= 0 and chars[index][1] >= code


_READABLE: CharSet = ((48, 57), (97, 122))
_PRINTABLE: CharSet = ((33, 126),)
_ASCII: CharSet = ((0, 127),)


@lru_cache(maxsize=4096)
def example(chars: CharSet) -> str:
    """One character of a set that is not empty, a letter or digit if there is one."""
    for wanted in (((97, 122),), _READABLE, _PRINTABLE, _ASCII):
        shared = intersect(chars, wanted)
        if shared:
            return chr(shared[0][0])
    return chr(chars[0][0])


def fold(chars: CharSet) -> CharSet:
    """The set with both cases of each ASCII letter in it."""
    upper, lower = intersect(chars, ((65, 90),)), intersect(chars, ((97, 122),))
    return union(
        chars,
        tuple((low + 32, high + 32) for low, high in upper),
        tuple((low - 32, high - 32) for low, high in lower),
    )


def _category(test: str) -> CharSet:
    """The characters of a `str` predicate: exactly below 256; beyond, letters stand for all."""
    return union(*(((code, code),) for code in range(256) if getattr(chr(code), test)()))


DIGIT: CharSet = ((48, 57),)
SPACE: CharSet = ((9, 13), (28, 32), (0x85, 0x85), (0xA0, 0xA0))
ASCII_SPACE: CharSet = ((9, 13), (32, 32))
ASCII_WORD: CharSet = ((48, 57), (65, 90), (95, 95), (97, 122))
WORD: CharSet = union(ASCII_WORD, _category("isalnum"), ((256, LAST),))
