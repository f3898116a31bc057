"""A stretch of one block, from one DataNode: asked for, compared with its checksums, handed out.

The answer is taken in as it comes into one buffer, and what is cut out of it there is the only copy
that is made. The buffer has room for many packets while much is asked for at a time, else for one:
who reads slowly fills it. No byte counts before the checksums of its packet were right.
Source: DataTransferProtocol, datatransfer.proto; BlockSender, BlockReaderRemote of Hadoop 3.4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.hadoop.checksums import Checksums
from app.hadoop.inflow import Inflow
from app.hadoop.packets import HEAD, head_length, parse
from app.hadoop.protobuf import BadMessage, decode, delimited, number, octets, text

if TYPE_CHECKING:
    from app.hadoop.datanodes import Datanodes, Link
    from app.hadoop.messages import Datanode, LocatedBlock
    from app.hadoop.packets import Packet

_READ_BLOCK = b"\x00\x1c\x51"  # version 28, operation 81
_CLIENT = text(2, "httpfs-proxy")
_WITH_CHECKSUMS = number(4, 1)
_SUCCESS, _CHECKSUM_OK = 0, 6
_FAREWELL = delimited(number(1, _CHECKSUM_OK))
_FAREWELL_SECONDS = 1.0
_ANSWER_LIMIT = 65536
_PACKET = 65536
"""Bytes of a packet as DataNodes make them."""
_ROOM = HEAD + 1024 + _PACKET
"""Octets of such a packet, or a few more."""
_WIDE_ROOM = 4 * _ROOM


class BlockFailed(OSError):
    """A DataNode did not give the bytes: it refused, broke off, was silent, or sent others."""


class Corrupt(BlockFailed):
    """The bytes are not those that the checksums were made of."""


class _Stale(Exception):
    """A connection that had been idle was closed by the DataNode."""


class _Found(NamedTuple):
    """The wanted bytes of a packet, and where they are in the buffer."""

    data: bytes
    at: int
    length: int


class BlockReader:
    """`length` > 0 bytes from `start` on of a block, as one DataNode has them."""

    def __init__(
        self, datanodes: Datanodes, located: LocatedBlock, node: Datanode, start: int, length: int,
    ) -> None:
        """Ask the DataNode; it has answered when this returns. Raises NoDatanode, BlockFailed."""
        self.node = node
        self._datanodes = datanodes
        self._position = start
        self._end = start + length
        self._sequence = 0
        self._piece = b""
        self._taken = 0
        self._wide = False
        self._link: Link | None = None
        request = _request(located, start, length)
        try:
            self._open(datanodes.take(node), request)
        except _Stale:
            self._open(datanodes.connect(node), request)

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, b"" after the last. Raises BlockFailed."""
        if self._taken == len(self._piece):
            if self._position == self._end:
                return b""
            if self._wide != (size > _PACKET):
                self._wide = not self._wide
                self._flow.resize(_WIDE_ROOM if self._wide else _ROOM)
            self._piece = self._more(size)
            self._taken = 0
        first = self._taken
        self._taken = min(first + size, len(self._piece))
        return self._piece[first:self._taken]

    def close(self) -> None:
        """Let go of the DataNode; a connection whose bytes have all come is kept."""
        link, self._link = self._link, None
        if link is None:
            return
        if self._position < self._end or not self._said_farewell(link):
            link.close()
        else:
            self._datanodes.give(link)

    def _open(self, link: Link, request: bytes) -> None:
        self._link = link
        # What comes with the bytes: the answer, heads, checksums, the rest of their chunks.
        wanted = self._end - self._position
        self._flow = Inflow(link.socket, min(wanted + wanted // 64 + 2048, _ROOM))
        try:
            self._send(link, request)
            self._checksums, self._offset = _opened(
                self._flow.delimited(_ANSWER_LIMIT), self._position)
        except (OSError, BadMessage) as error:
            link.close()
            raise self._failed(error) from error
        except BaseException:
            link.close()
            raise

    def _send(self, link: Link, request: bytes) -> None:
        try:
            link.socket.sendall(request)
            self._flow.need(1)
        except TimeoutError:
            raise
        except OSError as error:
            if link.reused:
                raise _Stale from error
            raise

    def _more(self, size: int) -> bytes:
        """Return the bytes of the next packet, and of those after it that are there."""
        try:
            found = self._packet()
            if found.length >= size or not self._is_there():
                return found.data
            # No more comes into the buffer here, so that views of it stay right; joining these
            # takes less memory at a time than joining copies.
            views: list[bytes | memoryview] = [found.data]
            total = found.length
            while total < size and self._is_there():
                found = self._packet()
                views.append(self._flow.view[found.at:found.at + found.length])
                total += found.length
        except (OSError, BadMessage) as error:
            self._drop()
            raise self._failed(error) from error
        except BaseException:
            self._drop()
            raise
        return b"".join(views)

    def _packet(self) -> _Found:
        """Take the next packet in and compare it with its checksums."""
        packet = self._head()
        end = packet.offset + packet.length
        self._check(packet, end)
        flow = self._flow
        flow.need(packet.checksums + packet.length)
        sums_at = flow.at
        data_at = sums_at + packet.checksums
        flow.at = data_at + packet.length
        data = flow.view[data_at:flow.at].tobytes()
        if not self._checksums.match(data, flow.view[sums_at:data_at].tobytes()):
            raise Corrupt(f"wrong checksum in the block's bytes {packet.offset} to {end}")
        # A DataNode sends whole chunks; what is around the bytes that were asked for is dropped.
        before, behind = self._position - packet.offset, max(end - self._end, 0)
        if before or behind:
            data = data[before:packet.length - behind]
        self._offset = end
        self._position = end - behind
        return _Found(data, data_at + before, len(data))

    def _head(self) -> Packet:
        """Read the head of the next packet."""
        flow = self._flow
        flow.need(HEAD)
        length = head_length(flow.view, flow.at)
        flow.need(length)
        packet = parse(flow.view, flow.at)
        flow.at += length
        if packet.sequence != self._sequence:
            raise BadMessage(f"packet {packet.sequence} instead of {self._sequence}")
        self._sequence += 1
        return packet

    def _check(self, packet: Packet, end: int) -> None:
        chunk = self._checksums.chunk
        if (
            packet.last or packet.length == 0 or packet.offset != self._offset
            or packet.checksums != self._checksums.octets(packet.length)
            or (end < self._end and packet.length % chunk) or end >= self._end + chunk
        ):
            raise BadMessage(f"{packet} after {self._offset}, up to {self._end}")

    def _is_there(self) -> bool:
        """Tell whether there is another packet, and it has come whole."""
        if self._position == self._end:
            return False
        flow = self._flow
        there = flow.end - flow.at
        if there < HEAD:
            return False
        return there >= HEAD + int.from_bytes(flow.view[flow.at:flow.at + 4], "big")

    def _said_farewell(self, link: Link) -> bool:
        """Take the empty packet at the end and tell the DataNode that the bytes were right."""
        flow = self._flow
        try:
            if flow.end - flow.at < HEAD:
                link.socket.settimeout(_FAREWELL_SECONDS)
            packet = self._head()
            if not packet.last or packet.length or packet.checksums or flow.at != flow.end:
                return False
            link.socket.sendall(_FAREWELL)
            link.socket.settimeout(self._datanodes.limits.read_timeout)
        except (OSError, BadMessage):
            return False
        return True

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _failed(self, error: Exception) -> BlockFailed:
        where = f"{self.node.host}:{self.node.port}"
        if isinstance(error, TimeoutError):
            self._datanodes.shun(self.node)
            seconds = self._datanodes.limits.read_timeout
            return BlockFailed(f"{where}: nothing came in {seconds:g} s")
        return (Corrupt if isinstance(error, Corrupt) else BlockFailed)(f"{where}: {error}")


def _request(located: LocatedBlock, start: int, length: int) -> bytes:
    base = octets(1, located.block.message()) + octets(2, located.token)
    return _READ_BLOCK + delimited(
        octets(1, octets(1, base) + _CLIENT) + number(2, start) + number(3, length)
        + _WITH_CHECKSUMS)


def _opened(answer: bytes, start: int) -> tuple[Checksums, int]:
    """Read a BlockOpResponseProto: which checksums there are, and where the first packet begins."""
    told = decode(answer)
    try:
        if told[1] != _SUCCESS:
            raise BlockFailed(f"status {told[1]}: {told.get(5, b'').decode(errors='replace')}")
        info = decode(told[4])
        checksum = decode(info[1])
        checksums, offset = Checksums(checksum[1], checksum[2]), int(info[2])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadMessage(f"no answer to a read: {error!r}") from error
    if not 0 <= start - offset < checksums.chunk:
        raise BadMessage(f"an answer from {offset} on to a read from {start} on")
    return checksums, offset
