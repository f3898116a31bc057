"""Request bodies: read from WSGI's input in pieces, to the length that was announced."""

from collections.abc import Iterator
from typing import Any, Final

from app.embedded.errors import HdfsError

PIECE: Final = 1024 * 1024


class BrokenBodyError(OSError):
    """The body ended before its announced length."""


def pieces(environ: dict[str, Any]) -> Iterator[bytes]:
    """Yield the body; raises BrokenBodyError where it is short, or what its reader raises."""
    stream = environ["wsgi.input"]
    announced = environ.get("CONTENT_LENGTH") or None
    if announced is None:
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked or environ.get("wsgi.input_terminated"):
            while piece := stream.read(PIECE):
                yield piece
        return
    if not (announced.isascii() and announced.isdigit()):
        raise HdfsError("IllegalArgumentException", f"Content-Length is {announced!r}")
    remaining = int(announced)
    while remaining:
        piece = stream.read(min(PIECE, remaining))
        if not piece:
            raise BrokenBodyError(f"the body is {remaining} bytes short of {announced}")
        remaining -= len(piece)
        yield piece
