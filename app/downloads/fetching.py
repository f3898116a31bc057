"""GET from a source that is not trusted: its address, its answer and its pace are all looked at.

Every hop of a redirect passes the guard, and is connected to at an address that the guard has
seen: no name is resolved a second time. Nothing of the environment (proxies, netrc) and no cookie
plays a part. An answer whose end cannot be told from a cut is refused, as is a coding that would
have to be taken off.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, NamedTuple

from requests import exceptions

from app.core.download_errors import DownloadStopped, SourceAway, SourceFault, SourceRefused
from app.core.errors import printable
from app.fs.connection import Connection
from app.fs.http_faults import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.downloads.flight import Flight
    from app.downloads.guard import Guard
    from app.downloads.links import Link
    from app.fs.answer import Answer

MAX_REDIRECTS = 5
MAX_ADDRESSES = 4
PIECE = 256 * 1024
OK = 200
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429)
"""Statuses of clients' errors that time may heal; as all of 500 and above."""
_FIRST_FAILURE = 500
_MAX_TYPE = 255
_SLACK = 2.0
"""So many timeouts may pass before a source is cut off from outside."""
_OWN_HEADERS = {"Accept": "*/*", "User-Agent": "httpfs-proxy"}


class Limits(NamedTuple):
    """`timeout` is seconds without a byte, and for a whole head; `max_bytes` 0 is no limit.

    `min_rate` is what a source must give in bytes a second, on average over `timeout` seconds of
    waiting for it; 0 is nothing.
    """

    timeout: float
    max_bytes: int
    min_rate: int


class Incoming:
    """The content of a source: all that it declared, or an error; `total` is -1 if unknown."""

    def __init__(self, answer: Answer, link: Link, flight: Flight, limits: Limits) -> None:
        self._answer = answer
        self._link = link
        self._flight = flight
        self._limits = limits
        self._waited = 0.0
        self._lately = 0
        kind = answer.headers.get("content-type", "")
        plain = kind.isascii() and kind.isprintable() and len(kind) <= _MAX_TYPE
        self.content_type = kind if plain else ""

    def pieces(self) -> Iterator[bytes]:
        """Yield the content. Raises SourceFault, DownloadStopped."""
        flight = self._flight
        while True:
            flight.check()
            before = time.monotonic()
            flight.expect(_SLACK * self._limits.timeout)
            try:
                piece = self._answer.read(PIECE)
            except (exceptions.RequestException, OSError) as error:
                raise fault_of(error, self._link, flight) from error
            flight.arrived()
            if not piece:
                break
            flight.downloaded += len(piece)
            check_size(flight.downloaded, self._limits.max_bytes)
            self._check_pace(len(piece), time.monotonic() - before)
            yield piece
        # A connection that was stopped from outside looks like one that has ended.
        flight.check()

    def close(self) -> None:
        """Let go of the source."""
        self._answer.close()
        self._flight.release()

    def _check_pace(self, size: int, seconds: float) -> None:
        self._waited += seconds
        self._lately += size
        if self._waited < self._limits.timeout:
            return
        if self._lately < self._limits.min_rate * self._waited:
            raise SourceFault(f"{self._link} is too slow: {self._lately} bytes in"
                              f" {self._waited:.0f} seconds")
        self._waited, self._lately = 0.0, 0


