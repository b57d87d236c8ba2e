"""The process that checks open documents. It reads frames from the server and answers with findings.

An edit is checked in two steps: at once the statements that it touched, and, when the typing pauses, the whole file.
A frame that comes in interrupts the second step. It never talks to the client.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any

from charter.lsp.pipes import Pipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from charter.lsp.pipes import Frame
    from charter.lsp.sheets import Sheet

PAUSE = 0.25
"""Seconds without a frame after which whole files are checked again."""


class Interrupted(BaseException):
    """Raised inside a check when there is something more urgent; not an `Exception`, so that no rule's guard stops it."""


class Inbox:
    """The frames that wait, filled by a thread of its own.

    Args:
        pipe: where they come from.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._frames: deque[Frame | None] = deque()
        self._came = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def __bool__(self) -> bool:
        return bool(self._frames)

    def take(self, timeout: float | None) -> Frame | None:
        """The next frame; () if none comes in time, None when the server is gone."""
        with self._came:
            if not self._frames and not self._came.wait_for(lambda: bool(self._frames), timeout):
                return ()
            return self._frames.popleft()

    def pause(self) -> None:
        """Raise if a frame waits.

        Raises:
            Interrupted: so that the frame is looked at.
        """
        if self._frames:
            raise Interrupted

    def _listen(self) -> None:
        while True:
            frame = self._pipe.receive()
            with self._came:
                self._frames.append(frame)
                self._came.notify()
            if frame is None:
                return


class Checker:
    """The open documents and what was found in them.

    Args:
        pipe: the connection to the server.
    """

    def __init__(self, pipe: Pipe) -> None:
        from charter.lsp.homes import Homes

        self.pipe = pipe
        self.inbox = Inbox(pipe)
        self.homes = Homes(self._text_of_open)
        self.sheets: dict[str, Sheet] = {}
        self._queue: deque[Frame] = deque()
        self._patient: list[Frame] = []
        self._forgotten: set[int] = set()
        self._told_rules = False
        self._last_frame = 0.0

    def run(self) -> int:
        """Work until the server is gone."""
        while True:
            frame = self.inbox.take(self._patience())
            if frame is None:
                return 0
            if frame:
                self._last_frame = time.monotonic()
                self._guarded(self._take, frame)
                continue
            self._guarded(self._work)

    def _patience(self) -> float | None:
        """How long to wait for a frame: not at all if there is urgent work, for ever if there is none."""
        if self._queue or any(sheet.dirty for sheet in self.sheets.values()):
            return 0
        if not self._told_rules or any(not sheet.complete for sheet in self.sheets.values()):
            return max(self._last_frame + PAUSE - time.monotonic(), 0)
        return None

    def _guarded(self, action: Any, *values: Any) -> None:
        try:
            action(*values)
        except Interrupted:
            return
        except Exception:  # noqa: BLE001 (one file's trouble is not the others')
            self.pipe.send("log", "error", f"Charter's checker failed and goes on.\n{traceback.format_exc()}")

    def _take(self, frame: Frame) -> None:
        kind, *values = frame
        if kind == "edit":
            uri, version, edits = values
            sheet = self.sheets.get(uri)
            if sheet is not None:
                sheet.edit(version, edits)
        elif kind == "open":
            self._open(*values)
        elif kind == "close":
            self.sheets.pop(values[0], None)
        elif kind == "ask":
            self._queue.append(frame)
        elif kind == "forget":
            self._forgotten.add(values[0])
        elif kind == "configure":
            self.homes.configure(*values)
            self._reload()
        elif kind == "reload":
            self.homes.forget()
            self._reload()
        elif kind == "shared":
            self.homes.take_shared(*values)
            self._reload()
        elif kind == "extracts":
            for sheet in self.sheets.values():
                sheet.repeat_extracts()
        elif kind == "facts":
            uri, number, data = values
            if uri in self.sheets and self.sheets[uri].take_facts(number, data):
                self._publish(self.sheets[uri])

    def _open(self, uri: str, path: str, language: str, version: int, text: str) -> None:
        from charter.lsp.sheets import Sheet

        known = self.sheets.pop(uri, None)
        keys = known.keys if known is not None else None
        # A byte order mark means nothing inside a text; a form feed means nothing to the parser either.
        text = text.replace("\ufeff", "\f", 1) if text.startswith("\ufeff") else text
        self.sheets[uri] = Sheet(uri, path, language, version, text, self.homes.of(path), keys)

    def _reload(self) -> None:
        for sheet in self.sheets.values():
            sheet.move_to(self.homes.of(sheet.file))

    def _text_of_open(self, file: str) -> str | None:
        return next((sheet.text for sheet in self.sheets.values() if sheet.file == file), None)

    def _work(self) -> None:
        """Do the most urgent thing there is to do."""
        dirty = [sheet for sheet in self.sheets.values() if sheet.dirty]
        if dirty:
            sheet = max(dirty, key=lambda sheet: sheet.touched)
            self._check(sheet, sheet.check_touched)
        elif self._queue:
            self._answer(self._queue.popleft())
        elif not self._told_rules:
            self._tell_rules()
        else:
            sheet = max(
                (sheet for sheet in self.sheets.values() if not sheet.complete),
                key=lambda sheet: sheet.touched,
            )
            self.finish(sheet)

    def _tell_rules(self) -> None:
        if not self._told_rules:
            self._told_rules = True
            self.pipe.send("rules", self.homes.rule_pages())

    def finish(self, sheet: Sheet) -> None:
        """Check a document to the end now.

        Raises:
            Interrupted: if there is something more urgent.
        """
        self._check(sheet, sheet.check_whole)

    def _check(self, sheet: Sheet, step: Callable[[Callable[[], None]], None]) -> None:
        self.pipe.send("busy", sheet.uri)
        try:
            step(self.inbox.pause)
        except Exception:  # noqa: BLE001 (this text is not tried again; the next one is)
            sheet.give_up()
            text = f"Charter failed on {sheet.path} and goes on with what it knew.\n{traceback.format_exc()}"
            self.pipe.send("log", "error", text)
        self._publish(sheet)

    def _publish(self, sheet: Sheet) -> None:
        for path, problems in self.homes.take_problems():
            self.pipe.send("settings", path, problems)
        for failure in sheet.take_failures():
            self._report(failure)
        if sheet.complete:
            self._queue.extend(self._patient)
            self._patient.clear()
        self._tell_rules()  # a finding without the link to its page would be half of one
        self.pipe.send("found", sheet.uri, sheet.version, sheet.complete, sheet.rows())
        extracts = sheet.take_extracts()
        if extracts is not None:
            self.pipe.send("extracts", sheet.uri, sheet.file, *extracts)

    def _report(self, failure: Any) -> None:
        text = f"Charter's rule `{failure.part}` failed on {failure.path} and is off for that file: {failure.error} ({failure.place})"
        self.pipe.send("log", "warning", text)
        hint = " Please report it, with the server's log; the other rules go on."
        self.pipe.send("tell", "warning", f"{text}.{hint}", f"failed rule {failure.part}")

    def _complete(self, uri: str) -> bool:
        sheet = self.sheets.get(uri)
        return sheet is None or (sheet.complete and not sheet.dirty)

    def _answer(self, frame: Frame) -> None:
        from charter.lsp import answers

        _, number, question, *values = frame
        if question in answers.PATIENT and not self._complete(values[0]):
            self._patient.append(frame)
            return
        if number in self._forgotten:
            self._forgotten.discard(number)
            return
        try:
            value = answers.ANSWERS[question](self, *values)
        except Interrupted:
            self._queue.appendleft(frame)
            raise
        except Exception:
            self.pipe.send("answer", number, None)
            raise
        self.pipe.send("answer", number, value)


def main() -> int:
    """Run the checker on this process's standard streams."""
    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a rule prints must not get among the frames
    pipe = Pipe(incoming, outgoing)
    sys.setrecursionlimit(3000)
    gc.disable()
    checker = Checker(pipe)
    gc.freeze()
    gc.enable()
    return checker.run()
