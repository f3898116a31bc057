"""A minimal HTTP/1.1 client over sockets, cheap enough not to be what is measured."""

from __future__ import annotations

import socket
from typing import NamedTuple

HEAD_END = b"\r\n\r\n"
RECEIVE = 64 * 1024
DISCARD = 4 * 1024 * 1024
TIMEOUT = 120.0
SEGMENT = 1460

Address = tuple[str, int]


class BenchError(Exception):
    """A party answered what it should not have, so that there is nothing to measure."""


class Head(NamedTuple):
    """Status and fields (names in lower case) of an answer, and what came of its body."""

    status: int
    fields: dict[str, str]
    rest: bytes


def connect(address: Address, receive_buffer: int = 0) -> socket.socket:
    """Return a connected socket; `receive_buffer` bytes bound what the kernel takes ahead.

    Such a socket also takes segments of Ethernet's size only: by loopback's of 64 KiB, a sender
    would be given buffers of megabytes for a client that takes a few KiB.
    """
    sock = socket.socket()
    sock.settimeout(TIMEOUT)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    sock.connect(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def address_of(url: str) -> Address:
    """Return host and port of `http://host:port…`."""
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    return host, int(port)


def read_head(sock: socket.socket) -> Head:
    """Read up to the end of the final answer's head."""
    data = b""
    while True:
        while HEAD_END not in data:
            data += _some(sock)
        head, _, data = data.partition(HEAD_END)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        if status >= 200:
            pairs = (line.partition(":") for line in lines[1:])
            return Head(status, {name.lower(): value.strip() for name, _, value in pairs}, data)


def read_body(sock: socket.socket, head: Head) -> bytes:
    """Read the whole body."""
    data = head.rest
    if "chunked" in head.fields.get("transfer-encoding", ""):
        while not data.endswith(b"0" + HEAD_END):
            data += _some(sock)
        return _dechunked(data)
    if "content-length" in head.fields:
        while len(data) < int(head.fields["content-length"]):
            data += _some(sock)
        return data
    if head.status in (204, 304):
        return b""
    while piece := sock.recv(RECEIVE):
        data += piece
    return data


def discard_body(sock: socket.socket, head: Head, size: int) -> None:
    """Receive a body of `size` bytes, up to the end of the connection, and keep nothing.

    On TCP, MSG_TRUNC drops what is received instead of copying it out of the kernel.
    """
    total, room = len(head.rest), bytearray(DISCARD)
    while got := sock.recv_into(room, DISCARD, socket.MSG_TRUNC):
        total += got
    if total < size:
        raise BenchError(f"{total} of {size} bytes came")


def exchange(sock: socket.socket, request: bytes, wanted: int = 200) -> tuple[Head, bytes]:
    """Send a request and return the whole answer, which must have the status `wanted`."""
    sock.sendall(request)
    head = read_head(sock)
    body = read_body(sock, head)
    expect(head, body, wanted)
    return head, body


def expect(head: Head, body: bytes, wanted: int) -> None:
    """Raise unless the answer has the status `wanted`."""
    if head.status != wanted:
        raise BenchError(f"{head.status}, not {wanted}: {body[:500]!r}")


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(RECEIVE)
    if not data:
        raise BenchError("the connection ended inside an answer")
    return data


def _dechunked(data: bytes) -> bytes:
    pieces: list[bytes] = []
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            return b"".join(pieces)
        pieces.append(data[:length])
        data = data[length + 2:]
