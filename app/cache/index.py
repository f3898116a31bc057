"""What chunks a mountpath holds, when each was used last, and that they are never too many.

One SQLite file in the mountpath, shared by the workers. It does not say what may be served: the
chunks' files do, each by itself. So what a crash loses of it costs room or a fetch, nothing else,
and it need not wait for the disk.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

R = TypeVar("R")
FILE = "index.db"
BUSY_SECONDS = 2.0
"""How long a call waits for other workers before it fails."""
_PAUSE_SECONDS = 0.001
_VICTIMS = 64
"""Chunks that go at a time."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS chunks (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chunks_used ON chunks (used);
CREATE TABLE IF NOT EXISTS total (
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, chunks INTEGER NOT NULL);
INSERT OR IGNORE INTO total VALUES (1, 0, 0);
CREATE TRIGGER IF NOT EXISTS came AFTER INSERT ON chunks BEGIN
    UPDATE total SET size = size + NEW.size, chunks = chunks + 1; END;
CREATE TRIGGER IF NOT EXISTS went AFTER DELETE ON chunks BEGIN
    UPDATE total SET size = size - OLD.size, chunks = chunks - 1; END;
"""
_RESERVE = """INSERT INTO chunks (name, size, used) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET used = excluded.used"""
_DELETE = "DELETE FROM chunks WHERE name = ?"
_OLDEST = "SELECT name FROM chunks WHERE name != ? ORDER BY used LIMIT ?"


class Index:
    """The index in `directory`; methods raise sqlite3.Error.

    `remove(name)` takes a chunk's file off the disk. It comes before the row goes: a worker that
    is killed between the two leaves a row too many, never a file too many.
    """

    def __init__(self, directory: str, remove: Callable[[str], None]) -> None:
        self._file = f"{directory}/{FILE}"
        self._remove = remove
        self._lock = threading.Lock()
        self._pid = 0
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[sqlite3.Connection] = []
        self.inode = 0

    def reserve(self, name: str, size: int, capacity: int) -> tuple[bool, int]:
        """Enter a chunk; return whether there is room, and how many others went for it.

        What was not used for longest goes, but not more than takes a moment.
        """
        def work(connection: sqlite3.Connection) -> tuple[bool, int]:
            connection.execute(_RESERVE, (name, size, time.time()))
            gone = 0
            for victim in _oldest(connection, name) if _is_over(connection, capacity) else ():
                self._remove(victim)
                connection.execute(_DELETE, (victim,))
                gone += 1
                if not _is_over(connection, capacity):
                    break
            fits = not _is_over(connection, capacity)
            if not fits:
                connection.execute(_DELETE, (name,))
            return fits, gone

        return self._write(work)

    def touch(self, used: Iterable[tuple[str, float]]) -> None:
        """Note when chunks were used, in seconds since the epoch."""
        rows = [(at, name, at) for name, at in used]
        self._write(lambda connection: connection.executemany(
            "UPDATE chunks SET used = ? WHERE name = ? AND used < ?", rows))

    def drop(self, name: str) -> None:
        """Remove one chunk, file and all."""
        def work(connection: sqlite3.Connection) -> None:
            self._remove(name)
            connection.execute(_DELETE, (name,))

        self._write(work)

    def names(self, first: str, end: str) -> list[str]:
        """Return the names from `first` to before `end`."""
        return [name for (name,) in self._run(lambda connection: connection.execute(
            "SELECT name FROM chunks WHERE name >= ? AND name < ?", (first, end)).fetchall())]

    def total(self) -> tuple[int, int]:
        """Return the bytes and the number of all chunks."""
        return self._run(_total)

    def close(self) -> None:
        """Close the connection; the index can be used again."""
        with self._lock:
            self._forget()

    def _write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        def transaction(connection: sqlite3.Connection) -> R:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            return result

        return self._run(transaction)

    def _run(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return what `work` returns, tried again while others write.

        SQLite's own waiting would stop all that this worker serves.
        """
        give_up = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with self._lock:
                    return work(self._connected())
            except sqlite3.Error as error:
                if not _is_busy(error) or time.monotonic() > give_up:
                    self.close()
                    raise
            time.sleep(_PAUSE_SECONDS)

    def _connected(self) -> sqlite3.Connection:
        """Return the connection of this process to the file that is there now."""
        if self._pid != os.getpid():
            # Closing what was opened before the fork would disturb the parent's locks.
            if self._connection:
                self._inherited.append(self._connection)
            self._connection, self._pid = None, os.getpid()
        if self._connection and _inode(self._file) != self.inode:
            self._forget()
        if self._connection is None:
            self.inode = _inode(self._file)  # one that cannot be opened is known by it, too
            self._connection = _opened(self._file)
            self.inode = _inode(self._file)
        return self._connection

    def _forget(self) -> None:
        if self._connection and self._pid == os.getpid():
            self._connection.close()
            self._connection = None


def _opened(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _inode(file: str) -> int:
    try:
        return os.stat(file).st_ino
    except FileNotFoundError:
        return 0


def _total(connection: sqlite3.Connection) -> tuple[int, int]:
    size, chunks = connection.execute("SELECT size, chunks FROM total").fetchone()
    return int(size), int(chunks)


def _is_over(connection: sqlite3.Connection, capacity: int) -> bool:
    return _total(connection)[0] > capacity


def _oldest(connection: sqlite3.Connection, kept: str) -> list[str]:
    return [name for (name,) in connection.execute(_OLDEST, (kept, _VICTIMS)).fetchall()]


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
