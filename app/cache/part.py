"""A chunk while it is written: one worker of all has it, and a worker that dies lets go of it.

The file has a name of its own until it is whole. Who has its lock (flock: the kernel frees it
with the process) may write; nobody waits for the lock.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from app.cache import chunk_file
from app.cache.chunk_file import Sums
from app.cache.disk import PART

if TYPE_CHECKING:
    from app.cache.disk import Disk

_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_GATHERED = 512 * 1024


class NotStored(Exception):
    """The disk did not take a chunk."""


class Part:
    """The file of a chunk of `length` bytes, locked by this worker; see `claim`."""

    def __init__(self, disk: Disk, name: str, length: int, descriptor: int) -> None:
        self._disk = disk
        self._name = name
        self._file = disk.file(name)
        self._length = length
        self._descriptor = descriptor
        self._sums = Sums()
        self._pieces: list[bytes] = []
        self._gathered = 0

    def add(self, piece: bytes) -> None:
        """Take the next bytes. Raises NotStored."""
        self._pieces.append(piece)
        self._gathered += len(piece)
        if self._gathered >= _GATHERED:
            self._flush()

    def publish(self, identity: bytes, index: int) -> None:
        """Make it a chunk that everybody sees. Raises NotStored."""
        self._flush()
        foot = chunk_file.foot_of(self._sums.finished(), identity, index, self._length)
        try:
            _write_all(self._descriptor, [foot])
            self._show()
        except FileNotFoundError as error:
            self.abandon()
            raise NotStored("it was let go of meanwhile") from error
        except OSError as error:
            self._disk.failed(error)
            self.abandon()
            raise NotStored(str(error)) from error
        self._close()

    def abandon(self) -> None:
        """Remove what was written, unless it was published or is another's by now."""
        if self._descriptor >= 0:
            with suppress(OSError):
                if _is_file(self._descriptor, f"{self._file}{PART}"):
                    self._disk.drop(self._name)
            self._close()

    def _flush(self) -> None:
        pieces, self._pieces, self._gathered = self._pieces, [], 0
        try:
            self._disk.offload.run(self._store, pieces)
        except OSError as error:
            self._disk.failed(error)
            self.abandon()
            raise NotStored(str(error)) from error

    def _store(self, pieces: list[bytes]) -> None:
        _write_all(self._descriptor, pieces)
        for piece in pieces:
            self._sums.add(piece)

    def _show(self) -> None:
        """Give the file its name, unless it was let go of and another worker has begun anew."""
        part = f"{self._file}{PART}"
        if not _is_file(self._descriptor, part):
            raise FileNotFoundError(part)
        os.rename(part, self._file)

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1


def claim(disk: Disk, name: str, length: int) -> Part | None:
    """Return the chunk to be written; None where another has it, or it is there by now.

    Raises NotStored where the disk takes nothing.
    """
    if not disk.takes_chunks():
        raise NotStored("the disk takes nothing")
    file = disk.file(name)
    try:
        disk.directory.make_for(file)
        descriptor = _locked(f"{file}{PART}", file)
        if descriptor is None:
            return None
    except FileNotFoundError as error:
        if _is_there(disk):
            return None  # its directory was empty and has just been removed
        disk.failed(error)
        raise NotStored(str(error)) from error
    except OSError as error:
        disk.failed(error)
        raise NotStored(str(error)) from error
    part = Part(disk, name, length, descriptor)
    try:
        if disk.reserve(name, chunk_file.size_of(length)):
            return part
    except (OSError, sqlite3.Error) as error:
        disk.failed(error)
    part.abandon()
    raise NotStored("there is no room for the chunk")


def written(disk: Disk, name: str) -> int:
    """Return how much of a chunk has been written by whoever has it, -1 where nobody does."""
    try:
        return os.stat(f"{disk.file(name)}{PART}").st_size
    except OSError:
        return -1


def _locked(part: str, file: str) -> int | None:
    """Return the open, locked and empty file `part`, None where that is not to be had."""
    descriptor = os.open(part, _OPEN, 0o600)
    mine = False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_file(descriptor, part):
            return None  # it was published, or removed, after it was opened
        if os.path.exists(file):
            os.unlink(part)
            return None
        os.ftruncate(descriptor, 0)
        mine = True
    except (BlockingIOError, FileNotFoundError):
        return None
    finally:
        if not mine:
            os.close(descriptor)
    return descriptor


def _is_file(descriptor: int, path: str) -> bool:
    return os.fstat(descriptor).st_ino == os.stat(path).st_ino


def _is_there(disk: Disk) -> bool:
    with suppress(OSError):
        disk.directory.check()
        return True
    return False


def _write_all(descriptor: int, pieces: list[bytes]) -> None:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest):]
