"""The packets in which the bytes of a block pass: a head, checksums, data.

A head is the length of what follows it (its own 4 octets, checksums and data), the length of the
PacketHeaderProto, and that; the fields of this are of fixed width, so that a head can be made
before it is known what it says.
Source: org.apache.hadoop.hdfs.protocol.datatransfer.PacketHeader, PacketReceiver; Hadoop 3.4.2.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from app.hadoop.protobuf import BadMessage, decode, signed

HEAD = 31
"""Octets of a head with the fields that are always there; no head is shorter."""
PACKET_LIMIT = 16 * 1024 * 1024
"""Octets of a packet, as PacketReceiver.MAX_PACKET_SIZE has it."""
HEARTBEAT = -1
"""The sequence number of a packet that only tells that somebody is there."""

_LENGTHS = struct.Struct(">IH")
# The octets between the numbers are the keys of the fields: 1 and 2 of 64 bits, 3 a boolean, 4 of
# 32 bits; Protocol Buffers are little-endian.
_FIELDS = struct.Struct("<BqBqBBBi")
_KEYS = (0x09, 0x11, 0x18, 0x25)
_SYNC = b"\x28\x01"
_OWN = 4
_32_BITS_SIGN, _32_BITS = 1 << 31, 1 << 32


class Packet(NamedTuple):
    """What a head says: sizes in octets, `offset` in the block; `head` is the head's own size."""

    offset: int
    sequence: int
    last: bool
    length: int
    checksums: int
    head: int
    sync: bool = False


def pack(
    offset: int, sequence: int, *, last: bool, length: int, checksums: int, sync: bool = False,
) -> bytes:
    """Return the head of a packet with so many octets of data and checksums."""
    fields = _FIELDS.pack(0x09, offset, 0x11, sequence, 0x18, last, 0x25, length)
    if sync:
        fields += _SYNC
    return _LENGTHS.pack(_OWN + checksums + length, len(fields)) + fields


def head_length(data: bytes | bytearray | memoryview, at: int = 0) -> int:
    """Return how long the head is whose first 6 octets are at `at`. Raises BadMessage."""
    total, fields = _LENGTHS.unpack_from(data, at)
    if not _OWN <= total <= PACKET_LIMIT or fields < _FIELDS.size:
        raise BadMessage(f"a packet of {total} octets with a head of {fields}")
    return int(_LENGTHS.size + fields)


def parse(data: bytes | bytearray | memoryview, at: int = 0) -> Packet:
    """Read the head at `at`, of which `head_length` octets are there. Raises BadMessage."""
    head = head_length(data, at)
    total, _ = _LENGTHS.unpack_from(data, at)
    first, offset, second, sequence, third, last, fourth, length = _FIELDS.unpack_from(
        data, at + _LENGTHS.size)
    sync = False
    if head != HEAD or (first, second, third, fourth) != _KEYS:
        offset, sequence, last, length, sync = _decoded(bytes(data[at + _LENGTHS.size:at + head]))
    checksums = total - _OWN - length
    if length < 0 or checksums < 0 or last > 1:
        raise BadMessage(f"a packet of {total} octets with {length} of data")
    return Packet(offset, sequence, bool(last), length, checksums, head, sync)


def _decoded(fields: bytes) -> tuple[int, int, bool, int, bool]:
    told = decode(fields)
    try:
        length = told[4] - _32_BITS if told[4] >= _32_BITS_SIGN else told[4]
        return signed(told[1]), signed(told[2]), bool(told[3]), length, bool(told.get(5, 0))
    except (KeyError, TypeError) as error:
        raise BadMessage(f"a packet's head without field or of another kind: {error!r}") from error
