"""Proves in a separate process, under a time limit, that a witness really makes `re` slow, for so many patterns of a file."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from charter.analysis.regex.ambiguity import Pump

_TRIAL = Path(__file__).with_name("trial.py")
_LIMIT = 12.0
_MOST: Final = 60
"""Proofs for one file: the worst of 1,589 files that need some needs 52, and a file of 1,000 hostile ones ends in 12 seconds."""
_SHOWN = {"exponential": 60, "polynomial": 20_000}


class Witness(Struct, frozen=True):
    """Text on which a pattern is slow: `prefix`, `pump` again and again, `suffix`.

    Attributes:
        prefix: what leads to the loop.
        pump: what is repeated.
        suffix: what makes the match fail at the end.
        length: characters of repeated text after which one match took more than a second (exponential) or
            more than ten milliseconds (polynomial); it varies from run to run.
        shown: characters of repeated text in the witness that people are shown; it does not vary.
    """

    prefix: str
    pump: str
    suffix: str
    length: int
    shown: int = 60

    def text(self, characters: int) -> str:
        """The witness with at least so many characters of repeated text."""
        return self.prefix + self.pump * -(-characters // len(self.pump)) + self.suffix

    def __str__(self) -> str:
        """The witness as a Python expression."""
        parts = [repr(self.prefix)] if self.prefix else []
        parts.append(f"{self.pump!r} * {-(-self.shown // len(self.pump))}")
        if self.suffix:
            parts.append(repr(self.suffix))
        return " + ".join(parts)


class Proofs:
    """The proofs for one file. Each takes a process and half a second, or all the time that a hostile one is given.

    Attributes:
        are_cut: whether a pattern was left unproved because there were too many, or because one ran out of time.
    """

    def __init__(self) -> None:
        self._left = _MOST
        self._begun: set[object] = set()
        self.are_cut = False

    def prove(
        self, pattern: str | bytes, flags: int, method: str, pumps: tuple[Pump, ...], degree: str
    ) -> Witness | None:
        """Time the pumps.

        Args:
            pattern: the regular expression.
            flags: its flags.
            method: of `re.Pattern`: `match`, `fullmatch` or `search`.
            pumps: the candidates.
            degree: `exponential` or `polynomial`.

        Returns:
            The first candidate that is as slow as the degree says; None if none is, or if that is not to be found out.
        """
        asked = (pattern, flags, method, degree)
        if asked not in self._begun:
            if not self._left:
                self.are_cut = True
                return None
            self._begun.add(asked)
            self._left -= 1
        witness, in_time = _tried(pattern, flags, method, pumps, degree)
        if not in_time:
            self._left = 0  # the next one may be as hostile
            self.are_cut = True
        return witness


@lru_cache(maxsize=1024)
def _tried(
    pattern: str | bytes, flags: int, method: str, pumps: tuple[Pump, ...], degree: str
) -> tuple[Witness | None, bool]:
    """What a process finds out about pumps, and whether it came to its end in time."""
    job = {
        "pattern": pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern,
        "bytes": isinstance(pattern, bytes),
        "flags": flags,
        "method": method,
        "pumps": [(pump.prefix, pump.pump) for pump in pumps],
        "degree": degree,
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own program, with the interpreter that runs us
            [sys.executable, "-I", "-S", str(_TRIAL)],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        return None, False
    except (OSError, ValueError):
        return None, True
    if not answer:
        return None, True
    witness = Witness(answer["prefix"], answer["pump"], answer["suffix"], answer["length"], _SHOWN[degree])
    return witness, True
