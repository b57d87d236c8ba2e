"""The program that `proof` runs in a process of its own: it times `re` on growing input. Standard library only.

It reads one JSON object from standard input (`pattern`, `flags`, `method`, `bytes`, `pumps`, `degree`) and writes one
to standard output: the proved witness (`prefix`, `pump`, `suffix`, `length`, `seconds`), or null.
"""

from __future__ import annotations

import json
import re
import sys
import time
import warnings
from typing import Any

_SUFFIXES = ("", "\n", "!", "\x00", "~", " ", "0", "a", "\n\x00", "<", "@", "\xff", "é")
_ENOUGH = 0.008
_GROWTH = 60


def _seconds(matcher: Any, text: Any) -> float:
    start = time.process_time()
    matcher(text)
    return time.process_time() - start


def _fails(matcher: Any, make: Any) -> str | None:
    """A suffix with which the text does not match, so that the matcher tries everything there."""
    for suffix in _SUFFIXES:
        try:
            if matcher(make(3, suffix)) is None and matcher(make(4, suffix)) is None:
                return suffix
        except ValueError:
            continue
    return None


def _exponential(matcher: Any, make: Any, suffix: str, unit: int) -> tuple[int, float] | None:
    """The growth in characters at which time passes a second, extrapolated from three measurements."""
    measured: list[tuple[int, float]] = []
    for repeats in range(2, 2 + _GROWTH // unit):
        seconds = _seconds(matcher, make(repeats, suffix))
        measured.append((repeats * unit, seconds))
        if seconds > _ENOUGH:
            break
    if len(measured) < 3 or measured[-1][1] <= _ENOUGH:
        return None
    repeats = measured[-1][0] // unit
    first = min(measured[-1][1], _seconds(matcher, make(repeats, suffix)))
    more = max(1, round(3 / unit))
    factor = (_seconds(matcher, make(repeats + more, suffix)) / first) ** (1 / more)
    if factor < 1.25:
        return None
    needed = repeats
    seconds = first
    while seconds < 1.2:
        seconds *= factor
        needed += 1
        if needed * unit > _GROWTH:
            return None
    return needed * unit, seconds


def _polynomial(matcher: Any, make: Any, suffix: str, unit: int) -> tuple[int, float] | None:
    """The length at which time passes 10 ms, if time there far more than doubles when the text doubles."""
    repeats = max(1, 250 // unit)
    while repeats * unit < 60_000:
        if _seconds(matcher, make(repeats, suffix)) > 0.012:
            seconds, grows = _grows(matcher, make(max(repeats // 2, 1), suffix), make(repeats, suffix))
            if grows:
                return repeats * unit, seconds
            if seconds > 0.2:
                return None
        repeats *= 2
    return None


def _grows(matcher: Any, half: Any, whole: Any) -> tuple[float, bool]:
    """The time of the whole text, and whether it is more than 2.7 times that of half of it.

    Other work on the machine only ever adds time, so the best of several is the truest; taken in turn, both have the
    same chance of a quiet moment.
    """
    least = [float("inf")] * 2
    for taken in range(1, 9):
        least = [min(best, _seconds(matcher, text)) for best, text in zip(least, (half, whole), strict=True)]
        if taken >= 3 and least[1] > 2.7 * least[0]:
            return least[1], True
    return least[1], False


def main() -> None:
    """Prove one of the pumps, or none."""
    warnings.simplefilter("ignore")
    job = json.load(sys.stdin)

    def encode(text: str) -> Any:
        return text.encode("latin-1") if job["bytes"] else text

    compiled: Any = re.compile(encode(job["pattern"]), job["flags"])
    matcher = getattr(compiled, job["method"])
    # The first attempt of a search decides for exponential patterns: it must end before the next can succeed.
    begins = "match" if job["method"] == "search" and job["degree"] == "exponential" else job["method"]
    attempt = getattr(compiled, begins)
    measure = _exponential if job["degree"] == "exponential" else _polynomial
    for prefix, pump in job["pumps"]:

        def make(repeats: int, suffix: str, prefix: str = prefix, pump: str = pump) -> Any:
            return encode(prefix + pump * repeats + suffix)

        suffix = _fails(attempt, make)
        proved = None if suffix is None else measure(matcher, make, suffix, len(pump))
        if proved is not None:
            length, seconds = proved
            json.dump(
                {
                    "prefix": prefix,
                    "pump": pump,
                    "suffix": suffix,
                    "length": length,
                    "seconds": round(seconds, 3),
                },
                sys.stdout,
            )
            return
    json.dump(None, sys.stdout)


if __name__ == "__main__":
    main()
