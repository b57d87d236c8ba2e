"""What installed packages offer by entry points, and which version of a package is installed. It loads none of them.

Both are asked several times a run, and to look through all that is installed takes milliseconds.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any


def points(group: str) -> metadata.EntryPoints:
    """The entry points of a group."""
    found: metadata.EntryPoints = _all().select(group=group)
    return found


@cache
def _all() -> Any:  # its type has another name in each version of Python
    return metadata.entry_points()


@cache
def version(package: str) -> str:
    """The version of an installed package."""
    return metadata.version(package)
