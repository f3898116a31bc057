"""A NameNode that answers as a test says, and notes what it was sent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from app.hadoop.protobuf import decode, delimited, number, octets, read_delimited, text
from tests.hadoop_protocols.block_stream import scripted

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

PREAMBLE = b"hrpc\x09\x00\x00"
SUCCESS, ERROR, FATAL = 0, 1, 2


class Heard(NamedTuple):
    """One call as it came, on which connection, for whom."""

    connection: int
    user: dict[int, Any]
    client_id: bytes
    call_id: int
    retry: int
    method: str
    request: bytes


class Namenode:
    """Answers each call with what `script` makes of it; b"" ends the connection instead."""

    def __init__(self, script: Callable[[Heard], bytes]) -> None:
        self.script = script
        self.heard: list[Heard] = []
        self.contexts: list[dict[int, Any]] = []
        self.address = ("127.0.0.1", 0)

    def serve(self, connection: socket.socket, index: int) -> None:
        with connection.makefile("rb") as stream:
            assert stream.read(7) == PREAMBLE
            header, message = parts(frame(stream))
            context = decode(message)
            self.contexts.append({"header": decode(header), "context": context})
            while data := frame(stream):
                header, message = parts(data)
                head = decode(header)
                start, end = read_delimited(message, 0)
                asked = decode(message, start, end)
                start, end = read_delimited(message, end)
                self.heard.append(Heard(
                    index, decode(context[2]), head[4], head[3] >> 1, head[5] >> 1,
                    asked[1].decode(), message[start:end]))
                answer = self.script(self.heard[-1])
                if not answer:
                    return
                connection.sendall(answer)


@contextmanager
def namenode(script: Callable[[Heard], bytes]) -> Iterator[Namenode]:
    made = Namenode(script)
    with scripted(made.serve) as port:
        made.address = ("127.0.0.1", port)
        yield made


def frame(stream: Any) -> bytes:
    """Read one frame, b"" where the client went."""
    length = stream.read(4)
    return stream.read(int.from_bytes(length, "big")) if length else b""


def parts(data: bytes) -> tuple[bytes, bytes]:
    """Part a frame into its header and what follows, the length of a lone message left off."""
    start, end = read_delimited(data, 0)
    rest = data[end:]
    if decode(data, start, end)[3] & 1:  # a negative call id: what follows is one message
        first, last = read_delimited(rest, 0)
        rest = rest[first:last]
    return data[start:end], rest


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def answered(call_id: int, message: bytes = b"") -> bytes:
    return framed(delimited(number(1, call_id) + number(2, SUCCESS)) + delimited(message))


def refused(call_id: int, java_class: str, message: str, status: int = ERROR) -> bytes:
    return framed(delimited(
        number(1, call_id) + number(2, status) + octets(4, java_class.encode())
        + text(5, message)))
