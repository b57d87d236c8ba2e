"""Results kept between runs: bytes under keys, in one SQLite file. It knows not what the bytes mean.

Safe to share between processes and to lose: a damaged or locked cache answers "nothing" and is rebuilt, and every
value is sealed with the user's key (RFC 7693, section 2.9), so that neither what was damaged on the disk nor what a
project brought along is believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from typing import TYPE_CHECKING, Any, TypeVar

from charter.engine.seal import user_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")

_FORMAT = 2
_SEAL = 16
_DAY = 24 * 3600
_MAX_BYTES = 512 * 1024 * 1024
_BATCH = 500
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by Charter; may be deleted at any time.\n"


def key(*parts: str | bytes) -> bytes:
    """A key from what a result depends on: content, settings, rules, versions; the parts cannot run together."""
    made = hashlib.blake2b(digest_size=20)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        made.update(len(raw).to_bytes(8, "little"))
        made.update(raw)
    return made.digest()


class Cache:
    """A folder's cache. Nothing it does raises: without a usable file it remembers nothing.

    Args:
        folder: where the file lies; made on the first write, with a .gitignore of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Path = folder
        self._database: sqlite3.Connection | None = None
        self._usable: bool = True

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values that are known, by key; those whose seal is broken are not."""
        if self._database is None and not self._file.exists():
            return {}
        wanted = list(keys)
        found: dict[bytes, bytes] = {}
        stale: list[tuple[int, bytes]] = []
        now = int(time.time())
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            marks = ",".join("?" * len(batch))
            rows = self._ask(f"SELECT key, value, used FROM result WHERE key IN ({marks})", batch)  # noqa: S608
            for name, value, used in rows:
                if _seal(name, value[_SEAL:]) == value[:_SEAL]:
                    found[name] = value[_SEAL:]
                    if now - used > _DAY:
                        stale.append((now, name))
        if stale:
            self._write("UPDATE result SET used = ? WHERE key = ?", stale)
        return found

    def put_many(self, values: Mapping[bytes, bytes]) -> None:
        """Remember values; all of them or, if the disk refuses, none."""
        now = int(time.time())
        rows = [(name, _seal(name, value) + value, now) for name, value in values.items()]
        self._write("INSERT OR REPLACE INTO result (key, value, used) VALUES (?, ?, ?)", rows)

    def prune(self) -> None:
        """Forget what was not used for a month, and the older half if the rest is still too large."""
        self._write("DELETE FROM result WHERE used < ?", [(int(time.time()) - 30 * _DAY,)])
        size = self._ask("SELECT coalesce(sum(length(value)), 0), count(*) FROM result", ())
        if size and size[0][0] > _MAX_BYTES:
            oldest = "SELECT key FROM result ORDER BY used LIMIT ?"
            self._write(f"DELETE FROM result WHERE key IN ({oldest})", [(size[0][1] // 2,)])  # noqa: S608

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def __del__(self) -> None:
        """A cache that nobody holds any more lets go of its file."""
        self.close()

    @property
    def _file(self) -> Path:
        return self.folder / "cache.db"

    def _ask(self, query: str, values: Sequence[object]) -> list[Any]:
        return self._attempt(lambda database: database.execute(query, values).fetchall()) or []

    def _write(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        def write(database: sqlite3.Connection) -> None:
            with database:
                database.executemany(query, rows)

        self._attempt(write)

    def _attempt(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the open database; what goes wrong ends here, with None."""
        try:
            if self._database is None and self._usable:
                self._database = self._open()
            return action(self._database) if self._database is not None else None
        except (sqlite3.OperationalError, OSError):
            # Locked for long, a full disk, a folder that may not be written to: this run goes on without.
            self._usable = self._database is not None
        except sqlite3.DatabaseError:
            self.close()
            for path in self.folder.glob("cache.db*"):
                with contextlib.suppress(OSError):
                    path.unlink()
        return None

    def _open(self) -> sqlite3.Connection:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
            if not (self.folder / name).exists():
                (self.folder / name).write_text(text, "utf-8")
        database = sqlite3.connect(self._file, timeout=10, check_same_thread=False)
        try:
            # While another process switches the mode, SQLite does not wait for it; the mode stays with the file.
            with contextlib.suppress(sqlite3.OperationalError):
                database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            if not _is_current(database):
                database.execute("BEGIN IMMEDIATE")
                if not _is_current(database):  # another process may have been first
                    database.execute("DROP TABLE IF EXISTS result")
                    database.execute("CREATE TABLE result (key BLOB PRIMARY KEY, value BLOB, used INTEGER)")
                    database.execute(f"PRAGMA user_version = {_FORMAT}")
                database.commit()
        except sqlite3.Error:
            database.close()
            raise
        return database


def _is_current(database: sqlite3.Connection) -> bool:
    return database.execute("PRAGMA user_version").fetchone()[0] == _FORMAT


def _seal(name: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(name + value, digest_size=_SEAL, key=user_key()).digest()
