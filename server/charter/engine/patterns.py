"""Patterns as git reads them in a .gitignore file. It knows neither files nor settings."""

from __future__ import annotations

import functools
import re
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pathspec import GitIgnoreSpec


@functools.lru_cache(maxsize=256)
def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """A test of paths (relative, forward slashes) against .gitignore patterns; the last match decides."""
    return functools.lru_cache(maxsize=10_000)(spec(patterns).match_file)


def spec(lines: Iterable[str]) -> GitIgnoreSpec:
    """Patterns made ready; one that git would not take either matches nothing."""
    lines = tuple(lines)
    try:
        return _made(lines)
    except (ValueError, re.error):
        return _made(line for line in lines if is_pattern(line))


def is_pattern(line: str) -> bool:
    """Whether a line can be read as a pattern: it ends in no lone backslash, and its ranges run upward."""
    if not any(sign in line for sign in "\\!["):
        return True  # nothing in it can be wrong, and what takes patterns apart is slow to load
    try:
        _made((line,))
    except (ValueError, re.error):
        return False
    return True


def _made(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings():
        # A bracket in a bracket warns of what a later Python may read otherwise, which concerns no user.
        warnings.simplefilter("ignore", FutureWarning)
        return GitIgnoreSpec.from_lines(lines)
