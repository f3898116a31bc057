"""One connection to the first of a row of DataNodes, each of which passes a block on to the next.

Packets go down the row, acknowledgements come back up, with a status for each DataNode.
Source: OpWriteBlockProto, BlockOpResponseProto and PipelineAckProto of datatransfer.proto;
org.apache.hadoop.hdfs.DataStreamer, DataXceiver, BlockReceiver; Hadoop 3.4.2.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from app.hadoop.packets import HEARTBEAT, pack
from app.hadoop.protobuf import (
    BadMessage,
    decode_all,
    delimited,
    number,
    octets,
    read_varint,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.hadoop.checksums import Checksums
    from app.hadoop.datanodes import Datanodes
    from app.hadoop.messages import LocatedBlock

CREATE, STREAMING_RECOVERY, CLOSE_RECOVERY = 6, 3, 5
"""BlockConstructionStage: a new block; one in the middle; one that has all its bytes."""

_WRITE_BLOCK = b"\x00\x1c\x50"  # version 28, operation 80
_SUCCESS = 0
_SECONDS_A_NODE = 5.0
"""What HDFS waits longer for each DataNode of a row (READ_TIMEOUT_EXTENSION)."""
_RECEIVE = 65536
_ANSWER_LIMIT = 65536
_LONGEST_LENGTH = 3
_BEAT = pack(0, HEARTBEAT, last=False, length=0, checksums=0)


class PipelineBroken(OSError):
    """The row of DataNodes is of no more use; `node` is the place of the one at fault."""

    def __init__(self, message: str, node: int = 0) -> None:
        super().__init__(message)
        self.node = node


class Outgoing(NamedTuple):
    """A packet: its number, where its data ends in the block, and what is sent."""

    sequence: int
    end: int
    buffers: tuple[bytes | memoryview, ...]


class Setup(NamedTuple):
    """What a row is made for: how many bytes the block may get, are safe, and were sent.

    `stamp` is the new generation stamp, that of the block itself for a new one.
    """

    stage: int
    room: int
    safe: int
    sent: int
    stamp: int


class Pipeline:
    """A row of DataNodes that takes packets; after PipelineBroken it is to be closed.

    `begin`, or the first `acknowledged`, reads whether the DataNodes agreed; packets may be sent
    before, which spares a small block the wait.
    """

    def __init__(
        self, datanodes: Datanodes, located: LocatedBlock, client: str, setup: Setup,
        checksums: Checksums,
    ) -> None:
        """Connect to the first DataNode. Raises NoDatanode."""
        self.begun = False
        self._located = located
        self._unsent = _request(located, client, setup, checksums)
        self._received = b""
        self._torn = False
        self._sent_at = time.monotonic()
        self._link = datanodes.connect(located.nodes[0])
        self._socket = self._link.socket
        self._set_timeout(datanodes.limits.read_timeout)

    def begin(self) -> None:
        """Return when all DataNodes have agreed. Raises PipelineBroken."""
        if not self.begun:
            self.send(())
            self._agreed(self._message())
            self.begun = True

    def send(self, packets: Sequence[Outgoing]) -> None:
        """Send packets, after the request if that was not sent yet. Raises PipelineBroken."""
        buffers = [buffer for packet in packets for buffer in packet.buffers]
        if self._unsent:
            buffers.insert(0, self._unsent)
            self._unsent = b""
        if not buffers:
            return
        if self._torn:
            raise PipelineBroken(f"{self._where()}: a packet was cut short")
        # Whoever writes may be killed while the DataNode does not take more.
        self._torn = True
        try:
            self._send(buffers)
        except OSError as error:
            raise PipelineBroken(f"{self._where()}: {error}") from error
        self._torn = False
        self._sent_at = time.monotonic()

    def acknowledged(self) -> int:
        """Wait for the next acknowledgement of data and return its number.

        Raises PipelineBroken, with the last DataNode that does not tell of success.
        """
        self.begin()
        while True:
            told = self._decoded(self._message())
            # A sint64: -1, of heartbeats, is sent as 1.
            sequence = told.get(1, [0])[-1]
            replies = told.get(2, ())
            for node in range(len(replies) - 1, -1, -1):
                if replies[node] != _SUCCESS:
                    raise PipelineBroken(
                        f"{self._where(node)}: status {replies[node]} for a packet", node)
            if len(replies) != len(self._located.nodes):
                raise PipelineBroken(f"{self._where()}: a packet was acknowledged by "
                                     f"{len(replies)} of {len(self._located.nodes)} DataNodes")
            if not sequence & 1:
                return int(sequence >> 1)

    def beat(self, idle: float) -> None:
        """Tell the DataNodes that somebody is there, if nothing was sent for `idle` seconds.

        Never waits and never raises: what is wrong shows when the next packet is sent.
        """
        if time.monotonic() - self._sent_at < idle or self._unsent or self._torn:
            return
        with suppress(OSError):
            timeout = self._socket.gettimeout()
            self._socket.settimeout(0)
            try:
                self._unsent = _BEAT[self._socket.send(_BEAT):]
                self._sent_at = time.monotonic()
            finally:
                self._socket.settimeout(timeout)

    def hurry(self, seconds: float) -> None:
        """Wait no longer than so from now on."""
        self._set_timeout(seconds)

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def _set_timeout(self, seconds: float) -> None:
        self._socket.settimeout(seconds + _SECONDS_A_NODE * len(self._located.nodes))

    def _send(self, buffers: list[bytes | memoryview]) -> None:
        """Send buffers without joining them."""
        sent = self._socket.sendmsg(buffers)
        for buffer in buffers:
            if sent >= len(buffer):
                sent -= len(buffer)
            else:
                self._socket.sendall(memoryview(buffer)[sent:])
                sent = 0

    def _agreed(self, answer: bytes) -> None:
        told = self._decoded(answer)
        if told.get(1, [None])[-1] == _SUCCESS:
            return
        said = told.get(5, [b""])[-1]
        node = self._place_of(told.get(2, [b""])[-1])
        raise PipelineBroken(
            f"{self._where(node)}: status {told.get(1)} for the block: {said!r}", node)

    def _place_of(self, bad_link: bytes) -> int:
        """Return which DataNode an answer calls bad, as host:port; else it is the first."""
        for place, node in enumerate(self._located.nodes):
            if f"{node.host}:{node.port}".encode() == bad_link:
                return place
        return 0

    def _message(self) -> bytes:
        """Return the next message of the first DataNode, without its length."""
        try:
            while (found := _framed(self._received)) is None:
                more = self._socket.recv(_RECEIVE)
                if not more:
                    raise ConnectionResetError("the DataNode closed the connection")
                self._received += more
        except (OSError, BadMessage) as error:
            raise PipelineBroken(f"{self._where()}: {error}") from error
        start, end = found
        message, self._received = self._received[start:end], self._received[end:]
        return message

    def _decoded(self, message: bytes) -> dict[int, list[Any]]:
        try:
            return decode_all(message)
        except BadMessage as error:
            raise PipelineBroken(f"{self._where()}: {error}") from error

    def _where(self, place: int = 0) -> str:
        # An answer may have more statuses than there are DataNodes.
        node = self._located.nodes[min(place, len(self._located.nodes) - 1)]
        return f"{node.host}:{node.port}"


def _framed(data: bytes) -> tuple[int, int] | None:
    """Return where the first message of `data` begins and ends; None where it is not all there."""
    for octet in data[:_LONGEST_LENGTH]:
        if octet < 128:  # noqa: PLR2004 - the last octet of a length
            length, start = read_varint(data, 0)
            if length > _ANSWER_LIMIT:
                break
            return (start, start + length) if start + length <= len(data) else None
    else:
        if len(data) < _LONGEST_LENGTH:
            return None
    raise BadMessage("an answer is too long")


def _request(located: LocatedBlock, client: str, setup: Setup, checksums: Checksums) -> bytes:
    """Return operation and OpWriteBlockProto: the first DataNode is told of itself and the rest."""
    types, storages = located.storage_types, located.storage_ids
    block = located.block._replace(length=setup.room)
    base = octets(1, block.message()) + octets(2, located.token)
    message = octets(1, octets(1, base) + text(2, client))
    message += b"".join(octets(2, node.raw) for node in located.nodes[1:])
    message += (number(4, setup.stage) + number(5, len(located.nodes)) + number(6, setup.safe)
                + number(7, setup.sent) + number(8, setup.stamp)
                + octets(9, number(1, checksums.kind) + number(2, checksums.chunk)))
    message += b"".join(number(11, one) for one in types[:1])
    message += b"".join(number(12, one) for one in types[1:])
    message += b"".join(text(16, one) for one in storages[:1])
    message += b"".join(text(17, one) for one in storages[1:])
    return _WRITE_BLOCK + delimited(message)


def only(located: LocatedBlock, without: int) -> LocatedBlock:
    """Return the block without one of its DataNodes."""
    def rest(several: tuple[Any, ...]) -> tuple[Any, ...]:
        return several[:without] + several[without + 1:]

    return located._replace(
        nodes=rest(located.nodes), storage_types=rest(located.storage_types),
        storage_ids=rest(located.storage_ids))
