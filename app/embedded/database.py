"""Connections to the namespace database: pooled, never shared over fork, short transactions.

SQLite runs in WAL mode with synchronous=NORMAL: a killed process loses nothing that was answered;
a power loss may lose the last transactions before it, but leaves the database consistent.
"""

import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

BUSY_TIMEOUT_MS: Final = 60_000


class Queue:
    """Lets writers of all processes in one at a time, each woken when its turn has come.

    SQLite alone would have them sleep and look again, ever longer, while others slip in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[int] = deque()

    def enter(self) -> int:
        """Wait for the turn; returns what `leave` wants."""
        try:
            descriptor = self._idle.pop()
        except IndexError:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def leave(self, descriptor: int) -> None:
        """Let the next one in."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        self._idle.append(descriptor)

    def forget(self) -> None:
        """Drop the descriptors: after a fork they are the parent's, who may hold the turn."""
        self._idle = deque()


class Database:
    """The namespace database of one directory, for any number of threads and processes.

    A transaction's body must not wait for anything but the disk: it holds a lock that all
    processes share, and under gevent another greenlet may not run in the middle of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pid = os.getpid()
        self._idle: deque[sqlite3.Connection] = deque()
        self._inherited: list[sqlite3.Connection] = []
        self._queue = Queue(path.with_name("writers.lock"))

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Run the body on one consistent view of the namespace."""
        connection = self._take()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")
            self._idle.append(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the body as the only writer; commit at its end, roll back on an exception."""
        connection = self._take()
        turn = self._queue.enter()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            self._queue.leave(turn)
            self._idle.append(connection)

    def prepare(self) -> None:
        """Make the database file, if need be; no other process may open it meanwhile."""
        connection = self._take()
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        self._idle.append(connection)

    def close(self) -> None:
        """Close the idle connections, so that none is inherited by processes forked later."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            connection.close()

    def _take(self) -> sqlite3.Connection:
        if self._pid != os.getpid():
            # A connection opened before fork belongs to the parent: keep it open, unused.
            self._inherited.extend(self._idle)
            self._idle = deque()
            self._queue.forget()
            self._pid = os.getpid()
        with suppress(IndexError):
            return self._idle.pop()
        return self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -8192")
        return connection
