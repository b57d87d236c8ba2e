"""What the path of a file says of its code: that it tests other code, or that something else tells its style and use."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from charter.api import regex

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS: Final = ("tests?", "testing", r"conftest\.py", r"test_[^/]*\.py", r"[^/]*_test\.py", r"tests\.py")
"""Folders and files that hold tests, as patterns."""
COPIED: Final = ("vendor", "_vendor")
"""Folders that hold what other people have written."""
GENERATED: Final = (r"[^/]*_pb2(_grpc)?\.py",)
"""Files that a program has written."""


def any_of(*parts: str) -> Callable[[str], bool]:
    """Tells of a path whether one of its folders, or the file itself, is called as one of these patterns says."""
    called = regex("|".join(parts))

    @lru_cache(maxsize=4096)  # most folders hold many files
    def is_called(name: str) -> bool:
        return called.fullmatch(name) is not None

    @lru_cache(maxsize=64)  # several analyses ask about the same file
    def holds(path: str) -> bool:
        return any(map(is_called, path.split("/")))

    return holds


is_test: Final = any_of(*TESTS)
"""Whether a path is that of a test, by its name alone."""
