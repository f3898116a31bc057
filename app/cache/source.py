"""A part of a file on its way to one reader: from the disks, and to the disks first if need be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.cache.chunk_file import BLOCK
from app.core.cache_errors import NotCached

if TYPE_CHECKING:
    from app.cache.chunks import Chunk
    from app.cache.visit import Visit
    from app.fs.port import ByteSource

_DAMAGED = 3
"""How often a chunk that is damaged again is fetched again."""


class CachedSource:
    """A ByteSource of `length` bytes from `offset`; the first chunk is here when it is made.

    Where the disks fail, the rest comes from HDFS directly.
    """

    def __init__(self, visit: Visit, offset: int, length: int) -> None:
        self._visit = visit
        self._chunks = visit.chunks
        self._position = offset
        self._end = offset + length
        self._chunk: Chunk | None = None
        self._held = memoryview(b"")
        self._through: ByteSource | None = None
        try:
            self._enter()
        except BaseException:
            self.close()
            raise

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, b"" at the end. Raises what `fetch` does."""
        left = self._end - self._position
        if not left:
            return b""
        if self._held:
            piece = bytes(self._held[:size])
            self._held = self._held[size:]
        elif self._through:
            piece = self._through.read(min(size, left))
        else:
            piece = self._cached(min(size, left))
        self._position += len(piece)
        return piece

    def close(self) -> None:
        """Let go of the connection and of what was being fetched."""
        self._visit.close()
        if self._through:
            self._through.close()

    def skip_chunk(self) -> int:
        """Go to the next chunk; return how many bytes that is. Raises NotCached."""
        if self._through:
            raise NotCached("the disks of the cache do not take it")
        assert self._chunk is not None
        step = min(self._chunk.offset + self._chunk.length, self._end) - self._position
        self._position += step
        if self._position < self._end:
            self._enter()
        return step

    def _cached(self, wanted: int) -> bytes:
        for _ in range(_DAMAGED):
            chunk = self._chunk
            if chunk is None or self._position >= chunk.offset + chunk.length:
                chunk = self._enter()
                if chunk is None:
                    break
            piece = self._from_disk(chunk, wanted)
            if piece:
                return piece
            self._chunk = None
        return self._pass_through().read(wanted)

    def _from_disk(self, chunk: Chunk, wanted: int) -> bytes:
        """Return bytes of a chunk, b"" where it is gone or damaged; whole blocks are read."""
        first = self._position - chunk.offset
        start = first - first % BLOCK
        end = min(first + wanted, chunk.length)
        if end < chunk.length:
            whole = end - end % BLOCK
            end = whole if whole > first else min(whole + BLOCK, chunk.length)
        data = self._chunks.read(chunk, start, end)
        if data is None:
            return b""
        self._visit.served += min(end, self._end - chunk.offset) - first
        if start == first and end - first <= wanted:
            return data
        piece = data[first - start:first - start + wanted]
        self._held = memoryview(data)[first - start + wanted:self._end - chunk.offset - start]
        return piece

    def _enter(self) -> Chunk | None:
        """Find or fetch the chunk at the position; None where the rest comes from HDFS."""
        number = self._position // self._chunks.size
        self._chunk = self._visit.arrive(number)
        if self._chunk is None:
            self._pass_through()
        return self._chunk

    def _pass_through(self) -> ByteSource:
        if self._through is None:
            self._visit.close()
            self._through = self._visit.fetch(self._position, self._end - self._position)
        return self._through
