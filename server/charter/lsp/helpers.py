"""Runs the analysing processes of the server, and starts them again when they die. It knows not what they compute.

Untrusted text is parsed in such a process only: a parser that crashes takes its process along, never the server.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from charter.lsp.pipes import Frame, Pipe

if TYPE_CHECKING:
    from collections.abc import Callable

_START = "import sys; sys.path[:] = {path!r}; from charter.lsp.{module} import main; sys.exit(main())"

_QUICK_DEATH = 5.0
"""Seconds; a process that lives shorter than this counts as failing to start."""
_MAX_QUICK_DEATHS = 3


class Helper:
    """One analysing process.

    Args:
        module: the module of `charter.lsp` that it runs.
        deliver: called, on a thread of its own, with each frame that it sends, and with None when it is gone.
    """

    def __init__(self, module: str, deliver: Callable[[Frame | None], None]) -> None:
        self._module = module
        self._deliver = deliver
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Pipe | None = None
        self._outbox: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._started = 0.0
        self._quick_deaths = 0
        self.stopped: bool = False
        """Whether it was ended on purpose and is not to be started again."""

    @property
    def running(self) -> bool:
        """Whether there is a process to talk to."""
        return self._pipe is not None

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid if self._process else None

    @property
    def hopeless(self) -> bool:
        """Whether it died so soon, so often, that starting it again is of no use."""
        return self._quick_deaths >= _MAX_QUICK_DEATHS

    def start(self) -> None:
        """Start the process; it sees the same modules as this one and none of the workspace's."""
        here = os.path.realpath(os.curdir)
        path = [
            entry for entry in sys.path if entry and (os.path.realpath(entry) != here or _holds_us(entry))
        ]
        code = _START.format(path=path, module=self._module)
        # `-I` and `-S`: neither the environment, the current folder nor site hooks decide what is imported.
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
            [sys.executable, "-I", "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stopped = False
        self._started = time.monotonic()
        self._pipe = Pipe(cast("BinaryIO", self._process.stdout), cast("BinaryIO", self._process.stdin))
        self._outbox = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(self._pipe, self._process), daemon=True).start()
        threading.Thread(target=_write, args=(self._pipe, self._outbox), daemon=True).start()

    def send(self, *frame: Any) -> None:
        """Send a frame, without waiting for a process that is busy; it is dropped if there is none."""
        if self._pipe is not None:
            self._outbox.put(frame)

    def buried(self) -> int:
        """Take note that the process is gone. Returns its exit status; negative for a signal."""
        self._pipe = None
        self._outbox.put(None)
        if self._process is None:
            return 0
        status = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was still to be written to it
                    continue
        quick = time.monotonic() - self._started < _QUICK_DEATH
        self._quick_deaths = self._quick_deaths + 1 if quick else 0
        return status

    def stop(self) -> None:
        """End the process."""
        self.stopped = True
        self._pipe = None
        self._outbox.put(None)
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listen(self, pipe: Pipe, process: subprocess.Popen[bytes]) -> None:
        while (frame := pipe.receive()) is not None:
            if process is self._process:
                self._deliver(frame)
        if process is self._process and not self.stopped:
            self._deliver(None)


def _write(pipe: Pipe, outbox: queue.SimpleQueue[Frame | None]) -> None:
    """Write what is to be sent until there is no process any more."""
    while (frame := outbox.get()) is not None:
        pipe.send(*frame)


def _holds_us(entry: str) -> bool:
    return (Path(entry) / "charter" / "lsp" / "helpers.py").is_file()
