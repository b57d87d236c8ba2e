"""Writing a file whole or not at all. It knows nothing of what is written."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Put UTF-8 text into a file, whole or not at all; line endings stay as they are in the text."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Put bytes into a file, whole or not at all, keeping the mode it has; a symbolic link stays one.

    A device or a pipe is written to as it is: another file in its place would be the end of it.

    Raises:
        OSError: if the folder cannot be written to; the old file then stands untouched.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            stream.write(content)
        return
    import tempfile

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(target))  # noqa: PTH101 (a string is at hand)
        os.replace(name, target)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise


def _mode(target: Path) -> int:
    """The mode that the file has, or that a new file would get."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
