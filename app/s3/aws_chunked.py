"""aws-chunked: the framing inside a body in which each chunk, or the trailer, can be signed.

    <size in hex>;chunk-signature=<64 hex>CRLF <bytes> CRLF … 0;chunk-signature=<64 hex>CRLF
    <name>:<value>CRLF … x-amz-trailer-signature:<64 hex>CRLF CRLF

without the signatures for STREAMING-UNSIGNED-PAYLOAD-TRAILER (Amazon S3 API Reference, "Signature
calculations for the authorization header: transferring payload in multiple chunks" and "… with
trailing headers"). A chunk may be larger than memory, so its bytes are passed on while it arrives
and are hashed on the way; the decoder raises at the chunk's end when the signature is another, and
who consumes it publishes nothing before the decoder has ended without raising.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Protocol

from app.core.errors import IncompleteBody, LengthRequired
from app.core.object_errors import WrongSignature
from app.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

LEAST_CHUNK = 8 * 1024
"""Bytes that all chunks but the last must have."""
MAX_LINE = 1024
MAX_TRAILER = 8 * 1024
TRAILER_SIGNATURE = "x-amz-trailer-signature"
_UNSIGNED = re.compile(rb"([0-9A-Fa-f]{1,16})")
_SIGNED = re.compile(rb"([0-9A-Fa-f]{1,16});chunk-signature=([0-9a-f]{64})")
_LENGTH = re.compile(r"[0-9]{1,19}")
_TRAILER_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)")


class Signer(Protocol):
    """Knows what the signatures of one request's chunks must be (app.auth.s3.ChunkSigner)."""

    def chunk(self, data_sha256_hex: str) -> str:
        """Return the signature of the next chunk."""

    def trailer(self, canonical_trailer: bytes) -> str:
        """Return the signature of the trailer."""


def decoded_length(header: str | None) -> int:
    """Return the bytes that x-amz-decoded-content-length promises. Raises LengthRequired."""
    if header is None or not _LENGTH.fullmatch(header.strip()):
        raise LengthRequired("You must provide the Content-Length HTTP header.")
    return int(header)


class Decoder:
    """Decodes one body of `length` bytes; `trailers` are known when `decode` has ended.

    Signed ones are `announced` by their names; None is for whatever comes.
    """

    def __init__(
        self, length: int, *, signer: Signer | None, trailer: bool,
        announced: Collection[str] | None = None,
    ) -> None:
        self._rest = length
        self._signer = signer
        self._trailer = trailer
        self._announced = announced
        self.trailers: dict[str, str] = {}

    def decode(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the content, never more of it than was promised.

        Raises IncompleteBody, WrongSignature, and S3Error for small chunks and bad trailers.
        """
        wire = _Wire(pieces)
        number, last_size = 0, LEAST_CHUNK
        while True:
            size, signature = self._header(wire.line())
            if size and last_size < LEAST_CHUNK:
                raise S3Error("InvalidChunkSizeError", Chunk=str(number),
                              BadChunkSize=str(last_size))
            if size > self._rest:
                raise _mismatch()
            yield from self._chunk(wire, size, signature)
            if not size:
                break
            wire.line_end()
            number, last_size = number + 1, size
        if self._rest:
            raise _mismatch()
        self._end(wire.rest())

    def _header(self, line: bytes) -> tuple[int, bytes]:
        found = (_SIGNED if self._signer else _UNSIGNED).fullmatch(line)
        if not found:
            raise _broken()
        return int(found[1], 16), found[2] if self._signer else b""

    def _chunk(self, wire: _Wire, size: int, signature: bytes) -> Iterator[bytes]:
        """Yield the bytes of one chunk, and look at its signature when it has them all."""
        state = hashlib.sha256() if self._signer else None
        while size:
            piece = wire.some(size)
            size -= len(piece)
            self._rest -= len(piece)
            if state:
                state.update(piece)
            yield piece
        if self._signer and state:
            _compare(self._signer.chunk(state.hexdigest()), signature.decode())

    def _end(self, tail: bytes) -> None:
        """Read what follows the chunk of size 0."""
        if tail == b"\r\n":
            tail = b""
        elif not tail.endswith(b"\r\n\r\n"):
            raise _broken()
        # Some clients end each trailing header by LF alone and put an empty line before the
        # signature: lines are what counts.
        for line in filter(None, (line.rstrip(b"\r") for line in tail.split(b"\n"))):
            found = _TRAILER_LINE.fullmatch(line.decode("latin-1"))
            if not found or not self._trailer or found[1].lower() in self.trailers:
                raise S3Error("MalformedTrailerError")
            self.trailers[found[1].lower()] = found[2].strip(" \t")
        if self._signer and self._trailer:
            signature = self.trailers.pop(TRAILER_SIGNATURE, None)
            if signature is None or self._announced not in (None, self.trailers.keys()):
                raise S3Error("MalformedTrailerError")
            _compare(self._signer.trailer(_canonical(self.trailers)), signature)


def _canonical(trailers: dict[str, str]) -> bytes:
    return "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items())
                   ).encode("latin-1")


def _compare(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode("latin-1")):
        raise WrongSignature("The request signature we calculated does not match the signature"
                             " you provided: a chunk or the trailer was changed on the way.")


class _Wire:
    """The body as it arrives, in pieces of any size."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""
        self._at = 0

    def some(self, most: int) -> bytes:
        """Return 1 to `most` bytes."""
        while self._at == len(self._held):
            self._next()
        if not self._at and len(self._held) <= most:
            piece, self._held = self._held, b""
            return piece
        piece = self._held[self._at:self._at + most]
        self._at += len(piece)
        return piece

    def line(self) -> bytes:
        """Return what stands before the next CR LF."""
        line = b""
        while not line.endswith(b"\r\n"):
            if self._at == len(self._held):
                self._next()
            end = self._held.find(b"\n", self._at) + 1 or len(self._held)
            line += self._held[self._at:min(end, self._at + MAX_LINE + 1)]
            self._at = end
            if len(line) > MAX_LINE or (line.endswith(b"\n") and not line.endswith(b"\r\n")):
                raise _broken()
        return line[:-2]

    def line_end(self) -> None:
        """Take the CR LF behind a chunk."""
        if self.line():
            raise _broken()

    def rest(self) -> bytes:
        """Return all that is left, which must not be much."""
        rest = self._held[self._at:]
        for piece in self._pieces:
            rest += piece
            if len(rest) > MAX_TRAILER:
                break
        if len(rest) > MAX_TRAILER:
            raise S3Error("MalformedTrailerError")
        return rest

    def _next(self) -> None:
        self._held, self._at = next(filter(None, self._pieces), b""), 0
        if not self._held:
            raise _broken()


def _broken() -> IncompleteBody:
    return IncompleteBody("The request body terminated unexpectedly")


def _mismatch() -> IncompleteBody:
    return IncompleteBody("You did not provide the number of bytes specified by the Content-Length"
                          " HTTP header")
