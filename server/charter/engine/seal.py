"""The user's own key, with which kept results are sealed. It knows not what is sealed.

A cache lies in the project, and a project may come from anyone; results are read by `marshal`, which must never see
bytes that somebody made up. So only what this user's Charter wrote is believed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from functools import cache
from pathlib import Path

VARIABLE = "CHARTER_CACHE_KEY"
"""The environment variable that gives the key, for machines that share a cache."""

_BYTES = 32


def user_folder() -> Path:
    """The folder for what Charter keeps for a user, which may be lost; it may not exist yet.

    Raises:
        RuntimeError: if the user has no home.
    """
    if sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Caches"
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "charter"


@cache
def user_key() -> bytes:
    """The key: from the environment, else from the user's folder, where it is made when it is first needed.

    Where none can be kept, the key is good for this process only, and later runs believe nothing of what it wrote.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return given.encode("utf-8", "surrogateescape")[:64]
    with contextlib.suppress(OSError, RuntimeError):
        path = user_folder() / "key"
        with contextlib.suppress(FileNotFoundError):
            return _read(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was faster
            _make(path)
        return _read(path)
    return os.urandom(_BYTES)


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    if len(data) != _BYTES:
        path.unlink()
        raise FileNotFoundError(path)
    return data


def _make(path: Path) -> None:
    """Write a new key, whole or not at all, readable by the user only."""
    fresh = path.with_name(f"key.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_BYTES))
        os.link(fresh, path)
    finally:
        fresh.unlink()
