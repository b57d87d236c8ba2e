"""Edits a workspace for as long as asked, and fails if the server grows, lags or leaves something unanswered.

    python tests/end_to_end/soak.py MINUTES FOLDER

FOLDER holds Python files; up to 500 of them are copied. Every few minutes an analysing process is killed and the cache is
damaged. It prints the memory of the whole process tree once a minute.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from charter.lsp.homes import Homes
from charter.lsp.sheets import project_rules
from lsp.client import MODERN, Client, insert, replace

TYPED = "\ndef zq(a, b=[]):\n    if a == None:\n        return eval(b)\n"
GROWTH = 1.05
SETTLED_AFTER = 5 * 60
KILL_EVERY = 4 * 60


LATE = project_rules(Homes(lambda _file: None).of("").project.planner.plan("a.py"))


def main(minutes: float, folder: Path) -> int:
    """Run the soak. Returns the exit status."""
    work = Path(tempfile.mkdtemp(prefix="charter-soak-"))
    os.environ["XDG_CACHE_HOME"] = str(work / "cache")
    root = work / "project"
    files = copied(folder, root)
    client = Client(root, MODERN, index=True)
    try:
        return soak(client, root, files, minutes * 60)
    finally:
        client.process.kill()
        shutil.rmtree(work, ignore_errors=True)


def copied(folder: Path, root: Path) -> list[Path]:
    """Up to 500 files of a folder under a new root."""
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'soak'\n")
    found: list[Path] = []
    for number, file in enumerate(sorted(folder.rglob("*.py"))[:500]):
        target = root / f"m{number // 50}" / f"{file.stem}_{number}.py"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, target)
        if 2_000 < target.stat().st_size < 40_000:
            found.append(target)
    return found


def soak(client: Client, root: Path, files: list[Path], seconds: float) -> int:
    """Edit one file after the other. Returns 1 if something went wrong."""
    choice = random.Random(1)
    begun = killed = reported = time.monotonic()
    settled = 0.0
    edits = 0
    trouble: list[str] = []
    slowest = 0.0
    while (now := time.monotonic()) - begun < seconds and not trouble:
        made, slow, wrong = one_file(client, choice.choice(files))
        edits, slowest = edits + made, max(slowest, slow)
        trouble += wrong
        if now - killed > KILL_EVERY:
            killed = now
            harm(client, root)
        if now - reported > 60:
            reported = now
            memory = total_memory(client)
            say(
                f"{(now - begun) / 60:5.1f} min  {edits} edits  {memory:.0f} MiB  slowest answer {slowest:.2f} s"
            )
            if now - begun > SETTLED_AFTER:
                settled = settled or memory
                if memory > settled * GROWTH + 5:
                    trouble.append(f"memory grew from {settled:.0f} to {memory:.0f} MiB")
    say("\n".join(trouble) or f"held: {edits} edits in {(time.monotonic() - begun) / 60:.0f} minutes")
    return 1 if trouble else 0


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def one_file(client: Client, file: Path) -> tuple[int, float, list[str]]:
    """Open a file, type into it, take it back, close it. Returns edits, the slowest answer and what was wrong."""
    text = file.read_text("utf-8", "replace")
    uri = client.open(file, text, save=False)
    before = client.settled(uri)
    lines = text.split("\n")
    blank = [
        at
        for at, line in enumerate(lines)
        if not line.strip() and at + 1 < len(lines) and lines[at + 1][:1] not in " \t)]}"
    ]
    at = blank[len(blank) // 2] if blank else 0
    version, column, line, slowest = 1, 0, at, 0.0
    for character in TYPED:
        version += 1
        client.change(uri, version, insert(line, column, character))
        line, column = (line + 1, 0) if character == "\n" else (line, column + 1)
        sent = time.monotonic()
        client.pull(uri)
        slowest = max(slowest, time.monotonic() - sent)
    client.change(uri, version + 1, replace(at, 0, line, column, ""))
    after = client.settled(uri)
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    wrong = (
        [] if key(before) == key(after) else [f"stale findings in {file.name}: {key(before) ^ key(after)}"]
    )
    wrong += [f"no answer to {number}" for number in list(client.answers)]
    return len(TYPED) + 1, slowest, wrong


def key(items: list[dict[str, Any]]) -> set[tuple[str, int, int]]:
    """The findings of one file by itself; those that the whole project tells come when it is known, at any time."""
    return {
        (i["code"], i["range"]["start"]["line"], i["range"]["start"]["character"])
        for i in items
        if i["code"] not in LATE
    }


def status(client: Client) -> dict[str, Any]:
    """What the server says of itself."""
    return client.request("workspace/executeCommand", {"command": "charter.status"})


def total_memory(client: Client) -> float:
    """The resident memory of all the server's processes, in MiB."""
    return sum(one["memory"] or 0 for one in status(client)["processes"].values()) / 2**20


def harm(client: Client, root: Path) -> None:
    """Kill the analysing processes and damage the cache."""
    for name in ("checker", "indexer"):
        one = status(client)["processes"].get(name)
        if one:
            os.kill(one["pid"], signal.SIGKILL)
            time.sleep(1)
    for file in (root / ".charter_cache").glob("*"):
        if file.is_file():
            file.write_bytes(b"damaged" * 100)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), Path(sys.argv[2])))
