"""The checking process, spoken to over its own pipe."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from charter.lsp.checker import Checker
from charter.lsp.pipes import Pipe
from lsp.client import eventually

if TYPE_CHECKING:
    from pathlib import Path


def test_rules_are_told_before_the_first_finding_however_late_the_process_starts(tmp_path: Path) -> None:
    there, back = os.pipe(), os.pipe()
    hearing, telling = os.fdopen(back[0], "rb"), os.fdopen(there[1], "wb")
    server = Pipe(hearing, telling)
    incoming, outgoing = os.fdopen(there[0], "rb"), os.fdopen(back[1], "wb")
    checker = Checker(Pipe(incoming, outgoing))
    server.send(
        "open", "file:///a.py", str(tmp_path / "a.py"), "python", 1, "def f(a):\n    return a == None\n"
    )
    eventually(lambda: bool(checker.inbox))  # a slow process finds a document waiting when it begins
    work = threading.Thread(target=checker.run)
    work.start()
    kinds: list[str] = []
    while "found" not in kinds:
        frame = server.receive()
        assert frame is not None
        kinds.append(frame[0])
    telling.close()
    work.join()
    for stream in (hearing, incoming, outgoing):
        stream.close()
    assert "rules" in kinds
