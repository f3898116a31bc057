"""Request bodies: streamed, bounded, decompressed, checked; never held whole.

`RequestBody.chunks` is what a translator's upload consumes. It raises at the first sign that the
body is not what its headers promise, and only after its last chunk has every declared digest
been compared: who consumes it publishes nothing before it is exhausted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from app.core.errors import (
    BodyTooLarge,
    IncompleteBody,
    InvalidRequest,
    LengthRequired,
    MalformedBody,
    Unsupported,
    UnsupportedMedia,
)
from app.state.ledger import UPLOAD
from app.web.digests import sent_checks, stored_checks
from app.web.unpacking import gunzipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.web.digests import Check
    from app.web.exchange import Exchange

CHUNK = 256 * 1024
_CHUNKED = ("chunked", "identity, chunked", "identity,chunked")
_LINGER_SECONDS = 10.0
_LINGER_SILENCE = 2.0


class RequestBody:
    """The body of one request, not yet read.

    `limit` is the most bytes that it may have, 0 for any number: `max_bytes`, or less for the user.
    """

    def __init__(self, exchange: Exchange, *, max_bytes: int, timeout: float) -> None:
        environ = exchange.environ
        self._exchange = exchange
        self.limit = _smaller(max_bytes, exchange.meter.body if exchange.meter else 0)
        self._timeout = timeout
        self._input: Any = environ["wsgi.input"]
        self._socket: Any = environ.get("gunicorn.socket")
        self.chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        self.declared = None if self.chunked else _content_length(environ)
        self.content_type = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
        self._coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        self._waited = 0.0

    @property
    def present(self) -> bool:
        """Tell whether the request has a body at all, be it empty chunks."""
        return self.chunked or bool(self.declared)

    @property
    def expected(self) -> bool:
        """Tell whether the client waits for `100 Continue` before it sends."""
        return "100-continue" in self._exchange.environ.get("HTTP_EXPECT", "").lower()

    def check(self) -> None:
        """Raise what can be known to be wrong before the first byte is read."""
        environ = self._exchange.environ
        self._check_framing()
        if self._coding not in ("", "identity", "gzip", "x-gzip"):
            raise UnsupportedMedia(f"Content-Encoding '{self._coding}' is not supported;"
                                   " allowed are gzip and identity")
        if environ.get("SERVER_PROTOCOL") == "HTTP/1.0" and self.declared is None:
            raise LengthRequired("a body over HTTP/1.0 needs a Content-Length")
        if self.limit and (self.declared or 0) > self.limit:
            raise BodyTooLarge(self.limit)
        headers = _Headers(environ)
        sent_checks(headers)
        stored_checks(headers)

    def _check_framing(self) -> None:
        """Raise Unsupported for what the server undid the chunks of and nothing else."""
        coding = self._exchange.environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
        if self.chunked and coding not in _CHUNKED:
            raise Unsupported("of Transfer-Encoding nothing but chunked is supported")

    def chunks(self) -> Iterator[bytes]:
        """Yield the content as it is to be stored; raise InvalidRequest or BodyTooLarge."""
        headers = _Headers(self._exchange.environ)
        sent, stored = sent_checks(headers), stored_checks(headers)
        raw = self._fed(self.raw(), sent)
        content = raw
        if self._coding in ("gzip", "x-gzip"):
            limits = self._exchange.limits
            content = gunzipped(raw, limits.settings.gzip_ratio if limits else 0)
        total = 0
        for chunk in self._fed(content, stored):
            total += len(chunk)
            if self.limit and total > self.limit:
                raise BodyTooLarge(self.limit)
            yield chunk
        for check in (*sent, *stored):
            check.verify()

    def settle(self) -> None:
        """Decide, before an answer is sent, what becomes of a body that was not read to its end.

        A short rest is read and dropped so that the connection can serve on. Otherwise the
        connection is closed after the answer; a client that waits for `100 Continue` sends
        nothing more once it has a final status, or sends the body all the same (RFC 9110, 10.1.1).
        """
        if self._exchange.body_read or not self.present:
            return
        close = getattr(self._input, "force_close", None)
        if close is not None and (self.expected or self.chunked or (self.declared or 0) > CHUNK):
            close()

    def linger(self) -> None:
        """Read on for a moment after an early answer, so that a reset does not overtake it."""
        unread = self.present and not self._exchange.body_read
        if not unread or (self.expected and not self._exchange.bytes_in):
            return
        self._exchange.body_read = True
        end = time.monotonic() + _LINGER_SECONDS
        try:
            self._set_timeout(_LINGER_SILENCE)
            while self._input.read(CHUNK) and time.monotonic() < end:
                pass
        except Exception:  # noqa: BLE001, S110 - whatever breaks here, the answer is out
            pass
        finally:
            self._set_timeout(None)

    def raw(self) -> Iterator[bytes]:
        """Yield the bytes as they were sent, checked against nothing but their own framing."""
        self._check_framing()
        rest = self.declared
        if rest is None and not self.chunked:
            return
        meter = self._exchange.meter
        while rest is None or rest > 0:
            most = min(CHUNK, meter.most(UPLOAD)) if meter else CHUNK
            chunk = self._read(most if rest is None else min(most, rest))
            if not chunk:
                break
            self._exchange.bytes_in += len(chunk)
            if meter:
                meter.received(len(chunk))
            self._check_pace()
            if rest is not None:
                rest -= len(chunk)
            yield chunk
        self._exchange.body_read = True
        if rest:
            raise IncompleteBody(f"the body ended {rest} bytes before its Content-Length")

    def _check_pace(self) -> None:
        """Raise IncompleteBody where the client sends a byte now and then to stay connected."""
        limits, late = self._exchange.limits, self._waited - self._timeout
        slowest = limits.settings.slowest_upload if limits else 0
        if late > 0 and self._exchange.bytes_in < late * slowest:
            raise IncompleteBody(f"the body came with less than {slowest} bytes a second")

    def _read(self, size: int) -> bytes:
        self._set_timeout(self._timeout)
        before = time.monotonic()
        try:
            return self._input.read(size)  # type: ignore[no-any-return]
        except TimeoutError as error:
            raise IncompleteBody(f"no byte of the body came for {self._timeout:g} seconds"
                                 ) from error
        except OSError as error:
            raise IncompleteBody("the connection broke inside the body") from error
        except Exception as error:  # each server has its own errors for bad chunks
            raise MalformedBody("the body is not validly chunked") from error
        finally:
            self._waited += time.monotonic() - before
            self._set_timeout(None)

    def _set_timeout(self, seconds: float | None) -> None:
        if self._socket is not None and self._socket.fileno() >= 0:
            self._socket.settimeout(seconds)

    @staticmethod
    def _fed(chunks: Iterable[bytes], checks: list[Check]) -> Iterable[bytes]:
        return _feeding(chunks, checks) if checks else chunks


def _smaller(one: int, other: int) -> int:
    """Return the smaller of two limits, of which 0 is none."""
    return min(one or other, other or one)


class _Headers(dict[str, str]):
    """The digest headers of a WSGI environment by their names."""

    def __init__(self, environ: dict[str, Any]) -> None:
        names = ("Content-MD5", "Content-Digest", "Repr-Digest")
        found = ((name, environ.get("HTTP_" + name.upper().replace("-", "_"))) for name in names)
        super().__init__({name: value for name, value in found if value is not None})


def _content_length(environ: dict[str, Any]) -> int | None:
    text = environ.get("CONTENT_LENGTH") or ""
    if not text:
        return None
    if not text.isdecimal():
        raise InvalidRequest("Content-Length is not a number")
    return int(text)


def _feeding(chunks: Iterable[bytes], checks: list[Check]) -> Iterator[bytes]:
    for chunk in chunks:
        for check in checks:
            check.state.update(chunk)
        yield chunk