class Fetcher:
    """Opens sources that `guard` lets through."""

    def __init__(
        self, guard: Guard, limits: Limits, context: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = guard
        self._limits = limits
        self._context = context

    def open(self, link: Link, headers: Mapping[str, str], flight: Flight) -> Incoming:
        """Return the content of a source, wherever it redirects to.

        `headers` are sent as long as it does not redirect to another origin. Raises SourceRefused,
        SourceFault, DownloadStopped.
        """
        try:
            return self._followed(link, headers, flight)
        except BaseException:
            flight.release()
            raise

    def _followed(self, link: Link, headers: Mapping[str, str], flight: Flight) -> Incoming:
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._asked(link, headers, flight)
            if answer.status_code not in _REDIRECTS:
                return self._incoming(answer, link, flight)
            answer.close()
            target = link.joined(_location(answer, link))
            if target.origin != link.origin:
                headers = {}
            if link.scheme == "https" and target.scheme == "http":
                raise SourceRefused(f"{link} redirects from https to http")
            link = target
        raise SourceFault(f"more than {MAX_REDIRECTS} redirects, the last one to {link}")

    def _incoming(self, answer: Answer, link: Link, flight: Flight) -> Incoming:
        try:
            flight.begin(_length(answer, link))
            check_size(flight.total, self._limits.max_bytes)
        except BaseException:
            answer.close()
            raise
        return Incoming(answer, link, flight, self._limits)

    def _asked(self, link: Link, headers: Mapping[str, str], flight: Flight) -> Answer:
        """Return the answer of one hop, its head read. Raises SourceFault and kin."""
        connection = self._connected(link, flight)
        try:
            connection.limit(min(self._limits.timeout, flight.left))
            connection.begin()
            connection.send(_head(link, headers))
            answer = connection.receive()
            connection.limit(flight.left)
            flight.arrived()
        except (exceptions.RequestException, OSError) as error:
            connection.close()
            raise fault_of(error, link, flight) from error
        return answer

    def _connected(self, link: Link, flight: Flight) -> Connection:
        fault: GatewayFault = SourceAway(f"{link.host} has no address")
        for address in self._guard.addresses(link)[:MAX_ADDRESSES]:
            flight.check()
            try:
                return self._connection(link, address, flight)
            except OSError as error:
                fault = fault_of(error, link, flight)
                if not isinstance(fault, SourceAway):
                    break
        raise fault

    def _connection(self, link: Link, address: str, flight: Flight) -> Connection:
        """Connect to an address that was looked at. Raises OSError."""
        timeout = self._limits.timeout
        sock = socket.create_connection((address, link.port), min(timeout, flight.left))
        try:
            flight.hold(sock)
            flight.expect(_SLACK * timeout)
            if link.scheme == "https":
                sock = self._tls().wrap_socket(sock, server_hostname=link.host)
        except BaseException:
            sock.close()
            raise
        return Connection(sock, timeout, Connection.close, secure=link.scheme == "https")

    def _tls(self) -> ssl.SSLContext:
        # Made at first use: gevent has its own kind of context, once a worker was forked.
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context


GatewayFault = SourceFault | DownloadStopped


def fault_of(error: Exception, link: Link, flight: Flight) -> GatewayFault:
    """Return what went wrong with a source, in our words."""
    try:
        flight.check()
    except (SourceFault, DownloadStopped) as ended:
        return ended
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceFault(f"the certificate of {link.authority} does not hold:"
                           f" {error.verify_message}")
    if isinstance(error, BadAnswer):
        return SourceFault(f"{link}: {error}")
    if flight.overdue() or isinstance(error, exceptions.Timeout | TimeoutError):
        return SourceAway(f"{link} does not answer in time")
    return SourceAway(f"{link}: {printable(str(error))}")


def check_size(size: int, limit: int) -> None:
    """Raise SourceFault if there are more bytes than allowed; 0 is no limit."""
    if limit and size > limit:
        raise SourceFault(f"the source has more than the {limit} bytes allowed (setting"
                          " download.max_bytes)")


def _head(link: Link, headers: Mapping[str, str]) -> bytes:
    """Return the head of the request; one connection is for one answer."""
    fields = {"Host": link.authority, **_OWN_HEADERS, **headers,
              "Accept-Encoding": "identity", "Connection": "close"}
    lines = [f"GET {link.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _location(answer: Answer, link: Link) -> str:
    location = answer.headers.get("location", "").strip()
    if not location:
        raise SourceFault(f"{link} redirects to nowhere")
    return location.encode("latin-1").decode(errors="replace")


def _length(answer: Answer, link: Link) -> int:
    """Return the declared length, -1 of chunks. Raises SourceFault for what cannot be taken."""
    status = answer.status_code
    if status != OK:
        kind = SourceAway if status in _PASSING or status >= _FIRST_FAILURE else SourceFault
        raise kind(f"{link} answers {status}")
    coding = answer.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise SourceFault(f"{link} has the Content-Encoding {printable(coding)}, though it was"
                          " asked for none")
    if "transfer-encoding" in answer.headers:
        return -1
    length = answer.headers.get("content-length", "").strip()
    if not (length.isascii() and length.isdigit()):
        raise SourceFault(f"{link} gives neither Content-Length nor chunks: its end could not be"
                          " told from a cut")
    return int(length)
