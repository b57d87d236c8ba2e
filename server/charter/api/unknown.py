"""The value that is not known. Nothing else."""

from __future__ import annotations

from typing import Final


class Unknown:
    """The type of `UNKNOWN`: a value that cannot be known without running the program."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        """Refuse to be tested, so that 'unknown' is never mistaken for false.

        Raises:
            TypeError: always.
        """
        raise TypeError("UNKNOWN is neither true nor false; compare with `is UNKNOWN`")


UNKNOWN: Final = Unknown()
"""What `Context.value` answers where the program's value is not certain."""
