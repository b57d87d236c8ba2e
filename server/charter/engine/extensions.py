"""What installed packages offer by entry points, and their versions, as PyPA's specifications put them beside the code.

It reads the folders of metadata on the path, and loads no package. `importlib.metadata` knows other kinds of
installations too, but what it brings along to read them takes a tenth of the check of a small file.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple


class Point(NamedTuple):
    """One entry point.

    Attributes:
        name: what it is called.
        module: the dotted name of its module.
        attribute: what of the module, dotted; "" for the module itself.
        package: the distribution that offers it, with `-` between words.
    """

    name: str
    module: str
    attribute: str
    package: str

    def load(self) -> object:
        """What it stands for; this imports its module."""
        module = importlib.import_module(self.module)
        return attrgetter(self.attribute)(module) if self.attribute else module


def points(group: str) -> list[Point]:
    """The entry points of a group, in the order of the path; of a package installed twice, those of the first."""
    return [point for own, point in _points() if own == group]


@cache
def version(package: str) -> str:
    """The version of an installed package, given as its metadata's folder spells it; "" if it is not installed."""
    return next((folder.stem.partition("-")[2] for name, folder in _packages() if name == package), "")


@cache
def _packages() -> tuple[tuple[str, Path], ...]:
    """The installed packages with the folders of their metadata."""
    found: dict[str, Path] = {}
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 (a `Path` for each of hundreds of names costs)
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                found.setdefault(name.rpartition(".")[0].partition("-")[0].lower(), Path(place, name))
    return tuple(found.items())


@cache
def _points() -> tuple[tuple[str, Point], ...]:
    return tuple(found for name, folder in _packages() for found in _read(name, folder / "entry_points.txt"))


def _read(package: str, file: Path) -> Iterator[tuple[str, Point]]:
    """The entry points in a file, each behind its group."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    group = ""
    for line in map(str.strip, lines):
        name, separator, value = line.partition("=")
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif separator and not line.startswith(("#", ";")):
            module, _, attribute = value.partition("[")[0].partition(":")
            yield group, Point(name.strip(), module.strip(), attribute.strip(), package.replace("_", "-"))
