"""What the path of a file says of its code: that it tests other code, or that something else tells its style and use."""

from __future__ import annotations

import re
from typing import Final

TESTS: Final = ("tests?", "testing", r"conftest\.py", r"test_[^/]*\.py", r"[^/]*_test\.py", r"tests\.py")
"""Folders and files that hold tests, as patterns."""
COPIED: Final = ("vendor", "_vendor")
"""Folders that hold what other people have written."""
GENERATED: Final = (r"[^/]*_pb2(_grpc)?\.py",)
"""Files that a program has written."""


def any_of(*parts: str) -> re.Pattern[str]:
    """A pattern to search paths for: one of their folders, or the file itself, is called as one of these patterns says."""
    return re.compile(rf"(^|/)({'|'.join(parts)})($|/)")


_TEST: Final = any_of(*TESTS)


def is_test(path: str) -> bool:
    """Whether a path is that of a test, by its name alone."""
    return _TEST.search(path) is not None
