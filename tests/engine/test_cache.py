"""The cache: shared by processes, and never believed once it is damaged."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.engine.cache import Cache, key
from charter.engine.seal import user_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Open = Callable[[Path], Cache]


@pytest.fixture(name="open_cache")
def fixture_open_cache() -> Iterator[Open]:
    """Opens caches, and lets go of them at the end."""
    caches: list[Cache] = []

    def opened(folder: Path) -> Cache:
        caches.append(Cache(folder))
        return caches[-1]

    yield opened
    for cache in caches:
        cache.close()


def test_what_is_put_is_got_by_a_later_run(tmp_path: Path, open_cache: Open) -> None:
    values = {key(str(n)): b"%d" % n * 50 for n in range(1200)}
    first = open_cache(tmp_path / "c")
    first.put_many(values)
    first.close()
    assert open_cache(tmp_path / "c").get_many([*values, key("other")]) == values


def test_reading_makes_no_files(tmp_path: Path, open_cache: Open) -> None:
    assert open_cache(tmp_path / "c").get_many([b"x"]) == {}
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_keys_are_equal_only_for_equal_parts(one: list[str], two: list[str]) -> None:
    assert (key(*one) == key(*two)) == (one == two)


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100])
def test_a_damaged_file_is_rebuilt(tmp_path: Path, open_cache: Open, damage: bytes) -> None:
    (tmp_path / "cache.db").write_bytes(damage)
    cache = open_cache(tmp_path)
    assert cache.get_many([b"k"]) == {}
    cache.put_many({b"k": b"v"})
    assert open_cache(tmp_path).get_many([b"k"]) == {b"k": b"v"}


def test_a_damaged_value_is_not_believed(tmp_path: Path, open_cache: Open) -> None:
    cache = open_cache(tmp_path)
    cache.put_many({b"k": b"value", b"whole": b"other"})
    cache.close()
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute("UPDATE result SET value = ? WHERE key = ?", (b"x" * 20, b"k"))
    database.close()
    assert open_cache(tmp_path).get_many([b"k", b"whole"]) == {b"whole": b"other"}


def test_what_another_user_wrote_is_not_believed(
    tmp_path: Path, open_cache: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_user(name: str) -> Cache:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        user_key.cache_clear()
        return open_cache(tmp_path / "project")

    monkeypatch.setattr(sys, "platform", "linux")
    as_user("stranger").put_many({b"k": b"made up"})
    assert as_user("stranger").get_many([b"k"]) == {b"k": b"made up"}
    mine = as_user("me")
    assert mine.get_many([b"k"]) == {}
    mine.put_many({b"k": b"v"})
    assert as_user("me").get_many([b"k"]) == {b"k": b"v"}
    assert (tmp_path / "me" / "charter" / "key").stat().st_mode & 0o077 == 0
    user_key.cache_clear()


def test_machines_that_are_given_one_key_share_a_cache(
    tmp_path: Path, open_cache: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for machine in ("one", "two"):
        monkeypatch.setenv("CHARTER_CACHE_KEY", "between them")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / machine))
        user_key.cache_clear()
        cache = open_cache(tmp_path / "project")
        if machine == "one":
            cache.put_many({b"k": b"v"})
    assert cache.get_many([b"k"]) == {b"k": b"v"}
    monkeypatch.delenv("CHARTER_CACHE_KEY")
    user_key.cache_clear()
    assert open_cache(tmp_path / "project").get_many([b"k"]) == {}
    user_key.cache_clear()


def test_a_page_overwritten_in_the_middle_loses_results_not_the_run(tmp_path: Path, open_cache: Open) -> None:
    cache = open_cache(tmp_path)
    values = {key(str(n)): os.urandom(500) for n in range(500)}
    cache.put_many(values)
    cache.close()
    raw = bytearray((tmp_path / "cache.db").read_bytes())
    raw[4096 : len(raw) // 2] = os.urandom(len(raw) // 2 - 4096)
    (tmp_path / "cache.db").write_bytes(raw)
    cache = open_cache(tmp_path)
    found = cache.get_many(values)
    assert all(values[name] == value for name, value in found.items())
    cache.put_many(values)
    cache.put_many(values)
    assert cache.get_many(values) == values


def test_a_place_that_cannot_be_written_to_is_no_error(tmp_path: Path, open_cache: Open) -> None:
    (tmp_path / "file").write_text("")
    cache = open_cache(tmp_path / "file" / "below")
    cache.put_many({b"k": b"v"})
    assert cache.get_many([b"k"]) == {}


FILL = """
import sys
from pathlib import Path
from charter.engine.cache import Cache, key
cache = Cache(Path(sys.argv[1]))
for n in range(int(sys.argv[2]), int(sys.argv[2]) + 40):
    cache.put_many({key(str(n)): b"%d" % n})
"""


def test_processes_share_one_cache(tmp_path: Path, open_cache: Open) -> None:
    command = [sys.executable, "-c", FILL, str(tmp_path)]
    workers = [subprocess.Popen([*command, str(n * 40)]) for n in range(4)]
    assert [worker.wait(60) for worker in workers] == [0] * 4
    wanted = {key(str(n)): b"%d" % n for n in range(160)}
    assert open_cache(tmp_path).get_many(wanted) == wanted


def test_prune_forgets_what_is_no_longer_used(tmp_path: Path, open_cache: Open) -> None:
    cache = open_cache(tmp_path)
    cache.put_many({b"old": b"1", b"new": b"2"})
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute("UPDATE result SET used = 1 WHERE key = ?", (b"old",))
    database.close()
    cache.prune()
    assert cache.get_many([b"old", b"new"]) == {b"new": b"2"}


def test_git_is_told_to_ignore_it(tmp_path: Path, open_cache: Open) -> None:
    open_cache(tmp_path / ".charter_cache").put_many({b"k": b"v"})
    assert (tmp_path / ".charter_cache" / ".gitignore").read_text() == "*\n"
