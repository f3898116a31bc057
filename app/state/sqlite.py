"""The embedded state store: one SQLite file, shared by the threads and processes of one host.

Every write is one statement in a transaction of its own, so no lock is ever held while Python
code runs, and a process that is killed leaves nothing half-done. `update` compares and swaps.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app.core.errors import StorageFault
from app.state.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.state.store import Value

BUSY_SECONDS = 5.0
"""How long a call waits for other writers before it fails."""
START_SECONDS = 60.0
"""How long the first opening waits: a worker that cannot start has gunicorn end all the others."""
IDLE_CONNECTIONS = 8
PURGE_SECONDS = 60.0
PURGE_RECORDS = 1000
SCAN_PAGE = 500

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires REAL,
    PRIMARY KEY (space, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_expires ON records (expires) WHERE expires IS NOT NULL;
"""
_LIVE = "space = ? AND key = ? AND (expires IS NULL OR expires > ?)"
_GET = f"SELECT value FROM records WHERE {_LIVE}"  # noqa: S608 constant text, no input
_PUT = """INSERT INTO records (space, key, value, expires) VALUES (?, ?, ?, ?)
    ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires = excluded.expires"""
_ADD = _PUT + " WHERE records.expires <= ?"
_SWAP = f"UPDATE records SET value = ?, expires = ? WHERE {_LIVE} AND value = ?"  # noqa: S608
_SWAP_OUT = f"DELETE FROM records WHERE {_LIVE} AND value = ?"  # noqa: S608
_DELETE = f"DELETE FROM records WHERE {_LIVE}"  # noqa: S608
_SCAN = """SELECT key, value FROM records WHERE space = ? AND key > ?
    AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?"""
_PURGE = """DELETE FROM records WHERE (space, key) IN
    (SELECT space, key FROM records WHERE expires <= ? LIMIT ?)"""


class SqliteStore:
    """A `Store` in `file`, which is made, with its directory, where it is missing.

    A call takes an idle connection of this process or opens one, so threads, greenlets and
    children after a fork never share one. `clock` tells seconds since the epoch.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock
        self._pid = os.getpid()
        self._idle: list[sqlite3.Connection] = []
        self._inherited: list[sqlite3.Connection] = []
        self._purge_at = 0.0
        try:
            _make_private(file)
        except OSError as error:
            raise StorageFault(f"the state store {file} cannot be made: {error}") from error
        try:
            self._idle.append(_open(file, START_SECONDS))
        except sqlite3.Error as error:
            raise StorageFault(f"the state store {file} failed: {error}") from error

    def get(self, space: str, key: str) -> Value | None:
        """Return the record, or None."""
        text = self._read(space, key)
        return None if text is None else decode(text)

    def put(self, space: str, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Write the record whatever was there."""
        self._write(_PUT, space, key, encode(value), self._expiry(ttl))

    def add(self, space: str, key: str, value: Value, *, ttl: float | None = None) -> bool:
        """Write the record if there is none; tell whether it was written."""
        return self._write(
            _ADD, space, key, encode(value), self._expiry(ttl), self._clock())

    def update(
        self, space: str, key: str, change: Callable[[Value | None], Value | None],
        *, ttl: float | None = None,
    ) -> Value | None:
        """Replace the record by `change(record or None)`; again where another was faster."""
        while True:
            before = self._read(space, key)
            after = change(None if before is None else decode(before))
            if self._swap(space, key, before, after, ttl):
                return after

    def delete(self, space: str, key: str) -> bool:
        """Remove the record; tell whether it was there."""
        return self._write(_DELETE, space, key, self._clock())

    def scan(self, space: str) -> Iterator[tuple[str, Value]]:
        """Yield the live records in the order of their keys, a page at a time."""
        after = ""
        first = self.get(space, after)
        if first is not None:
            yield after, first
        while True:
            with self._connection() as connection:
                page = connection.execute(
                    _SCAN, (space, after, self._clock(), SCAN_PAGE)).fetchall()
            for key, text in page:
                yield key, decode(text)
            if len(page) < SCAN_PAGE:
                return
            after = page[-1][0]

    def close(self) -> None:
        """Close the idle connections of this process; the store can be used again."""
        while self._idle:
            self._idle.pop().close()

    def _swap(
        self, space: str, key: str, before: str | None, after: Value | None, ttl: float | None,
    ) -> bool:
        if before is None:
            return after is None or self.add(space, key, after, ttl=ttl)
        if after is None:
            return self._write(_SWAP_OUT, space, key, self._clock(), before)
        return self._write(_SWAP, encode(after), self._expiry(ttl), space, key, self._clock(),
                           before)

    def _read(self, space: str, key: str) -> str | None:
        with self._connection() as connection:
            row = connection.execute(_GET, (space, key, self._clock())).fetchone()
        return None if row is None else str(row[0])

    def _write(self, statement: str, *values: Any) -> bool:
        with self._connection() as connection:
            changed = connection.execute(statement, values).rowcount > 0
            if self._clock() >= self._purge_at:
                self._purge(connection)
        return changed

    def _purge(self, connection: sqlite3.Connection) -> None:
        """Remove expired records, some at a time so that no write takes long."""
        now = self._clock()
        removed = connection.execute(_PURGE, (now, PURGE_RECORDS)).rowcount
        self._purge_at = now + (0.0 if removed == PURGE_RECORDS else PURGE_SECONDS)

    def _expiry(self, ttl: float | None) -> float | None:
        return None if ttl is None else self._clock() + ttl

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if os.getpid() != self._pid:
            self._forget_parent()
        connection: sqlite3.Connection | None = None
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = _open(self._file)
            yield connection
            if len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(connection)
                connection = None
        except sqlite3.Error as error:
            raise StorageFault(f"the state store {self._file} failed: {error}") from error
        finally:
            if connection is not None:
                connection.close()

    def _forget_parent(self) -> None:
        # Closing a connection made before the fork would disturb the parent's; it is kept aside.
        self._inherited += self._idle
        self._idle = []
        self._pid = os.getpid()


def _open(file: Path, patience: float = 0.0) -> sqlite3.Connection:
    """Return a connection to `file` with the schema in place, within `patience` seconds or more."""
    give_up = time.monotonic() + max(BUSY_SECONDS, patience)
    while True:
        connection = sqlite3.connect(
            file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            connection.close()
            if not _is_busy(error) or time.monotonic() > give_up:
                raise
            # The change to WAL and the recovery after a crash do not honour the timeout.
            time.sleep(0.005)
        else:
            return connection


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _make_private(file: Path) -> None:
    """Make `file` and its directory for this user alone; SQLite gives -wal and -shm its mode.

    An existing file is never opened here: closing it would drop the locks of SQLite.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
