"""gzip bodies unpacked: in bounded pieces, to a bounded size, whatever they are made of."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

from app.core.errors import IncompleteBody, MalformedBody
from app.core.limit_errors import BodyExpands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE = 256 * 1024
_SLICE = 16 * 1024
"""Looked at together: what is behind a member's end is copied, so of many small members in one
large piece each would cost the copying of all that follow."""
_GZIP = 16 + zlib.MAX_WBITS
_FREE = 64 * 1024 * 1024
_EMPTY_MEMBERS = 1000


def gunzipped(chunks: Iterable[bytes], ratio: int) -> Iterator[bytes]:
    """Decompress one gzip member or several (RFC 1952), in pieces of at most PIECE bytes.

    Raises MalformedBody for what is not gzip, IncompleteBody where the end is missing, and
    BodyExpands for more than `ratio` (0: whatever) times the compressed bytes, past 64 MiB.
    """
    unpacker = _Unpacker()
    taken = made = 0
    for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            part = chunk[start:start + _SLICE]
            taken += len(part)
            for piece in unpacker.unpacked(part):
                made += len(piece)
                if ratio and made > _FREE and made > taken * ratio:
                    raise BodyExpands(ratio)
                yield piece
                # Unpacking computes and may wait for nothing: others have their turn here.
                time.sleep(0)
    unpacker.end()


class _Unpacker:
    """The members of a body so far."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._member_has_content = False
        self._empty = 0

    def unpacked(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` adds; what small members hold is gathered."""
        small: list[bytes] = []
        while True:
            if self._member.eof:
                self._begin_next()
            content = self._decompressed(data)
            self._member_has_content |= bool(content)
            if len(content) < PIECE:
                small.append(content)
            else:
                yield b"".join([*small, content])
                small = []
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if not data and (self._member.eof or len(content) < PIECE):
                break
        if joined := b"".join(small):
            yield joined

    def end(self) -> None:
        """Raise IncompleteBody where the last member has no end."""
        if not self._member.eof:
            raise IncompleteBody("the gzip body ended before its end")

    def _begin_next(self) -> None:
        self._empty = 0 if self._member_has_content else self._empty + 1
        if self._empty > _EMPTY_MEMBERS:
            raise MalformedBody(
                f"the gzip body has more than {_EMPTY_MEMBERS} empty members in a row")
        self._member = zlib.decompressobj(_GZIP)
        self._member_has_content = False

    def _decompressed(self, data: bytes) -> bytes:
        try:
            return self._member.decompress(data, PIECE)
        except zlib.error as error:
            raise MalformedBody(f"the body is not gzip: {error}") from error
