"""What a DataNode sends when a block is read, made here, to be spoilt in all the ways there are."""

from __future__ import annotations

import socket
import struct
import threading
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, cast

import google_crc32c

from app.hadoop.datanodes import Datanodes, Link
from app.hadoop.ipc_pool import Limits
from app.hadoop.messages import Block, Datanode, LocatedBlock
from app.hadoop.protobuf import delimited, number, octets, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TOKEN = b"a token as it came"
CRC32, CRC32C = 1, 2
_CRCS = {CRC32: zlib.crc32, CRC32C: google_crc32c.value}


class Frame(NamedTuple):
    """One packet."""

    offset: int
    sequence: int
    last: bool
    data: bytes
    sums: bytes
    more_fields: bytes = b""

    def octets(self) -> bytes:
        fields = (b"\x09" + struct.pack("<q", self.offset) + b"\x11"
                  + struct.pack("<q", self.sequence) + b"\x18" + bytes([self.last])
                  + b"\x25" + struct.pack("<i", len(self.data)) + self.more_fields)
        length = 4 + len(self.sums) + len(self.data)
        return struct.pack(">IH", length, len(fields)) + fields + self.sums + self.data


def sums(data: bytes, *, chunk: int = 512, kind: int = CRC32C) -> bytes:
    """One by one, unlike the code that is tested."""
    if not kind:
        return b""
    return b"".join(
        struct.pack(">I", _CRCS[kind](data[at:at + chunk])) for at in range(0, len(data), chunk))


def answer(first: int, *, chunk: int = 512, kind: int = CRC32C) -> bytes:
    checksum = number(1, kind) + number(2, chunk)
    return delimited(number(1, 0) + octets(4, octets(1, checksum) + number(2, first)))


def refusal(status: int, message: str) -> bytes:
    return delimited(number(1, status) + text(5, message))


def frames(
    content: bytes, start: int, length: int, *, chunk: int = 512, kind: int = CRC32C,
    per_packet: int = 128,
) -> list[Frame]:
    """The packets of a read: whole chunks, as far as the block goes, and the empty last one."""
    first = start - start % chunk
    end = min(len(content), -(-(start + length) // chunk) * chunk)
    found = []
    for at in range(first, end, chunk * per_packet):
        data = content[at:min(at + chunk * per_packet, end)]
        found.append(Frame(at, len(found), False, data, sums(data, chunk=chunk, kind=kind)))
    return [*found, Frame(end, len(found), True, b"", b"")]


def stream(
    content: bytes, start: int, length: int, *, chunk: int = 512, kind: int = CRC32C,
    per_packet: int = 128,
) -> bytes:
    """All that comes."""
    packets = frames(
        content, start, length, chunk=chunk, kind=kind, per_packet=per_packet)
    return answer(start - start % chunk, chunk=chunk, kind=kind) + b"".join(
        frame.octets() for frame in packets)


def node(port: int, name: str = "one") -> Datanode:
    return Datanode("127.0.0.1", port, name, b"")


def located(
    length: int, nodes: Sequence[Datanode], *, offset: int = 0, block_id: int = 7,
) -> LocatedBlock:
    return LocatedBlock(
        Block("pool", block_id, 3, length), offset, tuple(nodes), False, TOKEN, (), ())


class Feed:
    """A socket that gives `data` in pieces of these sizes, over and over, and then ends."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        self.sent = b""
        self.closed = False
        self._data = data
        self._sizes = sizes
        self._pieces = 0

    def recv_into(self, buffer: memoryview) -> int:
        size = min(self._sizes[self._pieces % len(self._sizes)], len(buffer), len(self._data))
        self._pieces += 1
        buffer[:size] = self._data[:size]
        self._data = self._data[size:]
        return size

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def close(self) -> None:
        self.closed = True


class FedDatanodes(Datanodes):
    """DataNodes that all send the same."""

    def __init__(self, data: bytes, sizes: Sequence[int] = (1 << 20,)) -> None:
        super().__init__(Limits(read_timeout=5))
        self.feed = Feed(data, sizes)
        self.given: list[Link] = []

    def take(self, node: Datanode) -> Link:
        return Link((node.host, node.port), cast("socket.socket", self.feed))

    def give(self, link: Link) -> None:
        self.given.append(link)
        link.close()


@contextmanager
def scripted(serve: Callable[[socket.socket, int], None]) -> Iterator[int]:
    """Run a server on a port of its own; `serve` gets each connection, and how many were before.

    It ends when `serve` returns.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def one(connection: socket.socket, index: int) -> None:
        with connection:
            try:
                serve(connection, index)
            except OSError:
                return  # the client went, or the test is over

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=one, args=(connection, len(connections)))
            connections.append(connection)
            threads.append(thread)
            thread.start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed
        for thread in threads:
            thread.join()
