"""Frames of plain values between the server's own processes. It knows not what they mean.

`marshal` carries them: both ends are the same interpreter, and it is several times faster than any portable format.
"""

from __future__ import annotations

import marshal
import struct
import threading
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<I")

Frame = tuple[Any, ...]


class Pipe:
    """One end of a two-way connection.

    Args:
        incoming: where frames come from.
        outgoing: where frames go.
    """

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._lock = threading.Lock()

    def send(self, *frame: Any) -> bool:
        """Send one frame; False if the other end is gone."""
        body = marshal.dumps(frame)
        try:
            with self._lock:
                self._outgoing.write(_LENGTH.pack(len(body)) + body)
                self._outgoing.flush()
        except (OSError, ValueError):
            return False
        return True

    def receive(self) -> Frame | None:
        """The next frame; None if the other end is gone."""
        try:
            head = self._incoming.read(_LENGTH.size)
            if len(head) < _LENGTH.size:
                return None
            (length,) = _LENGTH.unpack(head)
            body = self._incoming.read(length)
        except (OSError, ValueError):
            return None
        if len(body) < length:
            return None
        # Only our own child or parent holds the other end of this pipe.
        return marshal.loads(body)  # noqa: S302
