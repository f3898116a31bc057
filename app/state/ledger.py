"""Counts that the workers of one gateway keep together: a small file that each maps into memory.

A count costs some microseconds: a lock of the file, a few loads and stores. Nothing in it is worth
keeping over a restart, and nothing of it has to be freed by a worker that is killed: what it held
is struck out by whoever next meets the full count, and the kernel opens its lock.

The file is a table of workers, two tables of entries (users, addresses), and for each worker how
many of each user's transfers it holds. Stamps are of the monotonic clock, which all processes of a
host share.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
import time
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS, UPLOAD, DOWNLOAD = range(3)
"""The buckets of an entry."""
_ENTRY = struct.Struct("=16s6d")
_BUCKET = struct.Struct("=2d")
_WORKER = struct.Struct("=2Q")
_COUNT = struct.Struct("=H")
_WAYS = 8
_ENTRIES = 4096
_WORKERS = 128
_USERS_AT = _WORKERS * _WORKER.size
_ADDRESSES_AT = _USERS_AT + _ENTRIES * _ENTRY.size
_COUNTS_AT = _ADDRESSES_AT + _ENTRIES * _ENTRY.size
_SIZE = _COUNTS_AT + _WORKERS * _ENTRIES * _COUNT.size
_MOST = 0xFFFF


class Account(NamedTuple):
    """Whose counts these are: `start` of the table, and what the name came to."""

    start: int
    digest: bytes


def user(name: str) -> Account:
    """Return the account of a user; "" is all of them together."""
    return Account(_USERS_AT, _digest(name))


def address(text: str) -> Account:
    """Return the account of a client's address."""
    return Account(_ADDRESSES_AT, _digest(text))


class Hold(NamedTuple):
    """One transfer that counts, by this worker, for one entry."""

    worker: int
    entry: int


