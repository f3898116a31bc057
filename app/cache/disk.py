"""One mountpath: its chunks, and how it fails.

What goes wrong with a disk is nobody's error but the disk's: it is left alone for a while, and who
reads is served by HDFS. A full disk still serves what it has.
"""

from __future__ import annotations

import errno
import logging
import os
import random
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from app.cache import chunk_file
from app.cache.chunk_file import CorruptChunk, NotInMemory
from app.cache.directory import CHUNKS, Directory
from app.cache.index import Index
from app.core.cache_errors import MountpathUnusable
from app.offload import Offload

if TYPE_CHECKING:
    from array import array

    from app.cache.figures import Counted

PART = ".part"
"""What the name of a chunk's file ends in while it is written."""
THREADS = 4
REST_SECONDS = 5.0
"""How long a disk that failed, or that is full, is left alone."""
_TOUCH_SECONDS = 1.0
_YOUNG_SECONDS = 60.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DAMAGED = frozenset({errno.EIO, errno.ELOOP, errno.EISDIR, errno.ENXIO})
"""Errors of reading one file: bad sectors, and what is no file at all."""
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_log = logging.getLogger(__name__)


class Usage(NamedTuple):
    """What a mountpath holds: bytes `used` of `capacity`, in so many chunks."""

    used: int
    capacity: int
    free_on_disk: int
    chunks: int


