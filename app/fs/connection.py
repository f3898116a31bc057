"""One HTTP/1.1 connection to an upstream that is not trusted, one exchange at a time.

Heads and chunked bodies are parsed by llhttp (`httptools`); bodies with a length, or that end
with the connection, are received without any parsing.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import time
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from requests import exceptions

from app.fs.bodies import ChunkedAnswer, RawAnswer, WholeAnswer
from app.fs.http_faults import BadAnswer, ShortBody, StaleConnection
from app.fs.tls_faults import explained, is_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.fs.answer import Answer

HEAD_LIMIT = 64 * 1024
"""Bytes of a head, and of chunk extensions and trailers between two pieces of content."""
FIELD_LIMIT = 128
INTERIM_LIMIT = 16
FIRST_FINAL = 200
TCP_ESTABLISHED = 1
MAX_VECTOR = 64
UNREAD = struct.Struct("i")


class Connection:
    """A connected socket, and the protocol object of the parser that reads from it.

    `timeout` is seconds without a byte; `on_free` takes the connection back once an exchange
    has ended cleanly and the peer keeps it open.
    """

    __slots__ = (
        "_complete", "_deadline", "_fields", "_headed", "_interim", "_keep", "_on_free", "_parser",
        "_pieces", "_surplus", "_timeout", "idle_since", "reused", "secure", "sock", "status",
    )

    _complete: bool
    _headed: bool
    _surplus: bool
    _keep: bool
    _interim: int

    def __init__(
        self, sock: socket.socket, timeout: float, on_free: Callable[[Connection], None],
        *, secure: bool = False,
    ) -> None:
        self.sock = sock
        self.secure = secure
        self.reused = False
        self.idle_since = 0.0
        self._timeout = timeout
        self._deadline = 0.0
        self._on_free = on_free
        self._parser: HttpResponseParser | None = None
        sock.settimeout(timeout)

    # --- the parser's callbacks

    def on_message_begin(self) -> None:
        """Note a second final answer, which nobody asked for."""
        if self._complete:
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head; trailers are dropped."""
        if not self._headed:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Note the end of a head; an interim one (1xx) does not count."""
        assert self._parser is not None
        status = self._parser.get_status_code()
        if self._headed:
            self._surplus = True
        elif status >= FIRST_FINAL:
            self._headed = True
            self._keep = self._parser.should_keep_alive()
            self.status = status
        else:
            self._interim += 1
            self._fields.clear()

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body, not of what follows it unasked."""
        if not self._complete:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the final answer."""
        if self._headed:
            self._complete = True

    # --- the exchange

    def limit(self, seconds: float | None) -> None:
        """Let the whole exchange that follows take `seconds` at most; None is no limit."""
        if seconds is not None:
            self._deadline = time.monotonic() + seconds
        elif self._deadline:
            self._deadline = 0.0
            self.sock.settimeout(self._timeout)

    def begin(self) -> None:
        """Make ready for one exchange."""
        if self._parser is None:
            self._parser = HttpResponseParser(self)
        self._fields: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._headed = self._complete = self._surplus = self._keep = False
        self._interim = 0
        self.status = 0

    def send(self, data: bytes) -> None:
        """Send all of `data`. Raises ConnectionError, ReadTimeout."""
        try:
            if self._deadline:
                self._keep_deadline()
            # One send mostly does; gevent's sendall asks the kernel twice before it begins.
            sent = self.sock.send(data)
            if sent < len(data):
                self.sock.sendall(memoryview(data)[sent:])
        except OSError as error:
            raise self._broken(error) from error

    def send_pieces(self, pieces: Sequence[bytes]) -> None:
        """Send `pieces` one after the other, without joining big ones where TLS allows that."""
        if self.secure or len(pieces) > MAX_VECTOR:
            return self.send(b"".join(pieces))
        try:
            if self._deadline:
                self._keep_deadline()
            sent = self.sock.sendmsg(pieces)
            for piece in pieces:
                if sent < len(piece):
                    self.sock.sendall(memoryview(piece)[sent:])
                sent = max(0, sent - len(piece))
        except OSError as error:
            raise self._broken(error) from error
        return None

    def spoil(self) -> None:
        """Keep the connection from being used again: its request was not sent to the end."""
        self._surplus = True

    def receive(self) -> Answer:
        """Read the head of the answer. Raises RequestException; the connection is closed then."""
        try:
            self._read_head()
            return self._answer()
        except BaseException:
            self.close()
            raise

    def content(self, size: int) -> bytes:
        """Return what one receive or more yields of a chunked body, b"" at its end."""
        barren = 0
        while not (data := self.pieces()) and not self._complete:
            barren += self.feed(size)
            if barren > max(size, HEAD_LIMIT):
                raise BadAnswer("the answer has chunks without content")
        return data

    def feed(self, size: int) -> int:
        """Receive up to `size` bytes and parse them; return how many they were."""
        data = self.take(size)
        if not data:
            if self._headed:
                raise ShortBody("the connection ended in the middle of the body")
            reason = "the connection ended before the answer"
            raise (StaleConnection if self.reused else exceptions.ConnectionError)(reason)
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            raise BadAnswer(f"the answer is not HTTP/1.1: {error}") from error
        if self._interim > INTERIM_LIMIT or len(self._fields) > FIELD_LIMIT:
            raise BadAnswer("the answer has too many interim heads or header fields")
        return len(data)

    def take(self, size: int) -> bytes:
        """Receive 1 to `size` bytes as they come, b"" where the peer has closed."""
        try:
            if self._deadline:
                self._keep_deadline()
            return self.sock.recv(size)
        except OSError as error:
            raise self._broken(error) from error

    def pieces(self) -> bytes:
        """Return what has been parsed of the body so far and forget it."""
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return data

    @property
    def complete(self) -> bool:
        """Tell whether the parser has seen the end of the answer."""
        return self._complete

    def free(self, *, parsed: bool) -> None:
        """Give the connection back after an answer that was read to its end.

        `parsed` says that the parser saw that end; else it is in the middle of a body, and its
        successor starts afresh.
        """
        if not parsed:
            self._parser = None
        if self._keep and not self._surplus:
            self._on_free(self)
        else:
            self.close()

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()

    def is_live(self) -> bool:
        """Tell whether an idle connection can be used: open, and the peer has said nothing."""
        try:
            return not (_unread(self.sock) or _is_closing(self.sock))
        except OSError:
            return False

    def has_answer(self) -> bool:
        """Tell whether the peer answers (finally) already, while a body is being sent."""
        while not self.secure and not self._headed and _unread(self.sock):
            self.feed(HEAD_LIMIT)
        return self._headed

    def _read_head(self) -> None:
        total = 0
        while not self._headed:
            if total >= HEAD_LIMIT:
                raise BadAnswer(f"the answer's head is larger than {HEAD_LIMIT} bytes")
            total += self.feed(HEAD_LIMIT)

    def _answer(self) -> Answer:
        if self._complete:
            answer = WholeAnswer(self.status, self._fields, self.pieces())
            self.free(parsed=True)
            return answer
        coding = length = b""
        for name, value in self._fields:
            match name.lower():
                case b"content-length":
                    length = value
                case b"transfer-encoding":
                    coding = value
        if coding and coding.strip().lower() != b"chunked":
            raise BadAnswer("the answer has a transfer coding other than chunked")
        if coding:
            return ChunkedAnswer(self.status, self._fields, self)
        first = self.pieces()
        left = int(length) - len(first) if length else None
        return RawAnswer(self.status, self._fields, self, first, left)

    def _keep_deadline(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole call is over")
        self.sock.settimeout(min(left, self._timeout))

    def _broken(self, error: OSError) -> exceptions.RequestException:
        if isinstance(error, TimeoutError):
            return exceptions.ReadTimeout(f"no byte for too long: {error}")
        if self._headed:
            return ShortBody(f"the connection broke in the middle of the body: {error}")
        if is_verdict(error):
            # In TLS 1.3 the peer looks at our certificate when we believe ourselves connected.
            host = getattr(self.sock, "server_hostname", "HDFS")
            return exceptions.SSLError(f"{host}: {explained(error)}")
        stale = self.reused and isinstance(error, ConnectionError)
        return (StaleConnection if stale else exceptions.ConnectionError)(str(error))


def _unread(sock: socket.socket) -> int:
    waiting: int = UNREAD.unpack(fcntl.ioctl(sock, termios.FIONREAD, b"\0\0\0\0"))[0]
    return waiting


def _is_closing(sock: socket.socket) -> bool:
    # The first octet of tcp_info is the state; asked for so, and not with poll(), because that
    # costs a round through the event loop under gevent.
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != TCP_ESTABLISHED