class Ledger:
    """The counts in `file`. `clock` tells seconds that only grow, alike for all processes.

    Opened at the first use, so that a gateway without limits has no such file. There is room for
    some 4,000 users and as many addresses that ask at the same time; beyond that the one who was
    silent for longest is forgotten.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._mutex = threading.Lock()
        self._descriptor = -1
        self._map: mmap.mmap = mmap.mmap(-1, mmap.PAGESIZE)
        self._worker = -1
        self._pid = 0

    def spend(self, account: Account, rate: float, burst: float) -> float:
        """Take one request of a bucket that gets `rate` a second and holds `burst`.

        Returns 0.0, or the seconds until there will be one, and then nothing was taken.
        """
        with self._locked():
            at = self._place(account) + 16
            level, now = self._level(at, rate, burst)
            missing = 1.0 - level
            _BUCKET.pack_into(self._map, at, level if missing > 0 else level - 1.0, now)
        return max(0.0, missing / rate)

    def owe(
        self, account: Account, bucket: int, amount: float, *, rate: float, burst: float,
        deepest: float,
    ) -> float:
        """Take `amount`, there or not, but no more than `deepest` that is not there.

        Returns the seconds until nothing is missing; an `amount` of 0 only asks for them.
        """
        with self._locked():
            at = self._place(account) + 16 + bucket * _BUCKET.size
            level, now = self._level(at, rate, burst)
            level = max(level - amount, -deepest)
            _BUCKET.pack_into(self._map, at, level, now)
        return max(0.0, -level / rate)

    def hold(self, account: Account, most: int) -> Hold | None:
        """Count one transfer; None where `most` are under way."""
        with self._locked():
            place = self._place(account)
            entry = (place - _USERS_AT) // _ENTRY.size
            worker = self._own_row()
            if self._held(entry) >= most:
                self._strike_out_the_dead()
                if self._held(entry) >= most:
                    return None
            self._count(worker, entry, 1)
            self._touch(place)
        return Hold(worker, entry)

    def free(self, hold: Hold) -> None:
        """Count a transfer no longer."""
        with self._locked():
            self._count(*hold, -1)

    # --- with the lock held

    def _level(self, at: int, rate: float, burst: float) -> tuple[float, float]:
        """Return what is in a bucket now, and now. One that was never used is full."""
        now = self._clock()
        level, stamp = _BUCKET.unpack_from(self._map, at)
        # A stamp that is still to come was written before the host was started again.
        if stamp == 0.0 or stamp > now:
            return burst, now
        return min(burst, level + (now - stamp) * rate), now

    def _place(self, account: Account) -> int:
        """Return where the entry of `account` begins; it is made where there is none."""
        first = account.start + (int.from_bytes(account.digest[:4]) % (_ENTRIES // _WAYS)
                                 ) * _WAYS * _ENTRY.size
        places = range(first, first + _WAYS * _ENTRY.size, _ENTRY.size)
        for place in places:
            if self._map[place:place + 16] == account.digest:
                return place
        place = min(places, key=self._last_used)
        _ENTRY.pack_into(self._map, place, account.digest, *(0.0,) * 6)
        return place

    def _last_used(self, place: int) -> float:
        """Return when an entry was used last; one with transfers under way is in use."""
        stamps: tuple[float, ...] = _ENTRY.unpack_from(self._map, place)[2::2]
        of_user = place < _ADDRESSES_AT
        held = of_user and self._held((place - _USERS_AT) // _ENTRY.size)
        return float("inf") if held else max(stamps)

    def _touch(self, place: int) -> None:
        """Note the use of an entry whose requests nobody counts; its bucket counts from full."""
        at = place + 16
        if _BUCKET.unpack_from(self._map, at)[1] == 0.0:
            _BUCKET.pack_into(self._map, at, float(_MOST), self._clock())

    def _held(self, entry: int) -> int:
        offset = _COUNTS_AT + entry * _COUNT.size
        row = _ENTRIES * _COUNT.size
        return sum(int(_COUNT.unpack_from(self._map, offset + worker * row)[0])
                   for worker in self._rows())

    def _count(self, worker: int, entry: int, change: int) -> None:
        at = _COUNTS_AT + (worker * _ENTRIES + entry) * _COUNT.size
        count = _COUNT.unpack_from(self._map, at)[0] + change
        _COUNT.pack_into(self._map, at, min(max(count, 0), _MOST))

    def _rows(self) -> list[int]:
        """Return the rows of the table of workers that are taken."""
        taken = []
        for row in range(_WORKERS):
            if not _WORKER.unpack_from(self._map, row * _WORKER.size)[0]:
                break
            taken.append(row)
        return taken

    def _own_row(self) -> int:
        """Return this process's row, which it takes the first time: an unused or a dead one's."""
        if self._pid == os.getpid():
            return self._worker
        pid = os.getpid()
        for row in range(_WORKERS):
            other, born = _WORKER.unpack_from(self._map, row * _WORKER.size)
            if not other or not _lives(other, born):
                self._wipe(row)
                _WORKER.pack_into(self._map, row * _WORKER.size, pid, _born(pid))
                self._worker, self._pid = row, pid
                return row
        raise OSError(f"more than {_WORKERS} worker processes use {self._file}")

    def _strike_out_the_dead(self) -> None:
        for row in self._rows():
            if not _lives(*_WORKER.unpack_from(self._map, row * _WORKER.size)):
                self._wipe(row)

    def _wipe(self, row: int) -> None:
        size = _ENTRIES * _COUNT.size
        start = _COUNTS_AT + row * size
        self._map[start:start + size] = bytes(size)

    def _locked(self) -> _Locked:
        if self._descriptor < 0:
            with self._mutex:
                if self._descriptor < 0:
                    self._open()
        return _Locked(self._mutex, self._descriptor)

    def _open(self) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # A hole that the disk has no room for would be a fault of memory, and the worker's end.
        os.posix_fallocate(descriptor, 0, _SIZE)
        self._map = mmap.mmap(descriptor, _SIZE)
        self._descriptor = descriptor


class _Locked:
    """The lock among threads and among processes, for the length of a `with`."""

    __slots__ = ("_descriptor", "_mutex")

    def __init__(self, mutex: threading.Lock, descriptor: int) -> None:
        self._mutex = mutex
        self._descriptor = descriptor

    def __enter__(self) -> None:
        self._mutex.acquire()
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        except BaseException:
            self._mutex.release()
            raise

    def __exit__(self, *_: object) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
        self._mutex.release()


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _lives(pid: int, born: int) -> bool:
    """Tell whether the process that was `born` then (0: nobody knows) still runs."""
    if born:
        return _born(pid) == born
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _born(pid: int) -> int:
    """Return when a process was started, in ticks since the host was; 0 for none and a zombie."""
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if told[0] == b"Z" else int(told[19])
