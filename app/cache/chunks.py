"""The chunks of one version of a file, and the disks that have them."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple

from xxhash import xxh3_64_intdigest

from app.cache import part

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from app.cache.disk import Disk
    from app.cache.key import CacheKey
    from app.cache.part import Part

_KEPT_TOGETHER = 16
"""Chunks in a row that lie on the same disk."""
_AT_ONCE = 16
"""Files that are removed before others have their turn."""


class Chunk(NamedTuple):
    """A chunk that is on a disk: `length` bytes of the file from `offset`."""

    number: int
    offset: int
    length: int
    disk: Disk
    sums: array[int]


class Chunks:
    """The chunks of the file of `key`, on those of `disks` that are in use."""

    def __init__(self, key: CacheKey, origin: str, size: int, disks: Sequence[Disk]) -> None:
        self.key = key
        self.size = size
        told = "\n".join((*map(str, key), str(size), origin)).encode()
        self.identity = hashlib.blake2b(told, digest_size=16).digest()
        self.name = self.identity.hex()
        self.last = (key.length - 1) // size
        self._disks = disks

    def span(self, number: int) -> tuple[int, int]:
        """Return offset and length of a chunk."""
        offset = number * self.size
        return offset, min(self.size, self.key.length - offset)

    def find(self, number: int) -> Chunk | None:
        """Return a chunk if it is here."""
        disk = self.disk(number)
        offset, length = self.span(number)
        sums = disk.load(self.chunk_name(number), self.identity, number, length) if disk else None
        return Chunk(number, offset, length, disk, sums) if disk and sums else None

    def is_here(self, number: int) -> bool:
        """Tell whether there is a file for a chunk."""
        disk = self.disk(number)
        return disk is not None and disk.has(self.chunk_name(number))

    def read(self, chunk: Chunk, start: int, end: int) -> bytes | None:
        """Return verified bytes of a chunk, from and to multiples of a block, or its end."""
        return chunk.disk.read(self.chunk_name(chunk.number), chunk.sums, start, end)

    def claim(self, number: int) -> Part | None:
        """Return a chunk to be written, None where another has it. Raises NotStored."""
        disk = self.disk(number)
        if disk is None:
            raise part.NotStored("there is no disk")
        return part.claim(disk, self.chunk_name(number), self.span(number)[1])

    def written(self, number: int) -> int:
        """Return how much of a chunk another has written, -1 where nobody writes it."""
        disk = self.disk(number)
        return part.written(disk, self.chunk_name(number)) if disk else -1

    def held(self) -> int:
        """Return how many bytes of the file are here."""
        return sum(self.span(number)[1] for disk in self._disks
                   for number in disk.numbers(self.name)
                   if number <= self.last and self.disk(number) is disk)

    def drop(self) -> int:
        """Let go of all chunks; return the bytes that were here."""
        held, count = self.held(), 0
        for disk in self._disks:
            for number in disk.numbers(self.name):
                disk.drop(self.chunk_name(number))
                count += 1
                if count % _AT_ONCE == 0:
                    time.sleep(0)
        return held

    def chunk_name(self, number: int) -> str:
        """Return the name of a chunk on its disk."""
        return f"{self.name}/{number}"

    def disk(self, number: int) -> Disk | None:
        """Return the disk of a chunk: all workers choose alike, and few move when one comes."""
        usable = [disk for disk in self._disks if disk.is_usable()]
        if len(usable) < 2:  # noqa: PLR2004 nothing to choose
            return usable[0] if usable else None
        group = f"{self.name}/{number // _KEPT_TOGETHER}/"
        return max(usable, key=lambda disk: xxh3_64_intdigest(f"{group}{disk.path}".encode()))
