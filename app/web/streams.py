"""Answers that are longer than memory: file content, and JSON made while it is sent."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

from app.core.errors import UpstreamFault

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from werkzeug import Response

    from app.core.model import ByteRange, FileStatus
    from app.fs.port import ByteSource
    from app.fs.translator import UserFileSystem

SMALL = 64 * 1024
LARGE = 512 * 1024
_TRUSTED_AFTER = 8 * 1024 * 1024
_SLOW_SECONDS = 0.2
"""For a large piece that is 2.6 MB/s: of clients faster than this few fit into a network at once,
while many fast ones on a busy host each wait some 100 ms for their turn."""
_WORTH_SENDING = 128 * 1024
_GATHER_SECONDS = 0.0002
_GZIP = 16 + zlib.MAX_WBITS


def content(source: ByteSource, length: int) -> Generator[bytes]:
    """Yield exactly `length` bytes of `source` and close it.

    Pieces are small until the client has taken more than socket buffers hold at full speed, and
    small again as soon as it is slow: a thousand slow clients then hold 64 KiB each, while a fast
    one is served in few system calls. What comes at full speed but in small pieces (a DataNode
    writes 8 KiB at a time) is given a moment to gather: each piece costs a receive, a send and
    the waking of both peers. Raises UpstreamFault when the source ends early, which makes the
    server break the connection.
    """
    rest, quick = length, 0
    try:
        while rest:
            piece = source.read(min(LARGE if quick > _TRUSTED_AFTER else SMALL, rest))
            if not piece:
                raise UpstreamFault(f"the content ended {rest} bytes early")
            rest -= len(piece)
            before = time.monotonic()
            yield piece
            quick = 0 if time.monotonic() - before > _SLOW_SECONDS else quick + len(piece)
            if quick > _TRUSTED_AFTER and len(piece) < _WORTH_SENDING and rest > LARGE:
                time.sleep(_GATHER_SECONDS)
    finally:
        source.close()


def of_file(
    files: UserFileSystem, path: str, response: Response, wanted: tuple[FileStatus, ByteRange],
) -> Response:
    """Give an answer the wanted bytes of a file. Raises PathNotFound where it was replaced."""
    status, part = wanted
    response.response = begun(content(files.open(path, status, part), part.length))
    return response


def begun(pieces: Generator[bytes]) -> Iterator[bytes]:
    """Return `pieces` with the first one already made: what breaks by then still has a status."""
    return _resumed(next(pieces, b""), pieces)


def _resumed(first: bytes, pieces: Generator[bytes]) -> Iterator[bytes]:
    try:
        yield first
        del first
        yield from pieces
    finally:
        pieces.close()


def gzipped(pieces: Iterable[bytes], level: int) -> Iterator[bytes]:
    """Yield `pieces` as one gzip member."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    try:
        for piece in pieces:
            out = compressor.compress(piece)
            if out:
                yield out
        yield compressor.flush()
    finally:
        close = getattr(pieces, "close", None)
        if close:
            close()


def accepts_gzip(header: str) -> bool:
    """Tell whether Accept-Encoding asks for gzip (RFC 9110, section 12.5.3)."""
    header = header.lower()
    if "gzip" not in header and "*" not in header:
        return False
    weights: dict[str, float] = {}
    for item in header.split(","):
        coding, _, parameter = item.partition(";")
        weight = parameter.strip().removeprefix("q=")
        try:
            weights[coding.strip()] = float(weight) if parameter else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)
