#!/usr/bin/env python3
"""What Charter and a peer find on the same code, side by side: dead code, copies, and calls that block coroutines.

    python tests/benchmarks/peers.py dead-code --path src/one src/two         with vulture
    python tests/benchmarks/peers.py duplicated-code --path src/one           with pylint's duplicate-code
    python tests/benchmarks/peers.py blocking-call-in-async --path src/one    with ruff's ASYNC rules
    python tests/benchmarks/peers.py dead-code --path src/one --list          and each place, to be read

A place counts as found by both if they name the same line. The peers are installed once, under .venvs/peers.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venvs" / "peers"
PEERS = {
    "dead-code": "vulture",
    "duplicated-code": "pylint",
    "blocking-call-in-async": "ruff",
}
RULES = {"dead-code": "dead-code,unused-import,unreachable-code"}
"""Where a peer's one check is several rules here."""
_CHARTER = re.compile(r"^(.*?):(\d+):\d+:? (.*)$", re.MULTILINE)
_VULTURE = re.compile(r"^(.*?):(\d+): (.*)$", re.MULTILINE)
_PYLINT = re.compile(r"^==(.*?):\[(\d+):(\d+)\]$", re.MULTILINE)

Place = tuple[str, int]


@dataclass
class Found:
    """What a tool found.

    Attributes:
        places: file and line of each finding, with what it says.
        seconds: of CPU.
    """

    places: dict[Place, str] = field(default_factory=dict[Place, str])
    seconds: float = 0.0


def charter(rule: str, path: Path) -> Found:
    """Charter's findings of a rule, or of those that stand for a peer's check."""
    command = [
        str(Path(sys.executable).with_name("charter")), "check", "--select", RULES.get(rule, rule), "--no-cache",
        "-j", "1", "--exit-zero", "-f", "concise", str(path),
    ]  # fmt: skip
    output, seconds = _run(command)
    places = {(_inside(file, path), int(line)): message for file, line, message in _CHARTER.findall(output)}
    return Found(places, seconds)


def vulture(bin_: Path, path: Path) -> Found:
    """Vulture's findings of at least 60 % confidence, its default."""
    output, seconds = _run([str(bin_ / "vulture"), str(path)])
    return Found(
        {(_inside(file, path), int(line)): text for file, line, text in _VULTURE.findall(output)}, seconds
    )


def pylint(bin_: Path, path: Path) -> Found:
    """The first place of each pair of similar pieces, at least 10 lines long, docstrings and imports aside."""
    command = [
        str(bin_ / "pylint"), "--disable=all", "--enable=duplicate-code", "--min-similarity-lines=10",
        "--recursive=y", "-f", "json", str(path),
    ]  # fmt: skip
    output, seconds = _run(command)
    places: dict[Place, str] = {}
    for message in json.loads(output or "[]"):
        pair = _PYLINT.findall(message["message"])
        if pair:
            name, first, _ = min(pair)
            places[name, int(first) + 1] = " ".join(f"{file}:{start}-{end}" for file, start, end in pair)
    return Found(places, seconds)


def ruff(bin_: Path, path: Path) -> Found:
    """The findings of ruff's rules about blocking calls in coroutines."""
    command = [
        str(bin_ / "ruff"), "check", "--isolated", "--no-cache", "--preview", "--output-format", "json",
        "--select", "ASYNC210,ASYNC212,ASYNC220,ASYNC221,ASYNC222,ASYNC230,ASYNC240,ASYNC250,ASYNC251", str(path),
    ]  # fmt: skip
    output, seconds = _run(command)
    return Found(
        {
            (_inside(item["filename"], path), item["location"]["row"]): f"{item['code']} {item['message']}"
            for item in json.loads(output)
        },
        seconds,
    )


def _run(command: list[str]) -> tuple[str, float]:
    started = _spent()
    done = subprocess.run(command, cwd=tempfile.gettempdir(), capture_output=True, text=True, check=False)
    return done.stdout, _spent() - started


def _spent() -> float:
    """Seconds of CPU that the programs run so far have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _inside(file: str, folder: Path) -> str:
    """A file's path inside the folder that was checked."""
    path = Path(file) if Path(file).is_absolute() else Path(tempfile.gettempdir(), file)
    path = path.resolve()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else file


def install() -> Path:
    """Make the environment with the peers; where its programs are."""
    python = HOME / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS.values()], check=True)
    return HOME / "bin"


def main() -> None:
    """Parse the arguments, run both tools on each folder, print a table and, if asked, the places."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rule", choices=sorted(PEERS))
    parser.add_argument("--path", nargs="+", type=Path, required=True, help="folders to check")
    parser.add_argument("--list", action="store_true", help="print the places, too")
    arguments = parser.parse_args()
    rule: str = arguments.rule
    paths: list[Path] = [path.resolve() for path in arguments.path]
    peer = PEERS[rule]
    bin_ = install()
    print(f"| code | both | charter only | {peer} only | charter s | {peer} s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    listed: list[str] = []
    for path in paths:
        ours = charter(rule, path)
        theirs = {"vulture": vulture, "pylint": pylint, "ruff": ruff}[peer](bin_, path)
        both = ours.places.keys() & theirs.places.keys()
        mine, other = ours.places.keys() - both, theirs.places.keys() - both
        print(
            f"| {path.name} | {len(both)} | {len(mine)} | {len(other)} | {ours.seconds:.1f} | {theirs.seconds:.1f} |",
            flush=True,
        )
        for who, found, places in (("charter", mine, ours.places), (peer, other, theirs.places)):
            listed += [
                f"{who} only: {path.name}/{file}:{line}: {places[file, line]}" for file, line in sorted(found)
            ]
    if arguments.list:
        print("\n".join(listed))


if __name__ == "__main__":
    main()
