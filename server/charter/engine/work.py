"""Checks many files: from the cache what is known, the rest in worker processes that may die. It combines nothing."""

from __future__ import annotations

import gc
import hashlib
import os
import sys
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING

from charter.engine import codec
from charter.engine.project import unreadable
from charter.engine.workers import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from charter.api import Principle
    from charter.engine.cache import Cache
    from charter.engine.check import FileResult
    from charter.engine.project import Project, Reader
    from charter.engine.settings import Settings

_BATCH_BYTES = 200_000
_PARALLEL_FROM = 400_000
"""Below this many bytes of source, starting workers costs more than it saves."""

_project: Project | None = None
"""The project of this worker process."""


def results_of(
    project: Project,
    paths: Sequence[str],
    *,
    jobs: int,
    cache: Cache | None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, FileResult]:
    """Check files, each by itself.

    Args:
        project: the project.
        paths: the files, relative to the root.
        jobs: the number of worker processes; 1 works in this process.
        cache: where results are kept.
        progress: told how many files of how many are done.

    Returns:
        A result for every path, in the order of `paths`.
    """
    found: dict[str, FileResult] = {}
    keys = keys_of(project, paths) if cache is not None else {}
    if cache is not None:
        known = cache.get_many(keys.values())
        for path, key in keys.items():
            data = known.get(key)
            if data is not None:
                try:
                    found[path] = codec.loads(data)
                except ValueError:
                    continue
    missing = [path for path in paths if path not in found]
    fresh: dict[bytes, bytes] = {}
    for result in _check(project, missing, jobs, live=cache is None):
        found[result.path] = result
        if result.path in keys and not result.failures:
            fresh[keys[result.path]] = codec.dumps(result)
        if progress:
            progress(len(found), len(paths))
    if cache is not None and fresh:
        cache.put_many(fresh)
    return {path: found[path] for path in paths}


def keys_of(project: Project, paths: Iterable[str]) -> dict[str, bytes]:
    """What each file's result depends on, as a cache key; files that cannot be read have none."""
    from charter.engine.cache import key

    base = key(_version(), project.settings.digest(), sys.version)
    keys: dict[str, bytes] = {}
    for path in paths:
        try:
            data = project.read(path)
        except OSError:
            continue
        name, others = project.modules.get(path, ""), project.names.state(data)
        keys[path] = key(base, project.planner.plan(path).key, path, name, others, data)
    return keys


@once
def _version() -> str:
    """A digest of Charter's own code and of all rule packs, by size and time of every file: any change counts."""
    import charter
    from charter.engine.registry import load

    digest = hashlib.blake2b(digest_size=16)
    folders = [Path(charter.__file__).parent]
    for pack in load().packs:
        module = sys.modules[pack]
        folders.extend(Path(place) for place in getattr(module, "__path__", ()))
        if not hasattr(module, "__path__") and module.__file__:
            folders.append(Path(module.__file__))
    for folder in folders:
        for path in _sources(folder):
            state = os.stat(path)  # noqa: PTH116 (hundreds at every start)
            digest.update(f"{path.rpartition('/')[2]}:{state.st_size}:{state.st_mtime_ns}".encode())
    return digest.hexdigest()


def _sources(place: Path) -> Iterator[str]:
    """The Python and TOML files in a folder, in the order of their names, or the file itself."""
    if place.is_file():
        yield str(place)
    for folder, below, names in os.walk(place):
        below.sort()
        yield from (f"{folder}/{name}" for name in sorted(names) if name.endswith((".py", ".toml")))


def _check(project: Project, paths: Sequence[str], jobs: int, *, live: bool) -> Iterator[FileResult]:
    sizes = {path: _size(project, path) for path in paths} if jobs > 1 else {}
    if jobs <= 1 or sum(sizes.values()) < _PARALLEL_FROM:
        for path in paths:
            yield project.check_file(path, live=live)
        return
    batches = _batches(paths, sizes)
    lost: list[str] = []
    for batch, results in _in_pool(project, batches, jobs):
        if results is None:
            lost.extend(batch)
        else:
            yield from results
    # A worker died. Each file that it had is tried alone, so that the culprit is named and no other lost.
    for batch, results in _in_pool(project, [[path] for path in sorted(lost)], 1):
        if results is None:
            yield unreadable(
                batch[0],
                "the process that checked this file died",
                "exclude it in the settings and report it to Charter",
            )
        else:
            yield from results


def _size(project: Project, path: str) -> int:
    try:
        return (project.settings.root / path).stat().st_size
    except OSError:
        return 0


def _batches(paths: Sequence[str], sizes: dict[str, int]) -> list[list[str]]:
    """Parts of about equal size, the largest files first, so that no worker is left alone with one at the end."""
    batches: list[list[str]] = [[]]
    filled = 0
    for path in sorted(paths, key=lambda path: (-sizes[path], path)):
        if filled >= _BATCH_BYTES:
            batches.append([])
            filled = 0
        batches[-1].append(path)
        filled += sizes[path]
    return batches


def _in_pool(
    project: Project, batches: Sequence[list[str]], jobs: int
) -> Iterator[tuple[list[str], list[FileResult] | None]]:
    """Check batches in workers; None for one whose worker died."""
    global _project  # noqa: PLW0603 (a forked worker finds it here, with all rules loaded)
    _project = project
    parts = (
        project.settings,
        project.principles,
        project.paths,
        project.read,
        project.select,
        project.ignore,
    )
    gc.freeze()
    try:
        for batch, data in answers(batches, _work, jobs, _start, parts):
            yield batch, None if data is None else codec.loads(data)
    finally:
        gc.unfreeze()
        _project = None


def _start(
    settings: Settings,
    principles: tuple[Principle, ...],
    paths: tuple[str, ...],
    read: Reader,
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...],
) -> None:
    """Put together the project in a worker that did not inherit it."""
    global _project  # noqa: PLW0603 (a worker has one project)
    if _project is None:
        from charter.engine.project import Project
        from charter.engine.registry import load

        _project = Project.of(settings, load(), principles, paths, read, select=select, ignore=ignore)


def _work(batch: list[str]) -> bytes:
    assert _project is not None
    gc.disable()
    return codec.dumps([_project.check_file(path) for path in batch])
