"""What a peer sends, in one buffer that is filled with as much as there is and read in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.hadoop.protobuf import BadMessage

if TYPE_CHECKING:
    import socket

_LAST_OCTET = 128
_VARINT_SHIFTS = range(0, 35, 7)


class Inflow:
    """The unread octets of a connection are `view[at:end]`; it never takes in more than `size`.

    A new view replaces the old one when something does not fit.
    """

    __slots__ = ("_buffer", "_source", "at", "end", "view")

    def __init__(self, source: socket.socket, size: int) -> None:
        self._source = source
        self._buffer = bytearray(size)
        self.view = memoryview(self._buffer)
        self.at = 0
        self.end = 0

    def need(self, count: int) -> None:
        """Return when so many octets are there. Raises OSError."""
        if self.end - self.at >= count:
            return
        if self.at == self.end:
            self.at = self.end = 0
        if self.at + count > len(self._buffer):
            self._make_room(count)
        while self.end - self.at < count:
            received = self._source.recv_into(self.view[self.end:])
            if not received:
                raise ConnectionResetError("the peer closed the connection")
            self.end += received

    def resize(self, size: int) -> None:
        """Take in up to `size` octets from now on, or as many as are there already."""
        self._renew(max(size, self.end - self.at))

    def take(self, count: int) -> bytes:
        """Return the next octets. Raises OSError."""
        self.need(count)
        first = self.at
        self.at += count
        return self.view[first:self.at].tobytes()

    def delimited(self, limit: int) -> bytes:
        """Return the next message, without its length. Raises OSError, BadMessage."""
        length = 0
        for shift in _VARINT_SHIFTS:
            self.need(1)
            octet = self.view[self.at]
            self.at += 1
            length |= (octet & 127) << shift
            if octet < _LAST_OCTET:
                break
        else:
            raise BadMessage("the length of a message has more than 5 octets")
        if length > limit:
            raise BadMessage(f"a message of {length} octets")
        return self.take(length)

    def _make_room(self, count: int) -> None:
        if count > len(self._buffer):
            self._renew(count)
            return
        unread = self.view[self.at:self.end].tobytes()
        self._buffer[:len(unread)] = unread
        self.at, self.end = 0, len(unread)

    def _renew(self, size: int) -> None:
        unread = self.view[self.at:self.end]
        self.at, self.end = 0, len(unread)
        self._buffer = bytearray(size)
        self._buffer[:len(unread)] = unread
        self.view = memoryview(self._buffer)
