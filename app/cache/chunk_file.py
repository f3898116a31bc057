"""The file that holds one chunk: its bytes, then a foot with checksums of blocks of 64 KiB.

So what is served is verified block by block as it is read, whatever the disk made of it, and no
chunk is held in memory. The foot says of what file the chunk is, and has a checksum of its own: a
file that was cut, or is another's, is none. The sums are XXH3 (64 bits).
"""

from __future__ import annotations

import os
import struct
from array import array
from typing import TYPE_CHECKING

from xxhash import xxh3_64, xxh3_64_intdigest

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCK = 64 * 1024
_MAGIC = b"hpcache1"
_TAIL = struct.Struct("<8s16sQQQ")
_NOW = getattr(os, "RWF_NOWAIT", 0)
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class CorruptChunk(Exception):
    """A chunk's file is not what was written."""


class NotInMemory(Exception):
    """To read it the disk would have to be waited for."""


def size_of(length: int) -> int:
    """Return how large the file of a chunk of `length` bytes is."""
    return length + 8 * _blocks(length) + _TAIL.size


def foot_of(sums: Sequence[int], identity: bytes, index: int, length: int) -> bytes:
    """Return what follows the bytes; `identity` is 16 octets, `index` the chunk's number."""
    head = array("Q", sums).tobytes() + _TAIL.pack(_MAGIC, identity, index, length, 0)[:-8]
    return head + xxh3_64_intdigest(head).to_bytes(8, "little")


def load(path: str, identity: bytes, index: int, length: int, *, wait: bool) -> array[int]:
    """Return the checksums of a chunk's blocks.

    Raises FileNotFoundError, CorruptChunk, NotInMemory (unless `wait`), OSError.
    """
    foot_size = size_of(length) - length
    descriptor = os.open(path, _FLAGS)
    try:
        if not wait and not _in_memory(descriptor, length):
            raise NotInMemory
        foot = os.pread(descriptor, foot_size + 1, length)
        if wait:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
    finally:
        os.close(descriptor)
    sums = array("Q", foot[:8 * _blocks(length)]) if len(foot) == foot_size else array("Q")
    if foot != foot_of(sums, identity, index, length):
        raise CorruptChunk(path)
    return sums


def read(path: str, sums: array[int], start: int, end: int, *, wait: bool) -> bytes:
    """Return the bytes from `start`, a multiple of BLOCK, to `end`, one too or the chunk's end.

    The file is open only meanwhile: one that is let go of takes no room then. Raises as `load`.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        # What was read first is the first that the kernel forgets.
        if not wait and not _in_memory(descriptor, start):
            raise NotInMemory
        data = os.pread(descriptor, end - start, start)
    finally:
        os.close(descriptor)
    if len(data) != end - start:
        raise CorruptChunk(path)
    view = memoryview(data)
    number = start // BLOCK
    for position in range(0, len(data), BLOCK):
        if xxh3_64_intdigest(view[position:position + BLOCK]) != sums[number]:
            raise CorruptChunk(path)
        number += 1
    return data


class Sums:
    """The checksums of a chunk's blocks while its bytes come in."""

    def __init__(self) -> None:
        self._done = array("Q")
        self._block = xxh3_64()
        self._room = BLOCK

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(piece)
        while view:
            part = view[:self._room]
            self._block.update(part)
            self._room -= len(part)
            view = view[len(part):]
            if not self._room:
                self._close_block()

    def finished(self) -> array[int]:
        """Return the sums; nothing more may be added."""
        if self._room < BLOCK:
            self._close_block()
        return self._done

    def _close_block(self) -> None:
        self._done.append(self._block.intdigest())
        self._block.reset()
        self._room = BLOCK


def _blocks(length: int) -> int:
    return -(-length // BLOCK)


def _in_memory(descriptor: int, position: int) -> bool:
    """Tell whether a byte can be read without waiting for the disk."""
    if not _NOW:
        return False
    try:
        os.preadv(descriptor, [bytearray(1)], position, _NOW)
    except BlockingIOError:
        return False
    except OSError:
        return False  # a file system that cannot tell
    return True
