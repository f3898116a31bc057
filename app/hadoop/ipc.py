"""One connection of Hadoop's RPC, for one user, with one call at a time.

A call is framed as length, RpcRequestHeaderProto, RequestHeaderProto, message, all but the first
with their own lengths before them; an answer as length, RpcResponseHeaderProto, message.
Source: org.apache.hadoop.ipc.Client, RpcHeader.proto, IpcConnectionContext.proto, Hadoop 3.4.2.
"""

from __future__ import annotations

import socket
from typing import NamedTuple

from app.hadoop.protobuf import (
    BadMessage,
    decode,
    delimited,
    number,
    octets,
    read_delimited,
    text,
    varint,
)

CLIENT_PROTOCOL = "org.apache.hadoop.hdfs.protocol.ClientProtocol"
ANSWER_LIMIT = 128 * 1024 * 1024
"""Octets of an answer, as `ipc.maximum.response.length` has it."""

_PREAMBLE = b"hrpc\x09\x00\x00"  # version 9, service class 0, no SASL
_PROTOCOL_BUFFERS, _FINAL_PACKET, _CONTEXT_CALL = 2, 0, -3
_SUCCESS, _ERROR = 0, 1
_RECEIVE = 65536
_ESTABLISHED = 1
_RPC = number(1, _PROTOCOL_BUFFERS) + number(2, _FINAL_PACKET)


class Identity(NamedTuple):
    """Whom a connection acts for: `user`, and who says so where it is another (`doas=`)."""

    user: str
    real_user: str = ""


class RemoteError(Exception):
    """The server refused a call: the Java exception's class and message, without its trace."""

    def __init__(self, java_class: str, message: str) -> None:
        super().__init__(f"{java_class}: {message}")
        self.java_class = java_class
        self.message = message


class Refused(RemoteError):
    """The server ended the connection with this error: it is about who asks, or how."""


class NotSent(OSError):
    """No connection came about: nothing can have happened."""


class Broken(OSError):
    """The connection broke, or no answer came in time: the call may have been carried out."""


class NoAnswer(Broken):
    """No answer came in time."""


class BadFrame(Exception):
    """What came is no answer of Hadoop's RPC to this call."""


def method(name: str) -> bytes:
    """Return the head of calls of a method of ClientProtocol, to be made once for each."""
    return delimited(text(1, name) + text(2, CLIENT_PROTOCOL) + number(3, 1))


class Connection:
    """An RPC connection; after any error but RemoteError it is to be closed."""

    def __init__(
        self, address: tuple[str, int], who: Identity, client_id: bytes, *,
        connect_timeout: float, read_timeout: float,
    ) -> None:
        """Connect and say who asks; `read_timeout` is as `wait` has it. Raises NotSent."""
        self.who = who
        self.idle_since = 0.0
        self.used = False
        self._where = f"{address[0]}:{address[1]}"
        self._read_timeout = read_timeout
        self._common = octets(4, client_id)
        try:
            self._socket = socket.create_connection(address, connect_timeout)
        except OSError as error:
            raise NotSent(f"{self._where}: {error}") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(_PREAMBLE + self._context())
            self._socket.settimeout(read_timeout)
        except OSError as error:
            self._socket.close()
            raise NotSent(f"{self._where}: {error}") from error

    def call(
        self, call_id: int, retry: int, head: bytes, request: bytes,
    ) -> bytes:
        """Make one call and return the message of its answer.

        `head` is what `method` gave, `retry` how often this call was sent before.
        Raises RemoteError, Broken, BadFrame.
        """
        # A call id is a zigzag number.
        header = b"%b\x18%b%b\x28%b" % (
            _RPC, varint(call_id << 1), self._common, varint(retry << 1))
        frame = delimited(header) + head + delimited(request)
        self.used = True
        try:
            self._socket.sendall(len(frame).to_bytes(4, "big") + frame)
            answer = self._receive()
        except TimeoutError as error:
            raise NoAnswer(f"{self._where}: no answer in {self._read_timeout:g} s") from error
        except OSError as error:
            raise Broken(f"{self._where}: {error}") from error
        try:
            return _message(answer, call_id)
        except (BadMessage, KeyError, AttributeError) as error:
            raise BadFrame(f"{self._where}: {error!r}") from error

    def wait(self, seconds: float) -> None:
        """Wait `seconds` at most for what comes next of an answer, from now on."""
        if seconds != self._read_timeout:
            self._socket.settimeout(seconds)
            self._read_timeout = seconds

    def is_live(self) -> bool:
        """Tell whether the server has not ended it, as it does when it ends itself."""
        # The first octet of tcp_info is the state; poll() costs a round through gevent's loop.
        state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return state[0] == _ESTABLISHED

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _context(self) -> bytes:
        user = text(1, self.who.user)
        if self.who.real_user:
            user += text(2, self.who.real_user)
        header = _RPC + number(3, -_CONTEXT_CALL * 2 - 1) + self._common + number(5, 1)
        frame = delimited(header) + delimited(octets(2, user) + text(3, CLIENT_PROTOCOL))
        return len(frame).to_bytes(4, "big") + frame

    def _receive(self) -> bytes:
        """Return one whole frame, without its length."""
        data = self._socket.recv(_RECEIVE)
        while len(data) < 4:  # noqa: PLR2004 - the octets of the length
            data += self._more()
        length = int.from_bytes(data[:4], "big")
        if length > ANSWER_LIMIT:
            raise BadFrame(f"{self._where}: an answer of {length} octets")
        if len(data) == 4 + length:
            return data[4:]
        pieces, missing = [data[4:]], 4 + length - len(data)
        while missing > 0:
            pieces.append(self._more(min(missing, _RECEIVE)))
            missing -= len(pieces[-1])
        if missing < 0:
            raise BadFrame(f"{self._where}: more than one answer to a call")
        return b"".join(pieces)

    def _more(self, size: int = _RECEIVE) -> bytes:
        data = self._socket.recv(size)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data


def _message(answer: bytes, call_id: int) -> bytes:
    start, end = read_delimited(answer, 0)
    header = decode(answer, start, end)
    status = header[2]
    if status not in (_SUCCESS, _ERROR):
        raise Refused(*_told(header))
    if header[1] != call_id:
        raise BadFrame(f"an answer to call {header[1]} instead of {call_id}")
    if status == _ERROR:
        raise RemoteError(*_told(header))
    start, end = read_delimited(answer, end)
    return answer[start:end]


def _told(header: dict[int, bytes]) -> tuple[str, str]:
    """Return the class and the message of an error; Java puts the stack trace behind it."""
    message = header.get(5, b"").decode(errors="replace")
    return header.get(4, b"").decode(errors="replace"), message.partition("\n\tat ")[0]
