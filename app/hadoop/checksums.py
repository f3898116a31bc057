"""Checksums of the chunks that a block is made of: CRC32C, CRC32 or none.

Each chunk of `chunk` bytes, and what is left at the end, has its own. To compare them one by one
costs mostly Python's calls, so a packet's are compared at once: the CRC of chunks in a row is a
sum, over GF(2), of theirs, each shifted by what comes after it. A CRC over zeros with the chunks'
CRCs between them shifts them all in one pass, in C. What is wrong by chance passes once in 2^32
times, as with a single CRC.
Source: org.apache.hadoop.util.DataChecksum of Hadoop 3.4.2; crc32_combine of zlib.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import google_crc32c

from app.hadoop.protobuf import BadMessage

if TYPE_CHECKING:
    from collections.abc import Callable

NULL, CRC32, CRC32C = 0, 1, 2
"""ChecksumTypeProto."""
SIZE = 4
CHUNK_LIMIT = 16 * 1024 * 1024

_FEW, _MANY = 8, 2048
_WORD = struct.Struct("<I")
_crcs: dict[int, Callable[[bytes], int]] = {CRC32: zlib.crc32, CRC32C: google_crc32c.value}


class Checksums:
    """The checksums of one kind over chunks of `chunk` bytes."""

    def __init__(self, kind: int, chunk: int) -> None:
        """Raise BadMessage for what no block has."""
        if kind not in (NULL, CRC32, CRC32C) or not 0 < chunk <= CHUNK_LIMIT:
            raise BadMessage(f"checksums of kind {kind} over {chunk} bytes")
        self.kind = kind
        self.chunk = chunk
        self._crc = _crcs.get(kind, zlib.crc32)

    def octets(self, length: int) -> int:
        """Return how long the checksums of so many bytes are."""
        return 0 if self.kind == NULL else -(-length // self.chunk) * SIZE

    def of(self, data: bytes | memoryview) -> bytes:
        """Return the checksums of data that begins with a chunk."""
        if self.kind == NULL:
            return b""
        whole, rest = divmod(len(data), self.chunk)
        if whole > _MANY:
            return b"".join(self.of(data[at:at + _MANY * self.chunk])
                            for at in range(0, len(data), _MANY * self.chunk))
        pieces = _form(whole, self.chunk, rest).unpack(data)
        return struct.pack(f">{len(pieces)}I", *map(self._crc, pieces))

    def match(self, data: bytes, sums: bytes) -> bool:
        """Tell whether these are the checksums of data that begins with a chunk."""
        if self.kind == NULL:
            return not sums
        if len(sums) != self.octets(len(data)):
            return False
        whole, rest = divmod(len(data), self.chunk)
        if not _FEW <= whole <= _MANY or self.chunk < SIZE:
            return self.of(data) == sums
        if rest:
            end = len(data) - rest
            if self._crc(data[end:]) != int.from_bytes(sums[-SIZE:], "big"):
                return False
            data, sums = data[:end], sums[:-SIZE]
        return self._combined(whole, sums) == self._shifted(self._crc(data))

    def _combined(self, whole: int, sums: bytes) -> int:
        """Return what the CRC of chunks with these CRCs is, shifted by 4 octets."""
        spread = _spread(self.kind, self.chunk, whole)
        return self._crc(spread.form.pack(*spread.words.unpack(sums))) ^ spread.zeros

    def _shifted(self, crc: int) -> int:
        return self._crc(_WORD.pack(crc)) ^ self._crc(bytes(SIZE))


class _Spread(NamedTuple):
    """How CRCs come to stand at the ends of chunks of zeros, and the CRC of those alone."""

    words: struct.Struct
    form: struct.Struct
    zeros: int


@lru_cache(maxsize=128)
def _spread(kind: int, chunk: int, count: int) -> _Spread:
    return _Spread(
        struct.Struct(f">{count}I"), struct.Struct("<" + f"{chunk - SIZE}xI" * count),
        _crcs[kind](bytes(chunk * count)))


@lru_cache(maxsize=128)
def _form(whole: int, chunk: int, rest: int) -> struct.Struct:
    return struct.Struct(f"{chunk}s" * whole + (f"{rest}s" if rest else ""))
