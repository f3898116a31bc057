"""What gunicorn needs to be told: `pre_request` goes into its configuration file.

gunicorn answers `Expect: 100-continue` before it calls the application, so that a client sends
gigabytes only to be refused. With this hook the interim answer is sent when the application
reads the first byte, and an answer that comes before it spares the client the upload.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from gevent import Timeout
from gevent.monkey import is_module_patched
from gunicorn.http.body import ChunkedReader, LengthReader

from app.web.plain import PlainRequest
from app.web.underscored import taken_out

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

_GATHER_SECONDS = 1.0


def _at_most(seconds: float | None) -> AbstractContextManager[Any]:
    """Raise TimeoutError in what takes longer; with workers other than gevent's it may."""
    if seconds is None or not is_module_patched("socket"):
        return nullcontext()
    return Timeout(seconds + _GATHER_SECONDS, TimeoutError)  # type: ignore[no-any-return]


class GatedBody:
    """A `wsgi.input` that sends `100 Continue` on the first read, and can end the connection.

    A body with a Content-Length is received straight from the socket: gunicorn's own reader
    receives ahead and copies what it holds on every read, several times each byte.
    """

    def __init__(
        self, request: Any, *, waiting: bool, underscored: Mapping[str, str] | None = None,
    ) -> None:
        self.underscored = underscored or {}
        self._request = request
        self._body = request.body
        self._waiting = waiting
        self._closed = False

    @property
    def failed(self) -> bool:
        """Tell gunicorn that the position in the connection is unknown."""
        return self._closed or bool(getattr(self._body, "failed", False))

    def force_close(self) -> None:
        """Close the connection after the answer."""
        self._closed = True
        self._request.force_close()

    def read(self, size: int | None = None) -> bytes:
        """Return up to `size` bytes, b"" at the end; less than `size` may come at a time."""
        if self._waiting:
            if self._closed:
                return b""
            self._waiting = False
            self._request.unreader.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        reader = getattr(self._body, "reader", None)
        if size and isinstance(reader, LengthReader) and not self._body.buf.tell():
            return self._receive(reader, size)
        if size and isinstance(reader, ChunkedReader) and not (
                self._body.buf.tell() or reader.buf.tell()):
            return self._gather(reader, size)
        return self._body.read(size)  # type: ignore[no-any-return]

    def _gather(self, reader: Any, size: int) -> bytes:
        """Return about `size` bytes of chunks, or what came of them in a moment.

        gunicorn's own reader waits until it has `size` bytes: from a client that sends a byte a
        minute that takes months, in which nobody can look at it.
        """
        pieces: list[bytes] = []
        total, end = 0, time.monotonic() + _GATHER_SECONDS
        try:
            # The socket's own timeout is for each octet, those of chunks' sizes and ends, too.
            with _at_most(self._request.unreader.sock.gettimeout()):
                while reader.parser and total < size and not (total and time.monotonic() > end):
                    piece = next(reader.parser, None)
                    if piece is None:
                        reader.parser = None
                        break
                    pieces.append(piece)
                    total += len(piece)
        except Exception:
            self._body.failed = True
            raise
        return b"".join(pieces)

    def _receive(self, reader: Any, size: int) -> bytes:
        """Return what one receive yields, or what came together with the head."""
        size = min(size, reader.length)
        if not size:
            return b""
        unreader = reader.unreader
        try:
            held = unreader.take_buffered()
            data: bytes = held[:size] or unreader.sock.recv(size)
        except Exception:
            self._body.failed = True
            raise
        if len(held) > size:
            unreader.unread(held[size:])
        reader.length -= len(data)
        return data

    def readline(self, size: int | None = None) -> bytes:
        """Return one line; here for PEP 3333."""
        self.read(0)
        return self._body.readline(size)  # type: ignore[no-any-return]

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """Return all lines; here for PEP 3333."""
        self.read(0)
        return self._body.readlines(hint)  # type: ignore[no-any-return]

    def __iter__(self) -> Any:
        """Iterate over lines; here for PEP 3333."""
        self.read(0)
        return iter(self._body)


def pre_request(_worker: Any, request: Any) -> None:
    """Hold back `100 Continue` until the application reads (gunicorn's server hook).

    And see to names of headers that have underscores (`app.web.underscored`).
    """
    if isinstance(request, PlainRequest):
        return
    underscored = taken_out(request)
    waiting = bool(getattr(request, "_expected_100_continue", False))
    if waiting:
        request._expected_100_continue = False  # noqa: SLF001
    if hasattr(request, "unreader"):
        waiting = waiting and not _has_no_body(request)
        request.body = GatedBody(request, waiting=waiting, underscored=underscored)


def _has_no_body(request: Any) -> bool:
    """Tell whether nothing will come, so that asking for it would seem to be an answer."""
    reader = getattr(request.body, "reader", None)
    return isinstance(reader, LengthReader) and not reader.length