class Disk:
    """The chunks below one mountpath; a chunk's name is `<32 hex digits>/<number>`."""

    def __init__(self, path: str, capacity: int, counted: Counted) -> None:
        self.path = path
        self.capacity = capacity
        self.directory = Directory(path)
        self.index = Index(path, self._remove)
        self.offload = Offload(THREADS)
        self._counted = counted
        self._ready = self._told = False
        self._rests_until = self._full_until = float("-inf")
        self._used: dict[str, float] = {}
        self._touch_at = 0.0
        self._turn = random.randrange(256)  # noqa: S311 workers begin at different places

    def file(self, name: str) -> str:
        """Return where the chunk's file lies."""
        return f"{self.path}/{CHUNKS}/{name[:2]}/{name}"

    def is_usable(self) -> bool:
        """Tell whether the disk can be read; make it ready if that is to be tried."""
        if self._ready:
            return True
        if time.monotonic() < self._rests_until:
            return False
        try:
            self.directory.prepare()
        except MountpathUnusable as error:
            self._rest(error)
            return False
        self._ready, self._told = True, False
        return True

    def takes_chunks(self) -> bool:
        """Tell whether there is any sense in writing."""
        return time.monotonic() >= self._full_until and self.is_usable()

    def load(self, name: str, identity: bytes, index: int, length: int) -> array[int] | None:
        """Return the checksums of a chunk that is here, else None."""
        file = self.file(name)
        try:
            try:
                sums = chunk_file.load(file, identity, index, length, wait=False)
            except NotInMemory:
                sums = self.offload.run(
                    chunk_file.load, file, identity, index, length, wait=True)
        except FileNotFoundError:
            return None
        except (CorruptChunk, OSError) as error:
            self.failed(error, name)
            return None
        now = time.time()
        self._used[name] = now
        if now > self._touch_at:
            self.save_touches()
        return sums

    def read(self, name: str, sums: array[int], start: int, end: int) -> bytes | None:
        """Return verified bytes of a chunk; None where it is not, or not well, here any more."""
        file = self.file(name)
        try:
            try:
                return chunk_file.read(file, sums, start, end, wait=False)
            except NotInMemory:
                return self.offload.run(chunk_file.read, file, sums, start, end, wait=True)
        except FileNotFoundError:
            return None
        except (CorruptChunk, OSError) as error:
            self.failed(error, name)
            return None

    def reserve(self, name: str, size: int) -> bool:
        """Make room for a chunk's file; tell whether there is."""
        fits, gone = self.index.reserve(name, size, self.capacity)
        self._counted.count(evicted=gone)
        return fits

    def drop(self, name: str) -> None:
        """Let go of a chunk."""
        try:
            self.index.drop(name)
        except (OSError, sqlite3.Error) as error:
            self.failed(error)

    def has(self, name: str) -> bool:
        """Tell whether there is a file for a chunk."""
        return os.path.exists(self.file(name))

    def drop_file(self, file_name: str, *, before: float) -> None:
        """Let go of a file's chunks that were written before a time, in seconds of the epoch."""
        for number in self.numbers(file_name):
            name = f"{file_name}/{number}"
            with suppress(OSError):
                if os.stat(self.file(name)).st_mtime < before:
                    self.drop(name)

    def numbers(self, file_name: str) -> list[int]:
        """Return the numbers of a file's chunks that are here, by 32 hex digits."""
        if not self.is_usable():
            return []
        try:
            names = os.listdir(self.file(file_name))
        except FileNotFoundError:
            return []
        except OSError as error:
            self.failed(error)
            return []
        return [int(name) for name in names if name.isdecimal()]

    def usage(self) -> Usage | None:
        """Return what is used; None where the disk cannot be read."""
        if not self.is_usable():
            return None
        try:
            used, chunks = self.index.total()
            return Usage(used, self.capacity, self.directory.free(), chunks)
        except (OSError, sqlite3.Error) as error:
            self.failed(error)
            return None

    def beat(self) -> None:
        """Save what was used when, and look at a part of the files for what a crash left."""
        if not self.is_usable():
            return
        try:
            self.directory.check()
            self.save_touches()
            self.offload.run(self.directory.remove_gone)
            self._sweep(f"{self._turn:02x}")
            self._turn = (self._turn + 1) % 256
        except (OSError, sqlite3.Error) as error:
            self.failed(error)

    def save_touches(self) -> None:
        """Bring to the index which chunks were used."""
        used, self._used = self._used, {}
        self._touch_at = time.time() + _TOUCH_SECONDS
        if used:
            try:
                self.index.touch(used.items())
            except (OSError, sqlite3.Error) as error:
                self.failed(error)

    def failed(self, error: Exception, name: str = "") -> None:
        """Take what has to be taken from an error at the chunk `name`."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        number = getattr(error, "errno", 0)
        if isinstance(error, CorruptChunk) or (name and number in _DAMAGED):
            _log.warning("a cached chunk in %s was damaged and is fetched again", self.path)
            self._counted.count(corrupt=1)
            self.drop(name)
        elif number in _FULL or code == sqlite3.SQLITE_FULL:
            self._counted.count(errors=1)
            told = time.monotonic() < self._full_until + 10 * REST_SECONDS
            _log.log(logging.DEBUG if told else logging.WARNING,
                     "the disk of the mountpath %s is full: what is new is not cached", self.path)
            self._full_until = time.monotonic() + REST_SECONDS
        elif code in _BROKEN:
            self._start_over(error)
        else:
            self._rest(error)

    def _start_over(self, error: Exception) -> None:
        self._counted.count(errors=1)
        _log.error("the index of the mountpath %s is broken, it starts over: %r", self.path, error)
        try:
            self.directory.start_over(self.index.inode)
        except OSError as problem:
            self._rest(problem)
        self._ready = False

    def _rest(self, error: Exception) -> None:
        self._counted.count(errors=1)
        _log.log(logging.DEBUG if self._told else logging.WARNING,
                 "the mountpath %s is left alone until it can be used: %r", self.path, error)
        self._ready, self._told = False, True
        self._rests_until = time.monotonic() + REST_SECONDS

    def _remove(self, name: str) -> None:
        file = self.file(name)
        for path in (file, f"{file}{PART}"):
            with suppress(FileNotFoundError):
                _unlink(path)
        with suppress(OSError):
            os.rmdir(os.path.dirname(file))

    def _sweep(self, prefix: str) -> None:
        """Remove files that the index does not know, and rows whose file is gone."""
        known = set(self.index.names(prefix, f"{prefix}~"))
        found = self.offload.run(_files_below, f"{self.path}/{CHUNKS}/{prefix}")
        young = time.time() - _YOUNG_SECONDS
        for name in known - {name.removesuffix(PART) for name in found}:
            self.index.drop(name)
        for name, modified in found.items():
            if name.removesuffix(PART) not in known and modified < young:
                with suppress(FileNotFoundError):
                    _unlink(f"{self.path}/{CHUNKS}/{prefix}/{name}")


def _files_below(directory: str) -> dict[str, float]:
    """Return when the files of a directory's directories were changed, by `<directory>/<file>`."""
    found: dict[str, float] = {}
    with suppress(FileNotFoundError):
        for inner in os.listdir(directory):
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(
                    f"{directory}/{inner}") as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        found[f"{inner}/{entry.name}"] = status.st_mtime
    return found


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except IsADirectoryError:
        os.rmdir(path)
